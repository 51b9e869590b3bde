"""One post on its way out, against a real platform on loopback: what it answers decides, and nothing else does."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.adapter import Kind, Meaning, Reading
from guardian.errors import Mistake
from guardian.model import State
from guardian.store import posts

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.model import Account
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]


def seen_by_its_author(platform: RehearsalPlatform, post_id: str | None, path: str = "") -> Any:  # noqa: ANN401 (JSON)
    asked = urllib.request.Request(f"{platform.url}/api/v1/statuses/{post_id}{path}")  # noqa: S310 (loopback)
    asked.add_header("Authorization", f"Bearer {platform.token('acme')}")
    with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
        return json.load(answer)


def test_a_due_post_is_published_once_and_its_address_is_kept(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    post = scene.enter("hello world")
    lane = scene.lane()
    for _ in range(3):
        lane.poll(scene.clock())
    live = scene.post(post)
    (request,) = sent()
    assert live.state is State.PUBLISHED
    assert (live.platform_id, live.url) == (request["status_id"], f"{platform.url}/@acme/{live.platform_id}")
    assert request["idempotency_key"] == posts.key_of(post)
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["landed"]
    (told,) = scene.journal("published")
    assert told.data["platform_id"] == live.platform_id
    assert lane.trouble is None


def test_every_word_warning_language_and_audience_arrives_as_it_was_entered(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    text = "Räksmörgås & <b>\n🙂 https://example.org/?a=1&b=2 #tag"
    post = scene.enter(text, warning="fisk & ägg", language="sv", visibility="unlisted", tags=["launch"])
    scene.lane().poll(scene.clock())
    there = seen_by_its_author(platform, scene.post(post).platform_id)
    source = seen_by_its_author(platform, scene.post(post).platform_id, "/source")
    assert (source["text"], source["spoiler_text"]) == (text, "fisk & ägg")
    assert (there["language"], there["visibility"]) == ("sv", "unlisted")
    assert "launch" not in json.dumps(there), "tags are internal labels"


def test_nothing_is_published_as_somebody_else(
    scene: Scene, sent: Sent, account_of: Callable[..., Account], platform: RehearsalPlatform
) -> None:
    post = scene.enter()
    lane = scene.lane(account=account_of("acme", token_of="beta"))
    for _ in range(3):
        lane.poll(scene.clock())
    assert sent() == []
    assert scene.post(post).state is State.QUEUED
    assert lane.trouble is not None
    assert f"because the token belongs to {platform.handle('beta')}" in lane.trouble


def test_a_platform_that_says_no_is_believed(scene: Scene, platform: RehearsalPlatform, sent: Sent) -> None:
    post = scene.enter()
    platform.fault("status", status=422)
    lane = scene.lane()
    for _ in range(3):
        lane.poll(scene.clock())
    refused = scene.post(post)
    assert refused.state is State.REFUSED
    assert refused.why is not None
    assert "the platform answered 422" in refused.why
    assert len(sent()) == 1
    assert [entry.data["post"] for entry in scene.journal("refused")] == [post.id]


def test_a_refused_token_refuses_no_post(scene: Scene, platform: RehearsalPlatform, sent: Sent) -> None:
    posts_ = [scene.enter("one"), scene.enter("two")]
    lane = scene.lane()
    platform.fault("status", status=401, times=None)
    following = lane.poll(scene.clock())
    assert [scene.post(post).state for post in posts_] == [State.QUEUED] * 2
    assert len(sent()) == 1, "a refused token is not tried again at once"
    assert lane.trouble == "the platform refuses the token"
    assert following is not None
    assert following > scene.clock() + 5_000
    platform.clear_faults()
    scene.clock.off += 60_000
    scene.poll_until(lane, lambda: all(scene.post(post).state is State.PUBLISHED for post in posts_))


def test_an_account_without_credit_refuses_no_post_and_its_trouble_says_what_to_do(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    posts_ = [scene.enter("one"), scene.enter("two")]
    lane = scene.lane()
    why = "there is no credit left, do buy some"

    def reads(kind: Kind, path: str, status: int, body: bytes) -> Reading | None:  # noqa: ARG001 (the contract's)
        return Reading(meaning=Meaning.SHUT, why=why) if status == 402 else None

    transport = lane.publishing.adapter._session.get_adapter("http://")  # type: ignore[attr-defined]
    transport._reads = reads
    platform.fault("status", status=402, times=None)
    following = lane.poll(scene.clock())
    assert [scene.post(post).state for post in posts_] == [State.QUEUED] * 2
    assert len(sent()) == 1, "it is not tried again at once"
    assert (lane.trouble, lane.disowned) == (why, False)
    assert following is not None
    assert following > scene.clock() + 5_000
    platform.clear_faults()
    scene.clock.off += 60_000
    scene.poll_until(lane, lambda: all(scene.post(post).state is State.PUBLISHED for post in posts_))


def test_a_text_too_long_for_the_platform_is_blocked_before_it_leaves(scene: Scene, sent: Sent) -> None:
    post = scene.enter("x" * 501)
    fine = scene.enter("fine")
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(fine).state is State.PUBLISHED)
    blocked = scene.post(post)
    assert blocked.state is State.BLOCKED
    assert blocked.why == "text: it has 501 characters, and 500 are allowed"
    assert [request["text"] for request in sent()] == ["fine"]
    assert scene.attempts(post) == []


def test_behind_a_closed_fence_no_request_is_even_begun(scene: Scene, platform: RehearsalPlatform, sent: Sent) -> None:
    lane = scene.lane()
    scene.enter("before")
    scene.poll_until(lane, lambda: len(sent()) == 1)
    scene.stop("account:acme")
    post = scene.enter()
    before = len(platform.log())
    for _ in range(3):
        assert lane.poll(scene.clock()) is not None
    assert scene.post(post).state is State.QUEUED
    assert scene.attempts(post) == []
    assert len(platform.log()) == before
    assert len(scene.held) == 3, "the watch was not told that the fence says no"


@pytest.mark.parametrize(
    ("fault", "options"),
    [("rubbish", {}), ("status", {"status": 504}), ("status", {"status": 408}), ("lose_before", {}), ("lose", {})],
)
def test_without_a_posts_id_in_the_answer_nothing_is_called_published_or_sent_again(
    scene: Scene, platform: RehearsalPlatform, sent: Sent, fault: str, options: dict[str, int]
) -> None:
    post = scene.enter()
    platform.fault(fault, **options)
    lane = scene.lane()
    lane._ask_who_we_are(scene.clock())
    lane._poll_sending(scene.clock())  # without looking for it yet
    assert scene.post(post).state is State.UNKNOWN
    assert [attempt.outcome for attempt in scene.attempts(post)] == ["unknown"]
    for _ in range(3):
        lane._poll_sending(scene.clock())
    assert len(sent()) == 1


def test_a_redirected_post_is_not_sent_on(scene: Scene, platform: RehearsalPlatform, sent: Sent) -> None:
    post = scene.enter()
    platform.fault("redirect", status=307)
    scene.lane().poll(scene.clock())
    assert scene.post(post).state is State.REFUSED
    assert [request["path"] for request in sent()] == ["/api/v1/statuses"]


def test_a_platform_that_trickles_its_answer_does_not_stretch_the_deadline(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    post = scene.enter()
    platform.fault("trickle", seconds=0.05)
    lane = scene.lane(answer_within=0.6)
    lane._ask_who_we_are(scene.clock())
    began = time.monotonic()
    lane._poll_sending(scene.clock())
    assert time.monotonic() - began < 2
    assert scene.post(post).state is State.UNKNOWN


def test_an_account_sends_in_order_and_another_accounts_posts_are_not_its_business(scene: Scene, sent: Sent) -> None:
    for place in range(3):
        scene.enter(f"post {place}")
    other = scene.enter("theirs", account="beta")
    lane = scene.lane()
    scene.poll_until(lane, lambda: len(sent()) == 3)
    assert [request["text"] for request in sent()] == ["post 0", "post 1", "post 2"]
    assert scene.post(other).state is State.QUEUED


def test_one_post_too_large_for_the_gate_does_not_hold_up_all_others(scene: Scene, sent: Sent) -> None:
    """One sign on the screen can be 200 kB on the wire, and the gate stops what it cannot hand over in one piece."""
    with pytest.raises(Mistake, match="bytes"):
        scene.enter("\U0001f469" + "\u200d\U0001f469" * 9_990)
    large = scene.enter("\U0001f469" + "\u200d\U0001f469" * 4_600, warning="\u0301" * 4_000)
    fine = scene.enter("fine")
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(fine).state is State.PUBLISHED)
    assert scene.post(large).state in (State.BLOCKED, State.REFUSED)
    assert scene.held == []
    assert sent()[-1]["text"] == "fine"


def test_a_permit_of_an_epoch_that_the_books_do_not_know_holds(scene: Scene, platform: RehearsalPlatform) -> None:
    post = scene.enter()
    permit = Path(scene.house.permit("brand:acme"))
    permit.write_text(permit.read_text().replace("epoch=1\n", "epoch=2\n"))
    lane = scene.lane()
    lane.poll(scene.clock())
    assert platform.posts() == []
    assert scene.post(post).state is State.QUEUED
    assert scene.held
    scene.stop("brand:acme")
    scene.books.thaw(["brand:acme"], reason="it was forged", by="ann")
    fresh = scene.enter("and on")
    scene.poll_until(lane, lambda: scene.post(fresh).state is State.PUBLISHED)
