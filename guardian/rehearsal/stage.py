"""What all connections of a platform share; for any thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, TypedDict

from guardian.rehearsal.faults import FaultList
from guardian.rehearsal.log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.calls import World
    from guardian.rehearsal.faults import Rule


class PostRecord(TypedDict):
    """A post as `GET /rehearsal/posts` tells it; `created_ns` is monotonic. Boosts are no posts."""

    id: str
    account: str
    text: str
    created_ns: int
    key: str | None
    deleted: bool
    reply_to: str | None
    media: int
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The memory, the log, the faults and the sign that the platform is to stop."""

    world: World
    on_faults: Callable[[], None]  # told when the list has changed: deafness begins at the listener
    log: RequestLog = field(default_factory=RequestLog)
    faults: FaultList = field(default_factory=FaultList)
    stopping: Event = field(default_factory=Event)

    def add_fault(self, rule: Rule) -> None:
        """Put a rule in force."""
        self.faults.add(rule)
        self.on_faults()

    def clear_faults(self) -> None:
        """Behave again."""
        self.faults.clear()
        self.on_faults()

    def change_media_rules(self, options: object) -> None:
        """Take other files than before; ValueError says what is wrong with the options."""
        self.world.shelf.rules = self.world.shelf.rules.changed(options)

    def posts(self) -> list[PostRecord]:
        """All posts, deleted ones too, oldest first; no boosts."""
        return [
            PostRecord(
                id=str(status.id),
                account=status.person.name,
                text=status.now.text,
                created_ns=status.created_ns,
                key=status.key,
                deleted=status.deleted,
                reply_to=None if status.reply_to is None else str(status.reply_to),
                media=len(status.now.media),
                client=status.draft.client,
            )
            for status in self.world.memory.everything()
            if status.draft.boost_of is None
        ]


def checked_name(name: object) -> str:
    """The name of an account, if Mastodon would take it; else ValueError."""
    if isinstance(name, str) and name.isascii() and name.replace("_", "a").replace("-", "a").isalnum():
        return name
    raise ValueError("cannot make the account, because its name must be letters, digits, _ or -")
