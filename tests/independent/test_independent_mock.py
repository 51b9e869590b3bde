"""Our adapter, our gate and our fence against `mastodon_mock`, a Mastodon server that somebody else wrote.

What it lacks is named where it matters: it never processes media later (202, 206), counts no link as 23 characters, and
its ids are no snowflakes of Mastodon's. Those are covered by recorded real traffic in test_independent_recorded.py.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest
from mastodon import MastodonNetworkError

from guardian.adapter import Kind, Readiness
from guardian.errors import Doubt
from guardian.fence import limited, passage
from guardian.fence.stopping import Order, Stopping
from guardian.gate.intents import Intent, declare
from guardian.gate.verdicts import Accepted, Rejected, Stopped, Throttled, Uncertain, verdict, verdict_of_upload
from guardian.model import Part
from tests.independent.visit import NOBODY, lose_the_answer, now, picture_of, visit
from tests.torture.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House
    from guardian.model import PostRef
    from tests.independent.mastodon_mock_server import MastodonMockServer
    from tests.independent.visit import Visitor
    from tests.torture.front import Visit

pytestmark = pytest.mark.outsider  # the test's own eyes do not pass our gate
STATUSES = "/api/v1/statuses"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


@pytest.fixture
def front(mock_server: MastodonMockServer) -> Iterator[Front]:
    """Between the house and the server: it carries requests on, and can lose answers."""
    with Front(mock_server.place) as found:
        yield found
    mock_server.behave()
    assert not found.trouble


@pytest.fixture
def visitor(house: House, front: Front) -> Visitor:
    return visit(house, front.url)


def without_replies(at: Visit) -> None:
    """Our own posts without those that are replies, as some servers list them; everything else as it is."""
    answer = at.carry()
    if b"/statuses?" in at.letter.partition(b"\r\n")[0]:
        head, _, body = answer.partition(b"\r\n\r\n")
        kept = json.dumps([post for post in json.loads(body) if post["in_reply_to_id"] is None]).encode()
        answer = re.sub(rb"(?i)content-length: \d+", b"content-length: %d" % len(kept), head) + b"\r\n\r\n" + kept
    at.say((answer,))


def published(visitor: Visitor, text: str) -> PostRef:
    found = visitor.publish(Part(text=text))
    assert isinstance(found.verdict, Accepted)
    assert found.ref is not None
    return found.ref


def test_we_are_named_by_the_servers_domain_and_not_by_the_address_it_listens_on(
    visitor: Visitor, mock_server: MastodonMockServer
) -> None:
    assert visitor.adapter.whoami().handle == mock_server.handle


def test_the_limits_are_those_that_the_server_states(visitor: Visitor) -> None:
    limits = visitor.adapter.limits()
    assert (limits.characters, limits.media.count, limits.media.image_bytes) == (500, 4, 10_485_760)
    assert limits.media.types is not None
    assert "image/png" in limits.media.types


def test_a_post_arrives_word_for_word_under_the_id_and_url_that_we_read(
    visitor: Visitor, mock_server: MastodonMockServer
) -> None:
    part = Part(text="Zażółć <b>gęślą</b> & jaźń\n\n👩‍👩‍👧 #fine", warning="w", language="pl", visibility="unlisted")
    made = visitor.publish(part)
    assert isinstance(made.verdict, Accepted)
    assert made.ref is not None
    (post,) = [post for post in mock_server.posts() if post["id"] == made.ref.id]
    assert made.ref.url == post["url"]
    assert (post["spoiler_text"], post["language"], post["visibility"]) == ("w", "pl", "unlisted")
    assert mock_server.ask("GET", f"{STATUSES}/{made.ref.id}/source")["text"] == part.text


def test_a_lost_answer_is_uncertain_and_the_post_is_then_found_and_never_taken_twice(
    visitor: Visitor, front: Front, mock_server: MastodonMockServer
) -> None:
    """Also with ids that are no snowflakes: a search by an id made from our clock found nothing here."""
    part, since = Part(text="the answer to this was lost"), now()
    twin = published(visitor, part.text)
    front.acts.append(lose_the_answer)
    lost = visitor.publish(part)
    assert isinstance(lost.verdict, Uncertain)
    found = visitor.adapter.find(part, since=since, known=frozenset({twin.id}))
    assert found is not None
    assert found.id != twin.id
    assert visitor.adapter.find(part, since=since, known=frozenset({twin.id, found.id})) is None
    assert mock_server.texts().count(part.text) == 2


def test_a_post_that_was_cut_before_it_was_whole_is_absent(visitor: Visitor, front: Front) -> None:
    part, since = Part(text="this never became whole"), now()
    front.acts.append(lambda at: at.reset())
    assert isinstance(visitor.publish(part).verdict, Uncertain)
    assert visitor.adapter.find(part, since=since, known=NOBODY) is None


def test_a_lost_post_beyond_the_first_pages_is_found(visitor: Visitor) -> None:
    since = now()
    lost = published(visitor, "the oldest of many")
    for number in range(85):
        published(visitor, f"one of many {number}")
    assert visitor.adapter.find(Part(text="the oldest of many"), since=since, known=NOBODY) == lost


def test_the_same_key_again_makes_no_second_post(visitor: Visitor, mock_server: MastodonMockServer) -> None:
    part = Part(text="the same key twice")
    first, second = (visitor.publish(part, "one key") for _ in range(2))
    assert first.ref == second.ref
    assert mock_server.texts().count(part.text) == 1


@pytest.mark.parametrize("text", ["x" * 501, " \n"])
def test_what_the_server_refuses_is_refused_and_nothing_of_it_is_there(
    visitor: Visitor, mock_server: MastodonMockServer, text: str
) -> None:
    """`check` would have stopped the long one; here it goes past it, to hear the server's own no."""
    before = len(mock_server.posts())
    found = visitor.publish(Part(text=text))
    assert isinstance(found.verdict, Rejected)
    assert found.verdict.status == 422
    assert "Validation failed" in found.verdict.why
    assert len(mock_server.posts()) == before


