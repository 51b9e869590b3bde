"""`guardian status --watch`: in place on a terminal, for each change elsewhere, whatever becomes of the daemon."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any, Self

import pytest

from guardian.cli.watching import Changes, fitting
from guardian.fence import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Place

EVERY = ("--every", "0.2")
WITHIN = 30.0
SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Z])")


class Terminal:
    """A terminal of so many rows and columns, and the program on it; `screen` is what somebody who looks would see."""

    def __init__(self, config: Path, *, rows: int = 30, columns: int = 90, words: tuple[str, ...] = EVERY) -> None:
        self.rows, self.columns = rows, columns
        self.near, far = pty.openpty()
        self.resize(rows, columns)
        environment = {**os.environ, "GUARDIAN_CONFIG": str(config), "TERM": "xterm"}
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "guardian", "status", "--watch", *words]
        self.process = subprocess.Popen(
            command, stdin=far, stdout=far, stderr=far, env=environment, start_new_session=True
        )
        os.close(far)
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        os.close(self.near)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float = 0.05) -> None:
        until = time.monotonic() + seconds
        while select.select([self.near], [], [], max(until - time.monotonic(), 0))[0]:
            try:
                self.raw += os.read(self.near, 65536).decode()
            except OSError:  # the program has ended
                return

    def wait(self, true: Callable[[list[str]], object]) -> list[str]:
        """Until the screen is so."""
        until = time.monotonic() + WITHIN
        while not true(self.screen()):
            assert time.monotonic() < until, self.screen()
            self.read()
        return self.screen()

    def wait_for(self, word: str) -> list[str]:
        return self.wait(lambda screen: any(word in line for line in screen))

    def screen(self) -> list[str]:
        """What the sequences have made of the screen; it knows those that a watch may use, and no others."""
        lines, row = [""], 0
        for piece in re.split(r"(\x1b\[\d*[A-Z]|\r\n)", self.raw):
            found = SEQUENCE.fullmatch(piece)
            if piece == "\r\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            elif found is None:
                assert "\x1b" not in piece, piece
                assert len(piece) <= self.columns
                lines[row] += piece
            elif found[2] == "F":
                row -= int(found[1])
                assert row >= 0
            elif found[2] == "K":
                lines[row] = ""
            elif found[2] == "J" and not found[1]:
                lines[row:] = [""]
            elif (found[1], found[2]) == ("2", "J") or found[2] == "H":
                lines, row = [""], 0
            else:
                raise AssertionError(piece)
        return lines

    def interrupt(self) -> int:
        os.kill(self.process.pid, signal.SIGINT)
        code = self.process.wait(WITHIN)
        self.read()
        return code


@contextlib.contextmanager
def watching(place: Place, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command with a pipe to read from."""
    command = [sys.executable, "-m", "guardian", "status", "--watch", *EVERY, *words]
    environment = {**os.environ, "GUARDIAN_CONFIG": str(place.config)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def documents(process: subprocess.Popen[str]) -> Iterator[Any]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def test_on_a_terminal_it_paints_over_itself_and_follows_a_freeze_and_its_thaw(place: Place) -> None:
    with Terminal(place.config) as terminal:
        first = terminal.wait_for("OPEN  nothing is frozen")
        assert "looked at" in first[-2]
        place.freeze("a bad joke \x1b[2J is live")
        screen = terminal.wait_for("FROZEN  nothing can be sent")
        assert sum("looked at" in line for line in screen) == 1
        assert not any("OPEN" in line for line in screen)
        assert any("a bad joke" in line for line in screen)
        place.program("thaw", "--yes", "--reason", "over")
        terminal.wait_for("OPEN  nothing is frozen")
        assert terminal.interrupt() == 130
        assert "Traceback" not in terminal.raw


def test_a_daemon_that_hangs_ends_and_comes_back_is_followed(place: Place) -> None:
    with Terminal(place.config) as terminal:
        terminal.wait_for(f"daemon      running (pid {place.daemon.pid if place.daemon else 0})")
        assert place.daemon is not None
        place.daemon.send_signal(signal.SIGSTOP)
        try:
            place.wait(lambda: reading.daemon_state(place.house)[0] == "hung")
            terminal.wait_for("daemon      hung")
        finally:
            place.daemon.send_signal(signal.SIGCONT)
        terminal.wait_for("daemon      running")
        place.stop()
        try:
            terminal.wait_for("daemon      absent")
            place.freeze("nobody is here")
            assert any("nobody is here" in line for line in terminal.wait_for("FROZEN"))
        finally:
            place.start()
        terminal.wait_for(f"daemon      running (pid {place.daemon.pid})")
        assert terminal.interrupt() == 130


def test_a_terminal_with_few_rows_shows_the_verdict_and_how_old_it_is(place: Place) -> None:
    with Terminal(place.config, rows=5, columns=40) as terminal:
        screen = terminal.wait_for("looked at")
        assert screen[0].startswith("OPEN")
        assert "for which there is no room"[:10] in screen[2]
        assert len([line for line in screen if line]) <= 4
        terminal.rows, terminal.columns = 40, 90
        terminal.resize(40, 90)
        terminal.wait(lambda screen: len([line for line in screen if line]) > 5)
        assert terminal.interrupt() == 130


def test_off_a_terminal_there_is_one_block_for_each_change(place: Place) -> None:
    with watching(place) as process:
        assert process.stdout is not None
        block = read_block(process.stdout)
        assert block[1] == "OPEN  nothing is frozen"
        time.sleep(1.0)  # five looks, and nothing has changed
        place.freeze("now it has")
        while "now it has" not in "".join(block := read_block(process.stdout)):
            assert block[1].startswith(("OPEN", "FROZEN"))
        assert block[1] == "FROZEN  nothing can be sent"
        assert "\x1b" not in "".join(block)
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN) == 130


