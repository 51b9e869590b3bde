"""Serves one connection from greeting to end, request by request, in its own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from guardian.rehearsal.exchange import HEAD_LIMIT, Exchange, Gone
from guardian.rehearsal.messages import Refused, error_answer
from guardian.rehearsal.misbehaviour import ACTS, behave
from guardian.rehearsal.watching import is_watching, watch

if TYPE_CHECKING:
    from guardian.rehearsal.faults import Rule
    from guardian.rehearsal.stage import Stage
    from guardian.rehearsal.wire import Wire

_DEAF_SECONDS = 30.0


def serve(stage: Stage, wire: Wire, deaf: Rule | None) -> None:
    """Answer requests until the client goes, a fault cuts the line, or the platform stops."""
    try:
        if deaf is not None:
            stage.stopping.wait(_DEAF_SECONDS if deaf.seconds is None else deaf.seconds)
        if not wire.greet():
            return
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        while not stage.stopping.is_set() and _serve_one(stage, wire, http, deaf):
            deaf = None
            http.start_next_cycle()
    finally:
        wire.close()


def _serve_one(stage: Stage, wire: Wire, http: h11.Connection, deaf: Rule | None) -> bool:
    """One request; whether another may follow."""
    start = http.trailing_data[0]  # a client that did not wait for the last answer: its bytes came with `latest`
    if not start:
        start = wire.first()
        if not start:
            return False
        http.receive_data(start)
    exchange = Exchange(stage, wire, http, start)
    try:
        _answer(exchange, deaf)
    except Gone:
        exchange.note_fragment()
        return False
    except Refused as refused:
        _refuse(exchange, refused, http)
        return False
    return http.our_state is h11.DONE and http.their_state is h11.DONE


def _answer(exchange: Exchange, deaf: Rule | None) -> None:
    stage = exchange.stage
    head = exchange.read_head()
    if is_watching(head):
        stage.log.withdraw(exchange.entry)
        exchange.send(watch(stage, head, exchange.read_body()))
        return
    rule = deaf or stage.faults.take(head.method, head.path, exchange.entry["account"])
    if rule is not None:
        stage.log.note(exchange.entry, fault=rule.kind)
    if rule is not None and rule.kind == "reset_early":
        exchange.wire.abort()
        raise Gone
    exchange.read_form(head, exchange.read_body())
    if rule is None:
        behave(exchange)
    else:
        ACTS[rule.kind](exchange, rule)


def _refuse(exchange: Exchange, refused: Refused, http: h11.Connection) -> None:
    """Say why the request cannot be read, and end the connection: where the next one begins is anybody's guess."""
    exchange.note_fragment()
    if http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    exchange.open = False
    try:
        exchange.send(error_answer(refused.status, refused.message))
    except Gone:
        return
    exchange.wire.finish()
