"""Holding and letting go: what is held never goes out, nothing goes out in the instant of the unhold, deny wins."""

from __future__ import annotations

import random
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from guardian.duties import choosing
from guardian.errors import Doubt, Illegal, Unfound
from guardian.model import Event, Part, State
from guardian.rules.shifting import To, read_shift
from guardian.store import attempts, holds, journal, listing, posts
from guardian.store.listing import Filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.model import Post
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

    Sent = Callable[[], list[Request]]

LATER = "2090-01-01T00:00:00Z"
HOUR = 3_600_000


def held_by(scene: Scene, post: Post) -> str | None:
    with scene.database.reading() as tx:
        return listing.held_by(tx, post.id)


def thread(scene: Scene, *texts: str, **more: object) -> Post:
    """A post of several parts, as an import would enter it."""
    words: dict[str, object] = {"account": "acme", "at": scene.clock(), "at_text": "now", "zone": None, **more}
    draft = posts.Draft(part=Part(text=texts[0]), tail=tuple(Part(text=one) for one in texts[1:]), **words)  # type: ignore[arg-type]
    with scene.database.transaction() as tx:
        return posts.enter(tx, draft, now=scene.clock(), who="a test").post


def land(scene: Scene, post: Post, name: str) -> None:
    with scene.database.transaction() as tx:
        posts.move(tx, post.id, Event.CLAIM, now=scene.clock())
        attempt = attempts.begin(tx, posts.get(tx, post.id), key=name, now=scene.clock())
        posts.move(tx, post.id, Event.INTEND, now=scene.clock())
        posts.land(tx, post.id, platform_id=name, url=None, now=scene.clock())
        attempts.end(tx, attempt, outcome="landed", detail=name, now=scene.clock())


def test_a_held_post_does_not_go_out_and_is_missed_for_that_reason(scene: Scene, sent: Sent) -> None:
    held, free = scene.enter("held"), scene.enter("free")
    found = scene.keeping.hold([held.id], reason="wait", who="ann")
    assert [hold.post for hold in found.placed] == [held.id]
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(free).state is State.PUBLISHED)
    lane.poll(scene.clock())
    assert scene.post(held).state is State.QUEUED
    assert scene.books.sweep() == [held.id]
    assert scene.post(held).why == "its time passed while it was on hold"
    assert len(sent()) == 1


def test_a_post_entered_later_with_a_held_tag_is_held_at_once(scene: Scene, sent: Sent) -> None:
    found = scene.keeping.hold_tag("launch", reason="", who="ann")
    assert found.waiting == 0
    late, other = scene.enter("late", tags=["x", "launch"]), scene.enter("other", tags=["launch2"])
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(other).state is State.PUBLISHED)
    assert scene.post(late).state is State.QUEUED
    assert held_by(scene, late) == found.placed[0].id
    assert len(sent()) == 1


def test_a_second_hold_joins_the_first_whose_words_stand(scene: Scene) -> None:
    post = scene.enter(at=LATER)
    first = scene.keeping.hold([post.id], reason="the first word", who="ann").placed[0]
    again = scene.keeping.hold([post.id, post.id], reason="another", who="bob")
    assert (again.placed, again.joined) == ([], [first])
    tag = scene.keeping.hold_tag("t", reason="", who="ann").placed[0]
    assert scene.keeping.hold_tag("t", reason="", who="bob").joined == [tag]
    assert len(scene.journal("held")) == 2
    assert (scene.journal("held")[0].who, scene.journal("held")[0].data["reason"]) == ("ann", "the first word")


def test_nothing_goes_out_in_the_instant_of_the_unhold(scene: Scene, sent: Sent) -> None:
    due, later = scene.enter("due"), scene.enter("later", at=LATER)
    scene.keeping.hold([due.id, later.id], reason="", who="ann")
    lifted = scene.keeping.unhold([due.id, later.id], who="bob")
    assert len(lifted.lifted) == 2
    assert lifted.missed == [due.id], "its time passed on hold, and nobody was told"
    scene.lane().poll(scene.clock())
    assert sent() == []
    assert scene.post(later).state is State.QUEUED
    (told,) = scene.journal("unheld")
    assert (told.who, told.data["count"]) == ("bob", 2)


def test_an_unhold_of_a_tag_misses_what_fell_due_too(scene: Scene, sent: Sent) -> None:
    scene.keeping.hold_tag("t", reason="", who="ann")
    post = scene.enter(tags=["t"])
    assert scene.keeping.unhold_tag("t", who="ann").missed == [post.id]
    assert scene.keeping.unhold_tag("t", who="ann").lifted == []
    scene.lane().poll(scene.clock())
    assert sent() == []


