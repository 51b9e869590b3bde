"""Looking again and again: in place on a terminal, elsewhere one block, or one JSON document, for each change.

Ends when the terminal says so (Ctrl-C), or when nobody reads any more. The cursor is never hidden and no other screen
is opened, so that a watch that is killed leaves nothing to repair.
"""

import os
import select
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from guardian.cli import render

Document = dict[str, Any]
Lines = Callable[[Document], Iterable[str]]

PAGE = (render.WIDEST, 24)
UP, CLEAR_LINE, CLEAR_BELOW, CLEAR_ALL = "\x1b[{}F", "\x1b[2K", "\x1b[J", "\x1b[2J\x1b[H"
FEWEST = 3


def watch(look: Callable[[], Document], lines: Lines, *, every: float, as_json: bool) -> None:
    """Show what `look` finds, every so many seconds. Ends by KeyboardInterrupt, or BrokenPipeError."""
    shown = _shower(lines, every=every, as_json=as_json)
    try:
        while True:
            shown(look())
            _rest(every)
    except KeyboardInterrupt:
        if not as_json and on_a_terminal():
            render.say()  # the terminal has written ^C: whatever comes next begins below it
        raise


def on_a_terminal() -> bool:
    """Whether somebody looks at a screen on which lines can be painted over."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _shower(lines: Lines, *, every: float, as_json: bool) -> Callable[[Document], None]:
    if as_json:
        return Changes(lambda found: render.record({"looked_at": _utc(), **found})).show
    if not on_a_terminal():
        return Changes(lambda found: _block(lines(found))).show
    screen = Screen()
    return lambda found: screen.paint([*lines(found), f"  looked at {_local()}, every {every:g} s; Ctrl-C ends it"])


class Changes:
    """Hands on what is not as it was the last time."""

    def __init__(self, hand_on: Callable[[Document], None]) -> None:
        self._hand_on = hand_on
        self._last: Document | None = None

    def show(self, found: Document) -> None:
        """Hand it on, and make sure that a reader has it, if anything has changed."""
        if found != self._last:
            self._hand_on(found)
            sys.stdout.flush()
        self._last = found


class Screen:
    """Paints over what it has painted before, line by line, without a flicker; what is above stays."""

    def __init__(self) -> None:
        self._painted = 0
        self._size = shutil.get_terminal_size(PAGE)

    def paint(self, lines: Sequence[str]) -> None:
        """These lines in place of the last ones, as far as they fit; one that goes on below itself is several."""
        lines = [one for line in lines for one in line.split("\n")]
        size = shutil.get_terminal_size(PAGE)
        back = UP.format(self._painted) if self._painted else ""
        if self._painted and size != self._size:  # the terminal has wrapped them anew: nobody knows where they are
            back = CLEAR_ALL
        kept = [render.cut(line, size.columns - 1) for line in fitting(lines, max(size.lines - 1, FEWEST))]
        sys.stdout.write(back + "".join(f"{CLEAR_LINE}{line}\n" for line in kept) + CLEAR_BELOW)
        sys.stdout.flush()
        self._painted, self._size = len(kept), size


def fitting(lines: Sequence[str], rows: int) -> Sequence[str]:
    """As many lines as there is room for; the last one always, for it says how old the others are."""
    if len(lines) <= rows:
        return lines
    left = len(lines) - rows + 1
    return [*lines[: rows - 2], f"  ... {render.count(left, 'line')} more, for which there is no room", lines[-1]]


def _block(lines: Iterable[str]) -> None:
    render.say(_local())
    for line in lines:
        render.say(line)
    render.say()


def _rest(seconds: float) -> None:
    """Wait; ends at once, with BrokenPipeError, when nobody listens any more."""
    try:
        out = sys.stdout.fileno()
    except (OSError, ValueError):  # no file behind it
        time.sleep(seconds)
        return
    asked = select.poll()
    asked.register(out, 0)  # only whether the other end has gone
    if asked.poll(seconds * 1000):
        raise BrokenPipeError


def _local() -> str:
    return render.local(int(time.time() * 1000))


def _utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
