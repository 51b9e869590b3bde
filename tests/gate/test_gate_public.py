"""What anybody can see, read as anybody: no token, no cookie, no way into our own network, no login page for a post."""

from __future__ import annotations

import socket
import time
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from guardian.errors import GuardianError
from guardian.gate import recording, wire
from guardian.gate.addresses import NotPublic, is_public, public_only
from guardian.gate.public import USER_AGENT, PublicReader, Unread, Unreadable, Way
from guardian.gate.wire import Deadline
from guardian.rehearsal import RehearsalPlatform
from tests.gate.test_gate_connection import CERTIFICATE
from tests.torture import front as fronts
from tests.torture.mad_answers import MAD, answer, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import Exchange
    from guardian.rehearsal.platform import RehearsalPlatform as Platform
    from tests.torture.front import Front

WITHIN = 1.0
SLACK = 4.0
PICTURE = b"\x89PNG" + bytes(range(256)) * 40


@pytest.fixture
def front(platform: Platform) -> Iterator[Front]:
    with fronts.Front(platform.url.partition("://")[2]) as found:
        yield found


def reader(front: Front, **options: Any) -> PublicReader:  # noqa: ANN401 (the reader's own)
    return PublicReader(**{"answer_within": WITHIN, "trusted_hosts": (front.place,), **options})


def test_a_file_is_read_to_the_last_byte_without_a_cookie_or_a_token(front: Front) -> None:
    front.acts_for_reads.extend(
        fronts.says(answer(200, PICTURE, b"Content-Type: image/PNG; x=y", b"Set-Cookie: a=b")) for _ in range(2)
    )
    asked = reader(front)
    for _ in range(2):
        found = asked.read(f"{front.url}/a b.png?w=1#x", accept="image/*")
        assert found.url == f"{front.url}/a b.png?w=1#x"
        assert (found.status, found.body, found.type, found.hops, found.to) == (200, PICTURE, "image/png", (), None)
    head = front.seen[1].letter.decode().lower()
    assert front.seen[1].line == "GET /a%20b.png?w=1 HTTP/1.1"
    assert "accept: image/*\r\n" in head
    assert f"user-agent: {USER_AGENT.lower()}\r\n" in head
    assert "cookie" not in head
    assert "authorization" not in head


def test_a_page_that_is_gone_is_an_answer(front: Front) -> None:
    for status in (404, 410, 500, 304):
        front.acts_for_reads.append(fronts.says(answer(status, b"" if status == 304 else b"gone")))
        assert reader(front).read(front.url + "/@acme/1").status == status


def test_a_redirect_is_followed_and_each_hop_is_an_exchange_of_its_own(front: Front) -> None:
    for number in range(3):
        front.acts_for_reads.append(fronts.says(redirect((301, 302, 307)[number], f"/{number + 1}")))
    front.acts_for_reads.append(fronts.says(answer(200, b"there")))
    kept: list[Exchange] = []
    with recording.record(kept.append):
        found = reader(front).read(front.url + "/0")
    assert (found.body, found.url) == (b"there", front.url + "/3")
    assert found.hops == tuple(f"{front.url}/{number}" for number in range(3))
    assert [(one.url.rpartition("/")[2], one.status) for one in kept] == [
        ("0", 301),
        ("1", 302),
        ("2", 307),
        ("3", 200),
    ]


def test_a_fourth_redirect_is_not_followed(front: Front) -> None:
    front.acts_for_reads.extend([fronts.says(redirect(302, "/again"))] * 9)
    with pytest.raises(Unreadable, match="more than 3 times"):
        reader(front).read(front.url + "/0")
    assert len(front.seen) == 4


@pytest.mark.parametrize(
    "login", ["/auth/sign_in", "/login?next=%2F1", "/i/flow/login", "/accounts/signin/", "/oauth/authorize", "/sso"]
)
def test_a_redirect_to_a_login_page_is_a_redirect_and_no_content(front: Front, login: str) -> None:
    front.acts_for_reads.append(fronts.says(redirect(302, login)))
    found = reader(front).read(front.url + "/@acme/1")
    assert (found.status, found.body, found.to) == (302, b"", front.url + login)
    assert len(front.seen) == 1


def test_a_word_that_only_looks_like_login_is_followed(front: Front) -> None:
    front.acts_for_reads.append(fronts.says(redirect(302, "/@author/essays-on-logins")))
    front.acts_for_reads.append(fronts.says(answer(200, b"there")))
    assert reader(front).read(front.url + "/1").body == b"there"


