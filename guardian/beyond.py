"""What an adapter may have beyond the contract: protocols that are found by themselves, each with who asks for it.

Telling, whoever writes a snapshot's record; Inquiring, the lane before it checks a part; Overwriting and Limiting,
whoever takes posts down; Vouching, the doctor. What a person may ask for is declared in the adapter's abilities, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardian.adapter import Answer, Look, Undoing
    from guardian.model import Decision, Part, PostRef, Presence, Told


@runtime_checkable
class Telling(Protocol):
    """An adapter that can also say in the house's words what a post was. One that cannot leaves it to the raw bytes."""

    def told(self, answers: Mapping[str, Answer]) -> Told | None:
        """What the looks so far tell of the post; None when they tell nothing. Pure, and any thread may call."""
        ...


@runtime_checkable
class Inquiring(Protocol):
    """An adapter of a platform where each place has rules of its own; `check` then goes by what was asked last."""

    def inquire(self, part: Part) -> None:
        """Ask for the rules of where a part is to be seen, unless they are known: a few reading requests, no more.

        Called by the lane, before `check`. Raises nothing: what cannot be asked is no reason not to send.
        """
        ...


@runtime_checkable
class Overwriting(Protocol):
    """An adapter that can overwrite the words of a post before it deletes it; its abilities say what that does."""

    def prepare_overwriting(self, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """As `prepare` of a deletion, with the request that overwrites in `ahead`, which says fixed words alone.

        Where a post has no words that could be overwritten, it is deleted as usual, and `note` says so. `retract` is
        called for each of the two, with its own part.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """Whether our token may delete. `may` None: the platform tells only whoever deletes. `why` in half a sentence."""

    may: bool | None
    why: str
    fix: str = ""


@runtime_checkable
class Vouching(Protocol):
    """An adapter that can say, without deleting anything, whether its token may delete: asked on quiet days."""

    def may_delete(self) -> Entitlement:
        """By reading requests alone, after `whoami` has answered. Raises what the network raises."""
        ...


@runtime_checkable
class Limiting(Protocol):
    """An adapter that can lay limits on a post that stays: its abilities name acts whose decision is one.

    Its `prepare` is given the answers to `looks_before`, and says what lifts the limit: each can be lifted, by `undo`.
    Its `retract` lays the limit with exactly one retracting request, which names the post that stays.
    """

    def looks_before(self, decision: Decision, ref: PostRef) -> Sequence[Look]:
        """The looks without which nobody knows what the act would write over. Asks nothing."""
        ...

    def limited(self, decision: Decision, ref: PostRef) -> Presence:
        """Read back with reading requests alone: LIMITED, THERE (without that limit), GONE, or UNKNOWN.

        Of the post as `presence` says it; of the limit by a plain word of the platform. `fetch`'s threads may call it.
        """
        ...
