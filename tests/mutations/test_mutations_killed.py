"""The tests are tested: the code with one guard left out makes the test fail that is named for it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.mutations.mutants import MUTANTS
from tests.mutations.workshop import FAILED, CannotMutateError, Change, Ran, copy_tree, mutate, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mutations.mutant import Mutant

WORKERS = 2  # processes at a time: most of a run is waiting
BY_NAME = {one.name: one for one in MUTANTS}
NAMED = tuple(sorted({one.test for one in MUTANTS}))
CONTROL = "control"
CONTROL_WITHIN = 300.0
Runs = dict[str, "Future[Ran]"]


def judge(mutant: Mutant, directory: Path) -> Ran:
    """What the named test says of the mutant."""
    tree = copy_tree(directory)
    mutate(tree, mutant.changes)
    return run(tree, (mutant.test,))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The run of the control, and of every mutant that is asked for, some at a time."""
    directory = tmp_path_factory.mktemp("mutants")
    asked = [item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(WORKERS) as pool:
        control = {CONTROL: pool.submit(run, copy_tree(directory / CONTROL), NAMED, within=CONTROL_WITHIN)}
        yield control | {
            name: pool.submit(judge, mutant, directory / str(place))
            for place, (name, mutant) in enumerate(BY_NAME.items())
            if name in asked
        }


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_guard_that_is_left_out_is_missed_by_the_test_that_is_named_for_it(name: str, runs: Runs) -> None:
    mutant, ran = BY_NAME[name], runs[name].result()
    assert ran.code == FAILED, f"{name} lives: {mutant.test}\n{ran.said}"
    assert ran.failed == (mutant.test.rpartition("::")[2],), f"{name} broke the test in another way\n{ran.said}"


def test_without_a_change_every_one_of_these_tests_passes_in_the_copy(runs: Runs) -> None:
    ran = runs[CONTROL].result()
    assert (ran.code, ran.passed, ran.failed) == (0, len(NAMED), ()), ran.said


def test_a_change_whose_passage_has_moved_on_is_an_error_and_not_a_dead_mutant(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("twice\ntwice\n")
    for old in ("gone", "twice"):
        with pytest.raises(CannotMutateError):
            mutate(tmp_path, (Change("x.py", old, "new"),))


def test_a_test_that_cannot_even_be_collected_kills_no_mutant(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    mutate(tree, (Change("guardian/fence/passage.py", "from guardian.fence import gates\n", "import nowhere\n"),))
    ran = run(tree, (BY_NAME["lock and check swapped"].test,))
    assert ran.code != FAILED
    assert ran.failed == ()


def test_a_change_that_leaves_every_guard_in_place_is_seen_to_live(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "tree")
    mutate(tree, (Change("guardian/fence/passage.py", "class Crossing:\n", "class Crossing:  # a remark\n"),))
    ran = run(tree, (BY_NAME["lock and check swapped"].test,))
    assert (ran.code, ran.passed, ran.failed) == (0, 1, ()), ran.said


def test_no_two_mutants_share_a_name() -> None:
    assert len(BY_NAME) == len(MUTANTS)
