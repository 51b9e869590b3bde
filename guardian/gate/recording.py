"""What a thread asks and is told, kept for the record: every exchange inside a block is handed to a sink.

Lives in a context variable, like the intent: a thread that is to be recorded opens the block itself. Secrets are
removed before the sink sees anything (`gate/blanks.py`).
"""

from __future__ import annotations

import contextlib
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.model import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from urllib3 import BaseHTTPResponse

    from guardian.gate.blanks import Blanks
    from guardian.gate.connection import Errand

    Sink = Callable[[Exchange], None]


@dataclass(slots=True)
class Recording:
    """One block. `lost` says which exchanges the sink could not keep, and why: an act is never stopped by that."""

    sink: Sink
    until: float | None
    whole: bool = False
    lost: list[str] = field(default_factory=list)


BAD_REQUEST = 400
_current: ContextVar[Recording | None] = ContextVar("recording", default=None)


@contextlib.contextmanager
def record(sink: Sink, *, until: float | None = None, whole: bool = False) -> Iterator[Recording]:
    """Hand every exchange of this thread inside the block to `sink`, also those that failed; the innermost block wins.

    `until` (seconds of the monotonic clock) ends every exchange in the block, however slowly a server trickles; a block
    inside another has no more time than that. With `whole`, answers may be as long as evidence needs: who opens such a
    block takes them as bytes, and hands them to no library. The sink is called by the thread that asks, holding no lock
    of the fence.
    """
    outer = _current.get()
    if outer is not None and outer.until is not None:
        until = outer.until if until is None else min(until, outer.until)
    recording = Recording(sink, until, whole)
    token = _current.set(recording)
    try:
        yield recording
    finally:
        _current.reset(token)


def within(seconds: float) -> float:
    """How many seconds an exchange may take that may take `seconds` by itself; not positive: none are left."""
    recording = _current.get()
    if recording is None or recording.until is None:
        return seconds
    return min(seconds, recording.until - time.monotonic())


def whole() -> bool:
    """Whether answers may be as long as evidence needs."""
    recording = _current.get()
    return recording is not None and recording.whole


class Minutes:
    """The record of one exchange while it is made; opened before the first packet."""

    def __init__(self, errand: Errand, url: str, blanks: Blanks) -> None:
        self._errand = errand
        self._url = url
        self._blanks = blanks
        self._began_at = time.time_ns() // 1_000_000
        self._began = time.monotonic_ns()

    def answered(self, raw: BaseHTTPResponse, content: bytes) -> None:
        """Hand over an exchange that came to its end."""
        original = raw._original_response  # type: ignore[attr-defined]  # noqa: SLF001 (names in their own case)
        self._hand_over(raw.status, raw.reason or "", tuple(original.msg.raw_items()), content, "")

    def failed(self, error: Exception) -> None:
        """Hand over one that did not: nothing of what came is kept, because it was not whole."""
        self._hand_over(0, "", (), b"", f"{type(error).__name__}: {error}")

    def _hand_over(
        self, status: int, reason: str, headers: tuple[tuple[str, str], ...], content: bytes, why: str
    ) -> None:
        recording = _current.get()
        if recording is None:
            return
        ended = time.monotonic_ns()
        errand, blanks = self._errand, self._blanks
        if errand.trace.kind is Kind.AUTH and status < BAD_REQUEST:
            content = b"*" * len(content)  # it is a token, in whatever form: nobody could be told of it yet
        asked, _, body = errand.letter.partition(b"\r\n\r\n")
        sent = tuple(_pair(line) for line in asked.decode("latin-1").split("\r\n")[1:])
        exchange = Exchange(
            method=errand.trace.method,
            url=blanks.url(self._url),
            request_headers=blanks.headers(sent),
            request_body=blanks.body(body, _type(sent)),
            status=status,
            reason=blanks.text(reason),
            response_headers=blanks.headers(headers),
            body=blanks.body(content, _type(headers)),
            began_at=self._began_at,
            began=self._began,
            ended=ended,
            peer=errand.peer,
            tls=errand.secured,
            certificate=errand.certificate,
            why=blanks.text(why),
        )
        try:
            recording.sink(exchange)
        except Exception as error:  # noqa: BLE001 (a full disk must not stop a takedown; whoever opened the block looks)
            recording.lost.append(f"{exchange.method} {exchange.url}: {type(error).__name__}: {error}")


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()


def _type(headers: tuple[tuple[str, str], ...]) -> str:
    """The media type that the headers name, without its parameters."""
    said = next((value for name, value in headers if name.lower() == "content-type"), "")
    return said.partition(";")[0].strip().lower()
