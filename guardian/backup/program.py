"""`guardian backup` and `guardian restore`: the command lines, who may, and what is told afterwards. One thread.

Programs of their own, like the daemon: they open the store, which the other commands never do.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from guardian.backup import making, restoring, telling
from guardian.backup.progress import Progress
from guardian.cli import endings, render
from guardian.cli.given import Desk
from guardian.errors import Mistake, NotAllowed
from guardian.fence.command import who_calls
from guardian.fence.house import House, is_ours

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKUP, RESTORE = "backup", "restore"
COMMANDS = (BACKUP, RESTORE)
MOST_KEPT = 10_000


def main(command: str, words: Sequence[str]) -> int:
    """Run one of the two with the words that it was given; the exit code."""
    before = os.umask(0o077)
    try:
        return _backup(words) if command == BACKUP else _restore(words)
    except KeyboardInterrupt:
        return endings.INTERRUPTED
    except Exception as error:  # noqa: BLE001 (whatever it is, it is said in one line)
        return endings.end_with(error, as_json="--json" in words)
    finally:
        os.umask(before)


def _backup(words: Sequence[str]) -> int:
    reading = _Reading(prog="guardian backup", add_help=False, allow_abbrev=False)
    reading.add_argument("place", nargs="?")
    reading.add_argument("--keep", type=int)
    given = _read(reading, words)
    if given.keep is not None and not 1 <= given.keep <= MOST_KEPT:
        raise Mistake(f"cannot keep {given.keep} backups, because that is no number of them", fix="keep 14, say")
    desk = Desk(given.config, given.json)
    house = _ours(desk.house())
    made = making.make(
        house, None if given.place is None else Path(given.place), keep=given.keep, progress=Progress(render.tell)
    )
    for name in made.rotten:
        render.tell(f"{name} has rotted on the disk: it is in the backup as it is, and its post would be refused")
    desk.answer(telling.backup(made), telling.backup_lines(made))
    return endings.DONE


def _restore(words: Sequence[str]) -> int:
    reading = _Reading(prog="guardian restore", add_help=False, allow_abbrev=False)
    reading.add_argument("file")
    reading.add_argument("--check", "--dry-run", action="store_true", dest="check")
    reading.add_argument("--replace", action="store_true")
    reading.add_argument("--no-holds", action="store_false", dest="holds")
    reading.add_argument("--to")
    given = _read(reading, words)
    desk, progress, file = Desk(given.config, given.json), Progress(render.tell), Path(given.file).absolute()
    if given.check:
        manifest = restoring.check_only(file, progress)
        desk.answer(telling.manifest(manifest), telling.check_lines(file, manifest))
        return endings.DONE
    if given.to is not None and given.replace:
        raise Mistake("cannot use --to and --replace together, because --to is for an empty place", fix="give one")
    house = _ours(desk.house()) if given.to is None else _elsewhere(Path(given.to))
    done = restoring.restore(house, file, replace=given.replace, holds=given.holds, by=who_calls(), progress=progress)
    desk.answer(telling.restored(done), telling.restored_lines(done))
    return endings.DONE


class _Reading(argparse.ArgumentParser):
    """Says what is wrong as every command does."""

    def error(self, message: str) -> NoReturn:
        """Raises Mistake."""
        raise Mistake(
            f"cannot understand the command line, because of this: {message}", fix=f"look at: {self.prog} --help"
        )


def _read(reading: argparse.ArgumentParser, words: Sequence[str]) -> Any:  # noqa: ANN401 (a namespace)
    reading.add_argument("--config")
    reading.add_argument("--json", action="store_true")
    return reading.parse_args(list(words))


def _ours(house: House) -> House:
    """A backup holds everything, a restore changes everything: root, and the house's own user. Raises NotAllowed."""
    if not is_ours(house):
        raise NotAllowed(
            f"cannot do that with {house.state_dir}, because the house belongs to another user",
            fix="run it as root, or as the guardian's user: sudo -u guardian",
        )
    return house


def _elsewhere(directory: Path) -> House:
    """A house below one directory, which is made if it is not there. Raises Mistake."""
    base = directory.absolute()
    if not base.parent.is_dir():
        raise Mistake(f"cannot restore to {base}, because {base.parent} is no directory", fix="make it first")
    base.mkdir(mode=0o700, exist_ok=True)
    return _ours(House(str(base), f"{base}/run"))
