"""X in an incident, against its double: what is kept of a post, that it goes, and what is said where it cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.x import MAKER
from adapters.x_addresses import post_at
from guardian.errors import Mistake, Refusal
from guardian.gate.verdicts import Accepted, Rejected, Shut, Throttled, Uncertain, verdict_of_retract
from guardian.model import Decision, Native, PostRef, Presence
from tests.adapters.x_stage import PNG, Stage, account_of, picture, stage, x

if TYPE_CHECKING:
    from typing import Any

__all__ = ["stage", "x"]
NATIVE = Native(id="1", due=0, text="", files=(), raw={})
MISSING = PostRef(id="1234567890")


def test_everything_that_x_says_of_a_post_is_looked_at_and_nobody_is_told_our_keys(stage: Stage) -> None:
    key = stage.upload(alt="A loaf")
    ref = stage.published("Fresh bread", media=(picture(),), uploads=(key,))
    looks = {look.name: look for look in stage.adapter.looks(ref)}
    answers = {name: stage.adapter.fetch(look) for name, look in looks.items()}
    status = answers["status"].body
    assert json.loads(status)["data"]["id"] == ref.id
    assert stage.adapter.author(status) == stage.x.accounts["acme"].id
    assert [(one.url, one.type, one.alt) for one in stage.adapter.files(status)] == [
        (f"{stage.x.url}/media/{key}", "photo", "A loaf")
    ]
    assert [one.status for name, one in answers.items() if name != "quotes"] == [200] * 4
    (seen,) = [one for one in stage.x.asked if one.path == "/oembed"]
    assert (seen.host, seen.signed) == ("publish.x.com", False)
    assert [look.name for look in looks.values() if look.essential] == ["status", "account"]


def test_a_deleted_post_is_gone_and_to_delete_it_again_does_no_harm(stage: Stage) -> None:
    ref = stage.published("Fresh bread")
    assert stage.adapter.presence(ref) is Presence.THERE
    assert verdict_of_retract(stage.take_down(ref)) == Accepted(200)
    assert stage.adapter.presence(ref) is Presence.GONE
    assert verdict_of_retract(stage.take_down(ref)) == Accepted(200)
    assert stage.adapter.presence(ref) is Presence.GONE
    assert stage.x.changes()[1:] == [("DELETE", f"/2/tweets/{ref.id}")] * 2


def test_a_deletion_passes_while_everything_is_frozen(stage: Stage) -> None:
    ref = stage.published("Fresh bread")
    for scope in ("all", "account:acme-x"):
        Path(stage.house.permit(scope)).unlink()
    assert verdict_of_retract(stage.take_down(ref)) == Accepted(200)
    assert stage.x.live() == []


def test_without_credit_a_takedown_says_so_and_where_a_person_can_do_it(stage: Stage) -> None:
    ref = stage.published("Fresh bread")
    stage.x.accounts["acme"].credit = False
    found = verdict_of_retract(stage.take_down(ref))
    assert isinstance(found, Shut)
    assert "no credit" in found.why
    assert f"https://x.com/i/web/status/{ref.id}" in found.why
    assert stage.adapter.presence(ref) is Presence.UNKNOWN
    assert len(found.why) < 300


def test_somebody_elses_post_is_not_deleted(stage: Stage) -> None:
    stage.x.post_past_us("Not ours", "other")
    (platform_id,) = stage.x.posts
    ref = PostRef(id=platform_id)
    status = stage.adapter.fetch(stage.adapter.looks(ref)[0]).body
    assert stage.adapter.author(status) != stage.x.accounts["acme"].id
    assert isinstance(verdict_of_retract(stage.take_down(ref)), Rejected)
    assert stage.x.live() == ["Not ours"]


@pytest.mark.parametrize(
    ("said", "presence"),
    [
        ({"status": 200, "body": {"data": {"id": MISSING.id, "author_id": "1"}}}, Presence.THERE),
        ({"status": 200, "body": {"data": {"id": "1"}}}, Presence.UNKNOWN),
        ({"status": 404, "body": {"detail": "Not Found", "type": "about:blank"}}, Presence.UNKNOWN),
        ({"status": 200, "body": {"errors": [{"type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
                                              "resource_id": MISSING.id}]}}, Presence.UNKNOWN),
        ({"status": 200, "body": {"errors": [{"type": "https://api.twitter.com/2/problems/resource-not-found",
                                              "resource_id": "1"}]}}, Presence.UNKNOWN),
        ({"status": 404, "body": {"errors": [{"type": "https://api.x.com/2/problems/resource-not-found",
                                              "resource_id": MISSING.id}]}}, Presence.GONE),
        ({"status": 401, "body": {}}, Presence.UNKNOWN),
        ({"status": 402, "body": {}}, Presence.UNKNOWN),
        ({"status": 429, "body": {}}, Presence.UNKNOWN),
        ({"status": 503, "body": "<html>"}, Presence.UNKNOWN),
        ({"status": 200, "body": "<html>"}, Presence.UNKNOWN),
    ],
)  # fmt: skip
def test_a_post_is_called_gone_only_on_the_plain_word_of_x(
    stage: Stage, said: dict[str, Any], presence: Presence
) -> None:
    stage.x.fault("answer", method="GET", path=f"/2/tweets/{MISSING.id}", **said)
    assert stage.adapter.presence(MISSING) is presence


def test_what_x_answers_to_a_deletion_is_read_as_what_it_is(stage: Stage) -> None:
    path = "/2/tweets/[0-9]+"
    for status, kind in ((503, Uncertain), (429, Throttled), (403, Rejected), (400, Rejected)):
        stage.x.fault("answer", method="DELETE", path=path, status=status, body={"detail": "x", "type": "about:blank"})
        assert isinstance(verdict_of_retract(stage.take_down(MISSING)), kind)
    stage.x.fault("lose", method="DELETE", path=path)
    assert isinstance(verdict_of_retract(stage.take_down(MISSING)), Uncertain)


def test_what_x_cannot_do_is_refused_in_words_and_asks_nobody(stage: Stage) -> None:
    for call in (
        lambda: stage.adapter.prepare(Decision.HIDE, MISSING, {}),
        lambda: stage.adapter.undo(MISSING, {}),
        lambda: stage.adapter.remove_native(NATIVE),
        lambda: stage.adapter.deferral(NATIVE, until=1),
        lambda: stage.adapter.defer_native(NATIVE, until=1),
    ):
        with pytest.raises(Refusal, match=r"^cannot .*because.*"):
            call()
    assert stage.adapter.natives() is None
    assert stage.x.asked == []
    hide = MAKER.abilities.act(Decision.HIDE)
    assert hide is not None
    assert (hide.others, hide.seen) == (True, False)
    assert any("composer" in one for one in MAKER.abilities.unseen)


@pytest.mark.parametrize("platform_id", ["", "../users/me", "12/likes", "1" * 20, "\uff11\uff12", "12?x=1"])
def test_an_id_that_is_none_names_no_other_path(stage: Stage, platform_id: str) -> None:
    with pytest.raises(Mistake):
        stage.adapter.looks(PostRef(id=platform_id))
    with pytest.raises(Mistake):
        stage.adapter.retract(
            Decision.DELETE, PostRef(id=platform_id), stage.adapter.prepare(Decision.DELETE, MISSING, {})
        )
    assert stage.x.asked == []


@pytest.mark.parametrize(
    ("url", "at"),
    [
        ("https://x.com/acme/status/123", "https://x.com/acme/status/123"),
        ("https://twitter.com/acme/status/123?s=20&t=abc", "https://x.com/acme/status/123"),
        ("http://mobile.twitter.com/acme/statuses/123/", "https://x.com/acme/status/123"),
        ("https://www.x.com/acme/status/123/photo/1#top", "https://x.com/acme/status/123"),
        ("https://x.com/i/web/status/123", "https://x.com/i/web/status/123"),
        ("https://X.COM/i/status/123", "https://x.com/i/web/status/123"),
        (" https://x.com/acme/status/123 ", "https://x.com/acme/status/123"),
    ],
)
def test_an_address_names_its_post_and_nobody_is_asked(stage: Stage, url: str, at: str) -> None:
    assert stage.adapter.resolve(url) == PostRef(id="123", url=at)
    assert stage.x.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://x.com/acme",
        "https://x.com/acme/status/",
        "https://x.com/acme/status/12a",
        "https://x.com/acme/status/" + "1" * 20,
        "https://x.com.evil.example/acme/status/123",
        "https://evil.example/x.com/acme/status/123",
        "https://x.com@evil.example/acme/status/123",
        "https://user@x.com/acme/status/123",
        "https://x.com:8443/acme/status/123",
        "ftp://x.com/acme/status/123",
        "https://x.com/acme/likes/123",
        "https://[x.com/acme/status/123",
        "https://x.com/acme/status/123" + "/" * 2000,
        "acme/status/123",
        "",
    ],
)
def test_an_address_of_anything_else_names_nothing(url: str) -> None:
    assert post_at(url) is None


def test_the_best_copy_of_a_film_is_what_is_kept(stage: Stage) -> None:
    films = [
        {"content_type": "application/x-mpegURL", "url": "https://video.example/list.m3u8"},
        {"content_type": "video/mp4", "bit_rate": 256000, "url": "https://video.example/small.mp4"},
        {"content_type": "video/mp4", "bit_rate": 2176000, "url": "https://video.example/large.mp4"},
        {"content_type": "video/mp4", "bit_rate": "many", "url": "javascript:alert(1)"},
    ]
    media = [
        {"type": "video", "variants": films, "preview_image_url": "https://pbs.example/poster.jpg", "alt_text": 7},
        {"type": "animated_gif", "preview_image_url": "https://pbs.example/gif.jpg"},
        {"type": "photo", "url": "file:///etc/passwd"},
        "rubbish",
    ]
    shown = stage.adapter.files(json.dumps({"data": {"id": "1"}, "includes": {"media": media}}).encode())
    assert [(one.url, one.alt) for one in shown] == [
        ("https://video.example/large.mp4", None),
        ("https://pbs.example/gif.jpg", None),
    ]
    for rubbish in (b"", b"[]", b"{", b'{"includes": 7}', b'{"includes": {"media": {}}}', PNG):
        assert list(stage.adapter.files(rubbish)) == []
        assert stage.adapter.author(rubbish) is None


def test_the_emergency_adapter_needs_nothing_but_the_account(stage: Stage) -> None:
    """It has never asked who we are when the first order comes."""
    ref = stage.published("Fresh bread")
    fresh = stage.adapter_for(account_of(stage.x))
    assert fresh.presence(ref) is Presence.THERE
    assert [seen.ref for seen in fresh.recent(since=0)] == [ref]
