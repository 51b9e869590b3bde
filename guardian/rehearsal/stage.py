"""What all connections of a platform share, and the routes under /rehearsal/ that look at it; for any thread."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, TypedDict

from guardian.rehearsal import page
from guardian.rehearsal.faults import FaultList, Rule
from guardian.rehearsal.log import RequestLog
from guardian.rehearsal.messages import NOT_FOUND, Answer, error_answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal.calls import World
    from guardian.rehearsal.messages import Head, Json


class PostRecord(TypedDict):
    """A post as `GET /rehearsal/posts` tells it; `created_ns` is monotonic."""

    id: str
    account: str
    text: str
    created_ns: int
    key: str | None
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The memory, the log, the faults and the sign that the platform is to stop."""

    world: World
    on_faults: Callable[[], None]  # told when the list has changed: deafness begins at the listener
    log: RequestLog = field(default_factory=RequestLog)
    faults: FaultList = field(default_factory=FaultList)
    stopping: Event = field(default_factory=Event)

    def add_fault(self, rule: Rule) -> None:
        """Put a rule in force."""
        self.faults.add(rule)
        self.on_faults()

    def clear_faults(self) -> None:
        """Behave again."""
        self.faults.clear()
        self.on_faults()

    def change_media_rules(self, options: object) -> None:
        """Take other files than before; ValueError says what is wrong with the options."""
        self.world.shelf.rules = self.world.shelf.rules.changed(options)

    def posts(self) -> list[PostRecord]:
        """All posts, deleted ones too, oldest first."""
        return [
            PostRecord(
                id=str(status.id),
                account=status.person.name,
                text=status.now.text,
                created_ns=status.created_ns,
                key=status.key,
                deleted=status.deleted,
            )
            for status in self.world.memory.everything()
        ]


def is_watching(head: Head) -> bool:
    """Whether a request only looks at the rehearsal itself; such requests are not logged and meet no faults."""
    return head.path == "/" or head.path.startswith("/rehearsal/")


def watch(stage: Stage, head: Head, body: bytes) -> Answer:
    """Answer such a request."""
    method = "GET" if head.method == "HEAD" else head.method
    act = _ROUTES.get((method, head.path))
    if act is None:
        return error_answer(404, NOT_FOUND)
    try:
        return act(stage, head, body)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return error_answer(422, str(error))


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


def checked_name(name: object) -> str:
    """The name of an account, if Mastodon would take it; else ValueError."""
    if isinstance(name, str) and name.isascii() and name.replace("_", "a").replace("-", "a").isalnum():
        return name
    raise ValueError("cannot make the account, because its name must be letters, digits, _ or -")


def _picture(_stage: Stage, _head: Head, _body: bytes) -> Answer:
    return Answer(body=page.PICTURE.encode(), kind="image/svg+xml")


_ROUTES: dict[tuple[str, str], Callable[[Stage, Head, bytes], Answer]] = {
    ("GET", "/"): _timeline,
    ("GET", "/rehearsal/ready"): _ready,
    ("GET", "/rehearsal/log"): _log,
    ("GET", "/rehearsal/posts"): _posts,
    ("POST", "/rehearsal/faults"): _add_fault,
    ("DELETE", "/rehearsal/faults"): _clear_faults,
    ("POST", "/rehearsal/accounts"): _add_account,
    ("POST", "/rehearsal/media-rules"): _media_rules,
    ("POST", "/rehearsal/processed"): _processed,
    ("GET", "/rehearsal/picture.svg"): _picture,
}
