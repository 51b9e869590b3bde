"""Upgrades: from every schema that was ever released to this one, whole or not at all, proven before and after.

A store that holds something is proven whole to its end, copied (`before-0007.db` beside it), taken through all missing
steps in one transaction, and proven again before that is committed. So a crash in the middle leaves the old store, and
so does a step that loses a row. Called by whoever has just opened the store, with nothing else running.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
from importlib.resources import files
from typing import TYPE_CHECKING

from guardian.errors import Broken, DiskFull, Garbled, Newer
from guardian.failpoint import failpoint
from guardian.rules import lifecycle, takedown
from guardian.store import check, copying, proving, wal
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardian.store.database import Tx

OUTCOMES = ("unsent", "landed", "refused", "unknown", "absent", "cancelled")
MIGRATIONS = """
create table if not exists migrations (number integer primary key, name text not null, applied_at bigint not null)
"""
BEFORE = re.compile(r"before-\d{4}\.db")
KEPT = 2  # copies from before an upgrade
SPARE = 64 << 20  # bytes that must be left after the copy, for what the upgrade itself writes


def migrate(connection: Tx, path: Path, *, now: int) -> None:
    """Bring the schema to this version, and write the law down for the database's own check.

    Raises Newer, Broken, DiskFull: the store is then as it was.
    """
    steps = released()
    done = _done(connection)
    missing = sorted(set(steps) - done)
    if done and missing:
        before = _proven(connection, path, "before")
        _keep_a_copy(connection, path, before, missing[-1])
    with _whole_or_not_at_all(connection):
        connection.execute(MIGRATIONS)
        for number in missing:
            for statement in statements(steps[number]):
                connection.execute(statement)
            Q.note_migration(connection, number=number, name=NAMES[number], now=now)
            failpoint("store.migrated")
        for statement in statements(files("guardian.store").joinpath("sqlite.sql").read_text("utf-8")):
            connection.execute(statement)
        _write_law(connection)
        if done and missing:
            lost = proving.lost_between(before, _proven(connection, path, "after"))
            if lost:
                raise _refused(path, f"the upgrade would have lost something: {lost}")


def must_be_ours(path: Path) -> None:
    """Raise Newer when a newer guardian has migrated the store; changes no byte of its files."""
    if not path.exists() or not path.stat().st_size:
        return
    log = wal.beside(path, "wal")
    how = "mode=ro&readonly_shm=1" if log.exists() and log.stat().st_size else "immutable=1"
    with contextlib.suppress(sqlite3.DatabaseError):  # whoever opens it finds that out, and has the words for it
        uri = f"{path.absolute().as_uri()}?{how}"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            _must_be_known({int(row[0]) for row in connection.execute("select number from migrations")})


def released() -> dict[int, str]:
    """The script of every step, by its number."""
    return {number: _script(name) for number, name in NAMES.items()}


def statements(script: str) -> Iterator[str]:
    """The script's statements one by one (`executescript` would commit behind our back)."""
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""


def _names() -> dict[int, str]:
    folder = files("guardian.store").joinpath("migrations")
    return {int(one.name[:4]): one.name for one in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", one.name)}


NAMES = _names()


def _script(name: str) -> str:
    """With the states and outcomes of the law written into the schema's checks."""
    script = files("guardian.store").joinpath("migrations").joinpath(name).read_text("utf-8")
    states = ", ".join(f"'{state}'" for state in lifecycle.TABLE)
    outcomes = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    targets = ", ".join(f"'{state}'" for state in takedown.TABLE)
    return script.replace("{states}", states).replace("{outcomes}", outcomes).replace("{target_states}", targets)


def _done(connection: Tx) -> set[int]:
    if not connection.execute("select 1 from sqlite_master where name = 'migrations'").fetchone():
        return set()
    found = {int(row["number"]) for row in Q.applied_migrations(connection)}
    _must_be_known(found)
    return found


def _must_be_known(found: set[int]) -> None:
    newer = found - set(NAMES)
    if newer:
        raise Newer(
            f"cannot open the store, because a newer guardian has migrated it (step {max(newer)}, "
            f"this one knows {max(NAMES)}); nothing was changed",
            fix="run that version again; or put back what it kept from before its upgrade: docs/backup.md, Downgrade",
        )


@contextlib.contextmanager
def _whole_or_not_at_all(connection: Tx) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    connection.execute("commit")


def _proven(connection: Tx, path: Path, when: str) -> proving.Facts:
    try:
        return proving.prove(connection)
    except Garbled as found:
        if when == "before":
            raise check.broken(path, found.message) from found
        raise _refused(path, f"the upgraded store would not be whole ({found.message})") from found


def _refused(path: Path, why: str) -> Broken:
    return Broken(
        f"cannot upgrade the store {path}, because {why}; it was left as it is",
        fix="run the version before this one, and report it with a copy of the store",
    )


def _keep_a_copy(connection: Tx, path: Path, facts: proving.Facts, step: int) -> None:
    """`before-0007.db`, proven; the oldest of such copies make room for it in number."""
    kept = path.with_name(f"before-{step:04}.db")
    beside = kept.with_name(f".{kept.name}.{os.getpid()}")
    size = sum(file.stat().st_size for file in (path, wal.beside(path, "wal")) if file.exists())
    free = shutil.disk_usage(path.parent).free
    if free < size + SPARE:
        raise DiskFull(
            f"cannot upgrade the store, because there is no room for the copy from before it ({size >> 20} MiB wanted, "
            f"{free >> 20} MiB free); nothing was changed",
            fix=f"make room in {path.parent}, then start again",
        )
    for left in path.parent.glob(".before-*.db.*"):  # of an upgrade that was killed
        left.unlink(missing_ok=True)
    copying.write(connection, beside)
    with copying.opened(beside) as copy:
        if proving.prove(copy) != facts:
            raise _refused(path, "its copy is not what was copied")
    beside.replace(kept)
    copying.make_durable(kept)
    _forget_the_oldest(path.parent, kept)


def _forget_the_oldest(directory: Path, newest: Path) -> None:
    found = [one for one in directory.iterdir() if BEFORE.fullmatch(one.name) and one != newest]
    for old in sorted(found, key=lambda one: one.stat().st_mtime_ns, reverse=True)[KEPT - 1 :]:
        old.unlink(missing_ok=True)


def _write_law(connection: Tx) -> None:
    Q.clear_transitions(connection)
    for was, event, is_now in lifecycle.transitions():
        Q.insert_transition(connection, was=was, event=event, is_now=is_now)
