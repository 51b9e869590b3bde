"""What can honestly be done on a platform, in values and in words for whoever decides. Knows nothing but the nouns.

An adapter declares it, `guardian capabilities` prints it, takedowns obey it, and the conformance suite holds it to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.model import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How a decision is carried out on this platform, and what it honestly does, in words for whoever decides."""

    decision: Decision
    name: str  # "delete", "veil", ...
    reversible: bool
    words: str
    others: bool = False  # it is for what others say below posts of ours, and never for a post of our own
    seen: bool = True  # reading back shows whether it was done; else the platform's answer to it is all there is
    needs: tuple[str, ...] = ()  # the looks without which nobody knows how it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many retracting requests the platform takes from one account: so many in any window of so many ms."""

    count: int
    window: int


class Certainty(StrEnum):
    """What it is worth when the platform is asked for a post whose answer was lost."""

    EXACT = "exact"  # asked by the name that the post was given before it left: both yes and no are certain
    LISTED = "listed"  # looked for among our own posts, which list it at once: both yes and no are believed
    ONE_SIDED = "one-sided"  # a yes is certain; the list is late at times, so that nobody can say no: a person decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether a lost post can be found, and how."""

    certainty: Certainty
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What files a post may show. `alt`: what is said of them in words reaches the readers, and is read back."""

    words: str
    alt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Evidence that somebody else than this house vouches for: the look that fetches it, and what it proves."""

    look: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """Everything that can be done on a platform. What is not named cannot be done there."""

    publishes: str = ""  # what one post may be, beside its words
    media: Files | None = None
    threads: str = ""  # how the parts of a thread hang together
    idempotent: str = ""  # what the platform makes of the same post sent twice; empty: two posts
    finds: Finding | None = None
    acts: tuple[Act, ...] = ()
    overwrites: str = ""  # what overwriting the words of a post before it is deleted does; empty: not possible
    budget: Budget = Budget(count=30, window=30 * 60_000)
    lists_natives: bool = False
    defers_natives: bool = False
    proof: Proof | None = None
    unseen: tuple[str, ...] = ()  # what no freeze reaches here, in words

    @property
    def sure_of_absence(self) -> bool:
        """Whether a post that is not found may be sent again; else its list is late, and a person decides."""
        return self.finds is not None and self.finds.certainty is not Certainty.ONE_SIDED

    def act(self, decision: Decision) -> Act | None:
        """How that is decided here; None: not at all."""
        return next((one for one in self.acts if one.decision is decision), None)
