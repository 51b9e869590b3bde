"""One connection to the control socket: HTTP that knows who is calling, and has a deadline for every wait.

The server's thread runs it. A subclass of uvicorn's protocol; the numbers are in `limits.py`.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from guardian.daemon import limits
from guardian.daemon.limits import Place
from guardian.daemon.manners import BUSY, IMPORT_PATH, UPLOADS, Refusing, refuse
from guardian.daemon.peers import NOBODY, peer_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, MutableMapping

    from guardian.daemon.limits import Places
    from guardian.daemon.manners import Message, Receive, Send
    from guardian.daemon.peers import Peer

FREEZE = ("POST", "/v1/freeze")
TOO_SLOW = Refusing(408, "too_slow", "cannot wait for the request any longer, because it comes too slowly", "try again")
NO_HTTP = Refusing(400, "bad_input", "cannot read the request, because it is no HTTP", "look into /openapi.json")
HEAD_TOO_LARGE = Refusing(431, "too_large", "cannot read the request, because its head is too large", "shorten it")


class Call(H11Protocol):
    """A connection; `places`, `heard_out` and `standing` are shared by all connections of one server."""

    places: Places
    heard_out: set[Call]
    standing: dict[Call, None]  # in the order in which they came

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 (uvicorn's own)
        super().__init__(*given, **named)
        self.peer: Peer = NOBODY
        self._place: Place | None = None
        self._refused = False  # what still comes in is not read any more
        self._unheard = 0
        self._gone = False
        self._ended = False  # the peer has said all that it will say
        self._asking = False  # a request has begun to come in
        self._extended = False
        self._heard = 0  # bytes since the request began
        self._pace_since = 0.0
        self._serving = 0
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask the kernel who connected, and find a place, before a byte is read."""
        sock = transport.get_extra_info("socket")
        self.peer = NOBODY if sock is None else peer_of(sock)
        self._place = self._find_place()
        self.app = self._served(self.app)
        super().connection_made(transport)
        if self._place is None:
            self._refuse(BUSY)
        else:
            self._within(limits.FIRST_BYTE_WITHIN, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone; its place is free as soon as nothing runs for it any more."""
        self._gone = True
        self.heard_out.discard(self)
        self.standing.pop(self, None)  # its place is given back when nothing runs for it any more
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)
        self._leave()

    def data_received(self, data: bytes) -> None:
        """A request has five seconds from its first byte."""
        if self._refused:
            self._hear_out(len(data))
            return
        if not self._asking and not self._in_service():
            self._asking = True
            self._heard = 0
            self._within(limits.REQUEST_WITHIN, self._too_slow)
        self._heard += len(data)
        super().data_received(data)

    def handle_events(self) -> None:
        """What was received leads on; whoever is being served has no deadline of ours."""
        super().handle_events()
        if self._in_service() and not self.cycle.more_body:
            self._asking = self._extended = False
            self._within(None, None)
        elif self._in_service() and not self._extended:
            self._extended = True
            if self.scope["path"] == IMPORT_PATH:
                self._within(limits.IMPORT_WITHIN, self._too_slow)
            elif (self.scope["method"], self.scope["path"]) in UPLOADS:
                self._pace_since = self.loop.time()
                self._within(limits.UPLOAD_WITHIN, self._keep_pace)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Who has asked and then only listens is answered; half a request is none, and is never carried out."""
        self._ended = True
        return not self._refused and self._in_service() and not self.cycle.more_body

    def on_response_complete(self) -> None:
        """The next request may come, unless the peer has said that there is none."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._refused = True  # it was answered before it was whole: an upload that is not taken
            self._part()
        if self._ended and not self._in_service():
            self.transport.close()
        if self.transport.is_closing():
            self._within(limits.READ_WITHIN, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked for a while; who has not even read the last answer by now will not."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        """The peer does not read: it has ten seconds to begin."""
        super().pause_writing()
        self._stalled = self.loop.call_later(limits.READ_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads."""
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (our words, not the library's)
        """What is no HTTP is answered in the contract's form all the same."""
        hint = getattr(sys.exception(), "error_status_hint", 0)
        self._refuse(HEAD_TOO_LARGE if hint == HEAD_TOO_LARGE.status else NO_HTTP)

    def _served(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        async def served(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            async def send_and_wait(message: Message) -> None:
                await send(message)
                if self.flow.write_paused and not self._gone:
                    await self.flow.drain()

            scope["peer"] = self.peer
            self._serving += 1
            try:
                if self._may((scope["method"], scope["path"])):
                    await inner(scope, receive, send_and_wait)
                else:
                    await refuse(BUSY, send)
            finally:
                self._serving -= 1
                self._leave()

        return served

    def _find_place(self) -> Place | None:
        """A place, or room to stand: where there is none, whoever has stood longest without asking makes some."""
        if self.places.take(Place.ANY, self.peer):
            return Place.ANY
        if not self.places.take(Place.STANDING, self.peer):
            mine = self.places.are_full_for(Place.STANDING, self.peer)
            first = next((call for call in self.standing if not mine or call.peer.uid == self.peer.uid), None)
            if first is None:
                return None
            first.dismiss()
            if not self.places.take(Place.STANDING, self.peer):
                return None
        self.standing[self] = None
        return Place.STANDING

    def _may(self, wanted: tuple[str, str]) -> bool:
        """Whether this request is taken on: who stands gets a kept place, if it is a freeze and there is one."""
        if self._place is not Place.STANDING or wanted != FREEZE or not self.places.take(Place.KEPT, self.peer):
            return self._place is Place.ANY
        self._stand_no_more()
        self._place = Place.KEPT
        self.cycle.keep_alive = False  # one freeze, and the place is for the next one
        return True

    def dismiss(self) -> None:
        """Go, for another who may have a freeze to ask for."""
        self._refuse(BUSY)

    def _stand_no_more(self) -> None:
        self.standing.pop(self, None)
        if self._place is Place.STANDING:
            self.places.give_back(self._place, self.peer)
            self._place = None

    def _leave(self) -> None:
        if self._gone and not self._serving and self._place is not None:
            self.places.give_back(self._place, self.peer)
            self._place = None

    def _in_service(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _too_slow(self) -> None:
        self._refuse(TOO_SLOW)

    def _keep_pace(self) -> None:
        """An upload gets more time for what has come, so that a large one may take long and a dripping one may not."""
        left = self._pace_since + limits.upload_within(self._heard) - self.loop.time()
        if left > 0:
            self._within(left, self._keep_pace)
        else:
            self._too_slow()

    def _refuse(self, why: Refusing) -> None:
        """Answer outside of any request and hang up, after hearing out for a moment whoever is still sending."""
        self._refused = True
        self._stand_no_more()
        started = self._in_service() and self.cycle.response_started
        if self._in_service():
            self.cycle.disconnected = True  # what waits for the rest of it ends
            self.cycle.message_event.set()
        if started or self.transport.is_closing():
            self.transport.abort()
            return
        head = (
            f"HTTP/1.1 {why.status} {HTTPStatus(why.status).phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(why.body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + why.body)
        self._part()

    def _part(self) -> None:
        """The answer is written, and the peer may be sending still: hear it out for a moment, then hang up."""
        if len(self.heard_out) >= limits.HEARD_OUT_AT_ONCE:
            self.transport.close()
            return
        self.heard_out.add(self)
        self.transport.write_eof()
        self.transport.resume_reading()
        self._within(limits.HEARD_OUT, self.transport.abort)

    def _hear_out(self, size: int) -> None:
        self._unheard += size
        if self._unheard > limits.HEARD_OUT_BYTES:
            self.transport.abort()

    def _within(self, seconds: float | None, then: Callable[[], None] | None) -> None:
        """The one deadline that runs, in place of any other."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None or then is None else self.loop.call_later(seconds, then)
