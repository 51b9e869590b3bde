"""The second adapter of an account: it waits behind no lane, and many threads may read through it at once."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import ConfigMistake
from guardian.gate import recording, wire
from guardian.gate.accounts import emergency, makers
from guardian.gate.transport import guarded_session
from guardian.gate.wire import Deadline
from guardian.rehearsal import RehearsalPlatform
from tests.gate.gate_door import account_at
from tests.gate.test_gate_connection import CERTIFICATE

if TYPE_CHECKING:
    import ssl

    from guardian.model import Exchange
    from tests.gate.gate_door import Door

THREADS, TIMES = 8, 50


def test_the_emergency_adapter_asks_while_frozen_and_its_reader_sees_what_anybody_sees(door: Door) -> None:
    for scope in ("all", "account:acme"):
        Path(door.house.permit(scope)).unlink()
    found = emergency(door.account, makers(), answer_within=2.0)
    assert found.maker is makers()["mastodon"]
    assert found.adapter is not door.adapter
    assert found.adapter.whoami().handle.startswith("@acme@")
    assert found.public.read(door.account.base_url + "/api/v1/instance").status == 200
    kept: list[Exchange] = []
    with recording.record(kept.append):
        found.public.read(door.account.base_url + "/x?q=rehearsal-acme")
    assert "rehearsal-acme" not in repr(kept)
    with pytest.raises(ConfigMistake, match="no adapter"):
        emergency(door.account, {}, answer_within=2.0)


def test_an_emergency_waits_behind_no_name_server_of_a_lane(door: Door) -> None:
    end = threading.Event()
    waiting = [wire._resolvers.submit(end.wait, 20) for _ in range(4)]
    try:
        with pytest.raises(TimeoutError):
            wire.of_the_lanes("127.0.0.1", 80, Deadline(0.1))
        who = None
        with contextlib.suppress(Exception):
            who = emergency(door.account, makers(), answer_within=2.0).adapter.whoami()
        assert who is not None
    finally:
        end.set()
    assert all(one.result(5) for one in waiting)


def test_its_refusals_are_heard_of(door: Door) -> None:
    from guardian.model import Part

    heard: list[str] = []
    found = emergency(door.account, makers(), answer_within=2.0, on_refusal=lambda: heard.append("refused"))
    with pytest.raises(Exception, match="not announced"):
        found.adapter.publish(Part(text="x"), "k")
    assert heard == ["refused"]


def paths(thread: int) -> list[str]:
    """What one thread reads."""
    return [f"/api/v1/statuses/{thread}-{number}" for number in range(TIMES)]


def test_many_threads_over_one_session_each_get_their_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the context of TLS, which is dear, is made once."""
    monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    made: list[str] = []
    real = wire.tls_context

    def make(cafile: str) -> ssl.SSLContext:
        made.append(cafile)
        return real(cafile)

    monkeypatch.setattr(wire, "tls_context", make)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with RehearsalPlatform(("acme",), certfile=CERTIFICATE) as platform:
        session = guarded_session(account_at(platform.url), (), answer_within=20.0, cafile=CERTIFICATE)
        start = threading.Barrier(THREADS)

        def read(thread: int) -> list[Exchange]:
            kept: list[Exchange] = []
            start.wait(10)
            with recording.record(kept.append):
                for number, path in enumerate(paths(thread)):
                    found = session.get(platform.url + path, headers={"X-Nr": f"{number}"})
                    assert (found.status_code, found.request.url) == (404, platform.url + path)
            return kept

        with ThreadPoolExecutor(THREADS) as pool:
            records = list(pool.map(read, range(THREADS)))
        asked = [str(entry["path"]) for entry in platform.log()]
    assert made == [CERTIFICATE]
    for thread, kept in enumerate(records):
        assert [one.url for one in kept] == [platform.url + path for path in paths(thread)]
        assert {one.status for one in kept} == {404}
        assert all(("X-Nr", str(number)) in one.request_headers for number, one in enumerate(kept))
        assert all(one.certificate for one in kept)
    assert sorted(asked) == sorted(path for thread in range(THREADS) for path in paths(thread))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_whoever_wants_to_know_the_platforms_clock_is_shown_the_heads_of_its_answers(door: Door) -> None:
    heard: list[str] = []
    found = emergency(
        door.account, makers(), answer_within=2.0, on_answer=lambda headers: heard.append(headers["Date"])
    )
    found.adapter.whoami()
    assert heard
    assert all(date.endswith("GMT") for date in heard)
