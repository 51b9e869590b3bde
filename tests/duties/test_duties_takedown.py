"""Proof first, then the act, then what is really so: no platform's yes is believed, and no silence is a *gone*."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.evidence import names
from guardian.model import State
from tests.duties.urgent import READING, WHO, began_before, id_in

if TYPE_CHECKING:
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.urgent import Urgent

READ_BACK = r"/api/v1/statuses/\d+"


def test_no_post_is_deleted_before_its_proof_is_sealed_on_the_disk(urgent: Urgent) -> None:
    picture = urgent.scene.picture("a loaf")
    post = urgent.publish("a bad joke", media=(picture,))
    (target,) = urgent.take_down(post.id)
    (request,) = urgent.asked("DELETE")
    assert (target.state, target.grade) == ("gone", "complete")
    bundle = urgent.sealed(target)
    listed = (bundle / names.manifest(1)).read_text("utf-8")
    for proof in ("api/before/status.json", "publish/record.json", "media/01-", "record-1.json", "warc/post-1.warc.gz"):
        assert proof in listed
    for name in listed.splitlines():
        assert began_before(bundle / name.partition("  ")[2], request["first_byte"]), name
    for name in (names.manifest(1), f"{names.manifest(1)}.sig"):
        assert began_before(bundle / name, request["first_byte"])


def test_the_journal_has_the_proof_before_the_act_and_the_act_before_the_request(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id)
    lines = [
        urgent.entries(kind)[0] for kind in ("takedown ordered", "snapshot sealed", "takedown acting", "taken down")
    ]
    assert [one.seq for one in lines] == sorted(one.seq for one in lines)
    assert lines[2].who == WHO
    assert lines[3].data["state"] == target.state == "gone"


def test_without_a_proof_it_is_done_only_because_somebody_said_so_and_the_journal_says_who(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id, capture="skip")
    (line,) = urgent.entries("no snapshot")
    assert (target.state, target.evidence, target.grade) == ("gone", None, "none")
    assert (line.who, line.data["policy"]) == (WHO, "skip")
    assert "the order says so" in str(line.data["why"])


def test_a_yes_of_the_platform_is_no_deletion_as_long_as_the_post_is_served(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    platform.fault("lingers", times=None)
    order = urgent.order(urgent.publish().id)
    (target,) = urgent.settle(order)
    assert target.state == "still_visible"
    assert "said that it is done" in target.why
    assert urgent.document(order)["complete"] is False
    assert len(urgent.asked("DELETE")) == 1


def test_a_deletion_that_shows_late_is_waited_for(urgent: Urgent, platform: RehearsalPlatform) -> None:
    platform.fault("lingers", reads=3)
    (target,) = urgent.take_down(urgent.publish().id)
    assert target.state == "gone"
    assert len(urgent.asked("DELETE")) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503, 504])
def test_whoever_cannot_read_back_does_not_know_and_never_says_gone(
    urgent: Urgent, platform: RehearsalPlatform, status: int
) -> None:
    order = urgent.order(urgent.publish().id, capture="skip")
    platform.fault("status", path=READ_BACK, status=status, **READING)
    (target,) = urgent.settle(order)
    assert target.state == "unknown"
    assert urgent.document(order)["complete"] is False
    assert len(urgent.asked("DELETE")) == 1


@pytest.mark.parametrize("fault", ["login", "rubbish", "lose", "cut"])
def test_a_page_for_people_and_half_an_answer_are_no_word_about_the_post(
    urgent: Urgent, platform: RehearsalPlatform, fault: str
) -> None:
    order = urgent.order(urgent.publish().id, capture="skip")
    platform.fault(fault, path=READ_BACK, **READING)
    assert urgent.settle(order)[0].state == "unknown"


@pytest.mark.parametrize("status", [404, 410])
def test_a_proxy_that_finds_nothing_is_not_the_platform_that_has_it_no_more(
    urgent: Urgent, platform: RehearsalPlatform, status: int
) -> None:
    order = urgent.order(urgent.publish().id, capture="skip")
    platform.fault("rubbish", path=READ_BACK, status=status, **READING)
    assert urgent.settle(order)[0].state == "unknown"


@pytest.mark.parametrize("fault", ["status", "login", "lose", "lose_before"])
def test_an_act_without_a_plain_answer_is_looked_at_before_another_one(
    urgent: Urgent, platform: RehearsalPlatform, fault: str
) -> None:
    post = urgent.publish()
    platform.fault(fault, method="DELETE", path=READ_BACK, **({"status": 503} if fault == "status" else {}))
    (target,) = urgent.take_down(post.id)
    assert target.state == "gone"
    kinds = [one["method"] for one in platform.log() if id_in(one) == target.platform_id]
    first = kinds.index("DELETE")
    assert kinds[first + 1] == "GET"
    assert kinds.count("DELETE") == (1 if fault == "lose" else 2)


def test_a_deletion_whose_answer_is_lost_is_not_made_again(urgent: Urgent, platform: RehearsalPlatform) -> None:
    post = urgent.publish()
    platform.fault("lose", method="DELETE", path=READ_BACK)
    (target,) = urgent.take_down(post.id)
    assert (target.state, target.acts) == ("gone", 1)
    assert len(urgent.asked("DELETE")) == 1


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_plain_no_ends_it_and_says_what_the_platform_said(
    urgent: Urgent, platform: RehearsalPlatform, status: int
) -> None:
    post = urgent.publish()
    platform.fault("status", method="DELETE", path=READ_BACK, status=status, times=None)
    (target,) = urgent.take_down(post.id)
    assert (target.state, target.acts) == ("still_visible", 1)
    assert str(status) in target.why


def test_a_platform_that_fails_again_and_again_is_not_asked_for_ever(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish()
    platform.fault("status", method="DELETE", path=READ_BACK, status=503, times=None)
    (target,) = urgent.take_down(post.id)
    assert (target.state, len(urgent.asked("DELETE"))) == ("still_visible", 3)


def test_files_that_are_still_served_after_the_post_is_gone_are_written_down(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    post = urgent.publish("a bad joke", media=(urgent.scene.picture("a loaf"),))
    platform.fault("media_lingers", times=None)
    (target,) = urgent.take_down(post.id)
    bundle = urgent.sealed(target)
    (line,) = urgent.lines("looked again")
    assert (target.state, line["presence"]) == ("gone", "gone")
    assert {"what": "file 1", "status": 200, "verdict": "served"} in line["views"]
    assert "file 1 is still served" in line["lingering"][0]
    assert '"verdict": "served"' in (bundle / "checks-2.jsonl").read_text("utf-8").replace('":"', '": "')


def test_a_post_that_was_gone_before_anybody_came_is_gone_and_nobody_asks_for_its_deletion(urgent: Urgent) -> None:
    post = urgent.publish()
    urgent.remove_by_hand(post)
    before = len(urgent.asked("DELETE"))
    (target,) = urgent.take_down(post.id)
    assert (target.state, target.why) == ("gone", "it was gone before we came")
    assert len(urgent.asked("DELETE")) == before
    assert urgent.scene.post(post).state is State.RETRACTED


def test_a_decision_to_keep_is_a_decision_with_its_proof_and_touches_nothing(urgent: Urgent) -> None:
    (target,) = urgent.take_down(urgent.publish().id, decision="keep")
    assert (target.state, target.grade, urgent.asked("DELETE")) == ("kept", "complete", [])
    urgent.sealed(target)


def test_whoever_writes_into_the_bundle_while_the_post_is_taken_down_does_not_spoil_it(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    """A stamp, or an erasing: it seals the phase into which the act and the reading back are being written."""
    platform.fault("delay", method="DELETE", path=r"/api/v1/statuses/\d+", seconds=0.8)
    order = urgent.order(urgent.publish().id)
    urgent.takedowns.poll(urgent.clock())
    urgent.wait(lambda: bool(urgent.lines("takedown acting")))
    (target,) = urgent.targets(order)
    with urgent.shelf.opened(str(target.evidence)) as bundle, urgent.database.transaction() as tx:
        bundle.append("checks.jsonl", b'{"note":"somebody else"}')
        key = urgent.shelf.key()
        seal = bundle.seal(key.signer, at=urgent.clock(), allowed=key.allowed)
        urgent.shelf.note_seal(tx, bundle.name, seal, who="somebody else", now=urgent.clock())
    (target,) = urgent.settle(order)
    assert target.state == "gone"
    place = urgent.sealed(target, 3)
    exchanges = "".join(one.read_text("utf-8") for one in sorted(place.glob("exchanges-*.jsonl")))
    assert "DELETE" in exchanges
