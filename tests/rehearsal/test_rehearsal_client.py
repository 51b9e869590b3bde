"""The real Mastodon.py as a plain client: what it cannot tell from Mastodon, our adapter cannot either."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError

from guardian.rehearsal.composing import characters

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal import RehearsalPlatform
    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider


def test_a_client_knows_whose_token_it_holds(platform: RehearsalPlatform, acme: Mastodon) -> None:
    me = acme.me()
    assert (me.acct, me.url) == ("acme", f"{platform.url}/@acme")
    assert acme.account_lookup(platform.handle("acme")).id == me.id == acme.account(me.id).id
    assert acme.instance_v2().domain == urlsplit(platform.url).netloc
    assert platform.handle("acme") == f"@{me.acct}@{acme.instance_v2().domain}"


def test_a_post_can_be_read_back_and_taken_down(platform: RehearsalPlatform, acme: Mastodon) -> None:
    made = acme.status_post("Bread & <butter>\nhttps://a.example/?x=1&y", language="sv", visibility="unlisted")
    read = acme.status(made.id)
    assert read.content.startswith("<p>Bread &amp; &lt;butter&gt;<br />")
    assert (read.language, read.visibility, read.url) == ("sv", "unlisted", f"{platform.url}/@acme/{made.id}")
    assert acme.status_delete(made.id).text == "Bread & <butter>\nhttps://a.example/?x=1&y"
    with pytest.raises(MastodonNotFoundError):
        acme.status(made.id)
    assert [(post["id"], post["deleted"]) for post in platform.posts()] == [(made.id, True)]


def test_an_edit_replaces_the_text_and_history_keeps_the_old_one(acme: Mastodon) -> None:
    made = acme.status_post("before", spoiler_text="careful")
    assert acme.status_update(made.id, "after").edited_at is not None
    assert acme.status_source(made.id).text == "after"
    assert acme.status_source(made.id).spoiler_text == ""
    assert [edition.content for edition in acme.status_history(made.id)] == ["<p>before</p>", "<p>after</p>"]


def test_a_thread_shows_in_the_context_and_an_unknown_parent_is_refused(acme: Mastodon) -> None:
    first = acme.status_post("one")
    second = acme.status_post("two", in_reply_to_id=first.id)
    third = acme.status_post("three", in_reply_to_id=second.id)
    context = acme.status_context(second.id)
    assert ([s.id for s in context.ancestors], [s.id for s in context.descendants]) == ([first.id], [third.id])
    assert third.in_reply_to_account_id == acme.me().id
    with pytest.raises(MastodonNotFoundError):
        acme.status_post("lost", in_reply_to_id="7")


def test_reconciling_by_time_finds_what_was_posted_since(acme: Mastodon) -> None:
    made = acme.status_post("here")
    me, now = acme.me().id, datetime.now(UTC)
    assert [s.id for s in acme.account_statuses(me, since_id=now - timedelta(seconds=5), limit=40)] == [made.id]
    assert acme.account_statuses(me, since_id=now + timedelta(seconds=5)) == []


def test_paging_neither_skips_nor_repeats_a_post(acme: Mastodon) -> None:
    made = [acme.status_post(f"post {n}").id for n in range(7)][::-1]
    me = acme.me().id
    page = acme.account_statuses(me, limit=3)
    assert page is not None
    assert [s.id for s in acme.fetch_remaining(page)] == made
    newer = acme.fetch_previous(acme.account_statuses(me, max_id=made[3], limit=40))
    assert newer is not None
    assert [s.id for s in newer] == made[:4]
    assert [s.id for s in acme.account_statuses(me, min_id=made[6], limit=2)] == made[4:6]
    assert [s.id for s in acme.timeline_home(limit=40)] == made


def test_ids_are_strings_that_rise_strictly_even_within_a_millisecond(acme: Mastodon) -> None:
    ids = [acme.status_post("x").id for _ in range(5)]
    assert all(isinstance(number, str) for number in ids)
    assert [int(number) for number in ids] == sorted({int(number) for number in ids})


def test_the_same_key_never_makes_a_second_post(
    platform: RehearsalPlatform, login: Callable[[str], Mastodon], acme: Mastodon
) -> None:
    picture = acme.media_post(b"\x89PNG", "image/png")
    first = acme.status_post("once", media_ids=[picture], idempotency_key="k")
    again = acme.status_post("once", media_ids=[picture], idempotency_key="k")
    assert again.id == first.id
    assert login("beta").status_post("once", idempotency_key="k").id != first.id
    assert [entry["status_id"] for entry in platform.log() if entry["idempotency_key"]][:2] == [first.id, None]
    acme.status_delete(first.id)
    with pytest.raises(MastodonNotFoundError):
        acme.status_post("once", idempotency_key="k")


def test_media_keep_their_words_and_leave_when_told_to(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    data = bytes(range(256)) * 40 + b"\r\n--\r\n"
    picture = acme.media_post(data, "image/png", description="ett äpple")
    assert acme.media_update(picture.id, description="ett rött äpple").description == "ett rött äpple"
    made = acme.status_post("", media_ids=[picture.id])
    assert made.media_attachments[0].description == "ett rött äpple"
    path = picture.url.removeprefix(platform.url)
    assert plain.ask("GET", path).body == data
    with pytest.raises(MastodonAPIError):
        acme.status_post("again", media_ids=[picture.id])
    acme.status_delete(made.id, delete_media=True)
    assert plain.ask("GET", path).status == 404


@pytest.mark.parametrize("text", ["", " ", "x" * 501, "x" * 478 + "https://a.example/", "e\u0301" * 501])
def test_what_mastodon_would_refuse_is_refused(platform: RehearsalPlatform, acme: Mastodon, text: str) -> None:
    with pytest.raises(MastodonAPIError) as refused:
        acme.status_post(text)
    assert refused.value.args[1] == 422
    assert refused.value.args[3].startswith("Validation failed: Text ")
    assert platform.posts() == []


def test_addresses_and_remote_names_count_as_mastodon_counts_them() -> None:
    assert characters("x" * 477 + "https://a.example/" + "y" * 500) == 500
    assert characters("hej @anna@far.example!") == characters("hej @anna!")


def test_nobody_can_touch_the_post_of_another(login: Callable[[str], Mastodon], acme: Mastodon) -> None:
    made, beta = acme.status_post("mine"), login("beta")
    hidden = acme.status_post("mine alone", visibility="private")
    with pytest.raises(MastodonAPIError) as refused:
        beta.status_delete(made.id)
    assert refused.value.args[1] == 403
    with pytest.raises(MastodonAPIError) as refused:
        beta.status_update(made.id, "yours")
    assert refused.value.args[1] == 403
    with pytest.raises(MastodonNotFoundError):
        beta.status(hidden.id)


def test_a_wrong_token_is_refused_logged_and_never_shown(platform: RehearsalPlatform, plain: Plain) -> None:
    for token in ("rehearsal-nobody", "acme", ""):
        client = Mastodon(access_token=token, api_base_url=platform.url, request_timeout=10)
        with pytest.raises(MastodonUnauthorizedError):
            client.status_post("no")
        client.session.close()
    assert [entry["status"] for entry in platform.log()] == [401] * 3
    plain.ask("GET", "/api/v1/instance?access_token=sesame")
    assert "sesame" not in str(platform.log())
    assert "nobody" not in str(platform.log())
    assert platform.posts() == []


def test_every_api_answer_says_how_many_are_left(plain: Plain) -> None:
    reply = plain.post("x")
    assert (reply.headers["X-RateLimit-Limit"], reply.headers["X-RateLimit-Remaining"]) == ("300", "299")
    assert datetime.fromisoformat(reply.headers["X-RateLimit-Reset"]) > datetime.now(UTC)
    assert plain.ask("GET", "/api/v1/nothing").json == {"error": "Record not found"}
