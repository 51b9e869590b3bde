"""Posts that the platform itself publishes later, with the trap: a job that is queued does not hear of a new time."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError

from guardian.rehearsal import RehearsalPlatform
from guardian.rehearsal.statuses import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider
PNG = b"\x89PNG"


def later(**ahead: float) -> datetime:
    return datetime.now(UTC) + timedelta(**ahead)


def published(platform: RehearsalPlatform, *texts: str) -> list[str]:
    """The texts of all posts, once these are among them."""
    until = time.monotonic() + 10
    while not set(texts) <= {post["text"] for post in platform.posts()}:
        assert time.monotonic() < until, platform.posts()
        time.sleep(0.01)
    return [post["text"] for post in platform.posts()]


def test_a_scheduled_post_is_kept_with_all_it_will_say_and_not_published(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    picture = acme.media_post(PNG, "image/png", description="a loaf")
    at = later(hours=1).replace(microsecond=0)
    kept = acme.status_post(
        "later", scheduled_at=at, media_ids=[picture.id], spoiler_text="bread", visibility="unlisted", sensitive=True
    )
    assert kept.scheduled_at == at
    assert (kept.params.text, kept.params.spoiler_text, kept.params.visibility) == ("later", "bread", "unlisted")
    assert (kept.params.media_ids, kept.media_attachments[0]["description"]) == ([picture.id], "a loaf")
    assert acme.scheduled_status(kept.id).params.text == "later"
    assert [item.id for item in acme.scheduled_statuses()] == [kept.id]
    assert platform.posts() == []
    with pytest.raises(MastodonAPIError):
        acme.status_post("now", media_ids=[picture.id])  # it belongs to the scheduled one


def test_less_than_five_minutes_ahead_is_refused_and_the_past_means_now(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    with pytest.raises(MastodonAPIError) as refused:
        acme.status_post("soon", scheduled_at=later(minutes=4, seconds=58))
    assert refused.value.args[1] == 422
    assert "must be in the future" in refused.value.args[3]
    assert platform.posts() == []
    assert acme.status_post("past", scheduled_at=later(minutes=-1)).content == "<p>past</p>"
    assert acme.scheduled_statuses() == []


def test_a_time_that_is_none_is_refused(platform: RehearsalPlatform, plain: Plain) -> None:
    body = json.dumps({"status": "x", "scheduled_at": "tomorrow"})
    reply = plain.ask("POST", "/api/v1/statuses", body, Content_Type="application/json", **plain.as_account("acme"))
    assert (reply.status, platform.posts(), platform.scheduled()) == (422, [], [])


def test_twenty_five_a_day_are_taken_and_no_more(platform: RehearsalPlatform, acme: Mastodon) -> None:
    noon = later(days=3).replace(hour=12, minute=0)
    for _ in range(25):
        acme.status_post("x", scheduled_at=noon)
    with pytest.raises(MastodonAPIError, match="limit of 25"):
        acme.status_post("one too many", scheduled_at=noon)
    other = acme.status_post("another day", scheduled_at=noon + timedelta(days=1))
    with pytest.raises(MastodonAPIError, match="limit of 25"):
        acme.scheduled_status_update(other.id, noon)
    assert len(platform.scheduled()) == 26


def test_three_hundred_are_taken_and_no_more_and_a_picture_is_not_lost_over_it(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    for day in range(300):
        platform.schedule(text="x", seconds=86_400 * (day + 2))
    picture = acme.media_post(PNG, "image/png")
    with pytest.raises(MastodonAPIError, match="limit of 300"):
        acme.status_post("one too many", scheduled_at=later(days=900), media_ids=[picture.id])
    assert acme.status_post("then now", media_ids=[picture.id]).media_attachments


def test_the_list_is_paged_newest_first_and_shows_nobody_elses(
    platform: RehearsalPlatform, login: Callable[[str], Mastodon], acme: Mastodon
) -> None:
    made = [platform.schedule(text=f"n{number}", seconds=3600) for number in range(7)][::-1]
    theirs = platform.schedule(account="beta", text="beta's", seconds=3600)
    page = acme.scheduled_statuses(limit=3)
    assert [item.id for item in acme.fetch_remaining(page)] == made
    assert [item.id for item in acme.scheduled_statuses(min_id=made[4], limit=2)] == made[2:4]
    assert [item.id for item in login("beta").scheduled_statuses()] == [theirs]
    for act in (acme.scheduled_status, acme.scheduled_status_delete):
        with pytest.raises(MastodonNotFoundError):
            act(theirs)


def test_what_is_due_is_published_with_its_pictures_and_leaves_the_list(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    file = {"data": base64.b64encode(PNG).decode(), "type": "image/png", "description": "a loaf"}
    seed = {"account": "acme", "text": "due", "seconds": 0.2, "media": [file], "client": "Planner"}
    item = plain.ask("POST", "/rehearsal/scheduled", json.dumps(seed)).json
    assert item["media_attachments"][0]["description"] == "a loaf"
    published(platform, "due")
    assert acme.scheduled_statuses() == []
    made = acme.status(platform.posts()[0]["id"])
    assert (made.application.name, made.media_attachments[0].description) == ("Planner", "a loaf")
    assert made.created_at.timestamp() * 1000 >= datetime.fromisoformat(item["scheduled_at"]).timestamp() * 1000


def test_an_item_that_is_queued_is_published_at_its_old_time_although_it_was_deferred(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    item = platform.schedule(text="too late", seconds=1)
    deferred = acme.scheduled_status_update(item, later(days=2))
    assert deferred.scheduled_at > later(days=1)
    assert acme.scheduled_status(item).scheduled_at == deferred.scheduled_at
    published(platform, "too late")
    assert acme.scheduled_statuses() == []


def test_an_item_that_is_queued_and_deleted_is_never_published(platform: RehearsalPlatform, acme: Mastodon) -> None:
    item = platform.schedule(text="deleted", seconds=1)
    platform.schedule(text="after it", seconds=1.2)
    acme.scheduled_status_update(item, later(days=2))
    acme.scheduled_status_delete(item)
    assert published(platform, "after it") == ["after it"]
    with pytest.raises(MastodonNotFoundError):
        acme.scheduled_status(item)


def test_an_item_that_is_not_queued_yet_follows_its_new_time(platform: RehearsalPlatform, acme: Mastodon) -> None:
    item = platform.schedule(text="early enough", seconds=310)
    acme.scheduled_status_update(item, later(days=2))
    assert platform._stage.world.schedule.everything()[0].due_ms > now_ms() + 86_400_000


def test_a_new_time_within_five_minutes_is_refused_and_changes_nothing(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    item = platform.schedule(text="x", seconds=3600)
    before = acme.scheduled_status(item).scheduled_at
    with pytest.raises(MastodonAPIError) as refused:
        acme.scheduled_status_update(item, later(minutes=4))
    assert refused.value.args[1] == 422
    assert acme.scheduled_status(item).scheduled_at == before


def test_the_pictures_of_a_deleted_item_stay_until_the_vacuum_comes(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    picture = acme.media_post(PNG, "image/png")
    kept = acme.status_post("later", scheduled_at=later(hours=1), media_ids=[picture.id])
    acme.scheduled_status_delete(kept.id)
    path = picture.url.removeprefix(platform.url)
    assert plain.ask("GET", path).body == PNG
    assert plain.ask("POST", "/rehearsal/vacuum").status == 200
    assert plain.ask("GET", path).status == 404


@pytest.mark.parametrize(
    "seed",
    [
        {"colour": 1},
        {"account": "nobody"},
        {"seconds": "soon"},
        {"at": "soon"},
        {"media": "none"},
        {"media": [{"data": "!"}]},
        {"media": [7]},
        [],
    ],
)
def test_a_seed_that_makes_no_sense_is_refused(platform: RehearsalPlatform, plain: Plain, seed: object) -> None:
    assert plain.ask("POST", "/rehearsal/scheduled", json.dumps(seed)).status == 422
    assert platform.scheduled() == []


def test_the_page_shows_what_the_platform_will_publish_and_that_a_deferral_came_too_late(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    item = platform.schedule(text="<b>waits</b>", seconds=200)
    assert b"says " not in plain.ask("GET", "/").body
    acme.scheduled_status_update(item, later(days=2))
    page = plain.ask("GET", "/").body
    assert b"&lt;b&gt;waits&lt;/b&gt;" in page
    assert b"<i>says " in page


def test_nothing_is_published_after_the_platform_was_stopped() -> None:
    with RehearsalPlatform() as platform:
        platform.schedule(text="x", seconds=0.2)
    time.sleep(0.3)
    assert platform.posts() == []
