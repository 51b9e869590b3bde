"""Pictures on their way out: handed over first, and nothing of a post is public before its one publishing request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.model import Part, State
from tests.duties.test_duties_publish import seen_by_its_author

if TYPE_CHECKING:
    from guardian.duties.lane import Lane
    from guardian.model import Post
    from guardian.rehearsal import RehearsalPlatform
    from guardian.rehearsal.log import Entry as Request
    from tests.duties.conftest import Scene

UPLOAD = {"method": "POST", "path": "/api/v2/media"}


def poll(scene: Scene, lane: Lane, times: int = 8) -> None:
    for _ in range(times):
        lane.poll(scene.clock())


def posted(platform: RehearsalPlatform) -> list[Request]:
    """Publishing requests that arrived."""
    return [entry for entry in platform.log() if (entry["method"], entry["path"]) == ("POST", "/api/v1/statuses")]


def uploads(platform: RehearsalPlatform) -> int:
    return sum(1 for entry in platform.log() if entry["path"] == "/api/v2/media")


def with_pictures(scene: Scene, *alts: str) -> Post:
    return scene.enter_parts(Part(text="look", media=tuple(scene.picture(alt) for alt in alts)))


def test_pictures_arrive_in_order_with_what_they_show_in_words(scene: Scene, platform: RehearsalPlatform) -> None:
    post = with_pictures(scene, "a red square", "a blue one")
    poll(scene, scene.lane())
    assert scene.post(post).state is State.PUBLISHED
    there = seen_by_its_author(platform, scene.post(post).platform_id)
    assert [one["description"] for one in there["media_attachments"]] == ["a red square", "a blue one"]
    assert uploads(platform) == 2


def test_while_frozen_not_even_a_picture_is_handed_over(scene: Scene, platform: RehearsalPlatform) -> None:
    with_pictures(scene, "a red square")
    lane = scene.lane()
    lane._ask_who_we_are(scene.clock())
    scene.stop()
    poll(scene, lane)
    assert uploads(platform) == 0
    assert posted(platform) == []


def test_a_freeze_between_the_upload_and_the_post_leaves_nothing_to_be_seen(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    post = with_pictures(scene, "a red square", "a blue one")
    lane = scene.lane()
    poll(scene, lane, 1)
    assert uploads(platform) == 1
    scene.stop()
    scene.books.adopt()
    poll(scene, lane)
    assert uploads(platform) == 1
    assert posted(platform) == []
    assert scene.post(post).state is State.MISSED
    assert scene.attempts(post) == [], "an attempt was opened that never was one"


def test_a_person_who_cancels_between_the_upload_and_the_post_is_heard(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    post = with_pictures(scene, "a red square")
    lane = scene.lane()
    poll(scene, lane, 1)
    scene.queue.cancel(post.id, who="bo")
    poll(scene, lane)
    assert scene.post(post).state is State.CANCELLED
    assert posted(platform) == []
    assert uploads(platform) == 1


def test_a_picture_that_is_no_longer_what_was_handed_over_blocks_the_post(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    picture = scene.picture("a red square")
    post = scene.enter_parts(Part(text="look", media=(picture,)))
    path = scene.spool.path_of(picture.sha256)
    path.chmod(0o600)
    path.write_bytes(b"another picture")
    poll(scene, scene.lane())
    assert scene.post(post).state is State.BLOCKED
    assert "media" in str(scene.post(post).why)
    assert uploads(platform) == 0
    assert posted(platform) == []


def test_a_picture_that_is_gone_blocks_the_post_and_not_the_lane(scene: Scene, platform: RehearsalPlatform) -> None:
    picture = scene.picture("a red square")
    post = scene.enter_parts(Part(text="look", media=(picture,)))
    scene.spool.path_of(picture.sha256).unlink()
    after = scene.enter("words alone")
    poll(scene, scene.lane())
    assert scene.post(post).state is State.BLOCKED
    assert scene.post(after).state is State.PUBLISHED
    assert len(posted(platform)) == 1


@pytest.mark.parametrize("fault", ["lose", "lose_before", "status", "429"])
def test_an_upload_that_may_have_failed_is_simply_made_again(
    scene: Scene, platform: RehearsalPlatform, fault: str
) -> None:
    post = with_pictures(scene, "a red square")
    options = {"status": {"status": 503}, "429": {"retry_after": 0}}.get(fault, {})
    platform.fault(fault, **UPLOAD, **options)
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(post).state is State.PUBLISHED, within=15)
    assert len(posted(platform)) == 1
    assert uploads(platform) == 2


def test_a_picture_that_the_platform_refuses_blocks_the_post(scene: Scene, platform: RehearsalPlatform) -> None:
    post = with_pictures(scene, "a red square")
    platform.fault("status", status=422, **UPLOAD)
    poll(scene, scene.lane())
    blocked = scene.post(post)
    assert blocked.state is State.BLOCKED
    assert "422" in str(blocked.why)
    assert posted(platform) == []


def test_a_post_whose_answer_was_lost_is_found_with_its_pictures_and_not_taken_for_one_without(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    bare = scene.enter("look")
    lane = scene.lane()
    poll(scene, lane, 1)
    assert scene.post(bare).state is State.PUBLISHED
    post = with_pictures(scene, "a red square")
    platform.fault("lose", method="POST", path="/api/v1/statuses")
    poll(scene, lane)
    live = scene.post(post)
    assert live.state is State.PUBLISHED
    assert len(seen_by_its_author(platform, live.platform_id)["media_attachments"]) == 1
    assert len(posted(platform)) == 2


def test_a_freeze_and_a_thaw_while_a_picture_is_handed_over_send_nothing_by_the_old_pass(
    scene: Scene, platform: RehearsalPlatform
) -> None:
    post = with_pictures(scene, "a red square")
    lane = scene.lane()
    poll(scene, lane, 1)
    scene.stop("account:acme")
    scene.books.adopt()
    scene.books.thaw(("account:acme",), reason="a mistake", by="bo")
    poll(scene, lane)
    assert posted(platform) == []
    assert scene.post(post).state is State.MISSED
