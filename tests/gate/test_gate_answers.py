"""Answers that are wrong in every way: bounded in time and memory, taken for nothing, and after it the lane goes on."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from guardian import masking
from guardian.adapter import Kind, Route
from guardian.errors import Doubt
from guardian.gate import recording, verdicts
from guardian.gate.accounts import connect, makers
from guardian.gate.intents import declare
from guardian.gate.transport import guarded_session
from guardian.gate.verdicts import verdict
from guardian.model import Part, Secret
from tests.gate.gate_door import account_at
from tests.torture import front as fronts
from tests.torture.mad_answers import DOCUMENTS, EARLY_HINTS, JSON, MAD, REDIRECTS, SAYS_NO, answer, redirect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardian.gate.verdicts import Verdict
    from guardian.model import Exchange
    from tests.gate.gate_door import Door
    from tests.torture.front import Front

WITHIN = 1.0
SLACK = 4.0  # a bound against hanging, on a busy machine
MOST_MEMORY = 96 * 1024  # KB by which the whole test process may grow over one answer


@pytest.fixture
def front(door: Door) -> Iterator[Front]:
    with fronts.Front(door.platform.url.partition("://")[2]) as found:
        door.account = account_at(found.url)
        door.adapter = connect(door.account, makers(), answer_within=WITHIN)
        yield found


def publish(door: Door, text: str) -> Verdict:
    """One create as the duty makes it: accepted without a post is as uncertain as no answer."""
    ref = None
    with declare(door.intent()) as receipt, contextlib.suppress(Exception):
        ref = door.adapter.publish(Part(text=text), text)
    found = verdict(receipt)
    if isinstance(found, verdicts.Accepted) and ref is None:
        return verdicts.Uncertain("accepted, but not with a post")
    return found


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """In time by the exchange's own deadline, in memory by its own limits."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - began < WITHIN + SLACK
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY


@pytest.mark.parametrize("name", MAD)
@pytest.mark.parametrize("made", [True, False], ids=["made", "not-made"])
def test_no_answer_that_is_not_a_post_is_taken_for_one_or_for_a_no(
    door: Door, front: Front, name: str, *, made: bool
) -> None:
    front.acts.append(fronts.says_on_and_on(MAD[name].chunks, made=made, then_silent=MAD[name].silent))
    with bounded():
        assert isinstance(publish(door, "mad"), verdicts.Uncertain)
    assert publish(door, "after it") == verdicts.Accepted(200)
    assert [post["text"] for post in door.platform.posts()] == (["mad"] if made else []) + ["after it"]


@pytest.mark.parametrize("name", MAD)
def test_no_mad_answer_is_taken_for_the_absence_of_a_post(door: Door, front: Front, name: str) -> None:
    """An absence that is believed sends the post a second time."""
    assert publish(door, "it is there") == verdicts.Accepted(200)
    door.adapter.whoami()
    since = time.time_ns() // 1_000_000
    front.acts_for_reads.append(fronts.says_on_and_on(MAD[name].chunks, then_silent=MAD[name].silent))
    found: object = "a doubt"
    with bounded(), contextlib.suppress(Exception):  # whatever it raises, the duty reads it as a doubt
        found = door.adapter.find(Part(text="it is there"), since=since, known=frozenset())
    assert found == "a doubt"
    assert door.adapter.find(Part(text="it is there"), since=since, known=frozenset()) is not None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_post_whose_words_the_server_does_not_tell_is_a_doubt(door: Door, front: Front, name: str) -> None:
    assert publish(door, "it is there") == verdicts.Accepted(200)
    door.adapter.whoami()
    since = time.time_ns() // 1_000_000
    front.acts_for_reads.append(lambda visit: visit.say((visit.carry(),)))
    front.acts_for_reads.append(fronts.says_on_and_on(DOCUMENTS[name].chunks))
    with pytest.raises(Exception, match=r".") as caught:
        door.adapter.find(Part(text="it is there"), since=since, known=frozenset())
    assert not isinstance(caught.value, AssertionError)


