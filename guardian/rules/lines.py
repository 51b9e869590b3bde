"""The lines of a file that somebody hands in, each with its number and within a limit. Pure, but for reading.

The daemon reads imports with it, and the client looks for pictures with it: both see the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE = 256 * 1024
CHUNK = 64 * 1024
BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
CLIENT_WORDS = "do save it as UTF-8"


class Readable(Protocol):
    """What lines come from: a binary file."""

    def readline(self, size: int = -1, /) -> bytes:
        """The next line, or as much of it."""
        ...


@dataclass(frozen=True, slots=True)
class Flaw:
    """What cannot be read at all, and where: line and column counted from 1."""

    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end; `flaw` says why its text is not what stands in the file."""

    number: int
    text: str
    flaw: Flaw | None = None


def numbered(stream: Readable, *, keep_ends: bool = False) -> Iterator[Line]:
    """Every line of a file. What is longer than 262144 bytes is skipped in small pieces, whatever its length."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            if raw.startswith(UTF16):
                yield Line(1, "", Flaw(1, 1, f"cannot read the file, because it is UTF-16, {CLIENT_WORDS}"))
                return
            raw = raw.removeprefix(BOM)
        if len(raw) > MAX_LINE and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(CHUNK)
            yield Line(number, "", _too_long(number))
            continue
        yield _decoded(number, raw if keep_ends else raw.removesuffix(b"\n"))


def _decoded(number: int, raw: bytes) -> Line:
    try:
        return Line(number, raw.decode())
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode("utf-8", "replace")) + 1
        shown = f"byte 0x{raw[error.start]:02x}"
        message = f"cannot read the line, because it is not UTF-8 ({shown}), {CLIENT_WORDS}"
        return Line(number, raw.decode("utf-8", "replace"), Flaw(number, column, message))


def _too_long(number: int) -> Flaw:
    return Flaw(number, 1, f"cannot read the line, because it is longer than {MAX_LINE} bytes")
