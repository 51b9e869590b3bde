"""Deleting and editing as Mastodon does: what goes at once, what stays, and what everybody can still read."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from mastodon import Mastodon, MastodonNotFoundError, MastodonRatelimitError

from guardian.rehearsal import RehearsalPlatform
from guardian.rehearsal.rates import DeleteLimit, Rates

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider
PNG = b"\x89PNG"


def illustrated(acme: Mastodon, text: str = "bread", description: str = "a loaf") -> Any:  # noqa: ANN401 (a Status)
    picture = acme.media_post(PNG, "image/png", description=description)
    return acme.status_post(text, media_ids=[picture.id])


def path_of(plain: Plain, address: str) -> str:
    return address.removeprefix(plain.platform.url)


def remove(plain: Plain, status: str, account: str = "acme") -> Any:  # noqa: ANN401 (a Reply)
    return plain.ask("DELETE", f"/api/v1/statuses/{status}", **plain.as_account(account))


def test_the_answer_to_a_deletion_has_the_text_and_addresses_that_lead_nowhere(plain: Plain, acme: Mastodon) -> None:
    made = illustrated(acme, "bread\n& butter")
    gone = acme.status_delete(made.id)
    assert (gone.text, gone.id, gone.media_attachments[0].id) == (
        "bread\n& butter",
        made.id,
        made.media_attachments[0].id,
    )
    assert gone.media_attachments[0].description == "a loaf"
    assert gone.media_attachments[0].url != made.media_attachments[0].url
    assert plain.ask("GET", path_of(plain, gone.media_attachments[0].url)).status == 404


def test_the_files_of_a_deleted_post_stay_readable_for_a_day(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = illustrated(acme)
    path = path_of(plain, made.media_attachments[0].url)
    acme.status_delete(made.id)
    assert plain.ask("GET", path).body == PNG
    platform.vacuum()
    assert plain.ask("GET", path).status == 404


def test_the_files_of_a_post_that_is_up_survive_the_vacuum(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = illustrated(acme)
    acme.status_update(made.id, "without it")
    platform.vacuum()
    assert plain.ask("GET", path_of(plain, made.media_attachments[0].url)).body == PNG


def test_deleting_the_files_too_takes_those_of_every_edition(plain: Plain, acme: Mastodon) -> None:
    made = illustrated(acme)
    other = acme.media_post(PNG + b"2", "image/png")
    acme.status_update(made.id, "another", media_ids=[other.id])
    paths = [path_of(plain, address) for address in (made.media_attachments[0].url, other.url)]
    assert [plain.ask("GET", path).status for path in paths] == [200, 200]
    acme.status_delete(made.id, delete_media=True)
    assert [plain.ask("GET", path).status for path in paths] == [404, 404]


def test_a_post_is_deleted_once(acme: Mastodon) -> None:
    made = acme.status_post("bread")
    acme.status_delete(made.id)
    with pytest.raises(MastodonNotFoundError):
        acme.status_delete(made.id)
    with pytest.raises(MastodonNotFoundError):
        acme.status_update(made.id, "alive")


def test_an_edit_that_names_no_files_drops_them_and_history_still_shows_them_to_everybody(
    plain: Plain, acme: Mastodon
) -> None:
    made = illustrated(acme, "bread")
    edited = acme.status_update(made.id, "veiled", spoiler_text="removed", sensitive=True)
    assert (edited.media_attachments, edited.spoiler_text) == ([], "removed")
    history = plain.ask("GET", f"/api/v1/statuses/{made.id}/history").json
    assert [(one["content"], len(one["media_attachments"])) for one in history] == [
        ("<p>bread</p>", 1),
        ("<p>veiled</p>", 0),
    ]
    assert plain.ask("GET", path_of(plain, history[0]["media_attachments"][0]["url"])).body == PNG


def test_what_an_edit_dropped_can_be_put_back_and_the_warning_goes(acme: Mastodon) -> None:
    made = illustrated(acme, "bread")
    acme.status_update(made.id, "veiled", spoiler_text="removed")
    back = acme.status_update(made.id, "bread", media_ids=[made.media_attachments[0].id])
    assert (back.spoiler_text, back.sensitive) == ("", False)
    assert [one.id for one in back.media_attachments] == [one.id for one in made.media_attachments]
    assert len(acme.status_history(made.id)) == 3


def test_each_edition_keeps_what_its_files_were_said_to_show(plain: Plain, acme: Mastodon) -> None:
    made = illustrated(acme, "bread", "a loaf")
    picture = made.media_attachments[0].id
    attributes = [{"id": picture, "description": "a burnt loaf"}]
    body = json.dumps({"status": "bread", "media_ids": [picture], "media_attributes": attributes})
    plain.ask("PUT", f"/api/v1/statuses/{made.id}", body, Content_Type="application/json", **plain.as_account("acme"))
    assert [one.media_attachments[0].description for one in acme.status_history(made.id)] == ["a loaf", "a burnt loaf"]
    assert acme.status(made.id).media_attachments[0].description == "a burnt loaf"


def test_an_edit_that_changes_nothing_is_none(acme: Mastodon) -> None:
    made = acme.status_post("bread")
    assert acme.status_update(made.id, "bread").edited_at is None
    assert len(acme.status_history(made.id)) == 1


def test_only_the_owner_sees_what_a_post_was_made_from(login: Callable[[str], Mastodon], plain: Plain) -> None:
    made = login("acme").status_post("bread")
    path = f"/api/v1/statuses/{made.id}/source"
    assert plain.ask("GET", path, **plain.as_account("acme")).json["text"] == "bread"
    assert plain.ask("GET", path, **plain.as_account("beta")).status == 403
    assert plain.ask("GET", path).status == 401


def test_deletions_and_taken_back_boosts_share_one_small_budget_of_each_account(
    platform: RehearsalPlatform, plain: Plain
) -> None:
    platform.limit_deletes(limit=3, seconds=60)
    ids = [plain.post("x").json["id"] for _ in range(4)]
    theirs = plain.post("y", account="beta").json["id"]
    plain.ask("POST", f"/api/v1/statuses/{theirs}/reblog", **plain.as_account("acme"))
    assert [remove(plain, number).status for number in ids[:2]] == [200, 200]
    assert plain.ask("POST", f"/api/v1/statuses/{theirs}/unreblog", **plain.as_account("acme")).status == 200
    refused = remove(plain, ids[2])
    assert (refused.status, list(refused.json)) == (429, ["error"])
    assert plain.ask("POST", f"/api/v1/statuses/{theirs}/unreblog", **plain.as_account("acme")).status == 429
    assert [post["deleted"] for post in platform.posts()] == [True, True, False, False, False]
    assert plain.post("still allowed").status == 200
    assert plain.ask("GET", f"/api/v1/statuses/{ids[2]}", **plain.as_account("acme")).status == 200
    assert remove(plain, theirs, "beta").status == 200


def test_the_answer_to_a_deletion_counts_deletions_and_every_other_counts_requests(
    platform: RehearsalPlatform, plain: Plain
) -> None:
    platform.limit_deletes(limit=30, seconds=600)
    made = plain.post("x")
    assert made.headers["X-RateLimit-Limit"] == "300"
    gone = remove(plain, made.json["id"])
    assert (gone.headers["X-RateLimit-Limit"], gone.headers["X-RateLimit-Remaining"]) == ("30", "29")
    ahead = datetime.fromisoformat(gone.headers["X-RateLimit-Reset"]) - datetime.now(UTC)
    assert timedelta(seconds=590) < ahead <= timedelta(seconds=601)
    later = remove(plain, "1")  # what is not there costs as much
    assert (later.status, later.headers["X-RateLimit-Remaining"]) == (404, "28")
    assert later.headers["X-RateLimit-Reset"] == gone.headers["X-RateLimit-Reset"]


def test_the_budget_is_back_when_the_answer_said_it_would_be(plain: Plain) -> None:
    assert plain.ask("POST", "/rehearsal/deletes", '{"limit": 1, "seconds": 1}').status == 200
    ids = [plain.post("x").json["id"] for _ in range(2)]
    assert remove(plain, ids[0]).status == 200
    refused = remove(plain, ids[1])
    assert (refused.status, refused.headers["X-RateLimit-Remaining"]) == (429, "0")
    until = datetime.fromisoformat(refused.headers["X-RateLimit-Reset"])
    threading.Event().wait(max(0.0, (until - datetime.now(UTC)).total_seconds()))
    assert remove(plain, ids[1]).status == 200


def test_a_library_hears_of_the_limit_and_when_it_ends(platform: RehearsalPlatform, acme: Mastodon) -> None:
    platform.limit_deletes(limit=1, seconds=60)
    ids = [acme.status_post("x").id for _ in range(2)]
    acme.status_delete(ids[0])
    with pytest.raises(MastodonRatelimitError):
        acme.status_delete(ids[1])
    assert 50 < acme.ratelimit_reset - datetime.now(UTC).timestamp() <= 61


def test_unless_asked_for_the_small_budget_is_shown_and_not_enforced(plain: Plain) -> None:
    answers = [remove(plain, plain.post("x").json["id"]) for _ in range(32)]
    assert {answer.status for answer in answers} == {200}
    assert [answers[place].headers["X-RateLimit-Remaining"] for place in (0, 28, 31)] == ["29", "1", "1"]


def test_the_small_budget_is_given_at_the_start_too(client_of: Callable[[RehearsalPlatform], Plain]) -> None:
    with RehearsalPlatform(deletes=DeleteLimit(limit=1, seconds=60)) as platform:
        client = client_of(platform)
        ids = [client.post("x").json["id"] for _ in range(2)]
        assert [remove(client, number).status for number in ids] == [200, 429]


def test_a_deleted_scheduled_post_costs_nothing_of_the_small_budget() -> None:
    rates = Rates(deletes=DeleteLimit(limit=1))
    assert rates.count("acme", "DELETE", "/api/v1/scheduled_statuses/1")[1][0][1] == "300"
    assert rates.count("acme", "DELETE", "/api/v1/statuses/1")[1][0][1] == "1"


@pytest.mark.parametrize(
    "wrong", ["[]", '{"limit": 0}', '{"seconds": -1}', '{"seconds": true}', '{"many": 1}', '{"enforce": 1}']
)
def test_a_limit_that_makes_no_sense_is_refused(plain: Plain, wrong: str) -> None:
    assert plain.ask("POST", "/rehearsal/deletes", wrong).status == 422
    assert remove(plain, plain.post("x").json["id"]).headers["X-RateLimit-Limit"] == "30"


def test_the_log_proves_that_nothing_was_deleted_before_it_was_read(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = acme.status_post("bread")
    path = f"/api/v1/statuses/{made.id}"
    plain.ask("GET", path, **plain.as_account("acme"))
    remove(plain, made.id)
    plain.ask("GET", path)
    entries = [entry for entry in platform.log() if entry["path"] == path]
    assert [(entry["method"], entry["account"], entry["status"]) for entry in entries] == [
        ("GET", "acme", 200),
        ("DELETE", "acme", 200),
        ("GET", None, 404),
    ]
    assert entries[0]["answered"] is not None
    assert entries[0]["answered"] < entries[1]["first_byte"]
