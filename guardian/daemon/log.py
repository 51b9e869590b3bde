"""Logging: one line per event, JSON unless somebody is watching; no secret gets through, no library chatters."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from guardian.model import Secret

HIDDEN = "***"
SHORTEST = 6


class Redactor:
    """Takes every known secret out of every value of an event, however deep it got into a text."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._words: tuple[str, ...] = ()
        self.keep(secrets)

    def keep(self, secrets: Iterable[Secret]) -> None:
        """Know these, too. None is forgotten: a token that was replaced may still be good somewhere."""
        words = (secret.reveal() for secret in secrets)
        self._words = tuple({*self._words, *(word for word in words if len(word) >= SHORTEST)})

    def __call__(self, _: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Clean one event (structlog calls this)."""
        for key, value in event.items():
            if isinstance(value, str):
                event[key] = self.clean(value)
        return event

    def clean(self, text: str) -> str:
        """The text without the secrets."""
        for word in self._words:
            text = text.replace(word, HIDDEN)
        return text


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


_redactor = Redactor()


def keep_secret(secrets: Iterable[Secret]) -> None:
    """From now on these do not get through either. Any thread may call; before anything is done with them."""
    _redactor.keep(secrets)


def set_up(secrets: Iterable[Secret]) -> None:
    """Configure logging for the daemon: to stderr, at level info."""
    keep_secret(secrets)
    tty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not tty),
            structlog.processors.format_exc_info,
            _redactor,
            structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(Unfailing(sys.stderr)),  # type: ignore[arg-type]  # all it needs
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)  # libraries print tokens and bodies at DEBUG
