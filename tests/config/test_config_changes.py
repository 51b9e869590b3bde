"""What differs between two configurations: every key that can, by its name, and never by its value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from guardian.config import load
from guardian.config.changes import OF_LANES, TABLES, between
from guardian.config.in_force import InForce
from guardian.config.tables import Document
from guardian.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], Path]

OTHERS = {
    "queue.zone": '"Asia/Tokyo"',
    "queue.late_after": '"1m"',
    "queue.gap": '"1m"',
    "queue.release_gap": '"1m"',
    "fence.drain": '"1s"',
    "gate.answer_within": '"5s"',
    "reconcile.looks": "4",
    "reconcile.over": '"9s"',
    "metrics.listen": '"127.0.0.1:9464"',
    "evidence.within": '"1s"',
    "evidence.capture": '"require"',
    "evidence.replies": "20",
    "evidence.render": "false",
    "evidence.chromium": '"/opt/chromium"',
    "evidence.authorities": '["https://tsa.example/tsr"]',
    "evidence.roots": '"/etc/guardian/tsa.pem"',
    "evidence.keep_own": '"10d"',
    "evidence.keep_others": '"10d"',
    **{f"rights.{right}": '["others"]' for right in ("read", "freeze", "operate", "takedown")},
}


def test_every_key_of_every_table_is_looked_at() -> None:
    tables = set(Document.model_fields) - {"state_dir", "runtime_dir", "store", "accounts"}
    assert tables == set(TABLES)
    keys = {f"{table}.{key}" for table in TABLES for key in _keys(table)}
    assert keys == set(OTHERS)


@pytest.mark.parametrize("key", OTHERS)
def test_a_key_that_differs_is_named_alone(write: Write, account: str, key: str) -> None:
    old = load(write(account), with_secrets=False)
    table, _, name = key.partition(".")
    new = load(write(f"[{table}]\n{name} = {OTHERS[key]}\n{account}"), with_secrets=False)
    found = between(old, new)
    assert (found.keys, found.fixed, found.facts()) == ((key,), (), {"keys": [key]})
    assert found.touch_every_lane() is (table in OF_LANES)
    assert between(new, new).facts() == {}


def test_accounts_that_come_go_and_change_are_told_apart(write: Write, account: str) -> None:
    old = load(write(account + account.replace("accounts.acme", "accounts.beta")), with_secrets=False)
    text = account.replace('brand = "acme"', 'brand = "other"') + account.replace("accounts.acme", "accounts.gamma")
    found = between(old, load(write(text), with_secrets=False))
    assert (found.added, found.removed, found.changed) == (("gamma",), ("beta",), ("acme",))
    assert found.keys == ("accounts.acme.brand",)
    assert not found.touch_every_lane()


@pytest.mark.parametrize(("was", "now"), [("one", "two"), (None, "two"), ("one", None)])
def test_a_secret_that_differs_is_named_and_not_told(
    write: Write, account: str, was: str | None, now: str | None
) -> None:
    plain = load(write(account), with_secrets=False)
    old, new = (
        replace(plain, accounts=(replace(plain.accounts[0], secrets={"token": Secret(text)} if text else {}),))
        for text in (was, now)
    )
    found = between(old, new)
    assert found.facts() == {"changed": ["acme"], "keys": ["accounts.acme.secrets.token"]}
    assert "two" not in repr(found)
    assert between(new, new).facts() == {}


def test_a_house_that_would_move_is_named(write: Write) -> None:
    old = load(write('state_dir = "/a"\nruntime_dir = "/b"\n'))
    new = load(write('state_dir = "/c"\nruntime_dir = "/d"\n'))
    assert between(old, new).fixed == ("state_dir", "runtime_dir")


def test_a_refusal_keeps_the_snapshot_and_is_forgotten_with_the_next_success(write: Write) -> None:
    old, new = load(write("")), load(write('[queue]\nzone = "Asia/Tokyo"\n'))
    held = InForce(old, at=1)
    held.refuse("line 4: it is wrong", at=2)
    assert (held.settings, held.verdict.state, held.verdict.at) == (old, "refused", 2)
    held.swap(new, at=3)
    assert (held.settings, held.verdict.state, held.verdict.why) == (new, "in force", "")


def _keys(table: str) -> list[str]:
    annotation = Document.model_fields[table].annotation
    assert isinstance(annotation, type)
    return list(annotation.model_fields)
