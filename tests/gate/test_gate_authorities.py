"""A time stamp is asked for while frozen, of the one address that the operator named; whatever comes is bounded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import ConfigMistake, GuardianError, Mistake
from guardian.gate import recording
from guardian.gate.authorities import MAX_TOKEN, Unstamped, ask
from tests.torture import front as fronts
from tests.torture.mad_answers import MAD, answer, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import Exchange
    from tests.gate.gate_door import Door
    from tests.torture.front import Front

QUERY = b"0\x03\x02\x01\x01"
WITHIN = 1.0


@pytest.fixture
def front(door: Door) -> Iterator[Front]:
    with fronts.Front(door.platform.url.partition("://")[2]) as found:
        yield found


def test_a_stamp_is_given_while_frozen_and_recorded(door: Door, front: Front) -> None:
    for scope in ("all", "account:acme"):
        Path(door.house.permit(scope)).unlink()
    front.acts.append(fronts.says(answer(200, b"0\x00token", b"Content-Type: application/timestamp-reply")))
    kept: list[Exchange] = []
    with recording.record(kept.append):
        assert ask(front.url + "/tsa?x=1", QUERY, within=WITHIN) == b"0\x00token"
    (seen,) = front.seen
    assert seen.line == "POST /tsa?x=1 HTTP/1.1"
    assert seen.letter.endswith(b"\r\n\r\n" + QUERY)
    assert b"\r\nContent-Type: application/timestamp-query\r\n" in seen.letter
    assert b"uthorization" not in seen.letter
    assert [(one.method, one.request_body, one.body) for one in kept] == [("POST", QUERY, b"0\x00token")]


@pytest.mark.parametrize("status", [204, 302, 307, 308, 400, 404, 429, 500, 503])
def test_an_authority_that_does_not_say_200_has_stamped_nothing_and_leads_nowhere(front: Front, status: int) -> None:
    front.acts.append(fronts.says(redirect(status, "/elsewhere")))
    with pytest.raises(Unstamped, match=str(status)):
        ask(front.url + "/", QUERY, within=WITHIN)
    assert len(front.seen) == 1


def test_a_token_of_any_length_is_not_read(front: Front) -> None:
    for size in (MAX_TOKEN, MAX_TOKEN + 1):
        front.acts.append(fronts.says(answer(200, b"x" * size)))
    assert len(ask(front.url, QUERY, within=WITHIN)) == MAX_TOKEN
    with pytest.raises(Unstamped, match="more than 65536 bytes"):
        ask(front.url, QUERY, within=WITHIN)


@pytest.mark.parametrize("name", MAD)
def test_a_mad_authority_holds_nobody_up(front: Front, name: str) -> None:
    front.acts.append(fronts.says_on_and_on(MAD[name].chunks, then_silent=MAD[name].silent))
    began = time.monotonic()
    try:
        assert len(ask(front.url, QUERY, within=WITHIN)) <= MAX_TOKEN
    except GuardianError as error:
        assert isinstance(error, Unstamped)  # noqa: PT017 (either is right)
    assert time.monotonic() - began < WITHIN + 4


def test_an_authority_that_is_not_there_is_an_error_of_ours(front: Front) -> None:
    front.close()
    with pytest.raises(Unstamped, match="did not answer"):
        ask(front.url, QUERY, within=WITHIN)
    with recording.record(lambda _: None, until=time.monotonic() - 1), pytest.raises(Unstamped, match="deadline"):
        ask(front.url, QUERY, within=WITHIN)


@pytest.mark.parametrize(
    "url",
    ["", "tsa.example", "ftp://tsa.example/", "http://", "http://me:word@tsa.example/", "http://a:b/", "https://*.x"],
)
def test_an_address_that_is_none_is_a_mistake_of_the_configuration(url: str) -> None:
    with pytest.raises(ConfigMistake) as caught:
        ask(url, QUERY, within=WITHIN)
    assert "word" not in str(caught.value)


def test_a_query_is_a_hash_and_no_letter(front: Front) -> None:
    with pytest.raises(Mistake, match="are allowed"):
        ask(front.url, b"x" * 5000, within=WITHIN)
    assert front.seen == []
