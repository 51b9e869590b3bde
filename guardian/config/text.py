"""The text of the configuration: fetched from its file and parsed, or the one fault that prevents both."""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from typing import TYPE_CHECKING

from guardian.config.places import Fault
from guardian.fence.house import MAX_CONFIG_BYTES

if TYPE_CHECKING:
    from pathlib import Path

WHERE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


def read_regular(path: str | Path, limit: int) -> tuple[int, bytes]:
    """The mode and the content of a regular file, up to one byte more than `limit`. Raises OSError.

    The opened file itself is asked what it is, so nobody can exchange it in between; and it is opened without blocking,
    so that a pipe in its place cannot hang the start.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            return mode, file.read(limit + 1)
    finally:
        os.close(fd)


def read_text(path: Path) -> str | Fault:
    """The text, or why there is none."""
    try:
        _, content = read_regular(path, MAX_CONFIG_BYTES)
    except (OSError, ValueError) as error:
        because = error.strerror if isinstance(error, OSError) else "its name cannot be the name of a file"
        return Fault(0, "", f"cannot read the file, because of this: {because}, do name a file that you can read")
    if len(content) > MAX_CONFIG_BYTES:
        return Fault(0, "", "cannot read the file, because it is larger than 1 MiB, do name a configuration")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Fault(line, "", "cannot read this line, because it is not UTF-8, do save the file in that encoding")


def parse_toml(text: str) -> dict[str, object] | Fault:
    """The document, or where the text stops being TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = WHERE.fullmatch(str(error))
        what = match["what"] if match else "it cannot be understood"
        lines = text.rstrip("\n").split("\n")
        at = (int(match["line"]), int(match["column"])) if match and match["line"] else (len(lines), len(lines[-1]) + 1)
        message = f"cannot read on from column {at[1]}, because TOML is not written so ({what}), do correct it"
        return Fault(at[0], "", message)
    except (ValueError, RecursionError):
        return Fault(
            0, "", "cannot read the file, because a number or a nesting in it is beyond measure, do shorten it"
        )
