"""Bluesky in an incident: looking at a post, its proof, and taking it down.

One call is one request, and what came is judged by its bytes. What the PDS says of its own records anybody may ask, so
that an incident waits for no login; only what bsky.app says of them, and the act itself, need the token. `looks`,
`fetch`, `presence` and what is pure share nothing that changes: any number of threads may call them at once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
from atproto_client.client.raw import ClientRaw
from atproto_client.request import Request

from adapters import bluesky_answers as answers_
from adapters import bluesky_names as names
from adapters import bluesky_repository as repository
from adapters.bluesky_names import DID, HANDLE, POST
from adapters.bluesky_session import Login, bearing
from guardian.adapter import Answer, Look, Undoing
from guardian.errors import Doubt, Mistake, Refusal, TokenRefused
from guardian.model import Decision, PostRef, Presence, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.bluesky_names import Name
    from adapters.bluesky_session import Session
    from guardian.adapter import Network
    from guardian.model import Account, Native, Shown

USER_AGENT = "post-guardian"
CAR = "application/vnd.ipld.car"
MAX_REDIRECTS = 3
SKEW = 60_000  # ms between our clock and the server's, by which it dates what changed
TIMES = 600.0  # seconds; the gate has the true limit, for a whole exchange


class BlueskyIncident:
    """What an incident needs of one account."""

    def __init__(self, account: Account, network: Network) -> None:
        self._account = account
        self._xrpc = f"{account.base_url.rstrip('/')}/xrpc"
        transport = network.httpx_transport()
        self._http = httpx.Client(
            transport=transport, trust_env=False, timeout=TIMES, headers={"User-Agent": USER_AGENT}
        )
        request = Request(transport=transport, trust_env=False, timeout=TIMES, max_redirects=MAX_REDIRECTS)
        request.add_additional_header("User-Agent", USER_AGENT)
        self._client = ClientRaw(account.base_url, request=request)
        self._login = Login(account, self._client, network.keeping)

    def resolve(self, url: str) -> PostRef | None:
        """The address says the key and whose it is; only a handle is asked for, at our own PDS."""
        name = names.post_at(url)
        if name is None:
            return None
        did = name.repo if DID.fullmatch(name.repo) else self._did_of(name.repo.lower())
        return None if did is None else _ref(names.Name(did, name.collection, name.rkey))

    def looks(self, ref: PostRef) -> Sequence[Look]:
        """Best first. The proof is the record with the path to the signed commit, and `account` has the key for it."""
        name = name_of(ref)
        proof = {"did": name.repo, "collection": name.collection, "rkey": name.rkey}
        return (
            Look(name="status", url=self._where(name)),
            Look(name="proof", url=self._at("com.atproto.sync.getRecord", proof), accept=CAR),
            Look(name="account", url=self._at("com.atproto.repo.describeRepo", {"repo": name.repo})),
            Look(
                name="context",
                url=self._at("app.bsky.feed.getPostThread", {"uri": name.uri, "depth": "10", "parentHeight": "10"}),
                others=True,
                may_be_missing=True,
            ),
            Look(
                name="counts",
                url=self._at("app.bsky.feed.getPosts", {"uris": name.uri}),
                essential=False,
                may_be_missing=True,
            ),
            Look(
                name="quotes",
                url=self._at("app.bsky.feed.getQuotes", {"uri": name.uri, "limit": "100"}),
                essential=False,
                others=True,
                may_be_missing=True,
            ),
        )

    def fetch(self, look: Look) -> Answer:
        """One GET. Raises what the transport raises; an answer of any status is an answer."""
        answer = self._get(look.url, accept=look.accept)
        return Answer(status=answer.status_code, body=answer.content)

    def author(self, status: bytes) -> str | None:
        """The DID in whose repository it is."""
        return answers_.author(status)

    def files(self, status: bytes) -> Sequence[Shown]:
        """Its pictures, where its own PDS keeps them."""
        did = answers_.author(status)
        blob = f"{self._at('com.atproto.sync.getBlob', {'did': did})}&cid=" if did else ""
        return tuple(answers_.files(status, blob)) if blob else ()

    def presence(self, ref: PostRef) -> Presence:
        """What its PDS says, which is exact; bsky.app lags behind it by seconds."""
        name = name_of(ref)
        try:
            answer = self._record(name)
        except Exception:  # noqa: BLE001 (no answer, whatever the reason: the receipt has it)
            return Presence.UNKNOWN
        return answers_.presence(answer.status_code, answer.content, name.uri)

    def prepare(
        self,
        decision: Decision,
        ref: PostRef,  # noqa: ARG002 (the contract's)
        answers: Mapping[str, Answer],  # noqa: ARG002 (the contract's)
    ) -> Undoing:
        """A deletion says nothing, and nothing undoes it. To hide is refused: an edit is not shown."""
        if decision is Decision.HIDE:
            raise Refusal(
                "cannot hide it, because bsky.app goes on showing the old words of a post that is edited",
                fix="delete it, or keep it",
            )
        return Undoing()

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:  # noqa: ARG002 (the contract's)
        """One deleteRecord; of what is not there it makes nothing."""
        if decision is not Decision.DELETE:
            raise Refusal("cannot do that to a post, because Bluesky has no such act", fix="delete it, or keep it")
        name = name_of(ref)
        said = {"repo": name.repo, "collection": name.collection, "rkey": name.rkey}
        answer = self._http.post(
            self._at("com.atproto.repo.deleteRecord"), json=said, headers=bearing(self._believed())
        )
        if answers_.is_stale(answer.status_code, answer.content):
            self._login.distrust()

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:  # noqa: ARG002 (the contract's)
        """Nothing that we do here can be undone."""
        raise Refusal(f"cannot undo anything about {ref.id}, because a deletion is final on Bluesky")

    def natives(self) -> Sequence[Native] | None:
        """None: Bluesky publishes nothing later by itself; other tools do, and cannot be asked."""
        return None

    def remove_native(self, native: Native) -> None:
        """There are none."""
        raise _no_natives(native)

    def deferral(self, native: Native, *, until: int) -> Undoing:  # noqa: ARG002 (the contract's)
        """There are none."""
        raise _no_natives(native)

    def defer_native(self, native: Native, *, until: int) -> None:  # noqa: ARG002 (the contract's)
        """There are none."""
        raise _no_natives(native)

    def recent(self, *, since: int) -> Sequence[Seen]:
        """Every post that came into our repository since then, or was changed: what the PDS signed, and nobody's list.

        One request, of the difference to the repository of that time; by the server's clock, less a minute.
        """
        did = self._login.session().did
        asked = self._at("com.atproto.sync.getRepo", {"did": did, "since": names.tid_at(since - SKEW)})
        try:
            answer = self._get(asked, accept=CAR)
        except Exception as error:
            raise Doubt(f"cannot say what {self._account.name} has published, because {error}") from error
        if answer.status_code != answers_.OK:
            raise Doubt(f"cannot say what {self._account.name} has published: the PDS answered {answer.status_code}")
        return [
            Seen(ref=_ref(names.Name(did, POST, rkey)), at=at, text=text)
            for rkey, at, text in repository.posts_in(answer.content, since=since)
        ]

    # Below: how it is asked.

    def _believed(self) -> Session:
        """A session for the act: one that was just believed; where nobody could say that, one that should be."""
        try:
            return self._login.proven()
        except TokenRefused:
            raise
        except Exception:  # noqa: BLE001 (whatever it is: the act itself is the better question)
            return self._login.session()

    def _did_of(self, handle: str) -> str | None:
        """Whose a handle is; None: nobody's. Raises Doubt when our PDS cannot say."""
        if not HANDLE.fullmatch(handle):
            return None
        answer = self._get(self._at("com.atproto.identity.resolveHandle", {"handle": handle}))
        said = answers_.document(answer.content) if answer.status_code == answers_.OK else None
        did = said.get("did") if isinstance(said, dict) else None
        if isinstance(did, str) and DID.fullmatch(did):
            return did
        if answer.status_code == answers_.BAD_REQUEST and answers_.error_in(answer.content):
            return None
        raise Doubt(f"cannot say who @{handle} is, because the PDS answered {answer.status_code}")

    def _record(self, name: Name) -> httpx.Response:
        return self._get(self._where(name))

    def _where(self, name: Name) -> str:
        said = {"repo": name.repo, "collection": name.collection, "rkey": name.rkey}
        return self._at("com.atproto.repo.getRecord", said)

    def _get(self, url: str, *, accept: str = "application/json") -> httpx.Response:
        """One GET; with the token only where bsky.app is asked through our PDS."""
        needs_token = url.startswith(f"{self._xrpc}/app.bsky.")
        headers = {"Accept": accept, **(bearing(self._login.session()) if needs_token else {})}
        return self._http.get(url, headers=headers, follow_redirects=False)

    def _at(self, method: str, said: Mapping[str, Any] | None = None) -> str:
        return f"{self._xrpc}/{method}" + (f"?{urlencode(said)}" if said else "")


def name_of(ref: PostRef) -> Name:
    """What a ref names. Raises Mistake when it names no record."""
    found = names.name_in(ref.id)
    if found is None or not DID.fullmatch(found.repo):
        raise Mistake("cannot ask for that post, because its id is no at:// address with a DID", fix="name it by URL")
    return found


def now_written() -> str:
    """What time it is, as a record says it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ref(name: Name) -> PostRef:
    return PostRef(id=name.uri, url=name.url)


def _no_natives(native: Native) -> Refusal:
    return Refusal(f"cannot change {native.id[:100]}, because Bluesky itself publishes nothing later")
