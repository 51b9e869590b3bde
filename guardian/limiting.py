"""What an adapter owes beside the contract where its platform can limit a post that stays. Knows nothing but the nouns.

To close its replies, to detach its quotes, to lock it, to cover it: none of it hides the post, and each can be lifted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.adapter import Look
    from guardian.model import Decision, PostRef, Presence


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
