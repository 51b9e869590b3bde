"""Where a key stands in the text of a TOML file, and the fault that names the place.

tomllib tells what is written, this tells in which line. A small scan that follows `[table]` headers, dotted and quoted
keys, inline tables, and strings and lists over several lines. It is only asked about text that tomllib has accepted, so
it looks for places and never for mistakes.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.config.values import Bad

KeyPath = tuple[str, ...]

DEEP = 5  # no key of ours lies deeper; without an end, a very long dotted key would take quadratic time

BARE = re.compile(r"[A-Za-z0-9_-]+")
MAX_SHOWN = 60
TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\n]* )
    | (?P<block>   \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5} )
    | (?P<quoted>  \" (?: \\. | [^"\\\n] )* \" | '[^'\n]*' )
    | (?P<mark>    [=.,\[\]{}\n] )
    | (?P<bare>    [^\s=.,\[\]{}\#"']+ )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: its line (0 for the file as a whole), the key that it is about ("" for none), and the sentence."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message

    @classmethod
    def about(cls, path: tuple[str, ...], places: Places, bad: Bad) -> Fault:
        """The fault of one key."""
        key = named(path)
        return cls(places.line(path), key, f"cannot use {key}, because {bad.because}, do {bad.do}")


def named(path: tuple[str, ...]) -> str:
    """A key as TOML writes it; letters that could play tricks on a terminal are made visible."""
    return ".".join(_shown(part) for part in path)


class Places:
    """The line of every key and table of one document."""

    def __init__(self, text: str) -> None:
        self.lines = _Scan().lines(text)

    def line(self, path: KeyPath) -> int:
        """The line of this key, or of the nearest table around it; 0 when it stands nowhere."""
        for length in range(min(len(path), DEEP), 0, -1):
            found = self.lines.get(path[:length])
            if found:
                return found
        return 0


class _Scan:
    """Follows the tokens; `_names` is the key being read, `_base` the table that it belongs to."""

    def __init__(self) -> None:
        self._found: dict[KeyPath, int] = {}
        self._table: KeyPath = ()
        self._base: KeyPath = ()
        self._names: list[str] = []
        self._open: list[tuple[str, KeyPath, list[str]]] = []  # brackets of the value, with what was read before each
        self._in_value = False

    def lines(self, text: str) -> dict[KeyPath, int]:
        for kind, token, line in _tokens(text):
            if kind == "mark":
                self._mark(token, line)
            elif kind in ("bare", "quoted") and not self._in_value:
                self._names.append(_unquote(token) if kind == "quoted" else token)
        return self._found

    def _mark(self, sign: str, line: int) -> None:
        if sign == "\n":
            if not self._open:
                self._begin_statement()
        elif self._in_value:
            self._value_mark(sign)
        elif sign == "=":
            self._note((*self._base, *self._names), line)
            self._in_value = True
        elif sign == "]":
            self._end_header(line)
        elif sign == "}":
            self._close()

    def _value_mark(self, sign: str) -> None:
        if sign in "[{":
            self._open.append((sign, self._base, self._names))
            if sign == "{":
                self._base = (*self._base, *self._names)
                self._begin_key()
        elif sign in "]}":
            self._close()
        elif sign == "," and self._open and self._open[-1][0] == "{":
            self._begin_key()

    def _close(self) -> None:
        if self._open:
            _, self._base, self._names = self._open.pop()
        self._in_value = True

    def _begin_key(self) -> None:
        self._names = []
        self._in_value = False

    def _begin_statement(self) -> None:
        self._base = self._table
        self._begin_key()

    def _end_header(self, line: int) -> None:
        if self._names:  # the second bracket of [[table]] finds them gone
            self._table = tuple(self._names)
            self._note(self._table, line)
            self._found[self._table[:DEEP]] = line  # its own header says more than that of a table inside it
        self._names = []

    def _note(self, path: KeyPath, line: int) -> None:
        """Remember the first place of the key itself; the tables that a dotted key opens on the way, too."""
        for length in range(min(len(path), DEEP), 0, -1):
            if path[:length] in self._found:
                break
            self._found[path[:length]] = line


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line = 1
    for match in TOKEN.finditer(text):
        token = match.group()
        yield match.lastgroup or "", token, line
        line += token.count("\n")


def _unquote(token: str) -> str:
    try:
        return str(tomllib.loads(f"key = {token}")["key"])
    except tomllib.TOMLDecodeError:
        return token


def _shown(part: str) -> str:
    cut = part if len(part) <= MAX_SHOWN else f"{part[:MAX_SHOWN]}…"
    return cut if BARE.fullmatch(part) and cut == part else repr(cut)
