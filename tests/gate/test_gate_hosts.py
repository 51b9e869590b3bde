"""Whom the token reaches: the account's own host and those that its platform declares, whatever an answer suggests."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import requests

from guardian.adapter import Host, Kind, Meaning, Reading, Route
from guardian.fence.passage import Stopped
from guardian.gate.blanks import Blanks
from guardian.gate.hosts import Hosts, Origin
from guardian.gate.intents import declare
from guardian.gate.transport import guarded_session
from guardian.gate.verdicts import NotSent, Shut, Uncertain, verdict
from guardian.rehearsal import RehearsalPlatform
from tests.gate.gate_door import account_at

if TYPE_CHECKING:
    from guardian.gate.hosts import Origin
    from tests.gate.gate_door import Door

TOKEN = "rehearsal-acme"
HOME = "https://api.example.com"
HOSTS = (
    Host(name="upload.example.com", kinds=frozenset({Kind.UPLOAD})),
    Host(name="www.example.com", kinds=frozenset({Kind.READ, Kind.AUTH})),
    Host(name="*.bucket.example.org", kinds=frozenset({Kind.UPLOAD}), token=False),
)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_token_never_reaches_another_host_not_even_one_of_the_same_platform(door: Door, method: str) -> None:
    with RehearsalPlatform(("acme",)) as other:
        with contextlib.suppress(Stopped):
            door.session.request(method, other.url + "/api/v1/instance")
        assert other.log() == []


def admitted(url: str, kind: Kind, *, home: str = HOME, **more: Any) -> Origin:  # noqa: ANN401 (what requests takes)
    request = requests.Request("POST", url, **more).prepare()
    account = account_at(home)
    return Hosts(account, HOSTS, Blanks([TOKEN])).admit(request, kind)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (HOME + "/x", Kind.PUBLISH),
        ("https://api.example.com:443/x", Kind.RETRACT),
        ("https://upload.example.com/x", Kind.UPLOAD),
        ("https://WWW.example.com/x", Kind.READ),
        ("https://eu.bucket.example.org/x", Kind.UPLOAD),
        ("https://a.eu.bucket.example.org/x", Kind.UPLOAD),
    ],
)
def test_a_declared_host_is_reached_for_what_it_was_declared_for(url: str, kind: Kind) -> None:
    there = admitted(url, kind)
    assert (there.scheme, there.port) == ("https", 443)
    assert there.host in url.lower()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://upload.example.com/x", Kind.PUBLISH),  # declared, and not for that
        ("https://upload.example.com/x", Kind.READ),
        ("https://www.example.com/x", Kind.RETRACT),
        ("http://www.example.com/x", Kind.READ),
        ("https://www.example.com:8443/x", Kind.READ),
        ("https://www.example.com./x", Kind.READ),
        ("https://www.example.com.evil.example/x", Kind.READ),
        ("https://evil-www.example.com/x", Kind.READ),
        ("https://www.example.com@evil.example/x", Kind.READ),
        ("https://evil.example/x?https://www.example.com", Kind.READ),
        ("https://evil.example/#@www.example.com", Kind.READ),
        ("https://evil.example\\@www.example.com/x", Kind.READ),
        ("https://bucket.example.org/x", Kind.UPLOAD),
        ("https://evilbucket.example.org/x", Kind.UPLOAD),
        ("https://eu.bucket.example.org/x", Kind.READ),
        ("http://api.example.com/x", Kind.READ),
        ("https://127.0.0.1/x", Kind.READ),
    ],
)
def test_what_nobody_declared_is_refused(url: str, kind: Kind) -> None:
    with pytest.raises(Stopped):
        admitted(url, kind)


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"Authorization": "Basic whatever"}},
        {"headers": {"Cookie": "a=b"}},
        {"headers": {"X-Amz-Meta": f"v-{TOKEN}"}},
        {"headers": {"X-Amz-Meta": base64.b64encode(f"u:{TOKEN}".encode()).decode()}},
        {"params": {"key": TOKEN}},
        {"data": {"key": TOKEN}},
        {"json": {"key": TOKEN}},
        {"files": {"file": b"\x89PNG" + TOKEN.encode()}},
        {"data": iter([b"nobody can look into this"])},
    ],
)
def test_a_host_that_is_not_the_platforms_is_given_no_credential_in_any_form(more: dict[str, Any]) -> None:
    url = "https://eu.bucket.example.org/x"
    assert admitted(url, Kind.UPLOAD, files={"file": b"\x89PNG"}).host == "eu.bucket.example.org"
    with pytest.raises(Stopped):
        admitted(url, Kind.UPLOAD, **more)
    if "files" not in more and "data" not in more:
        admitted("https://upload.example.com/x", Kind.UPLOAD, **more)  # one that gets the token anyway


def test_a_name_for_many_hosts_is_never_one_that_gets_the_token() -> None:
    with pytest.raises(ValueError, match="nobody knows"):
        Host(name="*.example.org", kinds=frozenset({Kind.READ}))
    for name in ("https://x.example", "x.example:443", "", "*", "*.", "X.example", "x.example/y", "a.*.example"):
        with pytest.raises(ValueError, match="no name of a host"):
            Host(name=name, kinds=frozenset({Kind.READ}), token=False)


def test_with_a_platform_on_loopback_nothing_that_is_declared_leaves_this_machine(door: Door) -> None:
    """Client libraries have their hosts built in: a double stands for all of them, and is told for which."""
    hosts = (Host(name="www.example.invalid", kinds=frozenset({Kind.READ})),)
    session = guarded_session(door.account, (), answer_within=1.0, hosts=hosts)
    told = ""
    with contextlib.suppress(OSError, requests.RequestException):
        told = session.get("https://www.example.invalid/api/v1/instance").request.headers["Host"]
    assert told == "www.example.invalid"
    assert [one["path"] for one in door.platform.log()] == ["/api/v1/instance"]
    with pytest.raises(Stopped, match="not the host"):
        session.get("https://elsewhere.example.invalid/api/v1/instance")


def test_a_declared_host_that_cannot_be_reached_has_been_sent_nothing(door: Door) -> None:
    """And no double stands in for it where the account's own host is not on loopback."""
    account = account_at("https://no-such-host.invalid")
    hosts = (Host(name="www.neither-this.invalid", kinds=frozenset({Kind.PUBLISH})),)
    routes = (Route(Kind.PUBLISH, "POST", "/x"),)
    session = guarded_session(account, routes, answer_within=2.0, hosts=hosts)
    with declare(door.intent()) as receipt, contextlib.suppress(OSError, requests.RequestException):
        session.post("https://www.neither-this.invalid/x")
    assert isinstance(verdict(receipt), NotSent)
    assert door.platform.log() == []


