"""Requests to X on the guarded session, signed with the account's four keys (OAuth 1.0a) or with a token (OAuth 2).

One call is one request; a reading one is made again where X took our token no more. `XSession` may be used by any
number of threads. `XClient` is the library for one thread.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import tweepy
from tweepy.errors import (
    BadRequest,
    Forbidden,
    HTTPException,
    NotFound,
    TooManyRequests,
    TwitterServerError,
    Unauthorized,
)

from adapters import x_answers as answers
from adapters import x_login, x_tokens
from guardian.errors import ConfigMistake, Doubt, GuardianError, PlatformRefusal, TokenRefused

if TYPE_CHECKING:
    from requests import Response

    from adapters.x_login import XLogin
    from guardian.adapter import Network
    from guardian.model import Account

KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
SECRETS = (*KEYS, "|", "client_id", "client_secret?", "refresh_token")
HOMES = ("https://api.x.com", "https://api.twitter.com")
HERE = frozenset({"127.0.0.1", "localhost", "::1"})  # a double of it
WRONG_BY = 4 * 60  # seconds between two clocks; X refuses signatures that are five minutes old
SERVER_ERROR = 500
RAISED = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 429: TooManyRequests}
for _name in ("tweepy", "oauthlib", "requests_oauthlib"):  # at DEBUG they print what they sign with
    logging.getLogger(_name).setLevel(logging.WARNING)


class XSession:
    """The account's keys, or its token, on its guarded session."""

    def __init__(self, account: Account, network: Network, login: XLogin | None = None) -> None:
        """Raises ConfigMistake when the address is not X's: who else is there would be shown our keys' names."""
        self._account = account
        self._session = network.session
        self.base = account.base_url.rstrip("/")
        if self.base not in HOMES and urlsplit(self.base).hostname not in HERE:
            raise ConfigMistake(
                f"cannot use {account.name}, because {self.base} is not the address of X's API",
                fix=f'write base_url = "{HOMES[0]}"',
            )
        self._login = login or x_login.login_of(account, network, self.base)

    def ask(self, method: str, url: str, *, signed: bool = True, **said: Any) -> Response:  # noqa: ANN401 (requests')
        """One request, not sent on anywhere. `url` is whole, or a path at the account's own address.

        Raises TokenRefused or Doubt where a token has to be renewed first, and cannot be.
        """
        whole = url if "://" in url else self.base + url
        if self._login is not None and signed:
            return self._with_token(self._login, method, whole, said)
        return self._send(method, whole, said, auth=self._signer() if signed else None)

    def expect_rights(self) -> None:
        """Raises what is known to be wrong with a token, though X may take it still. Keys say nothing of themselves."""
        if self._login is not None:
            self._login.expect_rights()

    def _with_token(self, login: XLogin, method: str, url: str, said: dict[str, Any]) -> Response:
        """A changing request is made once, whatever X says of the token: only a look may be made again."""
        for again in (method == "GET", False):
            bearer = login.bearer()
            answer = self._send(method, url, said, auth=None, bearer=bearer)
            if answer.status_code != answers.UNAUTHORISED:
                break
            login.forget(bearer)
            if not again:
                break
        return answer

    def _send(self, method: str, url: str, said: dict[str, Any], *, auth: Any, bearer: str = "") -> Response:  # noqa: ANN401 (the library's own dynamic type)
        headers = {"User-Agent": x_tokens.USER_AGENT, "Accept": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return self._session.request(method, url, headers=headers, auth=auth, allow_redirects=False, **said)

    def _signer(self) -> Any:  # noqa: ANN401 (the library's own dynamic type)
        """Anew for every request: it keeps what it signs."""
        keys = [self._account.secrets[name].reveal() for name in KEYS]
        return tweepy.OAuth1UserHandler(*keys).apply_auth()


class XClient(tweepy.Client):  # type: ignore[misc]  # the library has no types
    """The library, at the account's own address (its own is built in), and without its sleeps."""

    def __init__(self, session: XSession) -> None:
        super().__init__(return_type=dict, wait_on_rate_limit=False)
        self._ours = session
        self.level = ""  # what the keys may do, as X's last answer said it beside: `read`, `read-write`

    def request(
        self,
        method: str,
        route: str,
        params: Any = None,  # noqa: ANN401 (the library's)
        json: Any = None,  # noqa: ANN401 (the library's)
        files: Any = None,  # noqa: ANN401 (requests')
        user_auth: bool = True,  # noqa: ARG002, FBT001, FBT002 (the library's; there is no other way than as the user)
    ) -> Response:
        """One signed request. Raises the library's own error for an answer that is none."""
        response = self._ours.ask(method, route, params=params, json=json, files=files)
        self.level = response.headers.get("x-access-level", self.level)
        status = response.status_code
        if status >= SERVER_ERROR:
            raise TwitterServerError(response)
        if not response.ok or response.is_redirect:
            raise RAISED.get(status, HTTPException)(response)
        return response


def explained(error: Exception, what: str) -> GuardianError:
    """An error of asking X, in words for whoever has to do something about it. `what` follows *cannot*."""
    if isinstance(error, GuardianError):
        return error
    response = getattr(error, "response", None)
    if not isinstance(error, HTTPException) or response is None:
        return Doubt(f"cannot {what}, because X gave no answer that can be read ({type(error).__name__}: {error})")
    found = answers.document(response.content)
    by = _wrong_by(response.headers.get("Date"))
    reason = answers.reason_in(response.status_code, found)
    if response.status_code == answers.UNAUTHORISED and abs(by) >= WRONG_BY:
        side = "ahead of" if by > 0 else "behind"
        reason = f"our clock is {abs(by) // 60} minutes {side} X's, and a signature is good for five"
        return PlatformRefusal(f"cannot {what}, because {reason}", fix="set this machine's clock (`timedatectl`)")
    if reason is not None:
        why, _, fix = reason.partition(", do ")
        return PlatformRefusal(f"cannot {what}, because {why}", fix=fix)
    if response.status_code == answers.UNAUTHORISED:
        return TokenRefused(
            f"cannot {what}, because X refuses the keys: they were regenerated, revoked, or are of another app",
            fix="make new ones at https://console.x.com (with OAuth 2: authorise the app again), put all of them into"
            " their files, then reload",
        )
    said = answers.words(found)
    return Doubt(f"cannot {what}, because X answered {response.status_code}{': ' if said else ''}{said}")


def _wrong_by(date: str | None) -> int:
    """Seconds by which our clock is ahead of X's; nothing where it does not say."""
    try:
        return round((datetime.now(UTC) - parsedate_to_datetime((date or "").replace("UTC", "GMT"))).total_seconds())
    except (ValueError, TypeError):
        return 0