def test_an_empty_object_is_not_a_list_without_posts(door: Door, front: Front) -> None:
    """The library makes an empty list of it, and an empty list says that nothing was made."""
    door.adapter.whoami()
    front.acts_for_reads.append(fronts.says(answer(200, b"{}", JSON)))
    with pytest.raises(Doubt, match="did not answer with a list"):
        door.adapter.find(Part(text="x"), since=time.time_ns() // 1_000_000, known=frozenset())
    front.acts_for_reads.append(fronts.says(answer(200, b"[]", JSON)))
    assert door.adapter.find(Part(text="x"), since=time.time_ns() // 1_000_000, known=frozenset()) is None


def test_an_early_hint_before_the_true_answer_is_no_refusal(door: Door, front: Front) -> None:
    """The client library takes 103 for the answer; the post is there all the same."""
    front.acts.append(lambda visit: visit.say((EARLY_HINTS, visit.carry())))
    assert isinstance(publish(door, "hinted"), verdicts.Uncertain)
    assert [post["text"] for post in door.platform.posts()] == ["hinted"]


@pytest.mark.parametrize("name", MAD)
def test_nobody_is_who_a_mad_answer_names(door: Door, front: Front, name: str) -> None:
    front.acts_for_reads.append(fronts.says_on_and_on(MAD[name].chunks, then_silent=MAD[name].silent))
    with bounded(), pytest.raises(Exception, match=r"."):
        door.adapter.whoami()
    assert door.adapter.whoami().handle.startswith("@acme@")


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_to_a_foreign_host_takes_neither_a_post_nor_the_token_there(
    door: Door, front: Front, status: int
) -> None:
    with socket.create_server(("127.0.0.2", 0)) as foreign:
        foreign.settimeout(0.3)
        there = f"http://127.0.0.2:{foreign.getsockname()[1]}/api/v1/statuses"
        for location in (there, there.replace("http:", ""), there.replace("http:", "https:")):
            front.acts.append(fronts.says(redirect(status, location)))
            front.acts_for_reads.append(fronts.says(redirect(status, location)))
            expected = verdicts.Rejected if status in SAYS_NO else verdicts.Uncertain
            assert isinstance(publish(door, "elsewhere"), expected)
            with pytest.raises(Exception, match="is not the host of"):
                door.adapter.whoami()
        with pytest.raises(TimeoutError):
            foreign.accept()
    assert publish(door, "after it") == verdicts.Accepted(200)


def test_a_host_that_redirects_to_itself_is_left_after_a_few_times(door: Door, front: Front) -> None:
    front.acts_for_reads.extend([fronts.says(redirect(302, "/api/v1/again"))] * 30)
    with pytest.raises(Exception, match="redirects"):
        door.adapter.whoami()
    assert len(front.seen) <= 5


def test_a_host_that_gives_more_and_more_cookies_does_not_stop_the_lane(door: Door, front: Front) -> None:
    """They were sent back with every request, until none of them fitted its limit any more."""
    cookies = [b"Set-Cookie: c%d=%s; Path=/" % (number, b"y" * 4000) for number in range(60)]
    front.acts_for_reads.append(fronts.says(answer(503, b"", *cookies)))
    with pytest.raises(Exception, match="503"):
        door.adapter.whoami()
    assert publish(door, "after it") == verdicts.Accepted(200)
    assert b"\r\ncookie:" not in front.seen[-1].letter.lower()


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_token_that_an_answer_says_back_stands_in_no_error_and_no_receipt(
    door: Door, front: Front, status: int
) -> None:
    """A proxy that shows the request which it refuses, for example: a library puts such words into its errors."""
    front.acts.append(fronts.says(answer(status, b'{"error": "Bearer rehearsal-acme is no good"}')))
    with declare(door.intent()) as receipt, pytest.raises(Exception) as raised:  # noqa: PT011 (the library's own)
        door.adapter.publish(Part(text="bread"), "bread")
    assert "rehearsal-acme" not in str(raised.value) + receipt.traces[-1].why


def test_what_asks_for_a_token_gets_it_even_if_it_is_the_one_that_we_have(door: Door, front: Front) -> None:
    session = guarded_session(door.account, (Route(Kind.AUTH, "POST", "/oauth/token"),), answer_within=WITHIN)
    for status, heard in ((200, b"rehearsal-acme"), (400, b"*" * 14)):
        front.acts.append(fronts.says(answer(status, b'{"refresh_token": "rehearsal-acme"}')))
        assert session.post(f"{front.url}/oauth/token").content == b'{"refresh_token": "' + heard + b'"}'


def test_a_token_that_was_handed_out_a_moment_ago_stands_in_no_answer_that_says_it_back(
    door: Door, front: Front
) -> None:
    session = guarded_session(door.account, (Route(Kind.AUTH, "POST", "/oauth/token"),), answer_within=WITHIN)
    handed_out = b"handed-out-at-run-time-0815"
    for said in (b'{"access_token": "%s"}', b"oauth_token=x&oauth_token_secret=%s&z=1"):
        front.acts.append(fronts.says(answer(200, said % handed_out)))
        assert handed_out in session.post(f"{front.url}/oauth/token").content
        front.acts_for_reads.append(fronts.says(answer(500, b"no good: Bearer " + handed_out)))
        assert session.get(f"{front.url}/me").content == b"no good: Bearer " + b"*" * len(handed_out)
        assert handed_out.decode() not in masking.without(f"a library says: {handed_out.decode()}")
        handed_out += b"-and-another"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "DPoP"])
