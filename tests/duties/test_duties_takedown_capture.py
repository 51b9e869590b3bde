"""The proof of a post: what the policies mean, what a bundle holds of a silent platform, how long it may take."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from guardian.store.queries import Q
from tests.duties.urgent import READING, Urgent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.conftest import Scene

OF_THE_POST = r"/api/v1/statuses/.*"
EVERYTHING = r"/.*"


@pytest.fixture
def hasty(scene: Scene, platform: RehearsalPlatform) -> Iterator[Urgent]:
    """A proof may keep nothing waiting for more than half a second."""
    found = Urgent(scene, platform, within=500)
    yield found
    found.close()


def test_whoever_requires_the_proof_gets_no_deletion_without_it(urgent: Urgent, platform: RehearsalPlatform) -> None:
    post = urgent.publish()
    order = urgent.order(post.id, capture="require")
    platform.fault("status", path=EVERYTHING, status=503, **READING)
    (target,) = urgent.settle(order)
    assert (target.state, target.grade) == ("not_attempted", "publish-copy-only")
    assert "requires it whole" in target.why
    assert urgent.asked("DELETE") == []
    assert urgent.document(order)["complete"] is False


def test_whoever_requires_the_proof_and_has_it_whole_gets_the_deletion(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id, capture="require")
    assert (target.state, target.grade) == ("gone", "complete")


def test_a_platform_whose_reading_is_down_keeps_nothing_up_and_our_own_copy_is_the_proof(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    picture = urgent.scene.picture("a loaf of bread")
    post = urgent.publish("a bad joke about bread", media=(picture,))
    order = urgent.order(post.id)
    platform.fault("status", path=EVERYTHING, status=503, **READING)
    urgent.once()
    (request,) = urgent.asked("DELETE")
    assert request["status"] == 200
    platform.clear_faults()
    (target,) = urgent.settle(order)
    assert (target.state, target.grade) == ("gone", "publish-copy-only")
    bundle = urgent.sealed(target)
    published = json.loads((bundle / "publish/record.json").read_text("utf-8"))
    assert (published["text"], published["media"][0]["alt"]) == ("a bad joke about bread", "a loaf of bread")
    (file,) = [path for path in (bundle / "publish").iterdir() if path.suffix == ".png"]
    assert file.read_bytes() == urgent.scene.spool.read(picture.sha256)


@pytest.mark.parametrize(
    ("broken", "grade"), [(r"/api/v1/statuses/\d+/history", "partial"), (EVERYTHING, "publish-copy-only")]
)
def test_what_a_proof_is_worth_is_said_by_what_is_lacking(
    urgent: Urgent, platform: RehearsalPlatform, broken: str, grade: str
) -> None:
    order = urgent.order(urgent.publish().id, decision="keep")
    platform.fault("status", path=broken, status=503, **READING)
    (target,) = urgent.settle(order)
    assert target.grade == grade
    assert "503" in str(urgent.lines("snapshot sealed")[0]["missing"])
    urgent.sealed(target)


def test_a_post_of_which_nothing_is_known_has_an_empty_proof_and_that_is_said(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    platform.fault("status", path=EVERYTHING, status=503, **READING)
    (target,) = urgent.take_down("acme/1234", decision="keep")
    assert (target.state, target.grade) == ("kept", "none")
    urgent.sealed(target)


def test_a_damaged_record_of_ours_keeps_no_post_up(urgent: Urgent) -> None:
    post = urgent.publish()
    with urgent.database.transaction() as tx:
        tx.execute("update publications set record = x'00'")
    (target,) = urgent.take_down(post.id)
    assert (target.state, target.grade) == ("gone", "complete")


def test_a_disk_without_room_keeps_no_post_up_unless_the_proof_is_required(urgent: Urgent) -> None:
    first, second = urgent.publish("one"), urgent.publish("two")
    urgent.shelf.root.rename(urgent.shelf.root.with_name("elsewhere"))
    urgent.shelf.root.write_text("in the way")
    assert urgent.take_down(first.id)[0].state == "gone"
    assert urgent.take_down(second.id, capture="require")[0].state == "not_attempted"
    (line,) = [one for one in urgent.entries("no snapshot") if one.data["policy"] == "best-effort"]
    assert line.data["why"] == "no snapshot could be made"


@pytest.mark.parametrize("fault", ["trickle", "trickle_body", "stall", "stall_body"])
def test_a_platform_that_never_ends_its_answers_cannot_keep_a_post_up(
    hasty: Urgent, platform: RehearsalPlatform, fault: str
) -> None:
    post = hasty.publish()
    platform.fault(fault, path=EVERYTHING, seconds=60.0, **READING)
    began = time.monotonic_ns()
    order = hasty.order(post.id)
    hasty.once()
    (request,) = hasty.asked("DELETE")
    waited = (request["first_byte"] - began) / 1e9
    assert waited < 30.0, "one byte in a minute: an answer would have taken hours"
    assert hasty.targets(order)[0].grade == "publish-copy-only"


def test_what_waits_for_its_turn_still_has_its_whole_time_for_its_proof(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    posts = [urgent.publish(f"joke {nr}") for nr in range(9)]
    platform.fault("delay", path=r"/api/v1/statuses/\d+", seconds=0.2, times=None, method="*")
    targets = urgent.take_down(*(post.id for post in posts))
    assert {target.state for target in targets} == {"gone"}
    assert [target.grade for target in targets] == ["complete"] * 9


def test_proofs_that_come_slowly_do_not_starve_the_first_deletion(hasty: Urgent, platform: RehearsalPlatform) -> None:
    posts = [hasty.publish(f"joke {nr}") for nr in range(12)]
    platform.fault("stall", path=OF_THE_POST, seconds=60.0, **READING)
    hasty.order(*(post.id for post in posts))
    hasty.takedowns.poll(hasty.clock())
    hasty.wait(lambda: bool(hasty.asked("DELETE")))
    with hasty.database.reading() as tx:
        waiting = [row for row in Q.targets_open(tx, account="acme") if row["state"] == "ordered"]
    assert len(waiting) >= 7, "the first deletion waited for the proof of the others"
    platform.clear_faults()


def test_other_peoples_words_are_kept_only_where_somebody_asked_for_them(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish()
    platform.stir(urgent.parts_of(post)[0], replies=3)
    (without,) = urgent.take_down(post.id, decision="keep")
    (target,) = urgent.take_down(post.id, decision="keep", given={"replies": 2})
    assert not (urgent.sealed(without) / "third-party").exists()
    found = json.loads((urgent.sealed(target) / "third-party/context.json").read_text("utf-8"))
    assert (len(found["descendants"]), found["counts"]["descendants"]) == (2, 3)