def read_block(out: Any) -> list[str]:  # noqa: ANN401 (a pipe)
    lines: list[str] = []
    while (line := out.readline()) != "\n":
        assert line
        lines.append(line.rstrip("\n"))
    return lines


def test_with_json_each_change_is_one_document_on_one_line(place: Place) -> None:
    with watching(place, "--json") as process:
        found = documents(process)
        first = next(found)
        assert (first["state"], first["daemon"]) == ("open", "running")
        assert first["looked_at"].endswith("Z")
        place.freeze("for the \u202e machine")
        second = next(one for one in found if one["state"] == "frozen")
        assert second["freezes"][0]["reason"] == "for the   machine"
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN) == 130


def test_it_ends_when_nobody_reads_any_more_though_nothing_changes(place: Place) -> None:
    with watching(place) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(WITHIN) == 141


@pytest.mark.parametrize("words", [("--every", "1"), ("--watch", "--every", "0"), ("--watch", "--every", "x")])
def test_a_pace_that_makes_no_sense_is_wrong_use(
    guardian: Callable[..., Any], place: Place, words: tuple[str, ...]
) -> None:
    ran = guardian("status", *words)
    assert ran.code == 2
    assert ran.err.startswith("cannot ")
    assert place.config.exists()


def test_without_a_house_it_does_not_begin(guardian: Callable[..., Any], empty: Path) -> None:
    assert not list(empty.glob("*.toml"))
    assert guardian("status", "--watch").code == 2


def test_what_does_not_fit_is_counted_and_the_last_line_stays() -> None:
    lines = [str(number) for number in range(10)]
    assert fitting(lines, 10) == lines
    assert fitting(lines, 5) == ["0", "1", "2", "  ... 6 lines more, for which there is no room", "9"]


def test_what_has_not_changed_is_not_shown_again() -> None:
    shown: list[object] = []
    changes = Changes(shown.append)
    for found in ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 1}):
        changes.show(found)
    assert shown == [{"a": 1}, {"a": 2}, {"a": 1}]
