"""PRAW, tamed: one request for one call, no sleep, no retry, no settings but ours, and one token for every thread.

The reasons are in research/platforms 5: as it comes, the library sends a post three times when the answer is slow,
sleeps for up to ten minutes, reads `praw.ini` from wherever it was started, and asks PyPI for news of itself.
"""

from __future__ import annotations

import configparser
import contextlib
import json
import logging
import re
import threading
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from praw import Reddit
from praw.config import Config
from prawcore import OAuthException, ResponseException
from prawcore.rate_limit import RateLimiter
from prawcore.sessions import RetryStrategy

from adapters.reddit_addresses import HOME
from guardian.errors import ConfigMistake, Doubt, TokenRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prawcore import Session as Core
    from requests import Response

    from guardian.adapter import Keeping, Network
    from guardian.model import Account

API = "https://oauth.reddit.com"
EARLY = 90 * 1_000_000_000  # ns before its end a token is renewed: the library would use it ten seconds beyond
NAME = re.compile(r"[\w-]{3,30}", re.ASCII)
NO, UNAUTHORISED, FORBIDDEN = 400, 401, 403
WINDOW = 600
NOT_KEPT = "make room on the disk: the token that Reddit gave in place of the configured one is in memory alone"
log = structlog.get_logger()
HERE = frozenset({"127.0.0.1", "localhost", "::1"})  # a double of it


class NoRetry(RetryStrategy):
    """Every request is made once. (The library's own strategy with no retries sleeps before the first.)"""

    def _sleep_seconds(self) -> None:
        return None

    def consume_available_retry(self) -> NoRetry:
        """Never asked for."""
        return self

    def should_retry_on_failure(self) -> bool:
        """Never: what came of it, the receipt knows."""
        return False


class NoSleep(RateLimiter):
    """Asks when it is told to. Who may ask when is the house's to decide, and Reddit's to refuse (429)."""

    def delay(self) -> None:
        """None."""

    def update(self, *, response_headers: Mapping[str, str]) -> None:
        """Nothing is learnt; a header of another form must not make an error of an answer."""


class Tokens:
    """The refresh tokens of one account: the configured one, and what Reddit gave in its place, kept sealed.

    Reddit's do not change, as a rule. Where one does, the old one may be good for nothing from then on: so the new one
    is on the disk before anything is done with it. Only in a turn.
    """

    def __init__(self, account: str, configured: str | None, keeping: Keeping) -> None:
        self.configured = configured
        self._account = account
        self._keeping = keeping
        self._unkept: str | None = None  # given to us, and not on the disk

    def turn(self) -> contextlib.AbstractContextManager[None]:
        """Be the only one who logs in. Raises Doubt."""
        return self._keeping.turn()

    def latest(self) -> str | None:
        """The last one that Reddit has given, to whichever adapter of the account."""
        return self._unkept or self._kept() or self.configured

    def note(self, token: str | None) -> None:
        """Remember that it is good now. A full disk stops nobody: then it is in memory, and the log says so."""
        if token is None or token == (self._kept() or self.configured):
            self._unkept = None
            return
        try:
            self._keeping.write(json.dumps({"refresh_token": token}).encode())
        except Doubt as error:
            self._unkept = token
            log.warning("refresh token not kept", account=self._account, why=error.message, fix=NOT_KEPT)
        else:
            self._unkept = None
            log.info("refresh token changed", account=self._account)

    def _kept(self) -> str | None:
        found = None
        with contextlib.suppress(Doubt):  # Reddit's tokens are good more than once: the configured one will do
            found = self._keeping.read()
        with contextlib.suppress(ValueError, RecursionError):
            said = json.loads(found) if found else None
            token = said.get("refresh_token") if isinstance(said, dict) else None
            return token if isinstance(token, str) and token else None
        return None


