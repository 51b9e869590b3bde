"""Uploads hold no gate, but they look at the permits: a frozen house carries no picture out for a post to come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.adapter import Kind, Route
from guardian.fence import gates
from guardian.fence.passage import Stopped
from guardian.gate.intents import Fate, declare
from guardian.gate.transport import guarded_session

if TYPE_CHECKING:
    import requests

    from tests.gate.gate_door import Door

PATH = "/api/v2/media"
PICTURE = {"file": ("dot.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "image/gif")}


def upload(door: Door) -> requests.Response:
    session = guarded_session(door.account, [Route(Kind.UPLOAD, "POST", PATH)], answer_within=2.0)
    token = {"Authorization": "Bearer rehearsal-acme"}
    return session.post(door.account.base_url + PATH, files=PICTURE, headers=token)


def uploads(door: Door) -> int:
    return sum(entry["path"] == PATH for entry in door.platform.log())


def test_an_upload_passes_an_open_house_without_taking_a_gate(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[int] = []
    monkeypatch.setattr(gates, "try_shared", locked.append)
    with declare(door.intent()) as receipt:
        upload(door)
    assert receipt.traces[0].fate is Fate.ANSWERED
    assert (locked, uploads(door)) == ([], 1)


def test_an_upload_under_a_freeze_sends_no_byte(door: Door) -> None:
    intent = door.intent()
    Path(door.house.permit("all")).unlink()
    with declare(intent) as receipt, pytest.raises(Stopped):
        upload(door)
    assert receipt.traces[0].fate is Fate.STOPPED
    assert uploads(door) == 0


def test_an_upload_that_nobody_announced_is_refused(door: Door) -> None:
    with pytest.raises(Stopped, match="was not announced"):
        upload(door)
    assert uploads(door) == 0
