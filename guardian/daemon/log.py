"""Logging: one line per event, JSON unless somebody is watching; no secret gets through, no library chatters."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from guardian.model import Secret

HIDDEN = "***"
SHORTEST = 6


class Redactor:
    """Takes every known secret out of every value of an event, however deep it got into a text."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._words = [word for word in (secret.reveal() for secret in secrets) if len(word) >= SHORTEST]

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


def set_up(secrets: Iterable[Secret]) -> None:
    """Configure logging for the daemon: to stderr, at level info."""
    tty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=not tty),
            structlog.processors.format_exc_info,
            Redactor(secrets),
            structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)  # libraries print tokens and bodies at DEBUG