def test_a_post_that_two_holds_cover_waits_for_both(scene: Scene) -> None:
    post = scene.enter(at=LATER, tags=["t"])
    tag = scene.keeping.hold_tag("t", reason="", who="ann").placed[0]
    scene.keeping.hold([post.id], reason="", who="ann")
    assert scene.keeping.unhold([post.id], who="ann").still == [tag]
    assert held_by(scene, post) == tag.id
    scene.keeping.unhold_tag("t", who="ann")
    assert held_by(scene, post) is None


@pytest.mark.parametrize("thaw_first", [True, False])
def test_a_freeze_and_a_hold_are_each_lifted_on_their_own(scene: Scene, *, thaw_first: bool) -> None:
    post = scene.enter(at=LATER)
    hold = scene.keeping.hold([post.id], reason="", who="ann").placed[0]
    scene.stop("all")
    scene.books.adopt()
    freeze = scene.freezes()[0]
    assert held_by(scene, post) == freeze.id
    if thaw_first:
        scene.books.thaw(["all"], reason="over", by="ann")
        assert held_by(scene, post) == hold.id
        scene.keeping.unhold([post.id], who="ann")
    else:
        scene.keeping.unhold([post.id], who="ann")
        assert held_by(scene, post) == freeze.id
        scene.books.thaw(["all"], reason="over", by="ann")
    assert held_by(scene, post) is None


def test_an_unknown_id_among_others_and_nothing_is_held_or_lifted(scene: Scene) -> None:
    post = scene.enter(at=LATER)
    with pytest.raises(Unfound):
        scene.keeping.hold([post.id, "p-none"], reason="", who="ann")
    assert held_by(scene, post) is None
    scene.keeping.hold([post.id], reason="", who="ann")
    with pytest.raises(Unfound):
        scene.keeping.unhold([post.id, "p-none"], who="ann")
    assert held_by(scene, post) is not None


def test_a_hold_on_what_is_on_its_way_says_that_it_comes_too_late(scene: Scene) -> None:
    on_its_way, out = scene.enter("on its way"), scene.enter("out")
    land(scene, out, "1")
    with scene.database.transaction() as tx:
        posts.move(tx, on_its_way.id, Event.CLAIM, now=1)
    found = scene.keeping.hold([on_its_way.id, out.id], reason="", who="ann")
    assert [(one.id, one.state) for one in found.too_late] == [
        (on_its_way.id, State.CLAIMED),
        (out.id, State.PUBLISHED),
    ]
    assert [hold.post for hold in found.placed] == [on_its_way.id], "a hold on what is out holds nothing"


def test_the_rest_of_a_thread_is_held_and_its_release_goes_on_under_the_right_parent(scene: Scene, sent: Sent) -> None:
    post = thread(scene, "one", "two", "three")
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(post).live >= 1)
    live = scene.post(post).live
    scene.keeping.hold([post.id], reason="", who="ann")
    lane.poll(scene.clock())
    now_live = scene.post(post).live
    assert scene.books.sweep() == [post.id] or now_live == 3
    assert live == now_live < 3
    assert f"{live} of 3 parts are live" in str(scene.post(post).why)
    with pytest.raises(Illegal, match="on hold"):
        scene.deciding.release([post.id], gap=0, who="ann")
    scene.keeping.unhold([post.id], who="ann")
    scene.deciding.release([post.id], gap=30_000, who="ann")
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    assert len(sent()) == 3, "a part went out twice, or the parts of a released thread were paced"
    out = scene.post(post)
    with scene.database.reading() as tx:
        names = [name for name, _ in posts.live_parts(tx, out)]
    assert len(set(names)) == 3


def test_what_is_on_hold_is_not_released_and_the_error_says_how_to_let_it_go(scene: Scene) -> None:
    one, other = scene.enter("a"), scene.enter("b", tags=["t"])
    scene.keeping.hold_tag("t", reason="the date moves", who="ann")
    scene.keeping.hold([one.id], reason="", who="ann")
    scene.books.sweep()
    for post, fix in ((one, f"guardian queue unhold {one.id}"), (other, "guardian queue unhold --tag t")):
        with pytest.raises(Illegal, match="on hold") as said:
            scene.deciding.release([post.id], gap=0, who="ann")
        assert said.value.fix == fix
    done = scene.deciding.release(Filter(), gap=0, who="ann")
    assert done.posts == []
    assert {post.id for post in done.left} == {one.id, other.id}


def test_a_post_on_hold_gets_a_new_time_and_stays_on_hold(scene: Scene) -> None:
    post = scene.enter()
    hold = scene.keeping.hold([post.id], reason="", who="ann").placed[0]
    scene.books.sweep()
    scene.deciding.reschedule([post.id], To(LATER), who="ann")
    assert scene.post(post).state is State.QUEUED
    assert held_by(scene, post) == hold.id


