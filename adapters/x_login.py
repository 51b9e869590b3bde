"""How an account with OAuth 2 comes to a token: two hours each, renewed with a refresh token that is good for one use.

All adapters of an account share one token, and one of them renews it at a time, over threads and processes. What X
gives in place of a used one goes to the disk before it is used. Before X is asked, it is written down that it will be:
so a crash between X's answer and our disk is told as what it was, and nothing is asked for that could not be kept.
Any thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from typing import TYPE_CHECKING

import structlog

from adapters import x_tokens
from adapters.x_tokens import Token
from guardian.adapter import Kind, Route
from guardian.errors import Doubt, GuardianError, PlatformRefusal, TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from guardian.adapter import Network
    from guardian.model import Account

TOKENS = "/2/oauth2/token"
ROUTES = (Route(Kind.AUTH, "POST", TOKENS),)
PATIENCE = 10.0  # seconds for somebody else who renews it, where the old token is good for nothing any more
IMPATIENCE = 0.2  # where it is still good
REST = 30.0  # seconds after a renewal whose answer never came
REFUSED_FOR = 10 * 60.0  # seconds until X is asked again about a refresh token that it has refused
log = structlog.get_logger()


class Shared:
    """What this process knows of tokens: the disk knows it, too, unless it could not be written. Any thread.

    They are known by what was configured first, and not by the account's name: where two files were swapped and are put
    right again, what was used up meanwhile is not lost.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._sealed: dict[str, str] = {}
        self._refusals: dict[str, tuple[float, TokenRefused]] = {}

    def get(self, key: str) -> Token | None:
        """The last token."""
        with self._lock:
            return self._tokens.get(key)

    def put(self, key: str, token: Token, *, sealed: str | None = None) -> Token:
        """In the place of the one before. `sealed`: the account that has it on the disk."""
        with self._lock:
            self._tokens[key] = token
            if sealed is None:
                self._sealed.pop(key, None)
            else:
                self._sealed[key] = sealed
        return token

    def spend(self, key: str, access: str) -> None:
        """X takes this one no more; whether it is on the disk stays as it was."""
        with self._lock:
            token = self._tokens.get(key)
            if token is not None and token.access == access:
                self._tokens[key] = token.spent()

    def is_sealed(self, key: str, account: str) -> bool:
        """Whether the last token is on the disk for that account."""
        with self._lock:
            return self._sealed.get(key) == account

    def refuse(self, seal: str, at: float, why: TokenRefused) -> TokenRefused:
        """X takes what that account logs in with no more: it is not asked again at once."""
        with self._lock:
            self._refusals[seal] = (at, why)
        return why

    def refusal(self, seal: str, now: float) -> TokenRefused | None:
        """Why it would be refused again, if that is not long ago."""
        with self._lock:
            at, why = self._refusals.get(seal, (now - REFUSED_FOR, None))
        return why if 0 <= now - at < REFUSED_FOR else None


SHARED = Shared()


