"""The routes under /rehearsal/, by which a test or a drill sets the platform up and looks at it; for any thread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from guardian.rehearsal import crowd, page, scheduling
from guardian.rehearsal.faults import Rule
from guardian.rehearsal.messages import NOT_FOUND, Answer, Refused, error_answer, json_answer
from guardian.rehearsal.rates import DeleteLimit
from guardian.rehearsal.stage import checked_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.messages import Head, Json
    from guardian.rehearsal.stage import Stage


def is_watching(head: Head) -> bool:
    """Whether a request only looks at the rehearsal itself; such requests are not logged and meet no faults."""
    return head.path == "/" or head.path.startswith("/rehearsal/")


def watch(stage: Stage, head: Head, body: bytes) -> Answer:
    """Answer such a request."""
    method = "GET" if head.method == "HEAD" else head.method
    act = ROUTES.get((method, head.path))
    if act is None:
        return error_answer(404, NOT_FOUND)
    try:
        return act(stage, head, body)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return error_answer(422, str(error))
    except Refused as refused:
        return error_answer(refused.status, refused.message)


def _timeline(stage: Stage, _head: Head, _body: bytes) -> Answer:
    return page.timeline(stage.world, stage.log)


def _ready(stage: Stage, _head: Head, _body: bytes) -> Answer:
    return json_answer({"ready": True, "url": stage.world.url})


def _log(stage: Stage, head: Head, _body: bytes) -> Answer:
    return json_answer(stage.log.after(head.query.number("after") or 0))


def _posts(stage: Stage, _head: Head, _body: bytes) -> Answer:
    return json_answer(stage.posts())


def _add_fault(stage: Stage, _head: Head, body: bytes) -> Answer:
    stage.add_fault(Rule.of(json.loads(body)))
    return json_answer({})


def _clear_faults(stage: Stage, _head: Head, _body: bytes) -> Answer:
    stage.clear_faults()
    return json_answer({})


def _media_rules(stage: Stage, _head: Head, body: bytes) -> Answer:
    stage.change_media_rules(json.loads(body))
    return json_answer({})


def _processed(stage: Stage, _head: Head, _body: bytes) -> Answer:
    stage.world.shelf.finish()
    return json_answer({})


def _add_account(stage: Stage, _head: Head, body: bytes) -> Answer:
    asked: Json = json.loads(body)
    person = stage.world.memory.add_person(checked_name(asked["name"]))
    return json_answer({"id": str(person.id), "name": person.name})


def _schedule(stage: Stage, _head: Head, body: bytes) -> Answer:
    return json_answer(scheduling.seed(stage.world, json.loads(body)))


def _crowd(stage: Stage, _head: Head, body: bytes) -> Answer:
    return json_answer(crowd.stir(stage.world, crowd.Uproar.of(json.loads(body))))


def _deletes(stage: Stage, _head: Head, body: bytes) -> Answer:
    stage.world.rates.limit_deletes(DeleteLimit.of(json.loads(body)))
    return json_answer({})


def _vacuum(stage: Stage, _head: Head, _body: bytes) -> Answer:
    stage.world.shelf.vacuum()
    return json_answer({})


def _picture(_stage: Stage, _head: Head, _body: bytes) -> Answer:
    return Answer(body=page.PICTURE.encode(), kind="image/svg+xml")


ROUTES: dict[tuple[str, str], Callable[[Stage, Head, bytes], Answer]] = {
    ("GET", "/"): _timeline,
    ("GET", "/rehearsal/ready"): _ready,
    ("GET", "/rehearsal/log"): _log,
    ("GET", "/rehearsal/posts"): _posts,
    ("POST", "/rehearsal/faults"): _add_fault,
    ("DELETE", "/rehearsal/faults"): _clear_faults,
    ("POST", "/rehearsal/accounts"): _add_account,
    ("POST", "/rehearsal/media-rules"): _media_rules,
    ("POST", "/rehearsal/processed"): _processed,
    ("POST", "/rehearsal/scheduled"): _schedule,
    ("POST", "/rehearsal/crowd"): _crowd,
    ("POST", "/rehearsal/deletes"): _deletes,
    ("POST", "/rehearsal/vacuum"): _vacuum,
    ("GET", "/rehearsal/picture.svg"): _picture,
}
