"""One exchange over a gated connection: dial, deliver, read the whole answer, record. Any thread; nothing is shared.

The account's transport, the public reader and the time stamping authorities all come through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardian.gate.connection import GatedConnection, GatedTLSConnection
from guardian.gate.recording import Minutes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

    from guardian.gate.blanks import Blanks
    from guardian.gate.connection import Errand
    from guardian.gate.wire import Trust

CHUNK = 64 * 1024
HTTP, HTTPS = 80, 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: the whole address, and what of it stands in the request line."""

    url: str
    host: str
    port: int
    path: str
    headers: Mapping[str, str]
    body: Any = None


class Overlong(OSError):
    """The answer is longer than it may be."""


def exchange(
    errand: Errand, question: Question, trust: Trust, blanks: Blanks, *, most: int
) -> tuple[BaseHTTPResponse, bytes]:
    """Ask, and read the answer to its end, of at most `most` bytes. Raises what the network and the fence raise."""
    minutes = Minutes(errand, question.url, blanks)
    try:
        raw, content = _ask(errand, question, trust, most)
    except Exception as error:
        minutes.failed(error)
        raise
    minutes.answered(raw, content)
    return raw, content


def _ask(errand: Errand, question: Question, trust: Trust, most: int) -> tuple[BaseHTTPResponse, bytes]:
    connection = _connection(errand, question, trust)
    try:
        connection.request(
            errand.trace.method,
            question.path,
            question.body,
            dict(question.headers),
            preload_content=False,
            decode_content=False,
        )
        raw = connection.getresponse()
        return raw, _read(raw, most)
    finally:
        connection.close()
        errand.end()


def _connection(errand: Errand, question: Question, trust: Trust) -> GatedConnection | GatedTLSConnection:
    connection: GatedConnection | GatedTLSConnection
    within = errand.deadline.left()
    if errand.tls:
        context = trust.context()
        connection = GatedTLSConnection(question.host, question.port, timeout=within, ssl_context=context)
    else:
        connection = GatedConnection(question.host, question.port, timeout=within)
    connection.errand = errand
    return connection


def _read(raw: BaseHTTPResponse, most: int) -> bytes:
    """The whole answer, up to the limit; each read is bounded by the exchange's deadline."""
    found = bytearray()
    while chunk := raw.read(CHUNK):
        found += chunk
        if len(found) > most:
            raise Overlong(f"the answer has more than {most} bytes")
    return bytes(found)
