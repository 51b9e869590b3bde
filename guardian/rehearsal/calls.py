"""What a route is given: the world behind it and one request; frozen, made by the thread that serves the connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.rehearsal.messages import NOT_FOUND, Refused

if TYPE_CHECKING:
    from guardian.rehearsal.crowd import Favourites
    from guardian.rehearsal.media import Shelf
    from guardian.rehearsal.messages import Request
    from guardian.rehearsal.posts import Person
    from guardian.rehearsal.rates import Rates
    from guardian.rehearsal.rights import TokenRights
    from guardian.rehearsal.scheduled import Schedule
    from guardian.rehearsal.shapes import Shapes
    from guardian.rehearsal.statuses import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that routes answer from."""

    url: str
    memory: Memory
    shelf: Shelf
    favourites: Favourites
    schedule: Schedule
    shapes: Shapes
    rates: Rates
    rights: TokenRights


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its route. `key` is the Idempotency-Key, None also where a fault makes the platform ignore it."""

    world: World
    request: Request
    parts: dict[str, str]
    viewer: Person | None
    key: str | None

    @property
    def person(self) -> Person:
        """The account that asks; only on routes that need a token."""
        if self.viewer is None:
            raise Refused(422, "This method requires an authenticated user")
        return self.viewer

    @property
    def id(self) -> int:
        """The id in the path, or 404 for what is no number."""
        text = self.parts["id"]
        if not (text.isascii() and text.isdigit()):
            raise Refused(404, NOT_FOUND)
        return int(text)