class RedditClient:
    """One account's way to Reddit's API: the library for what it does well, and the bare session for the rest."""

    def __init__(self, account: Account, network: Network) -> None:
        self.name, base = name_of(account), _base(account)
        self._account = account.name
        self._session = network.session
        self._turn = threading.Lock()
        secrets = {key: secret.reveal() for key, secret in account.secrets.items()}
        _settings_of_nobody()
        password = secrets.get("password")
        self._hush = network.hush
        self._tokens = Tokens(account.name, secrets.get("refresh_token"), network.keeping)
        self.reddit = Reddit(
            "DEFAULT",  # else the environment names a section of praw.ini
            requestor_kwargs={"session": network.session},
            client_id=secrets.get("client_id"),
            client_secret=secrets.get("client_secret"),
            refresh_token=secrets.get("refresh_token"),
            username=self.name if password else None,
            password=password,
            redirect_uri=None,
            user_agent=f"linux:post-guardian:0.1 (by /u/{self.name})",
            oauth_url=API,
            reddit_url=base,
            check_for_updates=False,  # else it asks PyPI
            check_for_async=False,
            ratelimit_seconds=-1,  # 0 would still be three times
            timeout=16,
        )
        self.core = self._tamed()

    def _tamed(self) -> Core:
        core = self.reddit._authorized_core  # noqa: SLF001 (the library has no other way to be told)
        if core is None:  # without a login it would read on as nobody
            raise ConfigMistake("cannot log in at Reddit, because neither refresh_token nor password is given")
        core._retry_strategy_class = NoRetry  # noqa: SLF001 (the same)
        core._rate_limiter = NoSleep(window_size=WINDOW)  # noqa: SLF001 (the same)
        return core

    def bearer(self) -> str:
        """A token that is good for a minute more; asked for anew where it is not. Any thread.

        Raises TokenRefused when Reddit takes our login no more, or does not let the app in.
        """
        login = self.core.authorizer
        with self._turn:
            if login.access_token is not None:
                left = login._expiration_timestamp_ns - time.monotonic_ns()  # noqa: SLF001 (it tells nobody)
                if left > EARLY:
                    return login.access_token
            self._log_in()
            return str(login.access_token)

    def forget(self, token: str) -> None:
        """Reddit takes it no more, whatever it said of its time."""
        with self._turn:
            if self.core.authorizer.access_token == token:
                self.core.authorizer.access_token = None

    def _log_in(self) -> None:
        """By the password; or by a refresh token, one at a time over all adapters of the account, in every process."""
        if self._tokens.configured is None:
            self._refresh()
            return
        login: Any = self.core.authorizer
        with self._tokens.turn():
            login.refresh_token = used = self._tokens.latest()
            self._hush(str(used))
            try:
                self._refresh()
            except TokenRefused:
                if used == self._tokens.configured:
                    raise
                login.refresh_token = self._tokens.configured  # a kept one is no more than a file
                self._refresh()
            self._hush(str(login.refresh_token))
            self._tokens.note(login.refresh_token)

    def _refresh(self) -> None:
        login: Any = self.core.authorizer  # the base class has no refresh
        try:
            login.refresh()
        except OAuthException as error:  # with 200
            raise _refused(str(error)) from None
        except ResponseException as error:
            status = error.response.status_code
            if status in (NO, UNAUTHORISED):
                raise _refused(f"it answered {status}") from None
            if status == FORBIDDEN:
                raise TokenRefused(
                    "cannot log in at Reddit, because it does not let this app in (403)",
                    fix="have the app approved, see docs/accounts/reddit.md",
                ) from None
            raise
        except (KeyError, TypeError, ValueError, AttributeError):  # what the library makes of an answer that is none
            raise Doubt("cannot log in at Reddit, because its answer is no login") from None

    def make(self, path: str, *, form: dict[str, Any] | None = None, json: dict[str, Any] | None = None) -> object:
        """One POST by the library; its answer as JSON. Raises what the library raises."""
        self.bearer()
        return self.reddit.request(method="POST", path=path, data=form, json=json)

    def hand_over(self, url: str, fields: dict[str, str], name: str, data: bytes) -> Response:
        """One POST of a file to where Reddit keeps files, without a token: it is another company's."""
        return self._session.post(url, data=fields, files={"file": (name, data)}, allow_redirects=False)

    def ask(
        self,
        method: str,
        url: str,
        *,
        accept: str = "application/json",
        token: bool = True,
        **said: Any,  # noqa: ANN401 (what requests takes: params or data)
    ) -> Response:
        """One request by the session alone, not sent on anywhere; a reading one twice, if our token was too old."""
        for again in (method == "GET", False):
            headers = {"Accept": accept}
            bearer = self.bearer() if token else ""
            if token:
                headers["Authorization"] = f"bearer {bearer}"
            answer = self._session.request(method, url, headers=headers, allow_redirects=False, **said)
            if answer.status_code != UNAUTHORISED or not token:
                break
            self.forget(bearer)
            if not again:
                break
        return answer


def name_of(account: Account) -> str:
    """The name of the account without its `u/`. Raises ConfigMistake when it is none that Reddit gives."""
    name = account.identity.strip().removeprefix("/").removeprefix("u/")
    if not NAME.fullmatch(name):
        raise ConfigMistake(
            f"cannot use {account.identity[:50]!r} as an account of Reddit, because no account there has such a name",
            fix='write identity = "u/NAME"',
        )
    return name


def _base(account: Account) -> str:
    """Where we log in. Raises ConfigMistake for another name of Reddit's: a login is not sent on from there."""
    host = (urlsplit(account.base_url).hostname or "").lower()
    if account.base_url != HOME and host not in HERE:
        raise ConfigMistake(
            f"cannot reach Reddit at {account.base_url[:100]}, because logins are taken at {HOME} alone",
            fix=f'write base_url = "{HOME}"',
        )
    return account.base_url


def _refused(why: str) -> TokenRefused:
    return TokenRefused(
        f"cannot log in at Reddit, because it refuses what we log in with ({why[:100]})",
        fix="put a valid refresh_token or password into its file, then reload",
    )


def _settings_of_nobody() -> None:
    """The library's own defaults, and no praw.ini of a directory that somebody happens to be in, for every client."""
    with Config.LOCK:
        found = configparser.ConfigParser(interpolation=None)
        found.read_string(files("praw").joinpath("praw.ini").read_text("utf-8"))
        Config.CONFIG = found
    for name in ("praw", "prawcore"):  # at DEBUG they write down what is posted
        logging.getLogger(name).setLevel(logging.WARNING)
