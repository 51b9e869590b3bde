"""One house with an account on each of the four platforms, each behind a front over TLS that keeps the kernel's stamps.

Mastodon is the rehearsal platform, X and Reddit are their doubles, Bluesky is a real PDS. What makes a post at each of
them is said here by the platform's own documentation, not by our adapters.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.adapters.reddit_double import RedditDouble
from tests.adapters.reddit_room import SECRETS as REDDIT_SECRETS
from tests.bluesky import pds as servers
from tests.conformance.x_bench import AskedAnywhere
from tests.torture import oracle
from tests.torture.house import TorturedHouse
from tests.torture.oracle import Findings
from tests.torture.rows_wire import NEW_CERTIFICATE
from tests.torture.tls_front import TlsFront

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bluesky.pds import Brand, Pds
    from tests.doubles.x import XDouble

MASTODON, X, REDDIT, BLUESKY = FOUR = ("acme-mastodon", "acme-x", "acme-reddit", "acme-bluesky")
SCOPES_OF = {
    name: frozenset({"all", f"platform:{name.removeprefix('acme-')}", "brand:acme", f"account:{name}"}) for name in FOUR
}
SCOPES = tuple(sorted(frozenset().union(*SCOPES_OF.values())))
MAKES = {
    MASTODON: re.compile(r"POST /api/v1/statuses[ ?]"),
    X: re.compile(r"POST /2/tweets[ ?]"),
    REDDIT: re.compile(r"POST /api/(submit|submit_gallery_post\.json|comment)/?[ ?]"),
    BLUESKY: re.compile(r"POST /xrpc/com\.atproto\.repo\.(createRecord|putRecord|applyWrites)[ ?]"),
}
TEXT = re.compile(rb"post(?: |\+|%20)(\d+)")
PAGE = "100"


class XBehindTls(AskedAnywhere):
    """The same over TLS: that is what the client has signed."""

    @property
    def url(self) -> str:
        return super().url.replace("http://", "https://") if getattr(self._asked, "host", None) else super().url


class Platforms(NamedTuple):
    """The three that are not the house's own witness."""

    x: XDouble
    reddit: RedditDouble
    pds: Pds
    brand: Brand


