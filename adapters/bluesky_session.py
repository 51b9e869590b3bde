"""The session of one account: made with the app password, renewed in time, shared by both adapters, and kept.

Any thread. The lock guards what is kept in memory, and is never held while the platform is asked. The next life of the
daemon goes on with the session that was kept on the disk, sealed (a PDS takes 30 logins in five minutes and 300 a day;
we make at most ten in five minutes). Whoever makes or renews one has the account's turn for it; a turn that does not
come in two seconds, or a disk that takes nothing, stops nobody: the app password is good for a session of one's own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from atproto_client.client.session import get_session_pds_endpoint
from atproto_client.exceptions import BadRequestError, RequestErrorBase, UnauthorizedError

from adapters.bluesky_answers import CLOSED, STALE
from guardian.errors import Doubt, PlatformRefusal, TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from atproto_client.client.raw import ClientRaw

    from guardian.adapter import Keeping
    from guardian.model import Account

RENEW_AFTER = 60 * 60.0  # seconds by our own clock, whatever the time is; a token is good for 120 minutes
PROVEN_FOR = 10 * 60.0
MOST_LOGINS, LOGINS_WITHIN = 10, 5 * 60.0
PATIENCE = 2.0  # seconds for a turn: an incident waits no longer behind whoever else renews
KEPT_TEXTS = ("did", "handle", "access", "refresh", "pds")


@dataclass(frozen=True, slots=True)
class Session:
    """What a PDS gave us. `at` and `proven` are of the monotonic clock, in seconds."""

    did: str
    handle: str
    access: str
    refresh: str
    at: float
    proven: float
    pds: str  # where the account lives, by its own document; empty: it does not say

    def __repr__(self) -> str:
        return f"Session({self.did})"

    def written(self, made: float) -> bytes:
        """What is kept of it; `made` is the wall time (s) of its token."""
        return json.dumps({**{name: getattr(self, name) for name in KEPT_TEXTS}, "made": made}).encode()


def restored(kept: bytes | None, *, now: float, wall: float) -> Session | None:
    """The session that was kept, its token as old as the clocks say, and believed by nobody yet; None: it is none."""
    try:
        said = json.loads(kept or b"null")
        texts = {name: said[name] for name in KEPT_TEXTS}
        age = wall - said["made"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(isinstance(one, str) for one in texts.values()):
        return None
    old = age if 0 <= age < RENEW_AFTER else RENEW_AFTER  # a clock that was set back says nothing
    return Session(**texts, at=now - old, proven=now - PROVEN_FOR)


class Kept:
    """The sessions of this process, by account; two adapters of one account find the same one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._logins: dict[str, deque[float]] = {}

    def get(self, key: str) -> Session | None:
        """The session of an account, if there is one."""
        with self._lock:
            return self._sessions.get(key)

    def put(self, key: str, session: Session) -> Session:
        """Keep it, in the place of the one before."""
        with self._lock:
            self._sessions[key] = session
        return session

    def may_log_in(self, key: str, now: float) -> bool:
        """Whether another session may be made now, and count it."""
        with self._lock:
            times = self._logins.setdefault(key, deque(maxlen=MOST_LOGINS))
            if len(times) == MOST_LOGINS and now - times[0] < LOGINS_WITHIN:
                return False
            times.append(now)
            return True


KEPT = Kept()


