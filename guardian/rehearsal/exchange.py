"""One request on one connection: reads it, keeps its log entry true, and sends what is to be sent.

Everything here is called by the thread that serves the connection.
"""

from __future__ import annotations

import re
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from guardian.rehearsal.api import respond, viewer_of
from guardian.rehearsal.messages import Head, Refused, Request

if TYPE_CHECKING:
    from guardian.rehearsal.log import Entry
    from guardian.rehearsal.messages import Answer
    from guardian.rehearsal.stage import Stage
    from guardian.rehearsal.wire import Wire

HEAD_LIMIT = 64 * 1024
_BODY_LIMIT = 1024 * 1024
_MEDIA_LIMIT = 101 * 1024 * 1024
_LOGGED_PATH = 2000
_LOGGED_TEXT = 4000
_LOGGED_KEY = 1000
_NO_BODY = frozenset({204, 304})
_TOKEN_IN_PATH = re.compile(r"(?i)(token=)[^&]*")


class Gone(Exception):  # clients go; that is no error
    """The client has gone, or was idle for too long."""


class Exchange:
    """A request from its first byte to its end. After it, `open` says whether the connection can carry another."""

    def __init__(self, stage: Stage, wire: Wire, http: h11.Connection, start: bytes) -> None:
        self.stage = stage
        self.wire = wire
        self.entry: Entry = stage.log.open(wire.latest)
        self.open = True
        self._http = http
        self._start = bytearray(start)
        self._head: Head | None = None
        self._request: Request | None = None

    def read_head(self) -> Head:
        """The request's head; Refused if it is none, Gone if it never comes."""
        event = self._next()
        if not isinstance(event, h11.Request):
            raise Gone
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
        head = Head(method=event.method.decode("ascii"), target=event.target.decode("latin-1"), headers=headers)
        self._head = head
        viewer = viewer_of(self.stage.world, head.token)
        self.stage.log.note(
            self.entry,
            method=head.method,
            path=_loggable(head.target),
            account=viewer.name if viewer else None,
            idempotency_key=headers.get("idempotency-key", "")[:_LOGGED_KEY] or None,
        )
        return head

    @property
    def path(self) -> str:
        """What is asked for, without its query; empty before the head was read."""
        return self._head.path if self._head else ""

    def read_body(self) -> bytes:
        """The whole body; Refused if it is too long, Gone if it ends early."""
        head = self._head
        limit = _MEDIA_LIMIT if head and head.path in ("/api/v1/media", "/api/v2/media") else _BODY_LIMIT
        body = bytearray()
        while isinstance(event := self._next(), h11.Data):
            body += event.data
            if len(body) > limit:
                raise Refused(413, "Payload too large")
        self.stage.log.note(self.entry, complete=True)
        return bytes(body)

    def read_form(self, head: Head, body: bytes) -> None:
        """Understand the body, so that `make` can act on it; Refused if it is not what it says."""
        try:
            self._request = Request.of(head, body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "Bad Request") from error
        if (head.method, head.path) == ("POST", "/api/v1/statuses"):
            self.stage.log.note(self.entry, text=(self._request.form.one("status") or "")[:_LOGGED_TEXT])

    def _next(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        ended = False
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self.wire.send(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                data = self.wire.more()
                ended = not data
                self._got(data)
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            if ended:
                raise Gone from error
            raise Refused(error.error_status_hint, "Bad Request") from error
        return event

    def _got(self, data: bytes) -> None:
        if not data:
            return
        self.stage.log.note(self.entry, last_byte=self.wire.latest.ns)
        if self._head is None and len(self._start) < _LOGGED_PATH:
            self._start += data[:_LOGGED_PATH]

    def note_fragment(self) -> None:
        """The head never came whole: say in the log as much of its first line as did."""
        if self._head is not None:
            return
        line = bytes(self._start).split(b"\n", 1)[0].rstrip(b"\r").decode("latin-1").split(" ")
        self.stage.log.note(self.entry, method=line[0], path=_loggable(line[1]) if len(line) > 1 else None)

    def make(self, *, ignore_key: bool = False) -> Answer:
        """Do what is asked; the answer is not sent yet."""
        if self._request is None:
            raise Gone
        answer = respond(self.stage.world, self._request, ignore_key=ignore_key)
        if answer.status_id is not None:
            self.stage.log.note(self.entry, status_id=answer.status_id)
        return answer

    def send(self, answer: Answer, *, pause: float | None = None, whole_head: bool = False) -> None:
        """Send an answer, at once or a byte at a time (but for its head, if that is to be whole).

        The log has it *before* its last byte leaves: a client that holds the answer finds it in the log.
        """
        head, data = self._wire_form(answer)
        try:
            if not whole_head:
                data = head + data
            elif data:
                self.wire.send(head)
            else:
                data = head
            if pause is not None:
                for place in range(len(data) - 1):
                    self.wire.send(data[place : place + 1])
                    if self.stage.stopping.wait(pause):
                        raise Gone
                data = data[-1:]
            self.stage.log.note(self.entry, status=answer.status, answered=time.monotonic_ns())
            self.wire.send(data)
        except OSError as error:
            self.stage.log.note(self.entry, status=None, answered=None)
            raise Gone from error

    def send_half(self, answer: Answer) -> None:
        """Send the head and half of the body, and leave it at that."""
        head, body = self._wire_form(answer)
        self.stage.log.note(self.entry, status=answer.status)
        try:
            self.wire.send(head + body[: len(body) // 2])
        except OSError as error:
            raise Gone from error

    def _wire_form(self, answer: Answer) -> tuple[bytes, bytes]:
        body = b"" if answer.status in _NO_BODY else answer.body
        headers = [
            ("Date", formatdate(usegmt=True)),
            ("Server", "rehearsal"),
            *answer.headers,
            *([] if answer.status in _NO_BODY else [("Content-Type", answer.kind), ("Content-Length", str(len(body)))]),
        ]
        if not self.open:
            headers.append(("Connection", "close"))
        data = (
            self._http.send(h11.Response(status_code=answer.status, headers=headers, reason=_reason(answer.status)))
            or b""
        )
        sent = b""
        if body and not (self._head and self._head.method == "HEAD"):
            sent = self._http.send(h11.Data(data=body)) or b""
        return data, sent + (self._http.send(h11.EndOfMessage()) or b"")

    def wait(self, seconds: float) -> None:
        """Do nothing for so long, unless the platform is stopped."""
        if self.stage.stopping.wait(seconds):
            raise Gone


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:  # a fault may answer with any number
        return b""


def _loggable(target: str) -> str:
    return _TOKEN_IN_PATH.sub(r"\1…", target[:_LOGGED_PATH])
