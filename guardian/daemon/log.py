"""Logging: one line per event, JSON unless somebody is watching; no secret gets through, no library chatters.

What comes from elsewhere (a platform's words, a file's name, an error) is a value, never the event's name. On its way
out each event loses what is a secret by its key, by its letters or by the name before it, and on a terminal whatever
steers one. Libraries log through the same, from level WARNING on, and so do uncaught errors and warnings.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from guardian import masking
from guardian.fence.report import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping
    from types import TracebackType

    from guardian.model import Secret

HIDDEN = masking.HIDDEN
KEYS = re.compile(
    r"token|secret|passw(?:or)?d|passphrase|authori[sz]ation|cookie|credential|api_?key|private_?key|jwt|bearer|refresh"
    r"|signature|session",
    re.IGNORECASE,
)
DEEPEST, LONGEST = 6, 20_000  # of what an event holds: how deep it is looked into, and how many letters are written
LIBRARY, UNCAUGHT = "a library says", "uncaught"


def mask(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """One event without secrets (structlog calls this)."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: object, value: object, depth: int = 0) -> object:
    """A value under its key. What is no number and no flag is a text in the end."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(key, str) and KEYS.search(key):
        return HIDDEN
    if isinstance(value, dict) and depth < DEEPEST:
        return {_text(name): _masked(name, one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [_masked(None, one, depth + 1) for one in value]
    return _text(value)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return masking.without(text)[:LONGEST]


def harmless(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """One event that steers no terminal; of a traceback the line ends stay, and no line of it begins at the margin."""
    return {
        printable(key): _traceback(value) if key == "exception" else _on_one_line(value) for key, value in event.items()
    }


def _traceback(text: str) -> str:
    return "\n".join(f"  | {printable(line)}" for line in text.split("\n"))


def _on_one_line(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else printable(str(value))


class Unfailing:
    """A stream of text that never raises: a log on a full disk, or a reader that is gone, must not end a loop."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or lose the line."""
        with contextlib.suppress(OSError, ValueError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or lose the line."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class Relay(logging.Handler):
    """What libraries log becomes an event like any other, with their words as a value."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand it on, or lose it."""
        with contextlib.suppress(Exception):
            says = structlog.get_logger()
            say = says.error if record.levelno >= logging.ERROR else says.warning
            say(LIBRARY, library=record.name, said=record.getMessage(), exc_info=record.exc_info or None)


def keep_secret(secrets: Iterable[Secret]) -> None:
    """From now on these do not get through either. Any thread may call; before anything is done with them."""
    masking.keep(secret.reveal() for secret in secrets)


def without_secrets(text: object) -> str:
    """What is printed where there is no log yet: no secret, nothing that steers a terminal."""
    return "\n".join(map(printable, masking.without(str(text)).split("\n")))


def set_up(secrets: Iterable[Secret]) -> None:
    """Configure logging for the daemon: to stderr, at level info."""
    keep_secret(secrets)
    tty = sys.stderr.isatty()
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not tty),
            structlog.processors.format_exc_info,
            mask,
            *((harmless, console) if tty else (structlog.processors.JSONRenderer(),)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(Unfailing(sys.stderr)),  # type: ignore[arg-type]  # all it needs
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Relay()], force=True)  # libraries print tokens at DEBUG
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)
    sys.unraisablehook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """An error that nobody expected: Python would print it as it is, to the same place."""
    if not issubclass(kind, SystemExit):
        structlog.get_logger().error(UNCAUGHT, exc_info=(kind, error or kind(), traceback))
