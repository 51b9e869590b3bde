"""Whether a Mastodon token may delete, asked of the server without deleting anything. One thread at a time.

The token's own scopes are told by Doorkeeper (`/oauth/token/info`), where a server lets it; else Mastodon (4.3 and
later) tells those of the application, which are the most that a token of it can have.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from guardian.beyond import Entitlement

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.adapter import Answer

NEEDED = frozenset({"write", "write:statuses"})
OWN, OF_THE_APPLICATION = "/oauth/token/info", "/api/v1/apps/verify_credentials"
OK = 200
FIX = "make a new token with write:statuses (docs/accounts/mastodon.md), put it into its file, then reload"


def may_delete(ask: Callable[[str], Answer]) -> Entitlement:
    """By the scopes that the server tells; None where it tells none. `ask` makes one GET with the token, of a path."""
    for path, field, whose in ((OWN, "scope", "the token"), (OF_THE_APPLICATION, "scopes", "its application")):
        answer = ask(path)
        scopes = _scopes(answer.body, field) if answer.status == OK else None
        if scopes is None:
            continue
        if scopes & NEEDED:
            return Entitlement(may=True, why=f"{whose} has write:statuses")
        has = ", ".join(sorted(scopes)) or "nothing"
        return Entitlement(may=False, why=f"{whose} may do {has[:200]}, and not write:statuses", fix=FIX)
    return Entitlement(may=None, why="this server does not tell what a token may do")


def _scopes(raw: bytes, field: str) -> frozenset[str] | None:
    try:
        found = json.loads(raw).get(field)
    except (ValueError, AttributeError, RecursionError):
        return None
    names = found.split() if isinstance(found, str) else found
    return frozenset(map(str, names)) if isinstance(names, list) and names else None
