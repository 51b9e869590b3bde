"""What an incident does with one post, as the duties do it: look, prepare, announce, act; and who witnessed it."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from guardian.adapter import Kind
from guardian.fence import passage
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import Intent, Receipt, declare, managing, retracting
from guardian.model import Decision, Media, Part
from tests.gate.gate_door import account_at
from tests.torture.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardian.adapter import Adapter, Answer, Undoing
    from guardian.fence.house import House
    from guardian.model import Account, PostRef
    from guardian.rehearsal import RehearsalPlatform
    from tests.gate.gate_door import Door

PNG = b"\x89PNG"
HOSTILE = "<script>alert(1)</script>\u202egnp\x1b[2J & \u00a77 'quoted' \"twice\""
PAGE = (
    b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 20\r\nConnection: close\r\n\r\n<html>sorry</html>\r\n"
)
CHANGING = ("PUT", "DELETE", "POST", "PATCH")


def looked(adapter: Adapter, ref: PostRef) -> dict[str, Answer]:
    """Every look, all at once, as the capture makes them."""
    looks = adapter.looks(ref)
    with ThreadPoolExecutor(len(looks)) as pool:
        return dict(zip((look.name for look in looks), pool.map(adapter.fetch, looks), strict=True))


def take_down(
    adapter: Adapter,
    account: Account,
    ref: PostRef,
    decision: Decision,
    *,
    answers: Mapping[str, Answer] | None = None,
) -> tuple[Undoing, Receipt]:
    """Look, and act."""
    if answers is None:
        answers = looked(adapter, ref) if decision is Decision.HIDE else {}
    undoing = adapter.prepare(decision, ref, answers)
    with declare(retracting(account, ref.id, undoing.says)) as receipt:
        adapter.retract(decision, ref, undoing)
    return undoing, receipt


def undo(adapter: Adapter, account: Account, house: House, ref: PostRef, how: Mapping[str, Any]) -> Receipt:
    """Under the fence, as any post."""
    with declare(managing(account, passage.look(house, account.scopes))) as receipt:
        adapter.undo(ref, how)
    return receipt


def changes(platform: RehearsalPlatform, after: int = 0) -> list[tuple[str, str]]:
    """What reached the platform that was no reading, without its query: its own word."""
    said = ((one["method"] or "", (one["path"] or "").partition("?")[0]) for one in platform.log(after))
    return [(method, path) for method, path in said if method in CHANGING]


def seen_until_now(platform: RehearsalPlatform) -> int:
    """The number of the last request."""
    return max((one["n"] for one in platform.log()), default=0)


@pytest.fixture
def front(door: Door) -> Iterator[Front]:
    """Something between the house and the platform, as a proxy is."""
    with Front(door.platform.url.partition("//")[2]) as found:
        yield found
    assert not found.trouble


@pytest.fixture
def behind(front: Front) -> Adapter:
    return connect(account_at(front.url), makers(), answer_within=1.0)


def published(door: Door, text: str = "Fresh bread", *, media: tuple[Media, ...] = (), **more: Any) -> PostRef:  # noqa: ANN401 (warning, language, visibility)
    with declare(Intent(Kind.UPLOAD, "acme", passage.look(door.house, door.account.scopes))):
        uploads = [door.adapter.upload(PNG, one) for one in media]
    with declare(door.intent()):
        return door.adapter.publish(Part(text=text, media=media, **more), uuid.uuid4().hex, uploads=uploads)


def asked(door: Door, method: str, path: str, body: object) -> Any:  # noqa: ANN401 (a JSON document)
    """As another tool of the brand would do it, past the house."""
    connection = http.client.HTTPConnection(urlsplit(door.platform.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {door.platform.token('acme')}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, json.dumps(body), headers)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def picture(alt: str | None) -> Media:
    return Media(sha256="0" * 64, type="image/png", size=len(PNG), alt=alt)


def of(platform_id: str, answers: dict[str, Answer]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answers["status"].body)
    assert found["id"] == platform_id
    return found


def now() -> int:
    return time.time_ns() // 1_000_000