class FourHouse(TorturedHouse):
    """A house whose posts go to four platforms."""

    on_mastodon = (MASTODON, "other")

    def __init__(self, there: Platforms, certificate: Path, *, config: str = "") -> None:
        self.there = there
        self.fronts: dict[str, TlsFront] = {}
        self._certificate = certificate
        super().__init__(config=config)
        self._environment = {"SSL_CERT_FILE": str(certificate)}

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        for front in self.fronts.values():
            front.close()

    def _write(self, more: str) -> None:
        lines = [f'state_dir = "{self.house.state_dir}"', f'runtime_dir = "{self.house.runtime_dir}"', more]
        if "[reconcile]" not in more:
            lines += ["[reconcile]", "looks = 3", 'over = "2s"']
        there = self.there
        known = {
            MASTODON: (self.witness.place, f"@{MASTODON}@{self.witness.place}", {"token": f"rehearsal-{MASTODON}"}),
            X: (there.x.url.removeprefix("http://"), "@acme", there.x.accounts["acme"].keys),
            REDDIT: (there.reddit.url.removeprefix("http://"), "u/acme_brand", REDDIT_SECRETS),
            BLUESKY: (there.pds.place, f"@{there.brand.handle}", {"app_password": there.brand.app_password}),
        }
        for name, (place, identity, secrets) in known.items():
            self.fronts[name] = TlsFront(place, self._certificate)
            lines += [
                f"[accounts.{name}]", f'platform = "{name.removeprefix("acme-")}"', 'brand = "acme"',
                f'base_url = "{self.fronts[name].url}"', f'identity = "{identity}"', f"[accounts.{name}.secrets]",
            ]  # fmt: skip
            lines += [f'{key} = "file:{self.secret(name, key, value)}"' for key, value in secrets.items()]
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def secret(self, account: str, key: str, value: str) -> Path:
        """Write one of an account's secrets into its file."""
        file = self.directory / f"{account}.{key}"
        file.touch(0o600)
        file.write_text(f"{value}\n", "utf-8")
        return file

    def record(self, account: str, *, at: str, text: str) -> dict[str, str]:
        """On Reddit in the subreddit that the double has."""
        found = super().record(account, at=at, text=text)
        return {**found, "visibility": "r/acme"} if account == REDDIT else found

    def arrivals(self) -> list[dict[str, Any]]:
        """Every request that would make a post, at all four, as the fronts saw it come."""
        return [
            {"account": name, "first_byte": one.first, "last_byte": one.last, "text": _text(one.letter), "answered": 0}
            for name, front in self.fronts.items()
            for one in list(front.seen)
            if MAKES[name].match(one.line)
        ]

    def made(self) -> dict[str, list[str]]:
        """What is there, by account, as each platform itself has it."""
        return {
            MASTODON: [str(post["text"]) for post in self.witness.posts() if not post["deleted"]],
            X: self.there.x.live(),
            REDDIT: [str(one["title"]) for one in self.there.reddit.things.values() if one["author"] != "[deleted]"],
            BLUESKY: list(self._records()),
        }

    def _records(self) -> Iterator[str]:
        where = {"repo": self.there.brand.did, "collection": "app.bsky.feed.post", "limit": PAGE}
        cursor: dict[str, str] = {}
        while True:
            page = self.there.pds.get("com.atproto.repo.listRecords", **where, **cursor)
            yield from (str(one["value"]["text"]) for one in page["records"])
            if not page.get("cursor"):
                return
            cursor = {"cursor": str(page["cursor"])}

    def judge(self) -> Findings:
        """What the oracle says of all four together; the daemon must run."""
        arrivals = self.arrivals()
        made = Counter(text for texts in self.made().values() for text in texts)
        first = {str(one["text"]): one for one in reversed(arrivals)}
        posts = [{"text": text, "created_ns": first[text]["last_byte"]} for text in made if text in first]
        return Findings(
            late=oracle.find_late(arrivals, self.history.closed(), SCOPES_OF),
            lost=oracle.find_lost(self.imported, self.rows(), made),
            double=oracle.find_double(made),
            mismatched=oracle.find_mismatched(self.history, dict(self.imported), arrivals, posts),
        )

    def blind(self) -> str:
        """What is wrong with the witnesses: their own logs and the fronts must have seen the same requests."""
        came = Counter(str(one["account"]) for one in self.arrivals())
        theirs = {
            MASTODON: sum(one["method"] == "POST" for one in self.witness.creates()),
            X: len(self.there.x.creates()),
            REDDIT: len(self.there.reddit.creates),
            BLUESKY: len(self.made()[BLUESKY]),
        }
        wrong = [
            f"the front of {name} saw {came[name]} of {theirs[name]}" for name in FOUR if came[name] < theirs[name]
        ]
        troubles = [front.trouble for front in self.fronts.values() if front.trouble]
        return "; ".join(wrong + troubles)


def _text(letter: bytes) -> str:
    found = TEXT.search(letter)
    return f"post {found[1].decode()}" if found else ""


@contextmanager
def four(*, config: str = "") -> Iterator[FourHouse]:
    """The house and its platforms while the block runs. Raises NotInstalled where no PDS can be had."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torture-four-")))
        certificate = _certificate(folder)
        (folder / "pds").mkdir()
        pds = stack.enter_context(servers.running(folder / "pds"))
        x, reddit = stack.enter_context(XBehindTls("acme", "other")), stack.enter_context(RedditDouble())
        there = Platforms(x, reddit, pds, pds.brand())
        yield stack.enter_context(FourHouse(there, certificate, config=config))


def _certificate(folder: Path) -> Path:
    made = [*NEW_CERTIFICATE, "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    both = folder / "both.pem"
    both.write_text((folder / "certificate.pem").read_text() + (folder / "key.pem").read_text())
    return both