class Login:
    """How one adapter comes to a token."""

    def __init__(
        self,
        account: Account,
        client: ClientRaw,
        keeping: Keeping,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        kept: Kept = KEPT,
    ) -> None:
        self._account = account
        self._client = client
        self._keeping = keeping
        self._clock = clock
        self._wall = wall
        self._kept = kept
        password = account.secrets["app_password"].reveal()
        whole = f"{account.base_url}\0{account.identity}\0{password}"
        self._key = hashlib.sha256(whole.encode()).hexdigest()

    def session(self) -> Session:
        """A session whose token is still good. Raises TokenRefused, Doubt, and what the network raises."""
        found = self._kept.get(self._key) or self._restore()
        return found if found is not None and self._is_fresh(found) else self._renew(found)

    def proven(self, *, anew: bool = False) -> Session:
        """A session that the platform has believed within the last ten minutes, or (`anew`) just now.

        It says *expired* with a 400, the same as to a post that is wrong: so nothing is published with a token that
        nobody has seen accepted.
        """
        found = self.session()
        if not anew and self._clock() - found.proven < PROVEN_FOR:
            return found
        try:
            return self._prove(found)
        except (BadRequestError, UnauthorizedError):  # it is asked nothing else: whatever it says is of the session
            return self._prove(self._renew(found))

    def distrust(self) -> None:
        """The platform has said that it takes this token no more: whoever asks for a proven one next renews it."""
        found = self._kept.get(self._key)
        if found is not None:
            self._kept.put(self._key, replace(found, proven=-PROVEN_FOR))

    def _prove(self, session: Session) -> Session:
        said = self._client.com.atproto.server.get_session(headers=bearing(session))
        return self._kept.put(self._key, replace(session, did=said.did, handle=said.handle, proven=self._clock()))

    def _is_fresh(self, session: Session) -> bool:
        return self._clock() - session.at < RENEW_AFTER

    def _restore(self) -> Session | None:
        """What an earlier life has kept."""
        found = restored(self._keeping.read(), now=self._clock(), wall=self._wall())
        return None if found is None else self._kept.put(self._key, found)

    def _renew(self, old: Session | None) -> Session:
        """With the refresh token; with the app password, when there is none that the platform wants."""
        with self._turn() as mine:
            newer = self._newer(old)
            if newer is not None:
                return newer
            made = self._refreshed(old) or self._created()
            if mine:
                with contextlib.suppress(Doubt):  # a disk that is full keeps no incident waiting
                    self._keeping.write(made.written(self._wall()))
            return made

    @contextlib.contextmanager
    def _turn(self) -> Iterator[bool]:
        """The account's turn, and whether we have it."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._keeping.turn(within=PATIENCE))
            except Doubt:
                yield False
                return
            yield True

    def _newer(self, old: Session | None) -> Session | None:
        """What somebody else has made meanwhile: the other adapter, or another process."""
        found = self._kept.get(self._key)
        if self._is_newer(found, old):
            return found
        found = restored(self._keeping.read(), now=self._clock(), wall=self._wall())
        return self._kept.put(self._key, found) if found is not None and self._is_newer(found, old) else None

    def _is_newer(self, found: Session | None, old: Session | None) -> bool:
        return found is not None and (old is None or found.refresh != old.refresh) and self._is_fresh(found)

    def _refreshed(self, old: Session | None) -> Session | None:
        if old is None:
            return None
        try:
            made = self._client.com.atproto.server.refresh_session(headers={"Authorization": f"Bearer {old.refresh}"})
        except (BadRequestError, UnauthorizedError) as error:
            if error_of(error) in CLOSED:
                raise closed(self._account.identity, error) from None
            return None
        return self._keep(made)

    def _created(self) -> Session:
        now = self._clock()
        if not self._kept.may_log_in(self._key, now):
            raise Doubt(
                f"cannot log in as {self._account.identity}, because that was done {MOST_LOGINS} times in five minutes",
                fix="wait: the platform would lock the account out",
            )
        who = self._account.identity.removeprefix("@")
        password = self._account.secrets["app_password"].reveal()
        try:
            made = self._client.com.atproto.server.create_session({"identifier": who, "password": password})
        except UnauthorizedError as error:
            if error_of(error) in CLOSED:
                raise closed(self._account.identity, error) from None
            raise TokenRefused(
                f"cannot log in as {self._account.identity}, because the PDS refuses the name or the app password, or"
                " has closed the account (it says the same of all three)",
                fix="put a valid one into its file, then reload; or sign in at bsky.app and see what it says",
            ) from None
        return self._keep(made)

    def _keep(self, made: Any) -> Session:  # noqa: ANN401 (either of two answers of the library)
        now = self._clock()
        session = Session(
            did=made.did,
            handle=made.handle,
            access=made.access_jwt,
            refresh=made.refresh_jwt,
            at=now,
            proven=now,
            pds=get_session_pds_endpoint(made) or "",
        )
        return self._kept.put(self._key, session)


def bearing(session: Session) -> dict[str, str]:
    """The header that carries its token."""
    return {"Authorization": f"Bearer {session.access}"}


def is_stale(error: RequestErrorBase) -> bool:
    """Whether the platform said of the token, and not of the request, that it does not take it."""
    return isinstance(error, UnauthorizedError) or error_of(error) in STALE


def error_of(error: RequestErrorBase) -> str:
    """The name that XRPC gives it; empty where it has none."""
    content = error.response.content if error.response is not None else None
    return str(getattr(content, "error", None) or "")


def closed(identity: str, error: RequestErrorBase) -> PlatformRefusal:
    """Whoever runs the PDS has closed the account: another app password helps nobody."""
    return PlatformRefusal(
        f"cannot use {identity}, because the platform has closed the account ({error_of(error)})",
        fix="sign in at bsky.app and see what it says of the account",
    )
