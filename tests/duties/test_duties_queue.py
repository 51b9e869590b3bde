"""The queue as people use it: an import is whole or nothing, and every hand on a post obeys the law."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Illegal, Mistake, Unfound
from guardian.model import Event, Part, State
from guardian.store import posts
from guardian.store.posts import Known

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.model import Post
    from tests.duties.conftest import Scene

LATER = "2090-01-01T00:00:00Z"


def lines(*records: dict[str, object] | str) -> str:
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records)


def record(text: str = "hello", **more: object) -> dict[str, object]:
    return {"account": "acme", "at": LATER, "text": text, **more}


def counted(scene: Scene) -> int:
    with scene.database.reading() as tx:
        return int(tx.execute("select count(*) as n from posts").fetchone()["n"])


def missed(scene: Scene, *texts: str, account: str = "acme") -> list[Post]:
    found = [scene.enter(text, account=account) for text in texts]
    with scene.database.transaction() as tx:
        for post in found:
            posts.move(tx, post.id, Event.MISS, now=scene.clock())
    return found


@pytest.mark.parametrize("wrong", ["{", '{"account": "nobody", "at": "now", "text": "x"}', "[]", '"x"'])
@pytest.mark.parametrize("place", [0, 50, 100])
def test_one_wrong_line_anywhere_and_nothing_of_the_file_is_entered(scene: Scene, wrong: str, place: int) -> None:
    records: list[dict[str, object] | str] = [record(str(number)) for number in range(100)]
    records.insert(place, wrong)
    found = scene.queue.take_in(lines(*records), who="a test")
    assert found.entered == ()
    assert {one.line for one in found.wrong} == {place + 1}
    assert counted(scene) == 0
    assert scene.journal("imported") == []


def test_a_ref_that_the_store_knows_otherwise_undoes_the_whole_import(scene: Scene) -> None:
    scene.queue.take_in(lines(record("first", ref="r")), who="a test")
    found = scene.queue.take_in(lines(record("new"), record("other", ref="r"), record("new too")), who="a test")
    assert [(one.line, one.column) for one in found.wrong] == [(2, 68)]
    assert "other content" in found.wrong[0].message
    assert counted(scene) == 1


def test_an_import_repeated_enters_nothing_twice(scene: Scene) -> None:
    text = lines(*(record(f"{number}", ref=f"r{number}") for number in range(20)))
    first = scene.queue.take_in(text, who="a test")
    again = scene.queue.take_in(text, who="a test")
    assert (len(first.entered), first.known) == (20, 0)
    assert (len(again.entered), again.known) == (0, 20)
    assert counted(scene) == 20
    assert [entry.data["count"] for entry in scene.journal("imported")] == [20]


def test_a_ref_twice_in_one_file_is_counted_once_or_refused(scene: Scene) -> None:
    found = scene.queue.take_in(lines(record("a", ref="r"), record("a", ref="r")), who="a test")
    assert (len(found.entered), found.known) == (1, 1)
    found = scene.queue.take_in(lines(record("b", ref="q"), record("c", ref="q")), who="a test")
    assert [one.line for one in found.wrong] == [2]
    assert counted(scene) == 1


def test_a_record_with_empty_parts_is_not_dropped_in_silence(scene: Scene) -> None:
    for parts in ("[]", "null", '""', "0", "{}"):
        text = f'{{"account": "acme", "at": "now", "parts": {parts}}}'
        found = scene.queue.take_in(text, who="a test")
        assert found.wrong, f"nothing entered, and nothing said about {text}"
        with pytest.raises(Mistake, match="text"):
            scene.queue.add(json.loads(text), who="a test")


def test_what_had_to_be_decided_about_a_time_is_said_with_its_line(scene: Scene) -> None:
    odd = record("x", at="2030-03-31T02:30:00", zone="Europe/Stockholm")
    found = scene.queue.take_in(lines("", record(), odd), who="a test")
    assert [line for line, _ in found.notes] == [3]
    assert "does not exist in Europe/Stockholm" in found.notes[0][1]


def test_one_record_added_twice_under_a_ref_is_one_post(scene: Scene) -> None:
    first, _ = scene.queue.add(record(ref="r"), who="a test")
    second, _ = scene.queue.add(record(ref="r"), who="a test")
    assert isinstance(second, Known)
    assert second.post.id == first.post.id
    assert len(scene.journal("entered")) == 1


def test_released_posts_are_paced_for_each_account_by_itself(scene: Scene) -> None:
    ours = missed(scene, "a", "b", "c")
    theirs = missed(scene, "d", "e", account="beta")
    done = {post.id: post for post in scene.queue.release(None, gap=None, who="ann")}
    now = done[ours[0].id].at
    assert [done[post.id].at - now for post in ours] == [0, 30_000, 60_000]
    assert [done[post.id].at - now for post in theirs] == [0, 30_000]
    assert {post.state for post in done.values()} == {State.QUEUED}
    assert scene.books.sweep() == [], "released, and missed again at once"
    (told,) = scene.journal("released")
    assert (told.who, told.data["count"]) == ("ann", 5)


def test_a_release_of_some_leaves_the_others_missed(scene: Scene) -> None:
    one, other = missed(scene, "a", "b")
    scene.queue.release([one.id], gap=0, who="ann")
    assert scene.post(one).state is State.QUEUED
    assert scene.post(other).state is State.MISSED


def test_a_release_with_one_impossible_post_releases_none(scene: Scene) -> None:
    (one,) = missed(scene, "a")
    queued = scene.enter("b", at=LATER)
    for ids in ([one.id, queued.id], [one.id, "p-none"]):
        with pytest.raises((Illegal, Unfound)):
            scene.queue.release(ids, gap=0, who="ann")
        assert scene.post(one).state is State.MISSED
    assert scene.journal("released") == []


def test_releasing_a_long_night_does_not_hold_the_store_up(scene: Scene) -> None:
    with scene.database.transaction() as tx:
        for number in range(4_000):
            draft = posts.Draft(account="acme", at=1, at_text="", zone=None, part=Part(text=str(number)))
            posts.enter(tx, draft, now=1, who="a test")
    assert len(scene.books.sweep()) == 4_000
    began = time.monotonic()
    assert len(scene.queue.release(None, gap=1, who="ann")) == 4_000
    assert time.monotonic() - began < 5


LAWFUL = {
    State.QUEUED: {"reschedule", "cancel"},
    State.MISSED: {"release", "reschedule", "cancel"},
    State.UNKNOWN: {"cancel"},
    State.CLAIMED: set(),
    State.SENDING: set(),
    State.PUBLISHED: set(),
    State.CANCELLED: set(),
    State.REFUSED: {"reschedule"},
    State.BLOCKED: {"reschedule", "cancel"},
}
WAY = {
    State.QUEUED: (),
    State.MISSED: (Event.MISS,),
    State.CLAIMED: (Event.CLAIM,),
    State.BLOCKED: (Event.CLAIM, Event.BLOCK),
    State.SENDING: (Event.CLAIM, Event.INTEND),
    State.UNKNOWN: (Event.CLAIM, Event.INTEND, Event.LOSE),
    State.REFUSED: (Event.CLAIM, Event.INTEND, Event.REFUSE),
    State.PUBLISHED: (Event.CLAIM, Event.INTEND, Event.LANDED),
    State.CANCELLED: (Event.CANCEL,),
}


@pytest.mark.parametrize("state", LAWFUL)
@pytest.mark.parametrize("act", ["release", "reschedule", "cancel"])
def test_a_persons_hand_obeys_the_law_and_a_refusal_changes_nothing(scene: Scene, state: State, act: str) -> None:
    post = scene.enter(at=LATER)
    with scene.database.transaction() as tx:
        for event in WAY[state]:
            if event is Event.LANDED:
                posts.land(tx, post.id, platform_id="1", url=None, now=1)
            else:
                posts.move(tx, post.id, event, now=1)
    before = scene.post(post)
    acts: dict[str, Callable[[], object]] = {
        "release": lambda: scene.queue.release([post.id], gap=0, who="ann"),
        "reschedule": lambda: scene.queue.reschedule(post.id, at="2091-01-01T00:00:00Z", zone=None, who="ann"),
        "cancel": lambda: scene.queue.cancel(post.id, who="ann"),
    }
    if act not in LAWFUL[state]:
        with pytest.raises(Illegal):
            acts[act]()
        assert scene.post(post) == before
        return
    acts[act]()
    assert scene.post(post).state is (State.CANCELLED if act == "cancel" else State.QUEUED)


def test_a_post_rescheduled_is_due_at_its_new_time_and_not_missed_for_its_old_one(scene: Scene) -> None:
    (post,) = missed(scene, "a")
    scene.queue.reschedule(post.id, at="now", zone=None, who="ann")
    assert scene.books.sweep() == []
    with pytest.raises(Mistake):
        scene.queue.reschedule(post.id, at="soon", zone=None, who="ann")
    with pytest.raises(Unfound):
        scene.queue.reschedule("p-none", at="now", zone=None, who="ann")
    (told,) = scene.journal("rescheduled")
    assert told.data["post"] == post.id


def test_a_cancelled_post_says_who_cancelled_it(scene: Scene) -> None:
    post = scene.enter(at=LATER)
    scene.queue.cancel(post.id, who="ann")
    assert scene.post(post).why == "cancelled by ann"
    (told,) = scene.journal("cancelled")
    assert told.data["was"] == "queued"


def test_a_post_is_rescheduled_in_the_zone_that_it_was_entered_with(scene: Scene) -> None:
    wall = {"account": "acme", "at": "2090-01-04T09:00:00", "zone": "Asia/Tokyo", "text": "x"}
    entered, _ = scene.queue.add(wall, who="a test")
    moved, _ = scene.queue.reschedule(entered.post.id, at="2090-01-05T09:00:00", zone=None, who="a test")
    assert moved.at - entered.post.at == 24 * 3_600_000
