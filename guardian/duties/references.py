"""From a reference to the posts that it names: a guardian id, a public URL, or ACCOUNT/PLATFORM_ID. API threads.

Nothing is guessed: a reference that could mean two posts is refused, with both named. Only an address on a host that is
none of our accounts' has a platform asked (with that account's token, at its own host), within a limit.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.errors import GuardianError, Illegal, Mistake, Unfound
from guardian.gate import recording
from guardian.store import posts, takedowns
from guardian.store.takedowns import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from guardian.config.in_force import InForce
    from guardian.gate.accounts import Emergency
    from guardian.model import Account, Exchange, PostRef
    from guardian.store.database import Database, Tx

LONGEST = 2000
ASKING = 2.0  # seconds, for an address that is on none of our hosts
FORMS = "give a guardian id (p-...), the post's URL, or ACCOUNT/ID"


class References:
    """Reads references."""

    def __init__(self, *, database: Database, in_force: InForce, desk: Callable[[Account], Emergency]) -> None:
        self.database = database
        self.in_force = in_force
        self.desk = desk

    def find(self, refs: Iterable[str]) -> list[Named]:
        """Every post that they name, in their order, each once. Raises Mistake, Unfound or Illegal."""
        found: dict[tuple[str, str], Named] = {}
        for ref in refs:
            for named in self._find(ref.strip()):
                found.setdefault((named.account, named.platform_id), named)
        return list(found.values())

    def find_all(self, refs: Iterable[str]) -> tuple[list[Named], list[dict[str, str]]]:
        """Every post that they name, and nothing that is lost."""
        return self.find(refs), []

    def find_what_can_be(self, refs: Iterable[str]) -> tuple[list[Named], list[dict[str, str]]]:
        """The same, for the worst minute: what names nothing, and why, is told beside what does.

        Raises the first error when nothing names anything.
        """
        found: list[Named] = []
        lost: list[dict[str, str]] = []
        first: GuardianError | None = None
        for ref in refs:
            try:
                found += self.find([ref])
            except (Mistake, Illegal) as error:
                first = first or error
                lost.append({"ref": ref[:LONGEST], "why": str(error)})
        if first is not None and not found:
            raise first
        return list({(one.account, one.platform_id): one for one in found}.values()), lost

    def _find(self, ref: str) -> list[Named]:
        if not ref or len(ref) > LONGEST:
            raise Mistake(f"cannot tell what is meant by {ref[:100]!r}, because it is no reference", fix=FORMS)
        if ref.startswith(("http://", "https://", "at://")):
            return [self._of_url(ref)]
        if ref.startswith("p-"):
            return self._of_post(ref)
        account, slash, platform_id = ref.partition("/")
        if slash and platform_id and any(one.name == account for one in self.in_force.settings.accounts):
            with self.database.reading() as tx:
                return [self._known(tx, account, platform_id, None)]
        raise Mistake(f"cannot tell what is meant by {ref[:100]!r}, because it is no reference", fix=FORMS)

    def _of_post(self, ref: str) -> list[Named]:
        """Every part of it that is live."""
        post_id, _, nr = ref.partition("#")
        with self.database.reading() as tx:
            post = posts.get(tx, post_id)
            live = posts.live_parts(tx, post)
        if not live:
            raise Illegal(
                f"cannot take {post_id} down, because it is {post.state}: nothing of it is live", fix="cancel"
            )
        named = [
            Named(account=post.account, platform_id=platform_id, url=url, post=post.id, part=part)
            for part, (platform_id, url) in enumerate(live)
        ]
        if not nr:
            return named
        if not nr.isascii() or not nr.isdigit() or not 1 <= int(nr) <= len(named):
            raise Unfound(f"cannot find part {nr!r} of {post_id}, because {len(named)} of its parts are live")
        return [named[int(nr) - 1]]

    def _of_url(self, url: str) -> Named:
        """At home the address says the id; elsewhere the platforms are asked, one account after the other."""
        try:
            host = urlsplit(url).netloc.lower()
        except ValueError:
            raise Mistake(f"cannot read {url[:100]!r}, because it is no address", fix=FORMS) from None
        accounts = self.in_force.settings.accounts
        at_home = [one for one in accounts if urlsplit(one.base_url).netloc.lower() == host]
        at_home = at_home or [one for one in accounts if host in self.desk(one).maker.sites]
        candidates = [(one, ref) for one in at_home or accounts if (ref := self._resolved(one, url)) is not None]
        if not candidates:
            raise Unfound(
                f"cannot find the post {url[:200]}, because no account here knows that address",
                fix="give ACCOUNT/ID, the id as the platform names it",
            )
        with self.database.reading() as tx:
            known = [self._known(tx, one.name, ref.id, ref.url or url) for one, ref in candidates]
        ours = [one for one in known if one.post is not None] or _by_handle(url, candidates, known) or known
        if len(ours) > 1:
            names = ", ".join(f"{one.account}/{one.platform_id}" for one in ours)
            raise Mistake(f"cannot tell whose post {url[:200]} is, because it may be one of: {names}", fix="give one")
        return ours[0]

    def _resolved(self, account: Account, url: str) -> PostRef | None:
        """What this account's platform makes of the address; an answer that does not come names nothing."""
        try:
            with recording.record(_nobody, until=time.monotonic() + ASKING):
                return self.desk(account).adapter.resolve(url)
        except GuardianError:
            return None

    @staticmethod
    def _known(tx: Tx, account: str, platform_id: str, url: str | None) -> Named:
        """With our own id, if it is a post of ours."""
        row = takedowns.part_of(tx, account, platform_id)
        if row is None:
            return Named(account=account, platform_id=platform_id, url=url, post=None, part=None)
        return Named(
            account=account, platform_id=platform_id, url=row["url"] or url, post=row["post"], part=row["part"]
        )


def _by_handle(url: str, candidates: Sequence[tuple[Account, PostRef]], known: Sequence[Named]) -> list[Named]:
    """Those whose own name stands in the address."""
    steps = {step.lower().removeprefix("@").partition("@")[0] for step in urlsplit(url).path.split("/") if step}
    mine = [account.identity.removeprefix("@").partition("@")[0].lower() in steps for account, _ in candidates]
    return [one for one, is_mine in zip(known, mine, strict=True) if is_mine]


def _nobody(_: Exchange) -> None:
    """Nobody keeps it."""
