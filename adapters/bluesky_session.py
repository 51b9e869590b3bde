"""The session of one account: made with the app password, renewed in time, and shared by both of its adapters.

Any thread. The lock guards what is kept in memory, and is never held while the platform is asked: an incident waits
behind no lane. Tokens live in memory alone: on a disk they would be one more secret, and a PDS takes a new session for
a new process (30 in five minutes and 300 a day; we make at most ten in five minutes).
"""

from __future__ import annotations

import hashlib
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
    from collections.abc import Callable

    from atproto_client.client.raw import ClientRaw

    from guardian.model import Account

RENEW_AFTER = 60 * 60.0  # seconds by our own clock, whatever the time is; a token is good for 120 minutes
PROVEN_FOR = 10 * 60.0
MOST_LOGINS, LOGINS_WITHIN = 10, 5 * 60.0


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
        *,
        clock: Callable[[], float] = time.monotonic,
        kept: Kept = KEPT,
    ) -> None:
        self._account = account
        self._client = client
        self._clock = clock
        self._kept = kept
        password = account.secrets["app_password"].reveal()
        whole = f"{account.base_url}\0{account.identity}\0{password}"
        self._key = hashlib.sha256(whole.encode()).hexdigest()

    def session(self) -> Session:
        """A session whose token is still good. Raises TokenRefused, Doubt, and what the network raises."""
        found = self._kept.get(self._key)
        if found is None:
            return self._create()
        return self._renew(found) if self._clock() - found.at >= RENEW_AFTER else found

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
        except (BadRequestError, UnauthorizedError) as error:
            if not is_stale(error):
                raise
        return self._prove(self._renew(found))

    def distrust(self) -> None:
        """The platform has said that it takes this token no more: whoever asks for a proven one next renews it."""
        found = self._kept.get(self._key)
        if found is not None:
            self._kept.put(self._key, replace(found, proven=-PROVEN_FOR))

    def _prove(self, session: Session) -> Session:
        said = self._client.com.atproto.server.get_session(headers=bearing(session))
        return self._kept.put(self._key, replace(session, did=said.did, handle=said.handle, proven=self._clock()))

    def _renew(self, old: Session) -> Session:
        """With the refresh token; with the app password, when the platform does not want that one any more."""
        newer = self._kept.get(self._key)
        if newer is not None and newer.at != old.at and self._clock() - newer.at < RENEW_AFTER:
            return newer
        try:
            made = self._client.com.atproto.server.refresh_session(headers={"Authorization": f"Bearer {old.refresh}"})
        except (BadRequestError, UnauthorizedError):
            return self._create()
        return self._keep(made)

    def _create(self) -> Session:
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
