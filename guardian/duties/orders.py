"""Orders that a freeze left on the disk, because no daemon heard them: read, handed on, removed. Called by the watch.

Handing on may happen twice (a crash between the store and the removal of the file), and is one order by its key. What
cannot be read is set aside as `.bad`; what cannot be carried out yet stays where it is.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from guardian.errors import Doubt, GuardianError
from guardian.fence import orders as left
from guardian.fence.command import CAPTURES, DELETE, HIDE, KEEP, LIST, NATIVES
from guardian.store import incidents, journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House
    from guardian.store.database import Database

    Order = dict[str, Any]

MOST_REFS, LONGEST_REF = 1000, 2000
MOST_WORDS = 1000
MOST_SCOPES = 1000
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
log = structlog.get_logger()


class Malformed(ValueError):
    """It is no order; the text says why."""


class Orders:
    """The directory where they lie."""

    def __init__(
        self,
        house: House,
        *,
        database: Database,
        takedown: Callable[[Order], object] | None,
        native: Callable[[Order], object],
        clock: Callable[[], int],
    ) -> None:
        """`takedown` puts an order into the store, by its key; None: those with references stay where they are.

        `native` begins to hold or delete what the platforms would publish. Both raise Doubt where it has to wait.
        """
        self.house = house
        self.database = database
        self.takedown = takedown
        self.native = native
        self.clock = clock

    def pick_up(self) -> int:
        """Take what lies there; how many. Never raises for what is in a file."""
        where = Path(left.directory_of(self.house))
        try:
            names = sorted(name for name in os.listdir(where) if name.endswith(left.ENDING))  # noqa: PTH208 (names alone)
        except FileNotFoundError:
            return 0
        except OSError as error:
            log.warning("the orders cannot be read", why=str(error))
            return 0
        return sum(self._take(where / name) for name in names[: left.MOST_ORDERS] if not name.startswith("."))

    def _take(self, path: Path) -> bool:
        try:
            order = read(path)
        except (Malformed, OSError) as error:
            self._set_aside(path, str(error))
            return False
        if order["refs"] and self.takedown is None:
            return False
        try:
            if order["refs"] and self.takedown is not None:
                self.takedown(order)
            if order["native"] != LIST:
                self.native(order)
            self._write_down(order, path)
        except Doubt as doubt:
            log.warning("an order waits", file=path.name, why=doubt.message)
            return False
        except GuardianError as error:
            self._set_aside(path, error.message)
            return False
        path.unlink(missing_ok=True)
        return True

    def _write_down(self, order: Order, path: Path) -> None:
        now = self.clock()
        facts = {key: order[key] for key in ("key", "refs", "decision", "capture", "native", "scopes", "reason")}
        with self.database.transaction() as tx:
            current = incidents.current(tx)
            about = {} if current is None else {"incident": current.id}
            journal.append(tx, "order found", who=order["by"], now=now, file=path.name, **about, **facts)

    def _set_aside(self, path: Path, why: str) -> None:
        log.error("an order was set aside", file=path.name, why=why)
        try:
            path.rename(path.with_suffix(left.BAD))
        except OSError as error:
            log.warning("it cannot be set aside", file=path.name, why=str(error))


def read(path: Path) -> Order:
    """One order, every value of it looked at. Raises Malformed, OSError."""
    fd = os.open(path, READ)
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode) or about.st_uid not in (0, os.geteuid()):
            raise Malformed("it is no file of ours")
        raw = file.read(left.MOST_BYTES + 1)
    if len(raw) > left.MOST_BYTES:
        raise Malformed("it is too long")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed("it is no JSON") from error
    if not isinstance(found, dict) or found.get("key") != path.stem or not left.is_key(path.stem):
        raise Malformed("it has not the key that its name says")
    return {
        "key": path.stem,
        "refs": _texts(found, "refs", most=MOST_REFS, longest=LONGEST_REF),
        "scopes": _texts(found, "scopes", most=MOST_SCOPES, longest=100),
        "decision": _one_of(found, "decision", (DELETE, HIDE, KEEP)),
        "capture": None if found.get("capture") is None else _one_of(found, "capture", CAPTURES),
        "native": _one_of(found, "native", NATIVES),
        "reason": _text(found, "reason"),
        "by": _text(found, "by"),
    }


def _text(found: Order, key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or len(value) > MOST_WORDS:
        raise Malformed(f"its {key} is no text")
    return value.encode("utf-8", "replace").decode()  # half a pair of surrogates is none


def _texts(found: Order, key: str, *, most: int, longest: int) -> list[str]:
    value = found.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise Malformed(f"its {key} are no list")
    if not all(isinstance(one, str) and 0 < len(one) <= longest for one in value):
        raise Malformed(f"its {key} are no texts")
    return [one.encode("utf-8", "replace").decode() for one in value]


def _one_of(found: Order, key: str, known: tuple[str, ...]) -> str:
    value = found.get(key)
    if value not in known:
        raise Malformed(f"its {key} is none of {', '.join(known)}")
    return str(value)
