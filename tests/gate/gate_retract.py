"""A table of routes as adapters of several platforms have them, and a session behind it that no library tames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.adapter import Kind, Route
from guardian.gate import intents
from guardian.gate.transport import guarded_session

if TYPE_CHECKING:
    import requests

    from guardian.gate.intents import Intent
    from guardian.model import Account
    from tests.gate.gate_door import Door

STATUS = r"/api/v1/statuses/(?P<target>[^/]+)"
ROUTES = (
    Route(Kind.PUBLISH, "POST", "/api/v1/statuses"),
    Route(Kind.MANAGE, "POST", "/api/v1/statuses/[^/]+/reblog"),
    Route(Kind.UPLOAD, "POST", "/api/v2/media"),
    Route(Kind.MANAGE, "PUT", STATUS),  # undoes what the next one does
    Route(Kind.RETRACT, "PUT", STATUS),
    Route(Kind.RETRACT, "DELETE", STATUS),
    Route(Kind.RETRACT, "POST", "/api/del", target="id"),
    Route(Kind.RETRACT, "POST", "/xrpc/deleteRecord", target="rkey"),
    Route(Kind.RETRACT, "POST", "/api/untold"),
    Route(Kind.RETRACT, "DELETE", "/users/[0-9]+/reposts/[0-9]+", announced=True),
)
TOKEN = {"Authorization": "Bearer rehearsal-acme"}


def session_of(account: Account, *, answer_within: float = 2.0) -> requests.Session:
    """A session with the whole table and the account's token."""
    session = guarded_session(account, ROUTES, answer_within=answer_within)
    session.headers.update(TOKEN)
    return session


def retract(door: Door, target: str, *says: str) -> Intent:
    """An intent to take `target` down, saying no more than `says`."""
    return intents.retracting(door.account, target, frozenset(says))


def live(door: Door, text: str = "wrong") -> str:
    """A post that is live; its id on the platform."""
    from guardian.gate.intents import declare
    from guardian.model import Part

    with declare(door.intent()):
        return door.adapter.publish(Part(text=text), text).id
