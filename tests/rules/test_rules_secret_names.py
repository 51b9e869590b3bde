"""Which secrets an account needs: one of two, one that may be missing, one set or the other, and never a mixture."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from guardian.rules.secret_names import Wrong, compare, sets_of, slot

ONE = ("token",)
EITHER = ("id", "secret", "refresh|password")
EITHER_OF = ("refresh", "password")
SETS = ("key", "key_secret", "|", "id", "secret?", "refresh|password")


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (ONE, {"token"}),
        (EITHER, {"id", "secret", "refresh"}),
        (EITHER, {"id", "secret", "password"}),
        (SETS, {"key", "key_secret"}),
        (SETS, {"id", "refresh"}),
        (SETS, {"id", "secret", "password"}),
        ((), set()),
    ],
)
def test_what_is_as_declared_has_nothing_wrong(declared: tuple[str, ...], given: set[str]) -> None:
    found = compare(declared, given)
    assert (found.missing, found.twice, found.beside, found.unknown) == ((), (), (), ())


@pytest.mark.parametrize(
    ("declared", "given", "wrong"),
    [
        (ONE, set(), Wrong(missing=(("token",),), meant=("token",))),
        (EITHER, {"id", "secret"}, Wrong(missing=(EITHER_OF,), meant=("id", "secret", *EITHER_OF))),
        (SETS, set(), Wrong(missing=(("key",), ("key_secret",)), meant=("key", "key_secret"))),
        (SETS, {"secret"}, Wrong(missing=(("id",), EITHER_OF), meant=("id", "secret", *EITHER_OF))),
        (SETS, {"key", "id", "refresh"}, Wrong(beside=("key",), meant=("id", "secret", "refresh", "password"))),
        (SETS, {"key", "id"}, Wrong(missing=(("key_secret",),), beside=("id",), meant=("key", "key_secret"))),
        (ONE, {"token", "tokn"}, Wrong(unknown=("tokn",), meant=("token",))),
    ],
)  # fmt: skip
def test_what_is_missing_or_too_much_is_told_apart(declared: tuple[str, ...], given: set[str], wrong: Wrong) -> None:
    assert compare(declared, given) == wrong


def test_two_names_of_one_secret_are_one_too_many() -> None:
    assert compare(EITHER, {"id", "secret", "refresh", "password"}).twice == (("refresh", "password"),)


NAMES = strategies.sets(strategies.sampled_from(["key", "key_secret", "id", "secret", "refresh", "password", "odd"]))


@given(NAMES)
def test_every_name_is_either_of_the_set_that_is_meant_or_complained_of(names: set[str]) -> None:
    found = compare(SETS, names)
    assert names == (names & set(found.meant)) | set(found.beside) | set(found.unknown)
    assert [slot(word) for one in sets_of(SETS) for word in one if word.endswith("?")] == [("secret",)]
