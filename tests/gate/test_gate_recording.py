"""The record of what was asked and answered: whole, true, in its own spelling, in its time, and without a secret."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from guardian.fence.passage import Stopped
from guardian.gate import recording
from guardian.gate.intents import Fate, declare
from guardian.gate.verdicts import Uncertain, verdict_of_retract
from guardian.model import Account, Exchange, Secret
from guardian.rehearsal import RehearsalPlatform
from tests.gate.gate_door import account_at
from tests.gate.gate_retract import live, retract, session_of
from tests.gate.test_gate_connection import CERTIFICATE
from tests.torture import front as fronts
from tests.torture.mad_answers import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gate.gate_door import Door
    from tests.torture.front import Front

SLACK = 4.0
CANARY = 'canary/+="å 8c1f'


@pytest.fixture
def front(door: Door) -> Iterator[Front]:
    with fronts.Front(door.platform.url.partition("://")[2]) as found:
        door.account = account_at(found.url)
        yield found


def told(door: Door, front: Front, raw: bytes, *, path: str = "/api/v1/x", **options: Any) -> Exchange:  # noqa: ANN401
    """The record of one GET that is answered with these bytes."""
    kept: list[Exchange] = []
    front.acts_for_reads.append(fronts.says(raw))
    with recording.record(kept.append), contextlib.suppress(Exception):
        session_of(door.account).get(door.account.base_url + path, **options)
    (found,) = kept
    return found


def test_an_exchange_is_kept_as_it_was_in_its_own_spelling_and_order(door: Door, front: Front) -> None:
    began_at, began = time.time_ns() // 1_000_000, time.monotonic_ns()
    body = json.dumps({"id": "110", "content": "<p>hå</p>"}).encode()
    raw = answer(200, body, b"x-LATER: 1", b"Via: a", b"X-Odd: caf\xe9", b"VIA: b")
    found = told(door, front, raw, path="/api/v1/x?limit=5")
    assert (found.method, found.url) == ("GET", door.account.base_url + "/api/v1/x?limit=5")
    assert (found.status, found.reason, found.body, found.why) == (200, "Whatever", body, "")
    names = [name for name, _ in found.response_headers]
    assert [name for name in names if name.lower() in ("x-later", "via")] == ["x-LATER", "Via", "VIA"]
    assert ("X-Odd", "café") in found.response_headers
    sent = front.seen[0].letter.decode("latin-1").split("\r\n")[1:-2]
    assert [f"{name}: {value}" for name, value in found.request_headers] == [
        line if not line.startswith("Authorization") else "Authorization: [removed]" for line in sent
    ]
    assert found.peer == front.place
    assert (found.tls, found.certificate) == (None, None)
    assert began_at <= found.began_at <= time.time_ns() // 1_000_000
    assert began <= found.began <= found.ended <= time.monotonic_ns()


def test_an_answer_in_chunks_is_kept_as_the_library_sees_it(door: Door, front: Front) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    found = told(door, front, raw)
    assert (found.status, found.body) == (200, b"abcde")
    assert found.response_headers == (("Transfer-Encoding", "chunked"),)


def test_over_tls_the_record_names_the_version_the_cipher_and_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    kept: list[Exchange] = []
    with RehearsalPlatform(("acme",), certfile=CERTIFICATE) as platform:
        from guardian.gate.accounts import connect, makers

        adapter = connect(account_at(platform.url), makers(), answer_within=5.0)
        with recording.record(kept.append):
            adapter.whoami()
    found = kept[0]
    assert found.tls is not None
    assert found.tls.startswith("TLSv1.3 TLS_")
    pem = re.search(r"-----BEGIN CERTIFICATE.*END CERTIFICATE-----", Path(CERTIFICATE).read_text(), re.DOTALL)
    assert pem is not None
    assert found.certificate == ssl.PEM_cert_to_DER_cert(pem[0])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        b"rubbish\r\n\r\n",
    ],
    ids=["nothing", "half", "half-in-chunks", "rubbish"],
)
def test_an_answer_that_was_not_whole_is_kept_as_none_with_the_reason(door: Door, front: Front, raw: bytes) -> None:
    found = told(door, front, raw)
    assert (found.status, found.reason, found.body, found.response_headers) == (0, "", b"", ())
    assert found.why
    assert found.peer == front.place


def test_a_connection_that_was_never_made_is_kept_too(door: Door) -> None:
    door.platform.stop()
    kept: list[Exchange] = []
    with recording.record(kept.append), pytest.raises(Exception, match="refused"):
        session_of(door.account).get(door.account.base_url + "/x")
    assert [(one.status, one.peer, one.request_headers) for one in kept] == [(0, "", ())]
    assert "refused" in kept[0].why


def test_a_deletion_is_kept_and_a_request_that_was_refused_is_no_exchange(door: Door) -> None:
    target = live(door)
    kept: list[Exchange] = []
    url = f"{door.account.base_url}/api/v1/statuses/{target}"
    with recording.record(kept.append):
        with declare(retract(door, target)):
            session_of(door.account).delete(url)
        with declare(retract(door, target)), pytest.raises(Stopped):
            session_of(door.account).delete(url + "9")
    assert [(one.method, one.url, one.status) for one in kept] == [("DELETE", url, 200)]


def test_a_slow_server_does_not_stretch_the_end_of_the_block(door: Door, front: Front) -> None:
    """Per read every library waits anew: two seconds became five and a half."""

    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
        while True:
            time.sleep(0.05)
            yield b"x"

    front.acts_for_reads.extend([fronts.says_on_and_on(drip)] * 3)
    session = session_of(door.account, answer_within=60.0)
    kept: list[Exchange] = []
    began = time.monotonic()
    with recording.record(kept.append, until=began + 0.5):
        with recording.record(kept.append, until=began + 60), pytest.raises(Exception, match=r"deadline|timed out"):
            session.get(door.account.base_url + "/x")
        with recording.record(kept.append), pytest.raises(Exception, match="deadline"):
            session.get(door.account.base_url + "/x")
        with pytest.raises(Exception, match="deadline"):
            session.get(door.account.base_url + "/x")
    assert time.monotonic() - began < SLACK  # a bound against hanging
    assert [one.status for one in kept] == [0, 0, 0]
    assert len(front.seen) == 1


def test_a_block_inside_another_has_no_more_time_than_that() -> None:
    now = time.monotonic()
    with recording.record(lambda _: None, until=now + 10):
        for until in (None, now + 60):
            with recording.record(lambda _: None, until=until):
                assert recording.within(100) <= 10
        with recording.record(lambda _: None, until=now + 1):
            assert recording.within(100) <= 1
        assert recording.within(1) == 1
    assert recording.within(100) == 100


def test_the_end_of_the_block_does_not_lengthen_what_an_exchange_may_take(door: Door, front: Front) -> None:
    front.acts_for_reads.append(fronts.says(b"HTTP/1.1 200 OK\r\n", then_silent=True))
    began = time.monotonic()
    with recording.record(lambda _: None, until=began + 60), pytest.raises(Exception, match=r"deadline|timed out"):
        session_of(door.account, answer_within=0.3).get(door.account.base_url + "/x")
    assert time.monotonic() - began < SLACK


def test_a_takedown_that_runs_out_of_the_time_of_its_block_is_uncertain(door: Door) -> None:
    door.platform.fault("delay", method="DELETE", path="/api/v1/statuses/.*", seconds=3)
    until = time.monotonic() + 0.3
    session = session_of(door.account, answer_within=60.0)
    intent = retract(door, "110")
    with recording.record(lambda _: None, until=until), declare(intent) as receipt, contextlib.suppress(Exception):
        session.delete(door.account.base_url + "/api/v1/statuses/110")
    assert isinstance(verdict_of_retract(receipt), Uncertain)


def test_a_sink_on_a_full_disk_stops_no_takedown_and_does_not_stay_silent(door: Door) -> None:
    def full(_: Exchange) -> None:
        raise OSError(28, "No space left on device")

    with recording.record(full) as kept, declare(retract(door, "110")) as receipt:
        session_of(door.account).delete(door.account.base_url + "/api/v1/statuses/110")
    assert receipt.retracting is not None
    assert receipt.retracting.fate is Fate.ANSWERED
    assert len(kept.lost) == 1
    assert kept.lost[0].startswith("DELETE http://")
    assert "No space left" in kept.lost[0]


def test_another_thread_is_not_recorded_unless_it_opens_a_block_of_its_own(door: Door) -> None:
    kept: list[Exchange] = []
    with recording.record(kept.append):
        other = threading.Thread(target=door.adapter.whoami)
        other.start()
        other.join(10)
    assert kept == []


def spellings(secret: str) -> list[str]:
    basic = base64.b64encode(f"user:{secret}".encode()).decode()
    return [
        secret, quote(secret), quote(secret, safe=""), quote(secret).lower(), json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(), base64.urlsafe_b64encode(secret.encode()).decode(),
        basic, base64.b64encode(f"a:{secret}:b".encode()).decode(), base64.b64encode(f"{secret}ab".encode()).decode(),
    ]  # fmt: skip


def leaks(found: Exchange, secret: str) -> list[str]:
    """Which spellings of a secret are anywhere in the record; of base64 its inner part, which no neighbour changes."""
    text = repr(found) + found.body.decode("utf-8", "replace") + found.request_body.decode("utf-8", "replace")
    inner = [base64.b64encode(secret.encode() if not cut else b"\0" * cut + secret.encode()) for cut in range(3)]
    cores = [one[4:-4].decode() for one in inner]
    return [one for one in (secret, quote(secret), quote(secret, safe=""), *cores) if one in text]


def test_no_canary_is_in_any_record_whatever_its_spelling_and_place(door: Door, front: Front) -> None:
    door.account = Account(
        name="acme",
        platform="mastodon",
        brand="acme",
        base_url=front.url,
        identity="@acme",
        secrets={"token": Secret("rehearsal-acme"), "cookie": Secret(CANARY), "none": Secret("")},
    )
    echo = json.dumps({"all": spellings(CANARY), "raw": CANARY}, ensure_ascii=False).encode()
    headers = [b"X-Echo: " + one.encode("latin-1") for one in spellings(CANARY)]
    raw = answer(200, echo, *headers, b"Set-Cookie: a=b", b"X-CSRF-Token: c", b"X-Rest: kept")
    found = told(
        door,
        front,
        raw,
        path="/x?q=" + quote(CANARY, safe=""),
        headers={"X-Mine": quote(CANARY), "Cookie": "session=b"},
    )
    assert found.status == 200
    assert len(found.body) == len(echo)
    assert leaks(found, CANARY) == []
    assert "rehearsal-acme" not in repr(found)
    kept = dict(found.response_headers)
    assert (kept["X-Echo"], kept["Set-Cookie"], kept["X-CSRF-Token"]) == ("[removed]",) * 3
    assert kept["X-Rest"] == "kept"
    sent = {name.lower(): value for name, value in found.request_headers}
    assert (sent["authorization"], sent["x-mine"]) == ("[removed]",) * 2


def test_a_failure_that_names_a_secret_does_not_tell_it(door: Door, front: Front) -> None:
    found = told(door, front, b"HTTP/1.1 rehearsal-acme OK\r\n\r\n")
    assert found.status == 0
    assert "HTTP/1.1" in found.why
    assert "rehearsal-acme" not in found.why
