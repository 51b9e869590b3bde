"""Takedowns on the double of X that delete nothing: a reply of somebody else, and a repost of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.x import MAKER
from guardian.duties.outcomes import LOOKS_AGAIN
from guardian.errors import Refusal
from guardian.model import Media, Part, Presence, Secret, State
from guardian.store import takedowns
from tests.adapters.test_x_films import film
from tests.adapters.x_stage import account_of, x
from tests.duties import conftest
from tests.duties.conftest import Scene
from tests.duties.urgent import WHO, Urgent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House
    from guardian.model import Target
    from guardian.store.database import Database
    from tests.doubles.x import XDouble

__all__ = ["x"]
HIDES = "/2/tweets/[0-9]+/hidden"


@pytest.fixture
def urgent(house: House, database: Database, x: XDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Urgent]:
    monkeypatch.setattr(conftest, "makers", lambda: {"x": MAKER})
    found = Urgent(Scene(house=house, accounts=(account_of(x),), database=database), None, found={"x": MAKER})
    yield found
    found.close()


@pytest.fixture
def reply(urgent: Urgent, x: XDouble) -> str:
    """What somebody else says below a post of ours."""
    (ours,) = urgent.parts_of(urgent.publish("Fresh bread"))
    return x.post_past_us("Buy cheap watches", "other", below=ours)


def puts(x: XDouble) -> list[str]:
    return [path for method, path in x.changes() if method == "PUT"]


def again(urgent: Urgent, target: Target) -> Target:
    with urgent.database.reading() as tx:
        return takedowns.target(tx, target.id)


def test_a_reply_that_x_says_is_hidden_is_hidden_and_no_later_look_calls_it_back(
    urgent: Urgent, x: XDouble, reply: str
) -> None:
    (target,) = urgent.take_down(f"https://x.com/other/status/{reply}", decision="hide")
    assert (target.state, target.grade, target.acts) == ("hidden", "complete", 1)
    assert "it shows nobody whether it is" in target.why
    for later in LOOKS_AGAIN[:2]:
        urgent.scene.clock.off += later
        urgent.looking.poll(urgent.scene.clock())
    assert again(urgent, target).state == "hidden"
    assert [one["presence"] for one in urgent.lines("looked again") if one["check"]] == ["unknown", "unknown"]
    assert urgent.undoing.undo(target.id, reason="it was no spam", who=WHO) is Presence.THERE
    assert again(urgent, target).state == "kept"
    assert x.posts[reply]["hidden"] is False


def test_a_reply_that_is_gone_later_is_gone(urgent: Urgent, x: XDouble, reply: str) -> None:
    (target,) = urgent.take_down(f"acme-x/{reply}", decision="hide")
    del x.posts[reply]
    urgent.scene.clock.off += LOOKS_AGAIN[0] + 1
    urgent.looking.poll(urgent.scene.clock())
    assert again(urgent, target).state == "gone"


def test_a_hide_whose_answer_is_lost_is_asked_for_again_and_never_believed_unsaid(
    urgent: Urgent, x: XDouble, reply: str
) -> None:
    x.fault("lose", method="PUT", path=HIDES)
    (target,) = urgent.take_down(f"acme-x/{reply}", decision="hide")
    assert (target.state, len(puts(x))) == ("hidden", 2)
    x.fault("lose", method="PUT", path=HIDES, times=9)
    other = x.post_past_us("Buy more watches", "other", below=next(iter(x.posts)))
    (target,) = urgent.take_down(f"acme-x/{other}", decision="hide")
    assert (target.state, len(puts(x))) == ("unknown", 5)


def test_what_x_does_not_show_again_is_not_called_shown(urgent: Urgent, x: XDouble, reply: str) -> None:
    (target,) = urgent.take_down(f"acme-x/{reply}", decision="hide")
    x.fault("answer", method="PUT", path=HIDES, status=403, body={"detail": "no", "type": "about:blank"})
    with pytest.raises(Refusal, match="cannot say that it is undone"):
        urgent.undoing.undo(target.id, reason="it was no spam", who=WHO)
    assert again(urgent, target).state == "hidden"
    assert urgent.lines("not undone")


@pytest.mark.parametrize("decision", ["hide", "delete"])
def test_what_is_not_for_such_a_post_is_not_attempted(urgent: Urgent, x: XDouble, reply: str, decision: str) -> None:
    ours = next(iter(x.posts))
    (target,) = urgent.take_down(f"acme-x/{ours if decision == 'hide' else reply}", decision=decision)
    assert target.state == "not_attempted"
    assert ("a post of our own" if decision == "hide" else "a post of somebody else") in target.why
    assert [method for method, _ in x.changes()] == ["POST"]


@pytest.mark.parametrize("broken", ["account", "status"])
def test_nobody_hides_what_he_cannot_see_or_without_knowing_who_he_is(
    urgent: Urgent, x: XDouble, reply: str, broken: str
) -> None:
    path = "/2/users/me" if broken == "account" else f"/2/tweets/{reply}"
    x.fault("answer", method="GET", path=path, status=503, body="busy", times=99)
    (target,) = urgent.take_down(f"acme-x/{reply}", decision="hide")
    assert target.state == "not_attempted"
    assert puts(x) == []


@pytest.mark.parametrize("crashed", [False, True])
def test_a_repost_is_taken_back_and_never_what_it_shows_also_by_a_life_that_has_no_snapshot_of_it(
    urgent: Urgent, x: XDouble, crashed: bool
) -> None:
    (ours,) = urgent.parts_of(urgent.publish("The launch"))
    order = urgent.order(f"acme-x/{x.repost_past_us(ours)}")
    if crashed:  # between the intent and the request
        with urgent.database.transaction() as tx:
            tx.execute("update targets set state = 'acting', acts = 1, acted_at = 1")
    (target,) = urgent.settle(order)
    assert target.state == "gone"
    assert list(x.posts) == [ours]
    assert [path for method, path in x.changes() if method == "DELETE"] == [
        f"/2/users/{x.accounts['acme'].id}/retweets/{ours}"
    ]


def test_a_login_that_x_takes_no_more_is_the_reason_of_a_takedown_that_came_to_nothing_with_what_to_do(
    house: House, database: Database, x: XDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "makers", lambda: {"x": MAKER})
    secrets = {name: Secret(value) for name, value in x.tokens.authorise("acme").items()}
    account = replace(account_of(x), secrets=secrets)
    found = Urgent(Scene(house=house, accounts=(account,), database=database), None, found={"x": MAKER})
    post = found.publish("A bad joke")
    x.tokens.revoke("acme")
    (target,) = found.take_down(post.id)
    found.close()
    assert target.state == "unknown"
    assert "authorise the app again as @acme (docs/accounts/x.md)" in target.why
    assert x.live() == ["A bad joke"]


def put_by(urgent: Urgent, data: bytes) -> Media:
    """A film that lies in the spool."""
    kept = urgent.scene.spool.take_in([data])
    return Media(sha256=kept.sha256, type="video/mp4", size=kept.size)


def test_a_film_goes_out_when_x_has_worked_on_it_and_one_that_lasts_too_long_waits_for_a_person(
    urgent: Urgent, x: XDouble
) -> None:
    lane = urgent.scene.lane()
    post = urgent.scene.enter_parts(Part(text="Look", media=(put_by(urgent, film(30)),)), account="acme-x")
    for _ in range(20):
        lane.poll(urgent.scene.clock())
        urgent.scene.clock.off += 5_000
    assert urgent.scene.post(post).state is State.PUBLISHED
    (there,) = x.posts.values()
    assert there["attachments"]["media_keys"] == [f"13_{next(iter(x.uploads.films))}"]
    long = urgent.scene.enter_parts(
        Part(text="Look again", media=(put_by(urgent, film(20 * 60 + 1)),)), account="acme-x"
    )
    urgent.scene.poll_until(lane, lambda: urgent.scene.post(long).state is State.BLOCKED)
    assert "it lasts 1201.0 s, and 0.5 to 1200 are allowed, do cut it" in (urgent.scene.post(long).why or "")
    assert len(x.uploads.films) == 1
