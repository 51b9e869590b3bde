"""The other dialect has the same door: a library on httpx passes the same locks, the same rules, the same record."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import httpcore
import httpx
import pytest
import requests

from guardian.fence.passage import Stopped
from guardian.fence.stopping import Order, Stopping
from guardian.gate import intents, recording, tripwire
from guardian.gate.accounts import GuardedNetwork
from guardian.gate.dialect import HttpxDialect
from guardian.gate.intents import Fate, declare
from guardian.gate.keeping import SealedKeeping
from guardian.gate.verdicts import Accepted, NotFound, NotSent, Uncertain, verdict, verdict_of_retract
from guardian.gate.verdicts import Stopped as WasStopped
from tests.gate.gate_door import account_at
from tests.gate.gate_retract import TOKEN, session_of
from tests.torture import front as fronts
from tests.torture.mad_answers import answer, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import Exchange
    from tests.gate.gate_door import Door
    from tests.torture.front import Front

STATUSES = "/api/v1/statuses"


@pytest.fixture
def client(door: Door) -> Iterator[httpx.Client]:
    transport = GuardedNetwork(session_of(door.account), SealedKeeping(door.account, None)).httpx_transport()
    with httpx.Client(transport=transport, base_url=door.account.base_url, headers=TOKEN) as found:
        yield found


@pytest.fixture
def front(door: Door) -> Iterator[Front]:
    with fronts.Front(door.platform.url.partition("://")[2]) as found:
        yield found


@pytest.fixture
def before(front: Front) -> Iterator[httpx.Client]:
    """A client that reaches the platform through a front, and follows where it is sent."""
    transport = GuardedNetwork(
        session_of(account_at(front.url)), SealedKeeping(account_at(front.url), None)
    ).httpx_transport()
    with httpx.Client(transport=transport, base_url=front.url, headers=TOKEN, follow_redirects=True) as found:
        yield found


def test_a_post_through_httpx_passes_the_gates_once_and_is_written_down(door: Door, client: httpx.Client) -> None:
    kept: list[Exchange] = []
    with declare(door.intent()) as receipt, recording.record(kept.append):
        made = client.post(STATUSES, data={"status": "hello"})
    assert made.json()["id"]
    assert verdict(receipt) == Accepted(200)
    assert door.creates() == ["hello"]
    (exchange,) = kept
    assert (exchange.method, exchange.status, exchange.request_body) == ("POST", 200, b"status=hello")
    assert "rehearsal-acme" not in repr(exchange)


def test_a_second_post_under_one_intent_does_not_leave_in_either_dialect(door: Door, client: httpx.Client) -> None:
    with declare(door.intent()):
        client.post(STATUSES, data={"status": "first"})
        with pytest.raises(Stopped, match="the second"):
            client.post(STATUSES, data={"status": "second"})
    assert door.creates() == ["first"]


def test_a_post_through_httpx_under_a_freeze_sends_no_byte(door: Door, client: httpx.Client) -> None:
    intent = door.intent()
    with Stopping(door.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        with declare(intent) as receipt, pytest.raises(Stopped):
            client.post(STATUSES, data={"status": "late"})
    assert isinstance(verdict(receipt), WasStopped)
    assert door.creates() == []


def test_a_takedown_through_httpx_passes_while_frozen_and_says_nothing_else(door: Door, client: httpx.Client) -> None:
    with Stopping(door.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        with declare(intents.retracting(door.account, "110")) as receipt:
            assert client.delete(f"{STATUSES}/110").status_code == 404
        assert verdict_of_retract(receipt) == NotFound(404)
        with declare(intents.retracting(door.account, "110")), pytest.raises(Stopped, match="not announced"):
            client.put(f"{STATUSES}/110", json={"status": "news"})


def test_what_nobody_announced_does_not_leave_through_httpx(door: Door, client: httpx.Client) -> None:
    with pytest.raises(Stopped, match="was not announced"):
        client.post(STATUSES, data={"status": "x"})
    with pytest.raises(Stopped, match="nobody declared"):
        client.patch("/api/v1/anything")
    assert door.creates() == []


def test_the_token_goes_to_no_other_host_by_any_name_that_httpx_knows(door: Door, client: httpx.Client) -> None:
    with pytest.raises(Stopped, match="not the host"):
        client.get("https://elsewhere.example/")
    client.get("/api/v1/instance", headers={"Host": "elsewhere.example"}, extensions={"sni_hostname": "elsewhere"})
    assert door.platform.log()[-1]["path"] == "/api/v1/instance"


def test_what_the_gate_writes_itself_httpx_cannot_write(before: httpx.Client, front: Front) -> None:
    before.get("/api/v1/instance", headers={"Host": "evil.example", "Accept-Encoding": "br", "Connection": "upgrade"})
    letter = front.seen[0].letter.decode().lower()
    assert "evil.example" not in letter
    assert f"host: {front.place}\r\n" in letter
    assert "accept-encoding: identity\r\n" in letter
    assert "connection: close\r\n" in letter


def test_a_lost_answer_is_uncertain_and_a_silent_platform_is_not_sent_to(
    door: Door, before: httpx.Client, front: Front
) -> None:
    front.acts.append(fronts.cut_after(1 << 20))
    with declare(door.intent()) as receipt, pytest.raises(Exception, match="onnection"):
        before.post(STATUSES, data={"status": "lost"})
    assert isinstance(verdict(receipt), Uncertain)
    assert door.creates() == ["lost"]
    front.close()
    with declare(door.intent()) as receipt, pytest.raises(OSError, match="refused"):
        before.post(STATUSES, data={"status": "nobody there"})
    assert isinstance(verdict(receipt), NotSent)


def test_an_answer_is_not_unpacked_and_leaves_no_cookie(before: httpx.Client, front: Front) -> None:
    bomb = gzip.compress(bytes(1 << 20))
    told = (b"Content-Encoding: gzip", b"Set-Cookie: a=b", b"X-Twice: 1", b"Content-Type: text/plain")
    front.acts_for_reads.append(fronts.says(answer(200, bomb, *told)))
    found = before.get("/api/v1/instance")
    assert found.content == bomb
    assert dict(before.cookies) == {}
    assert found.headers["x-twice"] == "1"


def test_a_redirect_carries_no_post_through_httpx_to_another_address(
    door: Door, before: httpx.Client, front: Front
) -> None:
    front.acts.append(fronts.says(redirect(307, f"{front.url}{STATUSES}/again")))
    with declare(door.intent()) as receipt:
        assert before.post(STATUSES, data={"status": "x"}).status_code == 307
    assert len(front.seen) == 1
    assert receipt.traces[0].fate is Fate.ANSWERED
    front.acts_for_reads.append(fronts.says(redirect(302, "http://127.0.0.1:1/elsewhere")))
    with pytest.raises(Stopped, match="not the host"):
        before.get("/api/v1/instance")


def test_a_session_that_has_no_gate_behind_it_gets_no_second_dialect() -> None:
    with requests.Session() as plain, pytest.raises(Stopped, match="no gate"):
        HttpxDialect(plain)


def test_the_tripwire_catches_who_goes_around_the_gate_with_httpx(door: Door, client: httpx.Client) -> None:
    client.get("/api/v1/instance")  # the wire is stretched where the dialect is spoken
    url = door.account.base_url + STATUSES
    with pytest.raises(tripwire.Bypass, match="around the gate"):
        httpx.post(url, data={"status": "around"}, headers=TOKEN)
    with pytest.raises(tripwire.Bypass), httpcore.ConnectionPool() as pool:
        pool.request("DELETE", f"{url}/1")
    assert httpx.get(door.account.base_url + "/api/v1/instance").status_code == 200
    assert door.creates() == []
    tripwire.slacken()
    assert httpx.post(url, data={"status": "an outsider"}, headers=TOKEN).status_code == 200


def test_the_tripwire_catches_who_does_not_wait_either(door: Door, client: httpx.Client) -> None:
    import asyncio

    client.get("/api/v1/instance")
    base = door.account.base_url

    async def around() -> int:
        async with httpx.AsyncClient(trust_env=False) as other:
            with pytest.raises(tripwire.Bypass):
                await other.post(base + STATUSES, data={"status": "around"}, headers=TOKEN)
            return (await other.get(base + "/api/v1/instance")).status_code

    assert asyncio.run(around()) == 200
    assert door.creates() == []
