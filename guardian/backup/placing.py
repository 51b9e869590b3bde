"""Putting one house in the place of another: all or nothing, whenever it is killed.

Everything new lies ready in a directory beside. Then one small file, `restoring.json`, says that it counts: from that
instant the new house is the house, and whoever comes next (this program, another restore, the daemon at its start)
finishes the moving before it opens anything. Before that instant nothing has changed. Nothing of the old house is
deleted: it is moved aside. Called by whoever holds the house's locks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING

from guardian.backup.contents import RESTORING, entries_of
from guardian.errors import GuardianError, Refusal
from guardian.failpoint import failpoint
from guardian.fence import scopes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STAGE, ASIDE = ".restoring-", "replaced-"
MOST_BYTES = 1 << 20
BY_HAND = "keep both directories that {} names, and move what the new one has into its place by hand"


def must_be_at_rest(state: Path) -> None:
    """Raise Refusal while a restore is half moved: what lies there then is neither house."""
    if os.path.lexists(state / RESTORING):
        raise Refusal(
            f"cannot use {state}, because a restore was broken off in its last step",
            fix="start the guardian (or restore again): it is finished first",
        )


def movable(state: Path) -> None:
    """Raise Refusal when something of the house could not be moved aside, before anything is."""
    for name in entries_of(state):
        if os.path.ismount(state / name) or os.lstat(state / name).st_dev != state.stat().st_dev:
            raise Refusal(
                f"cannot restore into {state}, because {name} is a file system of its own and cannot be moved aside",
                fix="unmount it, restore, and move the new one onto it",
            )


def place(state: Path, stage: Path, aside: Path) -> None:
    """Let the house in `stage` be the house from now on. `aside` must not be there yet."""
    words = {"stage": stage.name, "aside": aside.name, "out": entries_of(state), "in": entries_of(stage)}
    beside = state / f".{RESTORING}.{os.getpid()}"
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        scopes.give_to_owner(fd, str(state))
        file.write(json.dumps(words).encode())
        file.flush()
        os.fsync(fd)
    failpoint("restore.ready")
    beside.rename(state / RESTORING)
    scopes.sync_directory(str(state))
    failpoint("restore.decided")
    finish(state)


def finish(state: Path) -> str | None:
    """Finish a restore that was decided, if one was; the name of the directory where the old house lies then.

    May be called as often as one likes. Raises GuardianError when it cannot be: no house may be opened then.
    """
    if not os.path.lexists(state / RESTORING):
        return None
    try:
        stage, aside, out, into = _decided(state)
        scopes.make_private(str(aside))
        for name in out:
            new = name in into and not os.path.lexists(stage / name)  # what lies there has come from the stage already
            if os.path.lexists(state / name) and not new:
                os.rename(state / name, aside / name)  # noqa: PTH104 (a name that is a link stays one)
                failpoint("restore.moved")
        scopes.sync_directory(str(aside))
        scopes.sync_directory(str(state))
        for name in into:
            if os.path.lexists(stage / name):
                os.rename(stage / name, state / name)  # noqa: PTH104 (as above)
                failpoint("restore.moved")
        scopes.sync_directory(str(state))
        (state / RESTORING).unlink()
        scopes.sync_directory(str(state))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GuardianError(
            f"cannot finish the restore of {state}, because of this: {error}", fix=BY_HAND.format(state / RESTORING)
        ) from error
    shutil.rmtree(stage, ignore_errors=True)
    with contextlib.suppress(OSError):
        aside.rmdir()  # nothing was there to be moved
    return aside.name


def clear(state: Path) -> None:
    """Remove what restores that were never decided have left: copies of a backup, and nothing of the house."""
    for path in state.glob(f"{STAGE}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in state.glob(f".{RESTORING}.*"):
        path.unlink(missing_ok=True)


def _decided(state: Path) -> tuple[Path, Path, Sequence[str], Sequence[str]]:
    with (state / RESTORING).open("rb") as file:
        words = json.loads(file.read(MOST_BYTES))
    names = [words["stage"], words["aside"], *words["out"], *words["in"]]
    if any(not isinstance(one, str) or "/" in one or one in ("", ".", "..") for one in names):
        raise ValueError(f"{RESTORING} names what is no name")
    return state / words["stage"], state / words["aside"], words["out"], words["in"]
