"""A lane on the double of Reddit: what it says with a yes, with a page or not at all ends where the house says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.reddit import MAKER
from guardian.model import Part, State
from tests.adapters.reddit_double import PAGE, Next
from tests.adapters.reddit_room import account_at, double
from tests.duties import conftest
from tests.duties.conftest import Scene

if TYPE_CHECKING:
    from guardian.duties.lane import Lane
    from guardian.fence.house import House
    from guardian.store.database import Database
    from tests.adapters.reddit_double import RedditDouble

__all__ = ["double"]

TEXT = Part(text="Fresh bread\n\nFrom six on.", visibility="r/acme")


@pytest.fixture
def scene(house: House, database: Database, double: RedditDouble, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(conftest, "makers", lambda: {"reddit": MAKER})
    return Scene(house=house, accounts=(account_at(double.url),), database=database, looks=2, over=50)


@pytest.fixture
def lane(scene: Scene) -> Lane:
    return scene.lane(answer_within=0.5)


def test_a_thread_goes_out_as_a_post_and_the_comments_below_it(scene: Scene, lane: Lane, double: RedditDouble) -> None:
    post = scene.enter_parts(TEXT, Part(text="One more thing"), Part(text="And " + "a" * 400))
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    first, second, third = double.creates
    assert [one.path for one in (first, second, third)] == ["/api/submit", "/api/comment", "/api/comment"]
    assert second.said["thing_id"].startswith("t3_")
    assert third.said["thing_id"].startswith("t1_")


def test_a_post_of_a_picture_is_unknown_until_reddit_has_made_it_and_is_made_once(
    scene: Scene, lane: Lane, double: RedditDouble
) -> None:
    post = scene.enter_parts(Part(text="Fresh bread", visibility="r/acme", media=(scene.picture("Bread"),)))
    scene.poll_until(lane, lambda: scene.post(post).state is State.UNKNOWN)
    assert "a moment after" in (scene.post(post).why or "")
    double.settle()
    scene.clock.off += 11_000  # after a doubt it is asked again in ten seconds
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert scene.post(post).platform_id in double.things
    assert len(double.creates) == 1


@pytest.mark.parametrize("what", [Next(after=0.8), Next(status=503)], ids=["slow", "503"])
def test_a_lost_answer_is_asked_for_and_never_sent_again_however_often_it_is_not_listed(
    scene: Scene, lane: Lane, double: RedditDouble, what: Next
) -> None:
    double.next("/api/submit", what)
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: scene.post(post).state is State.UNKNOWN)
    double.unlisted.update(double.things)
    for _ in range(4):  # twice as many looks as would make it absent elsewhere
        scene.clock.off += 11_000
        lane.poll(scene.clock())
    assert scene.post(post).state is State.UNKNOWN
    double.unlisted.clear()
    scene.clock.off += 11_000
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(double.creates) == 1


def test_a_person_decides_about_a_post_that_reddit_never_lists(scene: Scene, lane: Lane, double: RedditDouble) -> None:
    double.next("/api/submit", Next(status=503, made=False))
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: scene.post(post).state is State.UNKNOWN)
    scene.deciding.cancel([post.id], who="the night shift")
    assert scene.post(post).state is State.CANCELLED
    assert len(double.creates) == 1


def test_too_much_at_once_waits_in_the_queue_and_goes_out_once_more_when_the_time_has_come(
    scene: Scene, lane: Lane, double: RedditDouble
) -> None:
    no = {"json": {"ratelimit": 0.05, "errors": [["RATELIMIT", "Bitte warte einen Moment.", "ratelimit"]]}}
    double.next("/api/submit", Next(body=no, made=False))
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert [one.outcome for one in scene.attempts(post)] == ["unsent", "landed"]
    assert (len(double.creates), len(double.things)) == (2, 1)


def test_a_freeze_after_the_picture_was_handed_over_lets_no_post_out(
    scene: Scene, lane: Lane, double: RedditDouble
) -> None:
    post = scene.enter_parts(Part(text="Fresh bread", visibility="r/acme", media=(scene.picture(),)))
    scene.poll_until(lane, lambda: bool(double.asked("/")))
    scene.stop()
    for _ in range(5):
        lane.poll(scene.clock())
    assert double.creates == []
    assert scene.post(post).state is State.QUEUED


def test_an_app_that_is_let_in_no_more_stops_the_account_and_refuses_no_post(
    scene: Scene, lane: Lane, double: RedditDouble
) -> None:
    double.next("/api/submit", Next(status=403, body=PAGE, type="text/html", made=False))
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: "docs/accounts/reddit.md" in (lane.trouble or ""))
    assert scene.post(post).state is State.QUEUED
    assert len(double.creates) == 1


def test_another_accounts_token_publishes_nothing(scene: Scene, lane: Lane, double: RedditDouble) -> None:
    double.me = {"name": "somebody_else", "id": "1"}
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: "the token belongs to u/somebody_else" in (lane.trouble or ""))
    assert double.creates == []
    assert scene.post(post).state is State.QUEUED


@pytest.mark.parametrize("picture", [False, True], ids=["text", "picture"])
@pytest.mark.parametrize(
    ("what", "words"),
    [
        (Next(status=400, body={"message": "Bad Request", "error": 400}), "put a valid refresh_token"),
        (Next(status=403, body=PAGE, type="text/html"), "have the app approved"),
    ],
    ids=["revoked", "not let in"],
)
def test_an_app_that_is_revoked_between_two_posts_stops_the_account_in_words_that_say_what_to_do(
    scene: Scene, lane: Lane, double: RedditDouble, what: Next, words: str, *, picture: bool
) -> None:
    first = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: scene.post(first).state is State.PUBLISHED)
    lane.publishing.adapter._client.core.authorizer.access_token = None  # type: ignore[attr-defined]  # its hour is over
    for _ in range(9):
        double.next("/api/v1/access_token", what)
    second = scene.enter_parts(Part(text="Another", media=(scene.picture(),) if picture else ()))
    scene.poll_until(lane, lambda: bool(lane.trouble))
    scene.clock.off += 31_000
    scene.poll_until(lane, lambda: words in (lane.trouble or ""))
    assert scene.post(second).state is State.QUEUED
    assert len(double.creates) == 1


def test_what_a_subreddit_would_refuse_is_blocked_and_never_sent_and_goes_out_once_it_would_not(
    scene: Scene, lane: Lane, double: RedditDouble
) -> None:
    double.required["acme"] = {"title_required_strings": ["[news]"]}
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: scene.post(post).state is State.BLOCKED)
    assert "r/acme wants one of these in the title: '[news]'" in (scene.post(post).why or "")
    assert double.creates == []
    other = scene.enter_parts(Part(text="[News] Fresh bread", visibility="r/acme"))
    scene.poll_until(lane, lambda: scene.post(other).state is State.PUBLISHED)


def test_a_reddit_that_does_not_tell_its_rules_is_posted_to_all_the_same(
    scene: Scene, lane: Lane, double: RedditDouble
) -> None:
    double.next("/r/acme/about", Next(status=503))
    double.next("/api/v1/acme/post_requirements", Next(body=PAGE, type="text/html"))
    post = scene.enter_parts(TEXT)
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(double.creates) == 1
