"""One post on many networks: a variant for each account, written by people. A retry touches only what failed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from guardian.cli import exporting
from guardian.daemon import documents
from guardian.errors import Mistake
from guardian.model import State
from guardian.rules.shifting import To
from guardian.store import listing, posts
from guardian.store.listing import Filter
from tests.duties.test_duties_importing import LATER, counted, entered, importing, meddled, plan, record, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.model import Post
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene
    from tests.duties.urgent import Urgent

    Sent = Callable[[], list[Request]]

LAUNCH = Filter(campaign="launch")


def variant(scene: Scene, text: str, account: str = "acme", **more: object) -> Post:
    return scene.enter(text, account=account, campaign="launch", **more)


def published(urgent: Urgent, text: str, account: int = 0, campaign: str = "launch") -> Post:
    scene = urgent.scene
    post = scene.enter(text, account=scene.accounts[account].name, campaign=campaign)
    lane = scene.lane(account=scene.accounts[account])
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED)
    return scene.post(post)


def test_the_same_file_twice_enters_no_second_variant_also_without_refs(scene: Scene) -> None:
    lines = written(record("a", campaign="launch"), record("b", account="beta", campaign="launch"), record("c"))
    assert importing(scene).take_in(plan(lines), who="ann").count == 3
    again = importing(scene).take_in(plan(lines), who="ann")
    first, second, _ = entered(scene.database)
    assert [(one.line, one.column) for one in again.wrong] == [
        (nr, lines.decode().splitlines()[nr - 1].index('"campaign"') + 1) for nr in (1, 2)
    ]
    assert f"because {first.id} is its variant for acme at the same time, do give it" in again.wrong[0].message
    assert second.id in again.wrong[1].message
    assert counted(scene.database) == 3


def test_the_same_file_twice_with_refs_is_known_and_nothing_is_said_against_it(scene: Scene) -> None:
    lines = written(record("a", campaign="launch", ref="1"), record("b", account="beta", campaign="launch", ref="1"))
    assert importing(scene).take_in(plan(lines), who="ann").count == 2
    again = importing(scene).take_in(plan(lines + lines), who="ann")
    assert (again.count, again.known, again.wrong) == (0, 4, ())
    other = importing(scene).take_in(plan(written(record("a", campaign="autumn", ref="1"))), who="ann")
    assert ["other content" in one.message for one in other.wrong] == [True]


def test_two_lines_of_a_table_for_the_same_account_at_the_same_time_are_one_too_many(scene: Scene) -> None:
    table = f"account,at,text,campaign\nacme,{LATER},a,launch\nbeta,{LATER},b,launch\nacme,{LATER},c, launch \n"
    found = importing(scene).take_in(plan(table.encode(), form="csv"), who="ann")
    (wrong,) = found.wrong
    assert (wrong.line, wrong.column) == (4, 4)
    assert "because line 2 is its variant for acme at the same time" in wrong.message
    assert counted(scene.database) == 0


def test_a_variant_that_somebody_enters_between_the_check_and_the_entry_is_not_doubled(scene: Scene) -> None:
    one = record("mine", campaign="launch")
    found = meddled(scene, written(record("x"), one), lambda: scene.queue.add({**one, "text": "theirs"}, who="bob"))
    assert [(wrong.line, "by now" in wrong.message) for wrong in found.wrong] == [(2, True)]
    assert [post.part.text for post in entered(scene.database)] == ["theirs"]
    known = record("mine", campaign="autumn", ref="r")
    found = meddled(scene, written(known, record("y")), lambda: scene.queue.add(known, who="bob"))
    assert (found.count, found.known, found.wrong) == (1, 1, ())


@pytest.mark.parametrize(
    "name", ["", " ", " launch", "launch ", "la\nunch", "la\u202eunch", "la\u200bunch", "x" * 101, 7]
)
def test_a_name_that_looks_like_another_is_no_name(scene: Scene, name: object) -> None:
    with pytest.raises(Mistake, match="cannot use 'campaign'"):
        scene.enter("hello", campaign=name)
    assert counted(scene.database) == 0


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_campaign_comes_out_as_it_went_in(scene: Scene, form: str) -> None:
    names = ["launch", 'spring, summer; "autumn"', "=1+1", "höst 2031 🎉", "x" * 100, None]
    lines = [record(str(nr), **({} if name is None else {"campaign": name})) for nr, name in enumerate(names)]
    assert importing(scene).take_in(plan(written(*lines)), who="ann").wrong == ()
    out = io.StringIO(newline="")
    with scene.database.reading() as tx:
        rows, _ = listing.page(tx, Filter(), cursor=None, limit=100)
        assert sum(exporting._as_lines((documents.record(posts.to_post(row)) for row in rows), None, form, out)) == 6
    scene.deciding.cancel(Filter(), who="ann")  # makes room for the same once more
    again = importing(scene).take_in(plan(out.getvalue().encode(), form=form), who="ann")
    assert (again.count, again.wrong) == (6, ())
    assert [post.campaign for post in entered(scene.database)[6:]] == names


def test_a_retry_touches_only_what_failed(scene: Scene, platform: RehearsalPlatform, sent: Sent) -> None:
    fine, no = variant(scene, "said well"), variant(scene, "said badly", "beta")
    lost = variant(scene, "said and not heard", at=LATER)
    lanes = [scene.lane(account=account) for account in scene.accounts]
    platform.fault("status", status=422, account="beta")
    for lane in lanes:
        lane.poll(scene.clock())
    assert [scene.post(post).state for post in (fine, no, lost)] == [State.PUBLISHED, State.REFUSED, State.QUEUED]
    before = len(sent())
    wanted = Filter(campaign="launch", states=(State.REFUSED,))
    done = scene.deciding.reschedule(wanted, To("now", None), who="ann")
    assert [post.id for post in done.posts] == [no.id]
    for lane in lanes:
        lane.poll(scene.clock())
    assert [scene.post(post).state for post in (fine, no, lost)] == [State.PUBLISHED, State.PUBLISHED, State.QUEUED]
    assert len(sent()) == before + 1
    assert sorted(one["text"] for one in platform.posts()) == ["said badly", "said well"]


def test_what_is_out_or_may_be_is_never_sent_again_by_a_retry(
    scene: Scene, platform: RehearsalPlatform, sent: Sent
) -> None:
    out, maybe = variant(scene, "out"), variant(scene, "maybe out", "beta")
    platform.fault("lose", account="beta")
    lanes = [scene.lane(account=account, answer_within=0.3) for account in scene.accounts]
    for lane in lanes:
        lane.poll(scene.clock())
    assert [scene.post(post).state for post in (out, maybe)] == [State.PUBLISHED, State.UNKNOWN]
    before = len(sent())
    for state in (State.PUBLISHED, State.UNKNOWN):
        with pytest.raises(Mistake, match=f"cannot reschedule what is {state}, because that is never allowed"):
            scene.deciding.reschedule(Filter(campaign="launch", states=(state,)), To("now", None), who="ann")
    assert scene.deciding.reschedule(LAUNCH, To("now", None), who="ann").posts == []
    assert scene.deciding.release(LAUNCH, gap=0, who="ann").posts == []
    assert len(sent()) == before


def test_a_campaign_is_held_and_let_go_and_cancelled_as_a_whole_and_nothing_beside_it(scene: Scene) -> None:
    mine = {variant(scene, "a", at=LATER).id, variant(scene, "b", "beta", at=LATER).id}
    other = scene.enter("of none", at=LATER)
    held = scene.keeping.hold(LAUNCH, reason="the date moves", who="ann")
    assert {hold.post for hold in held.placed} == mine
    assert {hold.post for hold in scene.keeping.unhold(LAUNCH, who="ann").lifted} == mine
    assert {post.id for post in scene.deciding.cancel(LAUNCH, who="ann").posts} == mine
    assert scene.post(other).state is State.QUEUED
    with pytest.raises(Mistake, match="cannot find the campaign 'lanch'"):
        scene.keeping.hold(Filter(campaign="lanch"), reason="", who="ann")


def test_the_live_variants_of_a_campaign_are_offered_with_the_one_that_is_taken_down(urgent: Urgent) -> None:
    bad, worse = published(urgent, "a bad joke"), published(urgent, "the same joke, longer", 1)
    published(urgent, "a good joke", 1, campaign="autumn")
    order = urgent.order(bad.id)
    (offered,) = urgent.document(order)["siblings"]
    assert (offered["post"], offered["account"], offered["why"]) == (worse.id, "beta", "the same campaign")
    assert offered["url"] == worse.url
    urgent.settle(order)
    assert urgent.scene.post(worse).state is State.PUBLISHED


def test_with_its_siblings_every_live_variant_comes_down_and_is_offered_no_more(urgent: Urgent) -> None:
    bad, worse = published(urgent, "a bad joke"), published(urgent, "the same joke, longer", 1)
    other = published(urgent, "a good joke", 1, campaign="autumn")
    order = urgent.order(bad.id, siblings=True)
    assert {(one.post, one.state) for one in urgent.settle(order)} == {(bad.id, "gone"), (worse.id, "gone")}
    assert urgent.scene.post(other).state is State.PUBLISHED
    assert urgent.document(order)["siblings"] == []
    assert urgent.document(order)["waiting"] == []


def test_every_live_part_of_a_variant_that_is_a_thread_is_offered(urgent: Urgent) -> None:
    scene = urgent.scene
    raw = {"account": "beta", "at": "now", "parts": [{"text": "one"}, {"text": "two"}], "campaign": "launch"}
    thread = scene.queue.add(raw, who="a test")[0].post
    lane = scene.lane(account=scene.accounts[1])
    scene.poll_until(lane, lambda: scene.post(thread).state is State.PUBLISHED)
    bad = published(urgent, "a bad joke")
    offered = urgent.document(urgent.order(bad.id))["siblings"]
    assert [(one["ref"], one["why"]) for one in offered] == [
        (f"beta/{name}", "the same campaign") for name in urgent.parts_of(scene.post(thread))
    ]


def test_variants_that_are_still_to_go_out_are_told_with_a_takedown_and_not_forgotten(urgent: Urgent) -> None:
    bad = published(urgent, "a bad joke")
    variant(urgent.scene, "the joke again", "beta", at=LATER)
    variant(urgent.scene, "and again", at=LATER)
    urgent.scene.enter("of none", at=LATER)
    document = urgent.document(urgent.order(bad.id))
    assert document["waiting"] == [{"campaign": "launch", "posts": 2}]
    assert document["siblings"] == []