class XLogin:
    """One adapter's way to its account's token."""

    def __init__(
        self, account: Account, network: Network, base: str, *, clock: Callable[[], float], shared: Shared
    ) -> None:
        """`clock` is the wall clock, in seconds: a token outlives the process."""
        self._account = account
        self._network = network
        self._base = base
        self._clock = clock
        self._shared = shared
        secrets = {name: secret.reveal() for name, secret in account.secrets.items()}
        self._client = secrets["client_id"], secrets.get("client_secret")
        self._first = secrets["refresh_token"]
        self._key = _digest(base, self._client[0], self._first)
        self._seal = _digest(self._key, account.name, account.identity, self._client[1] or "")
        self._save_at = self._warned_at = 0.0

    def bearer(self) -> str:
        """A token that is good. Raises TokenRefused, with what to do; Doubt when X or the disk could not be asked."""
        return self.token().access

    def token(self) -> Token:
        """The same, and what is known of it."""
        now = self._clock()
        token = self._shared.get(self._key)
        if token is None or not token.is_fresh(now):
            return self._renewed(token, now)
        if not self._shared.is_sealed(self._key, self._seal) and not 0 <= now - self._save_at < REST:
            self._save_at = now
            self._save()
        return token

    def expect_rights(self) -> None:
        """What is known to be wrong, though X may take this token still: a person has to act before it ends.

        Raises TokenRefused where no other can be had; PlatformRefusal where the app was not given what it needs.
        """
        token = self.token()
        refusal = self._shared.refusal(self._seal, self._clock())
        if refusal is not None:
            raise refusal
        if token.lacks:
            raise PlatformRefusal(
                f"cannot use X as {self._account.identity}, because the app was not given the right to {token.lacks}",
                fix=f"authorise it again with: {' '.join(x_tokens.SCOPES)}",
            )

    def forget(self, access: str) -> None:
        """X takes this one no more, whatever it said of its time."""
        self._shared.spend(self._key, access)

    def _save(self) -> None:
        """Again: the disk was full, or the same login is another account's by now."""
        with contextlib.suppress(Doubt), self._network.keeping.turn(within=IMPATIENCE):
            token = self._shared.get(self._key)
            if token is not None and token.access:
                self._network.keeping.write(token.written())
                self._shared.put(self._key, token, sealed=self._seal)

    def _renewed(self, held: Token | None, now: float) -> Token:
        """Another one; or the one that we have, if it is still good and no other can be had now."""
        good = held is not None and held.is_good(now)
        try:
            return self._in_turn(IMPATIENCE if good else PATIENCE)
        except GuardianError as error:
            held = self._shared.get(self._key)  # what the last process kept may be good for some minutes more
            if held is None or not held.is_good(self._clock()):
                raise
            if not 0 <= now - self._warned_at < REST:
                self._warned_at = now
                log.warning("login not renewed", account=self._account.name, why=str(error))
            return held

    def _in_turn(self, within: float) -> Token:
        """Whoever has the turn looks first: another adapter or another process may just have renewed it."""
        with self._network.keeping.turn(within=within):
            now = self._clock()
            known, kept = self._shared.get(self._key), x_tokens.read(self._network.keeping.read())
            if kept is not None and (known is None or kept.made > known.made):
                known = self._shared.put(self._key, kept, sealed=self._seal)
            if known is not None and known.is_fresh(now):
                return known
            refusal = self._shared.refusal(self._seal, now)
            if refusal is not None:
                raise refusal
            return self._renew(known or Token(refresh=self._first), now)

    def _renew(self, old: Token, now: float) -> Token:
        """Ask X, once. What it gives is on the disk before it is used."""
        if 0 <= now - old.asked < REST:
            raise Doubt(
                f"cannot log in at X as {self._account.identity}, because its answer to the last renewal never came",
                fix="wait half a minute: X is asked again then",
            )
        asked = old.renewing(now)
        self._network.keeping.write(asked.written())  # what cannot be kept is not asked for
        self._shared.put(self._key, asked, sealed=self._seal)
        self._hush(old)
        answer = self._ask(old.refresh)
        problem = x_tokens.problem(self._account.identity, answer, lost=bool(old.asked))
        if isinstance(problem, TokenRefused):
            raise self._shared.refuse(self._seal, now, problem)
        if problem is not None:
            raise problem
        token = x_tokens.given(answer.content, old, now)
        self._hush(token)
        self._shared.put(self._key, token)
        return self._kept(token)

    def _kept(self, token: Token) -> Token:
        """It is on the disk; or it is said loudly that it is not, and tried again."""
        try:
            self._network.keeping.write(token.written())
        except Doubt as error:
            fix = "mend the disk before the guardian ends: else the account has to be authorised again"
            log.error("login not kept", account=self._account.name, why=str(error), fix=fix)  # noqa: TRY400 (its words say it all)
            return token
        return self._shared.put(self._key, token, sealed=self._seal)

    def _ask(self, refresh: str) -> Response:
        client, secret = self._client
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": client}
        try:
            return self._network.session.post(
                self._base + TOKENS,
                data=form,
                headers={"User-Agent": x_tokens.USER_AGENT, "Accept": "application/json"},
                auth=(client, secret) if secret is not None else None,
                allow_redirects=False,
            )
        except Exception as error:
            raise Doubt(
                f"cannot log in at X as {self._account.identity}, because X gave no answer ({type(error).__name__})"
            ) from error

    def _hush(self, token: Token) -> None:
        for secret in (token.access, token.refresh):
            if secret:
                self._network.hush(secret)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def login_of(
    account: Account,
    network: Network,
    base: str,
    *,
    clock: Callable[[], float] = time.time,
    shared: Shared = SHARED,
) -> XLogin | None:
    """The login of an account that is configured for OAuth 2; None: it has four keys that do not expire."""
    if "client_id" not in account.secrets:
        return None
    return XLogin(account, network, base, clock=clock, shared=shared)