@pytest.mark.parametrize(
    "to",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "http://[::1", "javascript:alert(1)"],
)
def test_a_redirect_leads_to_no_other_scheme_and_no_nonsense(front: Front, to: str) -> None:
    front.acts_for_reads.append(fronts.says(redirect(302, to)))
    with pytest.raises(Unreadable):
        reader(front).read(front.url + "/1")


def test_a_redirect_in_letters_that_are_no_ascii_leads_to_the_same_page(front: Front) -> None:
    front.acts_for_reads.append(fronts.says(redirect(302, "/@hå")))
    front.acts_for_reads.append(fronts.says(answer(200, b"there")))
    assert reader(front).read(front.url + "/1").url == front.url + "/@h%C3%A5"


def test_a_redirect_into_our_own_network_is_not_followed(front: Front) -> None:
    for to in ("http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "//localhost/", "http://[::1]/"):
        front.acts_for_reads.append(fronts.says(redirect(302, to)))
        with pytest.raises(NotPublic, match="no public address"):
            reader(front).read(front.url + "/1")
    front.acts_for_reads.append(fronts.says(redirect(302, "http://127.0.0.1:8080/")))
    with pytest.raises(Unreadable, match="a port of its own"):
        reader(front).read(front.url + "/1")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "0", "10.0.0.1", "192.168.1.1", "172.16.0.1",
     "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]",
     "[::ffff:8.8.8.8]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
     "[2001:0:1::1]"],
)  # fmt: skip
def test_nothing_of_our_own_network_is_asked(front: Front, host: str) -> None:
    """An answer of a platform could name the address of something that listens only to us."""
    with pytest.raises((NotPublic, Unread)) as caught:
        reader(front).read(f"http://{host}/")
    assert caught.type is NotPublic or "gaierror" in str(caught.value)  # where this machine does not even know the form
    assert front.seen == []


def test_only_what_anybody_could_reach_is_public() -> None:
    for address in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2600::5efe:808:808", "168.63.129.17"):
        assert is_public(address)
    for address in (
        "2002:808:808::1",
        "2001:0:808:808::1",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "239.1.1.1",
        "240.0.0.1",
        "fec0::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
        "64:ff9b::e000:1",
        "2600::5efe:7f00:1",
        "2600::200:5efe:a00:1",
        "3fff::1",
        "4000::1",
        "192.0.0.192",
        "192.0.0.8",
        "192.88.99.1",
        "168.63.129.16",
        "100.100.100.200",
        "fd00:ec2::254",
        "fe80::1%lo",
    ):
        assert not is_public(address)


@pytest.mark.parametrize("found", [("127.0.0.1",), ("93.184.216.34", "10.0.0.1"), ("10.0.0.1", "93.184.216.34")])
def test_a_name_with_one_private_address_is_refused_whichever_comes_first(
    monkeypatch: pytest.MonkeyPatch, found: tuple[str, ...]
) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    with pytest.raises(NotPublic):
        public_only("cdn.example", 80, Deadline(2.0))
    with pytest.raises(NotPublic):
        PublicReader(answer_within=WITHIN).read("http://cdn.example/")


