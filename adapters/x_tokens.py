"""A token of OAuth 2 as X gives it and as it is kept, and what X's refusal of another one asks of a person. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from guardian.errors import Doubt, GuardianError, PlatformRefusal, TokenRefused

if TYPE_CHECKING:
    from requests import Response

USER_AGENT = "post-guardian"
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "tweet.moderate.write", "offline.access")
NEEDED = frozenset({"tweet.read", "tweet.write", "users.read"})  # without these nothing can be published or deleted
USUAL = 7200  # seconds; X says how many
LONGEST = 30 * 24 * 3600
LATE = 30  # seconds before its end a token is used no more
OK, BAD, UNAUTHORISED, FORBIDDEN, TOO_MANY = 200, 400, 401, 403, 429
OF_THE_APP = frozenset({"invalid_client", "unauthorized_client"})
OF_THE_TOKEN = frozenset({"invalid_grant", "invalid_token"})
INVALID = "token was invalid"  # X's words for a refresh token that it takes no more, under `invalid_request`
AGAIN = "authorise the app again as {who} (docs/accounts/x.md), put the new refresh_token into its file, then reload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Both tokens. Times are wall clock, in seconds; `asked`: when its successor was asked for, and not received."""

    refresh: str
    access: str = ""
    made: float = 0
    ends: float = 0
    asked: float = 0
    lacks: str = ""  # which of the rights that are needed it was not given

    def __repr__(self) -> str:
        return f"Token(ends={self.ends})"

    def is_good(self, now: float) -> bool:
        """Whether X takes it; a clock that has gone back since makes it doubtful."""
        return bool(self.access) and self.made - LATE <= now < self.ends - min(LATE, self._lasts() / 6)

    def is_fresh(self, now: float) -> bool:
        """Whether it is too early for another: the last sixth of its life is for renewing it."""
        return self.is_good(now) and now < self.ends - self._lasts() / 6

    def spent(self) -> Token:
        """The same, with which X is asked no more."""
        return replace(self, ends=0)

    def renewing(self, now: float) -> Token:
        """The same, while its successor is asked for."""
        return replace(self, asked=now)

    def written(self) -> bytes:
        """As it is kept."""
        return json.dumps(asdict(self)).encode()

    def _lasts(self) -> float:
        return max(self.ends - self.made, 0)


def read(kept: bytes | None) -> Token | None:
    """What was kept; None for what is no token."""
    found = _object(kept or b"")
    refresh, access = found.get("refresh"), found.get("access")
    if not isinstance(refresh, str) or not refresh or not isinstance(access, str):
        return None
    made, ends, asked = (_number(found.get(name)) for name in ("made", "ends", "asked"))
    return Token(
        refresh=refresh, access=access, made=made, ends=ends, asked=asked, lacks=str(found.get("lacks", ""))[:200]
    )


def given(body: bytes, old: Token, now: float) -> Token:
    """The token in X's answer. Where it gives no other refresh token, the old one stays."""
    found = _object(body)
    lasts = _number(found.get("expires_in")) or USUAL
    refresh, scope = found.get("refresh_token"), found.get("scope")
    rights = set(scope.split()) if isinstance(scope, str) and scope.strip() else None
    return Token(
        refresh=refresh if isinstance(refresh, str) and refresh else old.refresh,
        access=str(found["access_token"]),
        made=now,
        ends=now + min(lasts, LONGEST),
        lacks=old.lacks if rights is None else " ".join(sorted(NEEDED - rights)),
    )


def problem(who: str, answer: Response, *, lost: bool) -> GuardianError | None:
    """What is wrong with X's answer to a renewal; None: there is a token in it.

    `lost`: an earlier renewal with the same refresh token was never answered, or its answer never came to the disk.
    """
    what = f"cannot log in at X as {who}"
    found, status = _object(answer.content), answer.status_code
    if status == OK and isinstance(found.get("access_token"), str) and found["access_token"].isprintable():
        return None
    error, words = str(found.get("error", ""))[:60], str(found.get("error_description", ""))[:120]
    if status in (BAD, UNAUTHORISED) and (error in OF_THE_APP or (status == UNAUTHORISED and not error)):
        return TokenRefused(
            f"{what}, because X takes the app's client_id or client_secret no more ({error or status})",
            fix="copy both from the app's keys at https://console.x.com into their files, then reload",
        )
    if status in (BAD, UNAUTHORISED) and (error in OF_THE_TOKEN or INVALID in words.lower()):
        return TokenRefused(f"{what}, because {_spent(lost=lost)}", fix=AGAIN.format(who=who))
    if status == FORBIDDEN:
        why = f"X does not let this app in (403{': ' if words else ''}{words})"
        return PlatformRefusal(f"{what}, because {why}", fix="look at the app at https://console.x.com")
    if status == TOO_MANY:
        return Doubt(f"{what}, because X has been asked for too many tokens", fix="wait: it is asked again")
    said = f"{error} {words}".strip()
    return Doubt(f"{what}, because X answered {status}{': ' if said else ''}{said}")


def _spent(*, lost: bool) -> str:
    if lost:
        return (
            "X takes its refresh token no more: a renewal with it was cut off before (the guardian, this machine or the"
            " connection broke), and what X gave in its place was lost with that"
        )
    return (
        "X takes its refresh token no more: somebody has revoked the app's access, or has used the token (another"
        " guardian, a restored backup: each is good for one use), or it is too old"
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: object) -> float:
    """A time, or how long something lasts; 0 for what is none."""
    plain = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12  # noqa: PLR2004 (beyond any year)
    return float(value) if plain else 0.0  # type: ignore[arg-type]  # it is a number in the line above