def test_no_hold_is_lifted_by_a_clock_in_doubt(scene: Scene) -> None:
    post = scene.enter()
    scene.keeping.hold([post.id], reason="", who="ann")
    scene.keeping.clock_is_right = lambda: False
    with pytest.raises(Doubt, match="clock"):
        scene.keeping.unhold([post.id], who="ann")
    assert held_by(scene, post) is not None


def test_every_hold_is_lifted_at_once_only_when_that_is_said(scene: Scene) -> None:
    one, other = scene.enter(at=LATER), scene.enter(at=LATER, account="beta")
    scene.keeping.hold(Filter(), reason="", who="ann")
    tag = scene.keeping.hold_tag("t", reason="", who="ann").placed[0]
    assert [hold.post for hold in scene.keeping.unhold(Filter(account="beta"), who="ann").lifted] == [other.id]
    scene.keeping.unhold(Filter(), who="ann", tags=True)
    with scene.database.reading() as tx:
        assert holds.in_force(tx, limit=9) == ([], 0)
    assert held_by(scene, one) is None
    assert tag.tag == "t"


def many_due(scene: Scene) -> list[Post]:
    """240 posts of two accounts, forty tags among them."""
    found = []
    with scene.database.transaction() as tx:
        for number in range(240):
            tags, account = (f"t{number % 40}",), ("acme", "beta")[number % 2]
            words = {"account": account, "at": scene.clock(), "at_text": "", "zone": None, "tags": tags}
            draft = posts.Draft(part=Part(text=str(number)), **words)  # type: ignore[arg-type]
            found.append(posts.enter(tx, draft, now=scene.clock(), who="a test").post)
    return found


def test_after_hold_has_answered_nothing_that_was_queued_is_ever_taken(scene: Scene) -> None:
    """Lanes claim while people hold posts and tags: what hold has answered for, and was not taken yet, never is."""
    with scene.database.transaction() as tx:
        wanted = []
        for number in range(240):
            draft = posts.Draft(
                account=("acme", "beta")[number % 2], at=scene.clock(), at_text="", zone=None,
                part=Part(text=str(number)), tags=(f"t{number % 40}",),
            )  # fmt: skip
            wanted.append(posts.enter(tx, draft, now=scene.clock(), who="a test").post)
    taken: dict[str, float] = {}
    ended = threading.Event()

    def lane(account: str) -> None:
        while not ended.is_set():
            with scene.database.transaction() as tx:
                got = posts.claim(tx, account, now=scene.clock(), late_after=HOUR)
            if got is not None:
                taken[got.id] = time.monotonic()

    lanes = [threading.Thread(target=lane, args=(account,)) for account in ("acme", "beta")]
    chosen = random.Random(7)  # noqa: S311 (a test that can be repeated)
    safe: set[str] = set()
    for one in lanes:
        one.start()
    for _ in range(15):
        mine = {post.id for post in chosen.sample(wanted, 5)}
        late = {post.id for post in scene.keeping.hold(sorted(mine), reason="", who="ann").too_late}
        tag = f"t{chosen.randrange(40)}"
        late |= {post.id for post in scene.keeping.hold_tag(tag, reason="", who="ann").too_late}
        safe |= (mine | {post.id for post in wanted if tag in post.tags}) - late
    time.sleep(0.1)
    ended.set()
    for one in lanes:
        one.join(10)
    assert taken, "nothing was taken: the race was none"
    assert safe, "everything was taken before it was held: the race was none"
    assert not safe & set(taken)


def sends(scene: Scene, name: str, now: int) -> Post | None:
    """What a lane with nothing in its way sends at this moment."""
    with scene.database.transaction() as tx:
        got = posts.claim(tx, name, now=now, late_after=HOUR)
        if got is None:
            return None
        attempt = attempts.begin(tx, got, key=got.id, now=now)
        posts.move(tx, got.id, Event.INTEND, now=now)
        posts.land(tx, got.id, platform_id=got.id, url=None, now=now)
        attempts.end(tx, attempt, outcome="landed", detail=None, now=now)
    return got


def a_night_missed(scene: Scene, names: tuple[str, ...], start: int) -> None:
    """A hundred missed posts of each account; one of them also has ordinary ones, every 45 seconds."""
    with scene.database.transaction() as tx:
        for number in range(300):
            draft = posts.Draft(account=names[number % 3], at=1, at_text="", zone=None, part=Part(text=f"r{number}"))
            posts.move(tx, posts.enter(tx, draft, now=1, who="a test").post.id, Event.MISS, now=1)
        for number in range(60):
            at = start + 7_000 + number * 45_000
            draft = posts.Draft(account="acme", at=at, at_text="", zone=None, part=Part(text=f"n{number}"))
            posts.enter(tx, draft, now=start, who="a test")


