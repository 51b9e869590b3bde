"""What a case is, what may come of it, and how one is played. Knows nothing of pytest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from guardian.conformance.bench import NotPlayed
from guardian.conformance.stage import Broken, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardian.adapter import Abilities
    from guardian.conformance.bench import Bench

    Needs = Callable[[Abilities], bool]

__all__ = ["Broken", "Case", "Cases", "NotOffered", "Outcome", "check", "run"]


class NotOffered(Exception):
    """the platform has no such thing, by the adapter's own declaration"""


def _always(_: Abilities) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Case:
    """One promise. Its name is the sentence; `needs` tells by the declared abilities whether it is to be kept here."""

    name: str
    play: Callable[[Stage], None]
    needs: Needs = _always

    def __str__(self) -> str:
        return self.name


class Cases(list[Case]):
    """The cases of one file, in order."""

    def add(self, needs: Needs = _always) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
        """Make a case of a function: its name is the sentence."""

        def take(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
            self.append(Case(play.__name__, play, needs))
            return play

        return take


class Outcome(NamedTuple):
    """What came of a case: `held`, `not offered`, `not played` or `broken`, and why."""

    case: str
    word: str
    why: str


def check(case: Case, bench: Bench) -> None:
    """Play one case. Raises Broken (a promise is not kept), NotOffered, or NotPlayed.

    Whatever the case is about: nothing that was written down in it may hold a secret.
    """
    if not case.needs(bench.maker.abilities):
        raise NotOffered(f"not offered: {bench.account(bench.url).platform} declares nothing of the kind")
    if case.name in bench.cannot_play:
        raise NotPlayed(f"not played: {bench.cannot_play[case.name]}")
    with Stage(bench) as stage:
        try:
            case.play(stage)
        except NotPlayed as error:
            raise Broken(f"the bench cannot play {case.name}, and does not say so in `cannot_play`") from error
        except Broken:
            raise
        except Exception as error:
            raise Broken(f"the adapter raised {type(error).__name__}: {error}") from error
        finally:
            stage.end()
        stage.expect_silence()


def run(cases: Iterable[Case], bench: Bench) -> list[Outcome]:
    """Play all of them, and count."""
    return [_outcome(case, bench) for case in cases]


def _outcome(case: Case, bench: Bench) -> Outcome:
    name = case.name.replace("_", " ")
    try:
        check(case, bench)
    except NotOffered as error:
        return Outcome(name, "not offered", str(error))
    except NotPlayed as error:
        return Outcome(name, "not played", str(error))
    except Broken as error:
        return Outcome(name, "broken", str(error))
    return Outcome(name, "held", "")