@pytest.mark.parametrize("length", [500, 501])
def test_our_check_of_a_length_and_the_servers_agree(visitor: Visitor, length: int) -> None:
    """For plain words: this server counts a link in full, where Mastodon, and we, count 23."""
    part = Part(text=f"{length} " + "y" * (length - 4))
    problems = visitor.adapter.check(part, visitor.adapter.limits())
    assert bool(problems) == isinstance(visitor.publish(part).verdict, Rejected)


def test_too_many_requests_is_no_refusal_and_says_when_to_come_back(
    visitor: Visitor, mock_server: MastodonMockServer
) -> None:
    mock_server.fault("ratelimit", path=STATUSES)
    found = visitor.publish(Part(text="too many")).verdict
    assert isinstance(found, Throttled)
    assert found.after == 300.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_in_trouble_is_uncertain(visitor: Visitor, mock_server: MastodonMockServer, status: int) -> None:
    mock_server.fault("status", path=STATUSES, status=status)
    assert isinstance(visitor.publish(Part(text=f"in trouble {status}")).verdict, Uncertain)


def test_an_answer_that_is_no_json_gives_no_post(visitor: Visitor, mock_server: MastodonMockServer) -> None:
    """The duty makes *uncertain* of it: accepted, but not with a post."""
    mock_server.fault("malformed", path=STATUSES)
    found = visitor.publish(Part(text="not json"))
    assert (found.verdict, found.ref) == (Accepted(200), None)


@pytest.mark.parametrize("part_of_it", ["/api/v1/accounts/*/statuses", f"{STATUSES}/*/source"])
def test_a_server_that_cannot_be_asked_to_the_end_leaves_a_doubt(
    visitor: Visitor, mock_server: MastodonMockServer, part_of_it: str
) -> None:
    part, since = Part(text=f"asked in vain {part_of_it}"), now()
    published(visitor, part.text)
    mock_server.fault("status", path=part_of_it, methods=("GET",), status=500)
    with pytest.raises(Doubt):
        visitor.adapter.find(part, since=since, known=NOBODY)


def test_a_server_that_has_no_sources_is_asked_what_it_shows(visitor: Visitor, mock_server: MastodonMockServer) -> None:
    """Pixelfed has no such endpoint, nor had Mastodon before 3.5; *not found* there says nothing about the post."""
    part, since = Part(text="A post & its <source>\n\nare https://example.org/two things"), now()
    made = published(visitor, part.text)
    source = f"{STATUSES}/{made.id}/source"
    mock_server.fault("status", path=source, methods=("GET",), status=404, body={"error": "Not implemented"})
    assert visitor.adapter.find(part, since=since, known=NOBODY) == made


