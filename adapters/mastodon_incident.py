"""Mastodon in an incident: looking at a post, taking it down, and what the server itself has scheduled.

Every request is made on the guarded session itself and no client library: one call is one request, redirects are not
followed, and what came is judged by its bytes. `looks`, `fetch`, `presence` and what is pure share nothing that
changes, so any number of threads may call them at once; the rest by one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters import mastodon_addresses as addresses
from adapters import mastodon_answers as answers_
from adapters import mastodon_rights, mastodon_told
from adapters.mastodon_answers import MISSING, OK, WITHDRAWN
from guardian.adapter import (
    Abilities,
    Act,
    Answer,
    Budget,
    Certainty,
    Files,
    Finding,
    Kind,
    Look,
    Route,
    Undoing,
)
from guardian.errors import Doubt, Mistake, Refusal
from guardian.model import Decision, PostRef, Presence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from requests import Response, Session

    from guardian.beyond import Entitlement
    from guardian.model import Account, Native, Shown, Told

STATUSES = "/api/v1/statuses"
SCHEDULED = "/api/v1/scheduled_statuses"
TARGET = r"/(?P<target>[0-9A-Za-z_-]+)"
ROUTES = (
    Route(Kind.RETRACT, "DELETE", STATUSES + TARGET),
    Route(Kind.RETRACT, "PUT", STATUSES + TARGET),  # hides a post,
    Route(Kind.MANAGE, "PUT", STATUSES + TARGET),  # or shows it again
    Route(Kind.RETRACT, "DELETE", SCHEDULED + TARGET),
    Route(Kind.RETRACT, "PUT", SCHEDULED + TARGET),  # puts one off,
    Route(Kind.MANAGE, "PUT", SCHEDULED + TARGET),  # or has it published when it was due
)
ABILITIES = Abilities(
    publishes="Words, with a warning and a language, for everybody, unlisted, for followers, or direct.",
    media=Files(words="Pictures, films and sounds, as many and as large as the server says.", alt=True),
    threads="Each part replies to the one before it.",
    idempotent=(
        "Mastodon makes one post of it, for an hour. Its relatives may make two, so nothing in doubt is ever sent"
        " again, whatever the server."
    ),
    finds=Finding(
        certainty=Certainty.LISTED,
        words="Our own posts of that time are compared by their source: words, warning, files, what they reply to.",
    ),
    acts=(
        Act(
            decision=Decision.DELETE,
            name="delete",
            reversible=False,
            words=(
                "The post, its files and its boosts are gone from this server at once. Every server that has a copy is"
                " asked to delete it: most do, some late, some never. It cannot be undone."
            ),
        ),
        Act(
            decision=Decision.HIDE,
            name="veil",
            reversible=True,
            words=(
                f'The post is edited to say "{WITHDRAWN}", without its warning and its files; editing it back undoes'
                " that. Its old words and files stay in the edit history, which anybody can read. Whoever boosted it"
                " is told that it was edited. Other servers may go on showing the old one. Not possible for a post"
                " with a poll or a quote, and for a boost."
            ),
        ),
    ),
    budget=Budget(count=30, window=30 * 60_000),
    lists_natives=True,
    defers_natives=True,
    unseen=(
        "what people and other tools publish with this account: they have tokens of their own",
        "what is scheduled at the server itself, unless it is put off or deleted there, too",
        "what the server is to publish within five minutes, even if it is put off: only deleting stops that",
        "copies on other servers, boosts, quotes, and what was photographed or found by a search engine",
    ),
)
USER_AGENT = "post-guardian"
ACTIVITY = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
PAGE = 40
MOST_PAGES = 25  # a server takes 300 scheduled posts from one account


class MastodonIncident:
    """What an incident needs of one account."""

    def __init__(self, account: Account, session: Session) -> None:
        self._account = account
        self._session = session
        self._base = account.base_url.rstrip("/")

    def resolve(self, url: str) -> PostRef | None:
        """At our own server the address says the id; else our server is asked to look it up, and nobody else.

        A search may answer with posts that only speak of that address: those are none.
        """
        parts = addresses.split(url)
        if parts is None:
            return None
        at_home = addresses.is_at(url, self._base)
        found = addresses.id_in(parts.path) if at_home else None
        if found is not None:
            return PostRef(id=found, url=self._base + parts.path.rstrip("/"))
        asked = parts._replace(fragment="").geturl()
        query = {"q": asked, "type": "statuses", "resolve": "true", "limit": "5"}
        answer = self._answer("look up that address", f"{self._base}/api/v2/search", query)
        said = answers_.document(answer.body) if answer.status == OK else None
        statuses = said.get("statuses") if isinstance(said, dict) else None
        if not isinstance(statuses, list):
            why = f"because the server answered {answer.status} and no list"
            raise Doubt(f"cannot look up that address, {why}", fix="give the token read:search, or use our own address")
        for status in statuses:
            platform_id = answers_.name_of(status)
            if platform_id is not None and addresses.names(status, parts._replace(fragment="")):
                return PostRef(id=platform_id, url=status.get("url") or asked)
        return None

    def looks(self, ref: PostRef) -> Sequence[Look]:
        """Best first. A server that keeps no source, history or quotes lacks nothing."""
        status = self._status(ref.id)
        return (
            Look(name="status", url=status),
            Look(name="source", url=f"{status}/source", may_be_missing=True),
            Look(name="history", url=f"{status}/history", may_be_missing=True),
            Look(name="account", url=f"{self._base}/api/v1/accounts/verify_credentials"),
            Look(name="context", url=f"{status}/context", others=True),
            *self._public_looks(ref.url),
            Look(name="quotes", url=f"{status}/quotes?limit=40", essential=False, others=True, may_be_missing=True),
        )

    def _public_looks(self, url: str | None) -> Iterator[Look]:
        """What anybody would see; at no other host than ours, because the gate would refuse it."""
        if url is None or not addresses.is_at(url, self._base):
            return
        yield Look(name="page", url=url, essential=False, token=False, accept="text/html")
        yield Look(name="activity", url=url, essential=False, token=False, may_be_missing=True, accept=ACTIVITY)

    def fetch(self, look: Look) -> Answer:
        """One GET. Raises what the transport raises; an answer of any status is an answer."""
        answer = self._ask("GET", look.url, accept=look.accept, token=look.token)
        return Answer(status=answer.status_code, body=answer.content)

    def may_delete(self) -> Entitlement:
        """By the scopes that the server tells of the token, or of its application."""
        return mastodon_rights.may_delete(lambda path: self._answer("ask what the token may do", self._base + path, {}))

    def author(self, status: bytes) -> str | None:
        """The id of the account in it."""
        return answers_.author(status)

    def files(self, status: bytes) -> Sequence[Shown]:
        """Its attachments."""
        return answers_.files(answers_.document(status))

    def told(self, answers: Mapping[str, Answer]) -> Told | None:
        """Its words, warning, poll and the like."""
        return mastodon_told.told(answers)

    def presence(self, ref: PostRef) -> Presence:
        """What the API says of the id; unknown, when it says nothing that can be believed."""
        look = Look(name="status", url=self._status(ref.id))
        try:
            answer = self.fetch(look)
        except Exception:  # noqa: BLE001 (no answer, whatever the reason: the receipt has it)
            return Presence.UNKNOWN
        return answers_.presence(answer, ref.id)

    def prepare(self, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """A deletion says nothing. An edit says the words of the veil, and the language that the post has.

        Without the look `status` nobody knows whether a poll would be lost: refused. Without its source it can be
        hidden, and not be shown again from here.
        """
        if decision is not Decision.HIDE:
            return Undoing()
        seen, source = answers.get("status"), answers.get("source")
        status = answers_.status_in(seen.body) if seen is not None and seen.status == OK else None
        if status is None or answers_.name_of(status) != ref.id:
            raise _unhidable("nobody knows what it shows: an edit might lose a poll")
        why = answers_.hindrance(status)
        if why is not None:
            raise _unhidable(why)
        if source is not None and source.status == MISSING:
            raise _unhidable("this server has no source of it: posts cannot be edited there")
        known = source is not None and source.status == OK
        undo = answers_.edit_back(status, answers_.document(source.body)) if source is not None and known else None
        language = answers_.language_of(status)
        return Undoing(says=frozenset({WITHDRAWN, language} if language else {WITHDRAWN}), undo=undo)

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        """DELETE with its files, or PUT of the veil: what an edit leaves out is taken out."""
        url = self._status(ref.id)
        if decision is Decision.DELETE:
            self._ask("DELETE", url, params={"delete_media": "true"})
        elif decision is Decision.HIDE:
            language = next(iter(undoing.says - {WITHDRAWN}), None)
            kept = {"language": language} if language else {}
            self._ask("PUT", url, data={"status": WITHDRAWN, "spoiler_text": "", "sensitive": "false", **kept})
        else:
            raise Refusal("cannot take it down, because the decision is to keep it")

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:
        """PUT what it was: the words and files of a post, or the time of one that was put off."""
        url = self._scheduled(ref.id) if set(undo) == {"scheduled_at"} else self._status(ref.id)
        self._ask("PUT", url, json=dict(undo))

    def natives(self) -> Sequence[Native] | None:
        """All pages of what the server has scheduled; None where it has no such thing. Raises Doubt."""
        found: dict[str, Native] = {}
        before: str | None = None
        for _ in range(MOST_PAGES):
            query = {"limit": str(PAGE), **({"max_id": before} if before else {})}
            answer = self._answer("say what is scheduled at the server", self._base + SCHEDULED, query)
            if answer.status == MISSING and before is None:
                return None
            page = answers_.document(answer.body) if answer.status == OK else None
            if not isinstance(page, list):
                raise Doubt(f"cannot say what is scheduled at the server, because it answered {answer.status}, no list")
            fresh = [native for native in answers_.natives(page) if native.id not in found]
            if not fresh:  # the end; or a server that gives the whole list, whatever the page
                return sorted(found.values(), key=lambda native: native.due)
            found.update((native.id, native) for native in fresh)
            before = fresh[-1].id
        raise Doubt("cannot say what is scheduled at the server, because its list does not end")

    def remove_native(self, native: Native) -> None:
        """DELETE."""
        self._ask("DELETE", self._scheduled(native.id))

    def deferral(self, native: Native, *, until: int) -> Undoing:
        """The time as the server writes it. The server takes none that is less than five minutes away."""
        if until <= native.due:
            raise Refusal("cannot put it off until then, because it would be published sooner", fix="name a later time")
        return Undoing(says=frozenset({_time(until)}), undo={"scheduled_at": _time(native.due)})

    def defer_native(self, native: Native, *, until: int) -> None:
        """PUT the time alone."""
        (at,) = self.deferral(native, until=until).says
        self._ask("PUT", self._scheduled(native.id), data={"scheduled_at": at})

    def _answer(self, what: str, url: str, query: dict[str, str]) -> Answer:
        """One question with the token. Raises Doubt when nobody answered."""
        try:
            answer = self._ask("GET", url, params=query)
        except Exception as error:
            raise Doubt(f"cannot {what}, because {error}", fix="try again") from error
        return Answer(status=answer.status_code, body=answer.content)

    def _ask(
        self,
        method: str,
        url: str,
        *,
        accept: str = "application/json",
        token: bool = True,
        **said: Any,  # noqa: ANN401 (what requests takes: params, data or json)
    ) -> Response:
        """One request, not sent on anywhere."""
        headers = {"User-Agent": USER_AGENT, "Accept": accept}
        if token:
            headers["Authorization"] = f"Bearer {self._account.secrets['token'].reveal()}"
        hooks = {"response": [_unheard]}  # instead of the session's, which is for the client library and one thread
        return self._session.request(method, url, headers=headers, allow_redirects=False, hooks=hooks, **said)

    def _status(self, platform_id: str) -> str:
        return f"{self._base}{STATUSES}/{_safe(platform_id)}"

    def _scheduled(self, platform_id: str) -> str:
        return f"{self._base}{SCHEDULED}/{_safe(platform_id)}"


def _unheard(response: Response, **_: object) -> Response:
    return response


def _safe(platform_id: str) -> str:
    """The id, which becomes part of a path. Raises Mistake when it could name another path."""
    if not addresses.SAFE_ID.fullmatch(platform_id):
        raise Mistake("cannot ask for that post, because its id is none that a server gives", fix="name it by its URL")
    return platform_id


def _unhidable(why: str) -> Refusal:
    return Refusal(f"cannot hide it, because {why}", fix="delete it, or keep it")


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
