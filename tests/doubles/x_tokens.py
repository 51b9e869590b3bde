"""OAuth 2 as X does it: tokens of two hours, refresh tokens that are good for one use, rights by name.

What it says is word for word what X's documentation and public reports have.
"""

from __future__ import annotations

import base64
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.canaries import note

Json = dict[str, Any]
Answer = tuple[int, Json]
RIGHTS = "tweet.read tweet.write users.read media.write tweet.moderate.write offline.access"
SPENT = (400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."})
STRANGER = (401, {"error": "invalid_client"})
WRONG_SECRET = (401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"})
WANTING = (400, {"error": "invalid_request", "error_description": "Missing required parameter [client_id]."})


@dataclass
class Grant:
    """What somebody has given an app: a chain of tokens."""

    name: str
    client_id: str
    client_secret: str | None
    rights: str = RIGHTS
    refresh: str = ""
    spent: list[str] = field(default_factory=list)


class Tokens:
    """The token endpoint, and whose a token is."""

    def __init__(self) -> None:
        self.lasts = 7200.0
        self.old_ends = True  # whether the access token before ends with the renewal; nobody says that it does not
        self.issued: list[str] = []
        self.renewals: list[str] = []  # the refresh token of every request that came, in order
        self._grants: list[Grant] = []
        self._access: dict[str, tuple[Grant, float]] = {}
        self._lock = threading.Lock()

    def authorise(self, name: str, *, confidential: bool = True, rights: str = RIGHTS) -> dict[str, str]:
        """As a person does it in a browser; the account's secrets."""
        client = f"ci-{secrets.token_hex(8)}:ci"
        grant = Grant(name, client, note(secrets.token_hex(16)) if confidential else None, rights)
        grant.refresh = self._new("rt")
        self._grants.append(grant)
        found = {"client_id": client, "refresh_token": grant.refresh}
        return found if grant.client_secret is None else {**found, "client_secret": grant.client_secret}

    def revoke(self, name: str) -> None:
        """The person has taken it back: neither token is any good."""
        with self._lock:
            for grant in self._grants:
                if grant.name == name:
                    grant.refresh = ""
            self._access = {token: one for token, one in self._access.items() if one[0].name != name}

    def end_access(self) -> None:
        """Every access token ends now, whatever was said of its time."""
        with self._lock:
            self._access.clear()

    def whose(self, token: str) -> tuple[str, set[str]] | None:
        """The account of an access token, and what it may do."""
        with self._lock:
            grant, ends = self._access.get(token, (None, 0.0))
        return None if grant is None or time.time() >= ends else (grant.name, set(grant.rights.split()))

    def answer(self, form: dict[str, str], authorization: str) -> Answer:
        """POST of a refresh token."""
        with self._lock:
            self.renewals.append(form.get("refresh_token", ""))
            if form.get("grant_type") != "refresh_token" or "client_id" not in form:
                return WANTING
            ours = [one for one in self._grants if one.client_id == form["client_id"]]
            if not ours:
                return STRANGER
            secret = ours[0].client_secret
            if secret is not None and authorization != _basic(form["client_id"], secret):
                return WRONG_SECRET
            grant = next((one for one in ours if one.refresh and one.refresh == form.get("refresh_token")), None)
            return SPENT if grant is None else self._renew(grant)

    def _renew(self, grant: Grant) -> Answer:
        grant.spent.append(grant.refresh)
        if self.old_ends:
            self._access = {token: one for token, one in self._access.items() if one[0] is not grant}
        grant.refresh, access = self._new("rt"), self._new("at")
        self._access[access] = (grant, time.time() + self.lasts)
        return 200, {"token_type": "bearer", "expires_in": int(self.lasts), "access_token": access,
                     "scope": grant.rights, "refresh_token": grant.refresh}  # fmt: skip

    def _new(self, kind: str) -> str:
        token = note(f"{secrets.token_urlsafe(24)}:1:0:{kind}:1")
        self.issued.append(token)
        return token


def _basic(client: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()


def rights_for(method: str, path: str) -> set[str]:
    """What a token needs for a request."""
    if path.endswith("/hidden"):
        return {"tweet.read", "users.read", "tweet.moderate.write"}
    if path.startswith("/2/media"):
        return {"media.write"}
    return {"tweet.read", "users.read"} | (set() if method == "GET" else {"tweet.write"})