def test_a_picture_arrives_byte_for_byte_and_its_post_shows_it_in_words_and_order(
    visitor: Visitor, mock_server: MastodonMockServer
) -> None:
    """It has every file ready at once: processing is in test_independent_recorded.py."""
    files = [PNG, PNG + b"another"]
    media = tuple(picture_of(data, alt=f"number {nr}, żółw") for nr, data in enumerate(files))
    handed = [visitor.upload(data, one) for data, one in zip(files, media, strict=True)]
    assert [verdict for _, verdict in handed] == [Accepted(200), Accepted(200)]
    ids = [upload for upload, _ in handed]
    assert [visitor.adapter.ready(upload) for upload in ids] == [Readiness.READY] * 2
    part, since = Part(text="two pictures", media=media), now()
    made = visitor.publish(part, uploads=ids)
    assert made.ref is not None
    shown = mock_server.ask("GET", f"{STATUSES}/{made.ref.id}")["media_attachments"]
    assert [one["description"] for one in shown] == [one.alt for one in media]
    assert [mock_server.fetch(one["url"]) for one in shown] == files
    assert visitor.adapter.find(part, since=since, known=NOBODY) == made.ref
    assert visitor.adapter.find(Part(text=part.text), since=since, known=NOBODY) is None


def test_a_picture_that_the_server_has_no_more_is_never_waited_for(visitor: Visitor) -> None:
    assert visitor.adapter.ready("123456") is Readiness.FAILED


def test_a_thread_hangs_together_and_a_lost_part_is_found_under_its_own_parent_only(
    visitor: Visitor, front: Front, mock_server: MastodonMockServer
) -> None:
    since = now()
    first, other = published(visitor, "part one"), published(visitor, "another thread")
    part = Part(text="part two")
    front.acts.append(lose_the_answer)
    assert isinstance(visitor.publish(part, reply_to=first.id).verdict, Uncertain)
    found = visitor.adapter.find(part, since=since, known=NOBODY, reply_to=first.id)
    assert found is not None
    assert mock_server.ask("GET", f"{STATUSES}/{found.id}")["in_reply_to_id"] == first.id
    for parent in (None, other.id):
        assert visitor.adapter.find(part, since=since, known=NOBODY, reply_to=parent) is None


def test_a_lost_part_is_found_where_replies_are_not_listed(visitor: Visitor, front: Front) -> None:
    """As Pixelfed does it: its list of an account's posts has no replies; they hang on their parents all the same."""
    since, first = now(), published(visitor, "a first part, listed")
    part = Part(text="a second part, not listed")
    lost = visitor.publish(part, reply_to=first.id)
    assert lost.ref is not None
    front.acts_for_reads.extend([without_replies] * 100)
    assert visitor.adapter.find(part, since=since, known=NOBODY, reply_to=first.id) == lost.ref


def test_a_freeze_lets_nothing_more_arrive_and_reading_goes_on(
    visitor: Visitor, front: Front, mock_server: MastodonMockServer
) -> None:
    published(visitor, "before the freeze")
    ticket = passage.look(visitor.house, visitor.account.scopes)
    assert ticket.epochs
    with Stopping(visitor.house, Order(("brand:acme",), "a test", "a test"), may_kill=False) as stop:
        assert stop.confirm()
        assert stop.settle(limited.in_a_thread)
    creates = len(front.creates())
    with pytest.raises(passage.Stopped):
        visitor.publish(Part(text="after the freeze"))
    late = Intent(Kind.PUBLISH, visitor.account.name, ticket)  # looked before the freeze, and sends after it
    with declare(late) as receipt:
        for send in (
            lambda: visitor.adapter.upload(PNG, picture_of(PNG)),
            lambda: visitor.adapter.publish(Part(text="after the freeze"), "late"),
        ):
            with pytest.raises(MastodonNetworkError, match=r"frozen|permit"):
                send()
    assert isinstance(verdict_of_upload(receipt), Stopped)
    assert isinstance(verdict(receipt), Stopped)
    assert len(front.creates()) == creates
    assert "after the freeze" not in mock_server.texts()
    assert visitor.adapter.whoami().handle == mock_server.handle


def test_a_token_that_the_server_does_not_know_is_401(visitor: Visitor, front: Front) -> None:
    """Its own 401, for a token that is not in its books."""
    front.acts.append(lambda at: at.say((_without_token(at),)))
    found = visitor.publish(Part(text="no token")).verdict
    assert isinstance(found, Rejected)
    assert found.status == 401


def _without_token(at: Visit) -> bytes:
    at.letter = at.letter.replace(b"Bearer rehearsal-acme", b"Bearer nobody-at-all!")
    return at.carry()