def test_a_token_that_nobody_has_told_of_is_a_secret_from_the_moment_in_which_it_is_sent(
    door: Door, front: Front, scheme: str
) -> None:
    """Whatever adapter it is that forgets to say so: the evidence of a takedown holds what a server says back."""
    session = guarded_session(door.account, (), answer_within=WITHIN)
    token = f"given-by-the-platform-{scheme}-4711"
    kept: list[Exchange] = []
    front.acts_for_reads.append(fronts.says(answer(200, b"you said: Authorization: " + f"{scheme} {token}".encode())))
    with recording.record(kept.append):
        heard = session.get(f"{front.url}/me", headers={"Authorization": f"{scheme} {token}"}).content
    assert front.seen[-1].letter.count(token.encode()) == 1, "it was sent"
    assert token not in heard.decode() + repr(kept)
    assert token not in masking.without(f"a library says: {token}")


def test_a_short_secret_that_is_a_word_of_honest_answers_leaves_them_as_they_are(door: Door, front: Front) -> None:
    account = replace(door.account, secrets={"client_id": Secret("acme"), "token": Secret("rehearsal-acme")})
    front.acts_for_reads.append(fronts.says(answer(200, b'{"username": "acme"}')))
    session = guarded_session(account, (), answer_within=WITHIN)
    assert session.get(f"{front.url}/me").json() == {"username": "acme"}


def test_a_server_that_never_accepts_is_given_up_and_nothing_was_sent(door: Door) -> None:
    with socket.socket() as server, contextlib.ExitStack() as fillers:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):  # its queue is full now, and further requests to connect are dropped
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        door.adapter = connect(
            account_at(f"http://127.0.0.1:{server.getsockname()[1]}"), makers(), answer_within=WITHIN
        )
        with bounded():
            assert isinstance(publish(door, "nowhere"), verdicts.NotSent)


def _silent(_: socket.socket) -> None:
    time.sleep(WITHIN * 2)


def _rubbish(near: socket.socket) -> None:
    near.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def _half_a_record(near: socket.socket) -> None:
    near.sendall(b"\x16\x03\x03\x40\x00")
    time.sleep(WITHIN * 2)


def _trickle(near: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for byte in b"\x16\x03\x03\x40\x00" + b"\x02" * 100:
            near.sendall(bytes((byte,)))
            time.sleep(WITHIN / 20)


def _alert(near: socket.socket) -> None:
    near.sendall(b"\x15\x03\x03\x00\x02\x02\x28")


@pytest.mark.parametrize("greet", [_silent, _rubbish, _half_a_record, _trickle, _alert])
def test_a_handshake_that_does_not_come_to_an_end_sends_nothing(
    door: Door, greet: Callable[[socket.socket], None]
) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as near:
                greet(near)
                near.settimeout(SLACK)
                with contextlib.suppress(OSError):
                    heard.extend(iter(lambda: near.recv(65536), b""))

        serving = threading.Thread(target=serve)
        serving.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        door.adapter = connect(account_at(url), makers(), answer_within=WITHIN)
        with bounded():
            assert isinstance(publish(door, "in vain"), verdicts.NotSent)
        serving.join(10)
    assert b"rehearsal-acme" not in b"".join(heard)
