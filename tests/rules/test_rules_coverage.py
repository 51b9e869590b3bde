"""Deny wins: one freeze that covers an account is enough, whatever else was lifted."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.model import Account, Freeze
from guardian.rules import coverage

ACME = Account(name="acme-m", platform="mastodon", brand="acme", base_url="", identity="")
BETA = Account(name="beta-x", platform="x", brand="beta", base_url="", identity="")
NOW = 1_000
FEW = settings(max_examples=60, deadline=None)

SCOPES = st.sampled_from(
    ["all", "platform:mastodon", "platform:x", "brand:acme", "brand:beta", "account:acme-m", "account:beta-x"]
)


def freeze_of(scope: str, *, at: int = 0, lifted_at: int | None = None, name: str = "f") -> Freeze:
    return Freeze(
        id=f"{name}-{scope}-{at}",
        scope=scope,
        reason="",
        by="",
        at=at,
        epoch=1,
        mark=None,
        lifted_at=lifted_at,
        lifted_by=None,
        lifted_reason=None,
    )


FREEZES = st.lists(
    st.builds(freeze_of, SCOPES, at=st.integers(0, 900), lifted_at=st.none() | st.integers(0, NOW)), max_size=12
)


@FEW
@given(FREEZES)
def test_one_freeze_that_covers_an_account_is_enough(freezes: list[Freeze]) -> None:
    expected = any(freeze.lifted_at is None and freeze.scope in ACME.scopes for freeze in freezes)
    assert coverage.covered(ACME, freezes) is expected
    assert all(freeze.scope in ACME.scopes for freeze in coverage.covering(ACME, freezes))


@FEW
@given(FREEZES)
def test_lifting_a_narrow_freeze_never_lifts_a_wide_one(freezes: list[Freeze]) -> None:
    thawed = [replace(freeze, lifted_at=NOW) if freeze.scope.startswith("account:") else freeze for freeze in freezes]
    for wide in ("all", "platform:mastodon", "brand:acme"):
        if any(freeze.scope == wide and freeze.lifted_at is None for freeze in freezes):
            assert coverage.covered(ACME, thawed)


@FEW
@given(FREEZES, SCOPES)
def test_one_freeze_more_never_opens_anything(freezes: list[Freeze], scope: str) -> None:
    for account in (ACME, BETA):
        if coverage.covered(account, freezes):
            assert coverage.covered(account, [*freezes, freeze_of(scope)])
        assert coverage.covered(account, [*freezes, freeze_of("all")])


def test_another_brands_freeze_does_not_stop_us() -> None:
    assert not coverage.covered(ACME, [freeze_of("brand:beta"), freeze_of("account:beta-x"), freeze_of("platform:x")])


def test_a_name_that_two_kinds_share_is_not_confused() -> None:
    twin = Account(name="acme", platform="acme", brand="other", base_url="", identity="")
    assert not coverage.covered(twin, [freeze_of("brand:acme")])
    assert coverage.covered(twin, [freeze_of("account:acme")])
    assert coverage.covered(twin, [freeze_of("platform:acme")])


def test_the_widest_freeze_is_named_first() -> None:
    freezes = [freeze_of("account:acme-m", at=1), freeze_of("brand:acme", at=2), freeze_of("all", at=3)]
    assert [freeze.scope for freeze in coverage.covering(ACME, freezes)] == ["all", "brand:acme", "account:acme-m"]


@FEW
@given(FREEZES)
def test_the_end_of_the_last_freeze_is_now_while_one_is_in_force(freezes: list[Freeze]) -> None:
    until = coverage.frozen_until(ACME, freezes, NOW)
    mine = [freeze for freeze in freezes if freeze.scope in ACME.scopes]
    if coverage.covered(ACME, freezes):
        assert until == NOW
    elif mine:
        assert until == max(freeze.lifted_at or 0 for freeze in mine)
    else:
        assert until == 0
