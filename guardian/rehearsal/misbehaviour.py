"""What each fault does with a request that was read whole; called by the thread that serves the connection.

An act either sends an answer or raises `Gone`, which closes the connection without one.
"""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from guardian.rehearsal import page, rates
from guardian.rehearsal.exchange import Gone
from guardian.rehearsal.messages import Answer, error_answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.exchange import Exchange
    from guardian.rehearsal.faults import Rule

_STATUS = re.compile(r"/api/v1/statuses/(\d{1,20})")
_WORDS = {
    401: "The access token is invalid",
    403: "This action is not allowed",
    404: "Record not found",
    410: "Gone",
    422: "Validation failed",
    429: "Too many requests",
    500: "We're sorry, but something went wrong on our end.",
    503: "This server is temporarily unavailable",
}


def behave(exchange: Exchange, _rule: Rule | None = None) -> None:
    """No fault: do it, say it."""
    exchange.send(exchange.make())


def _delay(exchange: Exchange, rule: Rule) -> None:
    answer = exchange.make()
    exchange.wait(_seconds(rule, 1.0))
    exchange.send(answer)


def _delay_before(exchange: Exchange, rule: Rule) -> None:
    exchange.wait(_seconds(rule, 1.0))
    exchange.send(exchange.make())


def _stall(exchange: Exchange, rule: Rule) -> None:
    exchange.make()
    exchange.wire.wait_for_hangup(rule.seconds)
    raise Gone


def _trickle(exchange: Exchange, rule: Rule) -> None:
    exchange.send(exchange.make(), pause=_seconds(rule, 0.1))


def _trickle_body(exchange: Exchange, rule: Rule) -> None:
    exchange.send(exchange.make(), pause=_seconds(rule, 0.1), whole_head=True)


def _stall_body(exchange: Exchange, rule: Rule) -> None:
    exchange.send_half(exchange.make())
    exchange.wire.wait_for_hangup(rule.seconds)
    raise Gone


def _cut(exchange: Exchange, _rule: Rule) -> None:
    exchange.send_half(exchange.make())
    raise Gone


def _lose(exchange: Exchange, _rule: Rule) -> None:
    exchange.make()
    raise Gone


def _lose_before(_exchange: Exchange, _rule: Rule) -> None:
    raise Gone


def _status(exchange: Exchange, rule: Rule) -> None:
    exchange.send(_error(rule.status or 500))


def _status_after(exchange: Exchange, rule: Rule) -> None:
    exchange.make()
    exchange.send(_error(rule.status or 502))


def _error(status: int) -> Answer:
    return error_answer(status, _WORDS.get(status, "Something went wrong"))


def _throttle(exchange: Exchange, rule: Rule) -> None:
    seconds = 60 if rule.retry_after is None else rule.retry_after
    headers = rates.headers(0, reset_ms=time.time_ns() // 1_000_000 + seconds * 1000)
    exchange.send(error_answer(429, _WORDS[429], headers=(("Retry-After", str(seconds)), *headers)))


def _no_idempotency(exchange: Exchange, _rule: Rule) -> None:
    exchange.send(exchange.make(ignore_key=True))


def _rubbish(exchange: Exchange, rule: Rule) -> None:
    """What stands in between answers, and not the platform."""
    exchange.send(
        Answer(status=rule.status or 200, body=b"<html><title>Welcome to the hotel network</title>", kind="text/html")
    )


def _login(exchange: Exchange, _rule: Rule) -> None:
    exchange.send(page.login_page())


def _redirect(exchange: Exchange, rule: Rule) -> None:
    location = rule.location or exchange.stage.world.url + "/elsewhere"
    exchange.send(Answer(status=rule.status or 307, headers=(("Location", location),)))


def _processing(exchange: Exchange, rule: Rule) -> None:
    """An upload that is taken and not ready yet: 202 with no address, as Mastodon's asynchronous endpoint does."""
    answer = exchange.make()
    if answer.status == 200:  # noqa: PLR2004 (taken)
        world = exchange.stage.world
        number = int(json.loads(answer.body)["id"])
        item = world.shelf.process(number, seconds=rule.seconds, fails=rule.kind == "processing_fails")
        answer = replace(json_answer(world.shapes.attachment(item), status=202), headers=answer.headers)
    exchange.send(answer)


def _linger(exchange: Exchange, rule: Rule) -> None:
    """A deletion that is answered with yes; and the post, or only its files, are there as if it had not been."""
    world = exchange.stage.world
    found = _STATUS.fullmatch(exchange.path)
    status = world.memory.any_status(int(found[1])) if found else None
    files = world.shelf.several(status.media) if status else []
    answer = exchange.make()
    if status is not None and answer.status == 200:  # noqa: PLR2004 (deleted)
        looks = math.inf if rule.reads is None else rule.reads
        world.shelf.haunt(files, looks)
        if rule.kind == "lingers":
            world.memory.linger(status.id, looks)
    exchange.send(answer)


def _seconds(rule: Rule, default: float) -> float:
    return default if rule.seconds is None else rule.seconds


# `reset_early` and `deaf` are over before a request was read whole; see `serving`.
ACTS: dict[str, Callable[[Exchange, Rule], None]] = {
    "delay": _delay,
    "delay_before": _delay_before,
    "stall": _stall,
    "trickle": _trickle,
    "lose": _lose,
    "lose_before": _lose_before,
    "status": _status,
    "status_after": _status_after,
    "429": _throttle,
    "no_idempotency": _no_idempotency,
    "rubbish": _rubbish,
    "login": _login,
    "lingers": _linger,
    "media_lingers": _linger,
    "trickle_body": _trickle_body,
    "stall_body": _stall_body,
    "cut": _cut,
    "redirect": _redirect,
    "processing": _processing,
    "processing_fails": _processing,
    "deaf": behave,
}
