"""What passes the gate, what does not, and that the receipt tells the truth whatever the library raises."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import mastodon
import pytest
import requests

from guardian.fence import passage
from guardian.gate import tripwire, verdicts
from guardian.gate.intents import Fate, Receipt, declare
from guardian.gate.verdicts import verdict
from guardian.model import Part
from tests.gate.test_gate_connection import wait_until

if TYPE_CHECKING:
    from tests.gate.gate_door import Door

HELLO = Part(text="hello")


def publish(door: Door, part: Part = HELLO, key: str = "k") -> Receipt:
    """One publishing call through the real library; whatever it raises, the receipt comes back."""
    with declare(door.intent()) as receipt, contextlib.suppress(mastodon.MastodonError, OSError, passage.Stopped):
        door.adapter.publish(part, key)
    return receipt


def test_a_post_goes_through_with_everything_that_was_asked_for(door: Door) -> None:
    part = Part(text="hej & hå", warning="spoiler", language="sv", visibility="unlisted")
    with declare(door.intent()) as receipt:
        ref = door.adapter.publish(part, "key-1")
    assert verdict(receipt) == verdicts.Accepted(200)
    assert ref.url is not None
    live = door.platform.posts()[0]
    assert (live["id"], live["text"], live["key"]) == (ref.id, "hej & hå", "key-1")


def test_a_changing_request_that_nobody_announced_is_refused(door: Door) -> None:
    with pytest.raises(mastodon.MastodonNetworkError, match="was not announced"):
        door.adapter.publish(HELLO, "k")
    assert door.creates() == []


def test_a_changing_request_that_no_table_knows_is_refused_even_under_an_intent(door: Door) -> None:
    for method, path in (("DELETE", "/api/v1/lists/1"), ("POST", "/api/v1/statuses/1/reblog"), ("PUT", "/x")):
        with declare(door.intent()) as receipt, pytest.raises(passage.Stopped, match="nobody declared"):
            door.session.request(method, door.account.base_url + path)
        assert receipt.traces[0].fate is Fate.STOPPED
    assert [entry for entry in door.platform.log() if entry["method"] != "GET"] == []


def test_one_intent_is_good_for_one_publishing_request(door: Door) -> None:
    """A library that retries by itself posted three times what was asked for once."""
    with declare(door.intent()):
        door.adapter.publish(HELLO, "a")
        with pytest.raises(mastodon.MastodonNetworkError, match="this is the second"):
            door.adapter.publish(HELLO, "b")
    assert door.creates() == ["hello"]


def test_an_intent_of_another_account_is_worth_nothing(door: Door) -> None:
    intent = door.intent()
    intent.account = "somebody-else"
    with declare(intent), pytest.raises(mastodon.MastodonNetworkError, match="was not announced"):
        door.adapter.publish(HELLO, "a")


def test_another_host_is_refused_even_for_reading(door: Door) -> None:
    """A client that follows a foreign link would hand the token to that host."""
    with pytest.raises(passage.Stopped, match="not the host"):
        door.session.get("http://127.0.0.2:1/api")
    with pytest.raises(passage.Stopped, match="not the host"):
        door.session.get(door.account.base_url.replace("http:", "https:") + "/api")


def test_a_redirect_never_carries_a_post_to_another_address(door: Door) -> None:
    door.platform.fault("redirect", location="http://127.0.0.1:9/elsewhere")
    receipt = publish(door)
    found = verdict(receipt)
    assert isinstance(found, verdicts.Rejected)
    assert len(receipt.traces) == 1


def test_proxies_and_the_netrc_are_never_asked(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert verdict(publish(door)) == verdicts.Accepted(200)
    with pytest.raises(passage.Stopped, match="proxies"):
        door.session.get(door.account.base_url + "/api/v1/instance", proxies={"http": "http://127.0.0.1:9"})


def test_a_frozen_house_lets_no_byte_out_and_the_receipt_says_stopped(door: Door) -> None:
    intent = door.intent()
    Path(door.house.permit("all")).unlink()
    with declare(intent) as receipt, pytest.raises(mastodon.MastodonNetworkError):
        door.adapter.publish(HELLO, "k")
    assert isinstance(verdict(receipt), verdicts.Stopped)
    assert door.creates() == []


def test_reading_passes_while_frozen(door: Door) -> None:
    for scope in ("all", "account:acme"):
        Path(door.house.permit(scope)).unlink()
    assert door.adapter.whoami().handle.startswith("@acme@")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "lose"}, verdicts.Uncertain),
        ({"kind": "lose_before"}, verdicts.Uncertain),
        ({"kind": "reset_early"}, verdicts.Uncertain),
        ({"kind": "stall", "seconds": 5}, verdicts.Uncertain),
        ({"kind": "trickle", "seconds": 0.2}, verdicts.Uncertain),
        ({"kind": "status", "status": 500}, verdicts.Uncertain),
        ({"kind": "status", "status": 503}, verdicts.Uncertain),
        ({"kind": "status_after", "status": 504}, verdicts.Uncertain),
        ({"kind": "status", "status": 408}, verdicts.Uncertain),
        ({"kind": "status", "status": 422}, verdicts.Rejected),
        ({"kind": "status", "status": 403}, verdicts.Rejected),
        ({"kind": "429", "retry_after": 7}, verdicts.Throttled),
        ({"kind": "rubbish"}, verdicts.Accepted),
        ({"kind": "delay", "seconds": 0.1}, verdicts.Accepted),
    ],
)
def test_the_receipt_alone_decides_what_happened(door: Door, fault: dict[str, object], expected: type) -> None:
    door.platform.fault(str(fault["kind"]), **{key: value for key, value in fault.items() if key != "kind"})
    found = verdict(publish(door))
    assert isinstance(found, expected), found
    if isinstance(found, verdicts.Throttled):
        assert found.after == 7
    assert len(door.creates()) == 1


def test_a_closed_port_is_surely_not_sent(door: Door) -> None:
    door.platform.stop()
    found = verdict(publish(door))
    assert isinstance(found, verdicts.NotSent)


def test_a_name_that_does_not_exist_is_surely_not_sent(door: Door) -> None:
    from guardian.gate.accounts import connect, makers
    from tests.gate.gate_door import account_at

    door.adapter = connect(account_at("http://no-such-host.invalid"), makers(), answer_within=2.0)
    assert isinstance(verdict(publish(door)), verdicts.NotSent)


def test_a_server_that_trickles_does_not_stretch_the_deadline(door: Door) -> None:
    import time

    door.platform.fault("trickle", seconds=0.1)
    began = time.monotonic()
    publish(door)
    assert time.monotonic() - began < 3  # a bound against hanging: the deadline is 1 s, the trickle would take a minute


def test_an_answer_without_end_is_cut_off(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    from guardian.gate import transport

    monkeypatch.setattr(transport, "MAX_ANSWER", 100)
    with pytest.raises(mastodon.MastodonNetworkError, match="more than 100 bytes"):
        door.adapter.whoami()


def test_what_is_kept_as_evidence_may_be_longer_and_has_its_end_too(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    from guardian.gate import recording, transport

    monkeypatch.setattr(transport, "MAX_ANSWER", 100)
    with recording.record(lambda _: None, whole=True):
        assert door.adapter.whoami().id
    monkeypatch.setattr(transport, "WHOLE_ANSWER", 100)
    with (
        recording.record(lambda _: None, whole=True),
        pytest.raises(mastodon.MastodonNetworkError, match="more than 100 bytes"),
    ):
        door.adapter.whoami()


def test_a_letter_that_does_not_fit_the_send_buffer_is_not_begun(door: Door) -> None:
    receipt = publish(door, Part(text="x" * 140_000))
    found = verdict(receipt)
    assert isinstance(found, verdicts.Stopped)
    assert "bytes" in found.why
    assert door.creates() == []


def test_the_token_is_in_no_error_and_no_trace(door: Door) -> None:
    door.platform.stop()
    with declare(door.intent()) as receipt, pytest.raises(mastodon.MastodonNetworkError) as caught:
        door.adapter.publish(HELLO, "k")
    assert "rehearsal-acme" not in repr(receipt) + str(caught.value) + repr(door.account)


def test_the_tripwire_catches_who_goes_around_the_gate(door: Door) -> None:
    url = door.account.base_url + "/api/v1/statuses"
    for go_around in (
        lambda: requests.post(url, data={"status": "x"}, timeout=2),
        lambda: requests.Session().post(url, data={"status": "x"}, timeout=2),
        lambda: mastodon.Mastodon(access_token="rehearsal-acme", api_base_url=door.account.base_url).status_post("x"),
        lambda: mastodon.Mastodon.create_app("app", api_base_url=door.account.base_url),
    ):
        with pytest.raises((tripwire.Bypass, mastodon.MastodonNetworkError), match="around the gate"):
            go_around()
    assert door.creates() == []


def test_no_connection_is_left_open_behind_a_request(door: Door) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        publish(door, Part(text=f"post {number}"), key=str(number))
    wait_until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)  # the platform's ends are ours, too, here


def test_the_connection_is_one_that_dies_with_its_process() -> None:
    """Without linger 0 the kernel delivered a killed sender's request 52 s later."""
    import struct

    from guardian.gate.wire import Deadline, Handle, dial

    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[Handle] = []
        sock = dial("127.0.0.1", server.getsockname()[1], Deadline(2), kept.append)
        assert struct.unpack("ii", sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == (1, 0)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert 0 < sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 2000
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > 128 * 1024
        sock.close()
        kept[0].cut()
        assert kept[0].closed()
        kept[0].close()
