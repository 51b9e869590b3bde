"""Reddit in an incident: looking at a post, taking it down, and what moderators may do.

Every request is made on the guarded session itself, one for one call; what came is judged by its bytes. `looks`,
`fetch`, `presence` and what is pure may be called by any number of threads at once; the rest by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters import reddit_addresses as addresses
from adapters import reddit_answers as answers_
from adapters import reddit_limits as limits
from adapters.reddit_client import API
from guardian.adapter import Answer, Look, Undoing
from guardian.errors import Doubt, Mistake, Refusal
from guardian.model import Decision, PostRef, Presence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

    from adapters.reddit_client import RedditClient
    from guardian.model import Account, Native, Shown

APPROVE = "approve"
OVERWRITE = "overwrite"
WITHDRAWN = "[withdrawn]"  # what an edit before a deletion says, and all that it can say
FORM = "json"  # in which Reddit is to answer that
NO_NATIVES = "cannot do that, because Reddit shows what it is to publish later to its own apps alone"


class RedditIncident:
    """What an incident needs of one account."""

    def __init__(self, account: Account, client: RedditClient) -> None:
        self._account = account
        self._client = client

    def resolve(self, url: str) -> PostRef | None:
        """The address says the id. Only a share link is asked about: at Reddit's own host, and without our token."""
        parts = addresses.split(url, self._account.base_url)
        if parts is None:
            return None
        found, share = addresses.id_in(parts), addresses.share_in(parts)
        if found is None and share is not None:
            parts = self._led_to(share)
            found = None if parts is None else addresses.id_in(parts)
        if found is None or parts is None:
            return None
        return PostRef(id=found, url=self._account.base_url + parts.path)

    def _here(self, ref: PostRef) -> PostRef:
        """With its address at our `base_url`: another one than Reddit's where that is a double of it."""
        url = ref.url
        if url is not None and url.startswith(f"{addresses.HOME}/"):
            return PostRef(id=ref.id, url=self._account.base_url + url.removeprefix(addresses.HOME))
        return ref

    def _led_to(self, share: str) -> SplitResult | None:
        try:
            answer = self._client.ask("GET", share, accept="text/html", token=False)
        except Exception as error:
            raise Doubt(
                f"cannot follow that share link, because {error}", fix="give the address that it leads to"
            ) from error
        return addresses.split(answer.headers.get("Location", ""), self._account.base_url)

    def looks(self, ref: PostRef) -> Sequence[Look]:
        """Best first. Reddit keeps no history of a post and no source of it: what it is now is all there is."""
        name, post = _safe(ref.id), self._post_of(ref)
        return (
            Look(name="status", url=_status(name)),
            Look(name="account", url=f"{API}/api/v1/me?raw_json=1"),
            *self._comments(name, post),
            *self._page(ref.url),
        )

    def _post_of(self, ref: PostRef) -> str | None:
        return ref.id[3:] if ref.id.startswith("t3_") else addresses.post_of(ref.url, self._account.base_url)

    @staticmethod
    def _comments(name: str, post: str | None) -> Iterator[Look]:
        """What others said below it: as much as one answer holds."""
        if post is None:
            return
        below = f"/_/{name[3:]}" if name.startswith("t1_") else ""
        yield Look(name="comments", url=f"{API}/comments/{post}{below}?raw_json=1&limit=200&sort=new", others=True)

    def _page(self, url: str | None) -> Iterator[Look]:
        """What anybody would see, if Reddit shows it to programs at all."""
        if url is not None and url.startswith(f"{self._account.base_url}/"):
            yield Look(name="page", url=url, essential=False, token=False, accept="text/html")

    def fetch(self, look: Look) -> Answer:
        """One GET (two, where our token has just become too old). Raises what the transport raises."""
        answer = self._client.ask("GET", look.url, accept=look.accept, token=look.token)
        return Answer(status=answer.status_code, body=answer.content)

    def author(self, status: bytes) -> str | None:
        """The full name of the account in it."""
        return answers_.author(status)

    def files(self, status: bytes) -> Sequence[Shown]:
        """Its pictures and films."""
        return answers_.files(status)

    def presence(self, ref: PostRef) -> Presence:
        """What Reddit's list of things by name says; unknown, when it says nothing that can be believed."""
        look = Look(name="status", url=_status(_safe(ref.id)))
        try:
            answer = self.fetch(look)
        except Exception:  # noqa: BLE001 (no answer, whatever the reason: the receipt has it)
            return Presence.UNKNOWN
        return answers_.presence(answer, ref.id)

    def looks_before(self, decision: Decision, ref: PostRef) -> Sequence[Look]:  # noqa: ARG002 (the same for each)
        """What the post is now, and whether we moderate where it is."""
        return (Look(name="status", url=_status(_safe(ref.id))),)

    def limited(self, decision: Decision, ref: PostRef) -> Presence:
        """Whether a limit is in force, by Reddit's list of things by name."""
        (look,) = self.looks_before(decision, ref)
        try:
            answer = self.fetch(look)
        except Exception:  # noqa: BLE001 (as above)
            return Presence.UNKNOWN
        return limits.presence(decision, ref.id, answer)

    def prepare(self, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """A deletion says nothing. Hiding is removing, which moderators may: `status` says whether we are one now."""
        if decision.is_limit:
            limit = limits.prepared(decision, ref.id, answers.get("status"), self._account.identity)
            return Undoing(undo={limit.lift: ref.id})
        if decision is not Decision.HIDE:
            return Undoing()
        seen = answers.get("status")
        thing = answers_.thing_in(seen.body, ref.id) if seen is not None and seen.status == answers_.OK else None
        if thing is None:
            raise _unhidable("nobody knows whether we moderate where it is")
        where = str(thing.get("subreddit", ""))[:50]
        if thing.get("can_mod_post") is not True:
            raise _unhidable(f"{self._account.identity} is no moderator of r/{where}, and nobody else can hide a post")
        if answers_.is_deleted(thing) or answers_.is_removed(thing):
            raise _unhidable("it is removed already, and approving it later would show what somebody else took out")
        return Undoing(undo={APPROVE: ref.id})

    def prepare_overwriting(self, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """Words that are there are overwritten first. Where nobody has seen what it is, the edit is tried."""
        seen = answers.get("status")
        thing = answers_.thing_in(seen.body, ref.id) if seen is not None and seen.status == answers_.OK else None
        why = None if thing is None else answers_.not_editable(thing)
        if why is not None:
            return Undoing(note=f"there was nothing to overwrite before it: {why}")
        return Undoing(ahead=Undoing(request=OVERWRITE, says=frozenset({WITHDRAWN, FORM})))

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        """POST of its name to `del` (before that, if so prepared, to `editusertext`), or to `remove` as no spam."""
        name = _safe(ref.id)
        if decision is Decision.DELETE and undoing.request == OVERWRITE:
            said = {"thing_id": name, "text": WITHDRAWN, "api_type": FORM}
            self._client.ask("POST", f"{API}/api/editusertext/", data=said)
        elif decision is Decision.DELETE:
            self._client.ask("POST", f"{API}/api/del/", data={"id": name})
        elif decision is Decision.HIDE:
            self._client.ask("POST", f"{API}/api/remove/", data={"id": name, "spam": "false"})
        elif decision in limits.LIMITS:
            self._client.ask("POST", f"{API}/api/{limits.LIMITS[decision].lay}/", data={"id": name})
        else:
            raise Refusal("cannot take it down, because the decision is to keep it")

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:
        """POST of its name to `approve`, or to what lifts a limit."""
        if len(undo) != 1 or not set(undo) <= {APPROVE, *limits.LIFTS}:
            raise Refusal("cannot undo that, because it is nothing that was done at Reddit")
        self._client.ask("POST", f"{API}/api/{next(iter(undo))}/", data={"id": _safe(ref.id)})

    def natives(self) -> Sequence[Native] | None:
        """None: posts that are scheduled at Reddit are shown to its own apps alone."""
        return None

    def remove_native(self, native: Native) -> None:  # noqa: ARG002 (there are none)
        """Raises Refusal."""
        raise Refusal(NO_NATIVES)

    def deferral(self, native: Native, *, until: int) -> Undoing:  # noqa: ARG002 (there are none)
        """Raises Refusal."""
        raise Refusal(NO_NATIVES)

    def defer_native(self, native: Native, *, until: int) -> None:  # noqa: ARG002 (there are none)
        """Raises Refusal."""
        raise Refusal(NO_NATIVES)


def _status(name: str) -> str:
    return f"{API}/api/info?raw_json=1&id={name}"


def _safe(fullname: str) -> str:
    """The name, which becomes part of an address. Raises Mistake when it is none that Reddit gives."""
    if not addresses.FULLNAME.fullmatch(fullname):
        raise Mistake(
            "cannot ask for that post, because its id is none that Reddit gives (t3_... or t1_...)",
            fix="name it by its URL",
        )
    return fullname


def _unhidable(why: str) -> Refusal:
    return Refusal(f"cannot hide it, because {why}", fix="delete it, or keep it")
