"""Who is on the double of X, what is asked of it, and what is to go wrong. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.doubles.x_refusals import READ_ONLY, SUSPENDED, UNPAID

Json = dict[str, Any]


@dataclass
class XAccount:
    """Somebody on X, with the four keys of an app for it."""

    name: str
    id: str
    keys: dict[str, str]
    credit: bool = True
    suspended: bool = False
    may_write: bool = True
    revoked: bool = False
    subscription: str = "None"
    verified: str = "none"

    def refusal(self, method: str) -> tuple[int, Json] | None:
        """What it is told instead of an answer."""
        if not self.credit:
            return UNPAID
        if self.suspended:
            return SUSPENDED
        return READ_ONLY if method != "GET" and not self.may_write else None

    def shown(self, fields: str) -> Json:
        """What it is told of itself, of what it asks for."""
        more = {"subscription_type": self.subscription, "verified_type": self.verified}
        found = {name: said for name, said in more.items() if name in fields.split(",")}
        return {"id": self.id, "name": "Acme", "username": self.name, **found}


@dataclass
class Fault:
    """What goes wrong with the next request like this."""

    kind: str  # answer, answer_after (it was done all the same), slow, lose
    method: str
    path: str
    said: Json
    times: int = 1


@dataclass
class Asked:
    """One request as it arrived."""

    n: int
    method: str
    path: str
    query: dict[str, str]
    host: str
    signed: bool
    body: Any
    authorization: str = ""
    status: int = 0