def test_an_adapter_reads_the_answer_once_and_the_receipt_keeps_what_it_read(door: Door) -> None:
    read: list[tuple[Kind, str, int, bytes]] = []

    def reads(kind: Kind, path: str, status: int, body: bytes) -> Reading:
        read.append((kind, path, status, body))
        return Reading(meaning=Meaning.SHUT, why="no credit")

    routes = (Route(Kind.PUBLISH, "POST", "/api/v1/statuses"),)
    session = guarded_session(door.account, routes, answer_within=1.0, reads=reads)
    session.get(door.account.base_url + "/api/v1/instance")
    door.platform.fault("status", status=402)
    with declare(door.intent()) as receipt:
        session.post(door.account.base_url + "/api/v1/statuses", json={"status": "x"})
    assert verdict(receipt) == Shut("no credit", 402)
    assert [one[:3] for one in read] == [(Kind.PUBLISH, "/api/v1/statuses", 402)]


def test_an_adapter_that_stumbles_over_an_answer_has_proven_nothing(door: Door) -> None:
    def reads(kind: Kind, path: str, status: int, body: bytes) -> Reading:
        raise KeyError(kind, path, status, body)

    routes = (Route(Kind.PUBLISH, "POST", "/api/v1/statuses"),)
    session = guarded_session(door.account, routes, answer_within=1.0, reads=reads)
    door.platform.fault("status", status=403)
    with declare(door.intent()) as receipt:
        session.post(door.account.base_url + "/api/v1/statuses", json={"status": "x"})
    assert isinstance(verdict(receipt), Uncertain)