def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_looked_at(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers the second question otherwise is not asked a second one."""
    port = int(front.place.rpartition(":")[2])
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    front.acts_for_reads.append(fronts.says(answer(200, b"there")))
    assert reader(front, trusted_hosts=("cdn.example",)).read(f"http://cdn.example:{port}/").body == b"there"
    assert asked == ["cdn.example"]
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public)
    assert public_only("cdn.example", 80, Deadline(2.0)) is public


def test_a_trusted_host_is_trusted_at_its_own_port_alone(front: Front) -> None:
    with RehearsalPlatform(("acme",)) as other:
        with pytest.raises(GuardianError, match="a port of its own"):
            reader(front).read(other.url + "/x")
        assert other.log() == []


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/x", "file:///etc/passwd", "example.org/x", "", "http://", "http://me:secret@example.org/x",
     "http://example.org:22/", "https://example.org:80/x", "http://example.org:99999/", "http://[::1", "http://*.a/",
     "http://" + "a" * 9000, "mailto:a@b"],
)  # fmt: skip
def test_an_address_that_nobody_could_be_shown_is_refused(url: str) -> None:
    with pytest.raises(Unreadable) as caught:
        PublicReader(answer_within=WITHIN).read(url)
    assert "secret" not in str(caught.value)


def test_an_answer_that_is_too_long_is_refused_and_one_that_just_fits_is_not(front: Front) -> None:
    for _ in range(2):
        front.acts_for_reads.append(fronts.says(answer(200, b"x" * 1000)))
    assert len(reader(front).read(front.url + "/x", most=1000).body) == 1000
    with pytest.raises(Unreadable, match="more than 999 bytes"):
        reader(front).read(front.url + "/x", most=999)


def test_a_file_larger_than_an_answer_of_an_api_is_read(front: Front) -> None:
    size = 9 << 20
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    front.acts_for_reads.append(fronts.says(head, *repeat(b"x" * 65536, size // 65536)))
    assert len(reader(front, answer_within=10.0).read(front.url + "/film").body) == size


@pytest.mark.parametrize("name", MAD)
def test_a_mad_answer_is_an_answer_or_an_error_of_ours_in_time(front: Front, name: str) -> None:
    front.acts_for_reads.append(fronts.says_on_and_on(MAD[name].chunks, then_silent=MAD[name].silent))
    began = time.monotonic()
    try:
        found = reader(front).read(front.url + "/x", most=1 << 20)
    except GuardianError as error:
        assert isinstance(error, (Unread, Unreadable))  # noqa: PT017 (either is right)
    else:
        assert len(found.body) <= 1 << 20
    assert time.monotonic() - began < WITHIN + SLACK


def test_one_deadline_covers_all_hops(front: Front) -> None:
    def slowly(visit: fronts.Visit) -> None:
        time.sleep(0.4)
        visit.say((redirect(302, "/next"),))

    front.acts_for_reads.extend([slowly] * 3)
    with pytest.raises(Unread):
        reader(front).read(front.url + "/0")
    with recording.record(lambda _: None, until=time.monotonic() - 1), pytest.raises(Unread, match="deadline"):
        reader(front).read(front.url + "/0")


def test_what_is_recorded_holds_no_signature_of_an_address_and_no_secret_of_the_account(front: Front) -> None:
    front.acts_for_reads.append(fronts.says(answer(200, b"echo canary-0815")))
    kept: list[Exchange] = []
    url = f"{front.url}/canary-0815?X-Amz-Signature=abcdef"
    with recording.record(kept.append):
        found = reader(front, secrets=["canary-0815"]).read(url)
    assert found.body == b"echo canary-0815"
    assert "abcdef" not in repr(kept)
    assert "canary-0815" not in repr(kept)
    front.close()
    with pytest.raises(Unread) as caught:
        reader(front, secrets=["canary-0815"]).read(url)
    assert "abcdef" not in str(caught.value)
    assert "canary-0815" not in str(caught.value)


def test_over_tls_the_certificate_must_be_good_and_the_way_never_leads_back_into_the_clear(front: Front) -> None:
    with RehearsalPlatform(("acme",), certfile=CERTIFICATE) as platform:
        place = platform.url.partition("://")[2]
        with pytest.raises(Unread, match="CERTIFICATE_VERIFY_FAILED"):
            PublicReader(answer_within=5.0, trusted_hosts=(place,)).read(platform.url + "/api/v1/instance")
        assert platform.log() == []
        trusting = PublicReader(answer_within=5.0, trusted_hosts=(place, front.place), cafile=CERTIFICATE)
        assert trusting.read(platform.url + "/api/v1/instance").status == 200
        platform.fault("redirect", method="GET", path="/api/v1/instance", location=front.url + "/x")
        with pytest.raises(Unreadable, match="from https to http"):
            trusting.read(platform.url + "/api/v1/instance")
    assert front.seen == []


def test_names_that_a_stranger_chose_do_not_hold_up_the_names_of_a_lane() -> None:
    import threading

    end = threading.Event()
    waiting = [wire._public_resolvers.submit(end.wait, 20) for _ in range(4)]
    try:
        with pytest.raises(Unread, match="was not resolved in time"):
            PublicReader(answer_within=0.2).read("http://silent.example/")
        for look_up in (wire.of_the_lanes, wire.of_an_incident):
            assert look_up("127.0.0.1", 80, Deadline(5.0))
    finally:
        end.set()
    assert all(one.result(5) for one in waiting)


def test_the_way_to_a_page_is_told_by_the_same_rules_and_nothing_is_asked_there(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _, port = front.place.rpartition(":")
    assert reader(front).way(front.url + "/x") == Way(host=host, port=int(port), address=host)
    for url in ("http://127.0.0.1/", "http://[fec0::1]/", "http://192.0.0.192/opc/v2/", "https://[2600::5efe:a00:1]/"):
        with pytest.raises(NotPublic):
            reader(front).way(url)
    for url in (
        "file:///etc/passwd",
        front.url.replace("http:", "https:").replace(port, "22"),
        "http://a:b@a.example/",
    ):
        with pytest.raises(Unreadable):
            reader(front).way(url)

    def nobody(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(Unread, match="not found"):
        reader(front).way("https://nobody.invalid/?token=canary")
    assert front.seen == []
