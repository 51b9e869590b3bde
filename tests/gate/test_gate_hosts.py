"""Whom the token reaches: the account's own host, whatever a library or an answer may suggest."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from guardian.fence.passage import Stopped
from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from tests.gate.gate_door import Door


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_token_never_reaches_another_host_not_even_one_of_the_same_platform(door: Door, method: str) -> None:
    with RehearsalPlatform(("acme",)) as other:
        with contextlib.suppress(Stopped):
            door.session.request(method, other.url + "/api/v1/instance")
        assert other.log() == []
