"""What was promised so far, kept apart from everything that the house keeps itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Promise:
    """A freeze that was CONFIRMED, the last one over its scope. `durable` is what it said of a reboot."""

    mark: str | None
    durable: bool


@dataclass
class Model:
    """The promises in force, and what else the invariants are measured against."""

    promises: dict[str, Promise] = field(default_factory=dict)  # by scope
    lifted: dict[str, int] = field(default_factory=dict)  # scope -> the wall clock when it was last thawed
    entered: dict[str, str] = field(default_factory=dict)  # post -> text, of those whose entry was acknowledged
    unanswered: list[tuple[str, ...]] = field(default_factory=list)  # texts of a call each, which the daemon died in
    epochs: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # what went by and must not, by the invariant's name

    def confirm(self, scope: str, promise: Promise) -> None:
        """A freeze is CONFIRMED; it joins an older one over the same scope."""
        older = self.promises.get(scope)
        promise.durable = promise.durable or (older is not None and older.durable)
        self.promises[scope] = promise

    def complain(self, invariant: str, what: str) -> None:
        """Something went by that must not; the invariant's own check raises it after the step."""
        self.broken.append(f"{invariant}: {what}")
