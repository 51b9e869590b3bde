"""Which posts answer, quote and boost which; belongs to the memory, whose lock whoever calls it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from guardian.rehearsal.posts import Status

Kind = Literal["reply", "quote", "boost"]


class Ties:
    """The ids that hang on a post, by kind, in the order in which they came; only of posts that are up."""

    def __init__(self) -> None:
        self._hanging: dict[tuple[Kind, int], dict[int, None]] = {}

    def tie(self, status: Status) -> None:
        """A new post hangs on those that it names."""
        for place in _places(status):
            self._hanging.setdefault(place, {})[status.id] = None

    def untie(self, status: Status) -> None:
        """A post is gone."""
        for place in _places(status):
            self._hanging.get(place, {}).pop(status.id, None)

    def of(self, kind: Kind, number: int) -> list[int]:
        """What hangs on a post."""
        return list(self._hanging.get((kind, number), ()))

    def count(self, kind: Kind, number: int) -> int:
        """How much hangs on a post."""
        return len(self._hanging.get((kind, number), ()))


def _places(status: Status) -> list[tuple[Kind, int]]:
    draft = status.draft
    places: tuple[tuple[Kind, int | None], ...] = (
        ("reply", draft.reply_to),
        ("quote", draft.quote_of),
        ("boost", draft.boost_of),
    )
    return [(kind, number) for kind, number in places if number is not None]