def test_three_hundred_missed_posts_of_three_accounts_go_out_one_per_gap_among_the_others(scene: Scene) -> None:
    """By a clock of this test: released ones a gap apart, ordinary ones in time, also after five minutes of outage."""
    gap, start, names = 30_000, scene.clock(), ("acme", "beta", "acme2")
    a_night_missed(scene, names, start)
    released = {post.id for post in scene.deciding.release(Filter(), gap=gap, who="ann").posts}
    assert len(released) == 300
    down = range(start + 20 * gap, start + 30 * gap)
    moments = [now for now in range(start + 1_000, start + 101 * gap, 2_500) if now not in down]
    out = [(name, now, got) for now in moments for name in names if (got := sends(scene, name, now)) is not None]
    for name in names:
        times = [now for mine, now, got in out if mine == name and got.id in released]
        assert len(times) >= 88
        assert min(after - before for before, after in pairwise(times)) >= gap
    around = range(down.start - gap, down.stop + 2 * gap)
    ordinary = [now - got.at for _, now, got in out if got.id not in released and got.at not in around]
    assert len(ordinary) > 40
    late = [by for by in ordinary if by > 10_000]
    assert late == [], "an ordinary post had to wait behind the released ones"


def test_a_second_release_goes_on_after_the_first_and_no_gap_jumps_the_line(scene: Scene) -> None:
    found = [scene.enter(str(number)) for number in range(5)]
    with scene.database.transaction() as tx:
        for post in found:
            posts.move(tx, post.id, Event.MISS, now=scene.clock())
    first = scene.deciding.release([found[0].id, found[1].id], gap=30_000, who="ann").posts
    second = scene.deciding.release([found[2].id, found[3].id], gap=30_000, who="ann").posts
    assert [post.at - first[0].at for post in (*first, *second)] == [0, 30_000, 60_000, 90_000]
    urgent = scene.deciding.release([found[4].id], gap=0, who="ann").posts[0]
    assert urgent.at <= scene.clock()


def test_a_selection_moves_whole_or_not_at_all(scene: Scene) -> None:
    soon = scene.enter("soon", at="2090-01-01T01:00:00Z", tags=["t"])
    later = scene.enter("later", at="2090-06-01T00:00:00Z", tags=["t"])
    near = scene.enter("near", tags=["u"])
    done = scene.deciding.reschedule(Filter(tag="t"), read_shift("+2h"), who="ann").posts
    assert [post.at for post in done] == [soon.at + 2 * HOUR, later.at + 2 * HOUR]
    with pytest.raises(Exception, match=near.id):
        scene.deciding.reschedule([later.id, near.id], read_shift("-1d"), who="ann")
    assert scene.post(later).at == later.at + 2 * HOUR
    assert len(scene.journal("rescheduled")) == 1


def test_what_was_not_shown_is_not_changed(scene: Scene) -> None:
    scene.enter(at=LATER)
    with scene.database.reading() as tx:
        mark = choosing.choose(tx, choosing.CANCEL, Filter(account="acme")).mark
    other = scene.enter("came meanwhile", at=LATER)
    with pytest.raises(Illegal, match="other posts fit now"):
        scene.deciding.cancel(Filter(account="acme"), who="ann", shown=mark)
    assert scene.post(other).state is State.QUEUED


def test_the_journal_tells_of_every_post_of_a_bulk_line(scene: Scene) -> None:
    text = "\n".join(f'{{"account": "acme", "at": "{LATER}", "text": "{number}"}}' for number in range(700))
    ids = scene.queue.take_in(text, who="ann").entered
    scene.keeping.hold(Filter(), reason="", who="bob")
    with scene.database.reading() as tx:
        for post in (ids[0], ids[-1]):
            lines, in_all = journal.of_post(tx, post, limit=10)
            assert [(line.kind, line.who) for line in lines] == [("imported", "ann"), ("held", "bob")]
            assert in_all == 2


def test_what_a_restore_has_put_on_hold_is_let_go_alone_and_misses_what_fell_due(scene: Scene, sent: Sent) -> None:
    due, later, own = scene.enter("due"), scene.enter("later", at=LATER), scene.enter("own", at=LATER)
    scene.keeping.hold([own.id], reason="the date moves", who="ann")
    with scene.database.transaction() as tx:
        assert holds.hold_what_waits(tx, reason="it may have been sent", now=scene.clock()) == 2
    found = scene.keeping.unhold_restored(who="bob")
    assert sorted(str(hold.post) for hold in found.lifted) == sorted([due.id, later.id])
    assert found.missed == [due.id]
    assert held_by(scene, own) is not None
    assert held_by(scene, later) is None
    assert not sent()
    assert scene.keeping.unhold_restored(who="bob").lifted == []
