"""Files as Mastodon takes them: worked on for a while, refused by their kind, size and pixels, and large ones too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError

from tests.duties import darkroom

if TYPE_CHECKING:
    from guardian.rehearsal import RehearsalPlatform
    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider
TOO_LARGE = "Validation failed: File file size must be less than {0} MB, File must be less than {0} MB"


def status_of(plain: Plain, media: object) -> int:
    return plain.ask("GET", f"/api/v1/media/{media}", **plain.as_account("acme")).status


def multipart(data: bytes, kind: str) -> tuple[bytes, dict[str, str]]:
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + data + b"\r\n--b--\r\n", {"Content_Type": "multipart/form-data; boundary=b"}


def refused(acme: Mastodon, data: bytes, kind: str) -> str:
    with pytest.raises(MastodonAPIError) as found:
        acme.media_post(data, kind)
    assert found.value.args[1] == 422
    return str(found.value.args[3])


def test_a_file_that_is_worked_on_has_no_address_until_the_platform_is_told(
    platform: RehearsalPlatform, acme: Mastodon, plain: Plain
) -> None:
    platform.fault("processing")
    body, named = multipart(darkroom.picture("PNG"), "image/png")
    taken = plain.ask("POST", "/api/v2/media", body, **plain.as_account("acme"), **named)
    assert (taken.status, taken.json["url"]) == (202, None)
    waiting = taken.json["id"]
    assert status_of(plain, waiting) == 206
    with pytest.raises(MastodonAPIError) as found:
        acme.status_post("too early", media_ids=[waiting])
    assert "have not finished processing" in str(found.value)
    platform.finish_processing()
    assert status_of(plain, waiting) == 200
    assert acme.media(waiting).url
    assert acme.status_post("now", media_ids=[waiting]).media_attachments[0].id == waiting


def test_a_file_is_worked_on_for_so_many_seconds_and_the_next_one_is_not(
    platform: RehearsalPlatform, acme: Mastodon, plain: Plain
) -> None:
    platform.fault("processing", seconds=0.3)
    first = acme.media_post(darkroom.picture("PNG"), "image/png")
    second = acme.media_post(darkroom.picture("JPEG"), "image/jpeg")
    assert first.url is None
    assert second.url
    until = time.monotonic() + 5
    while status_of(plain, first.id) == 206:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert status_of(plain, first.id) == 200


def test_a_file_that_cannot_be_processed_says_so_when_it_is_asked_for(
    platform: RehearsalPlatform, acme: Mastodon, plain: Plain
) -> None:
    platform.fault("processing_fails", seconds=0)
    bad = acme.media_post(darkroom.mp4(), "video/mp4")
    assert status_of(plain, bad.id) == 422
    with pytest.raises(MastodonAPIError):
        acme.status_post("with a broken film", media_ids=[bad.id])
    assert platform.posts() == []


def test_the_rules_are_said_and_kept(platform: RehearsalPlatform, acme: Mastodon) -> None:
    platform.media_rules(types=["image/png", "video/mp4"], image_bytes=2 << 20, video_bytes=3 << 20, pixels=10_000)
    said = acme.instance_v2().configuration.media_attachments
    assert (said.supported_mime_types, said.image_size_limit) == (["image/png", "video/mp4"], 2 << 20)
    assert (said.video_size_limit, said.image_matrix_limit) == (3 << 20, 10_000)
    assert refused(acme, darkroom.picture("JPEG"), "image/jpeg").startswith("Validation failed: File content type")
    assert refused(acme, bytes(2 << 20), "image/png") == TOO_LARGE.format(2)
    assert refused(acme, darkroom.mp4(3 << 20), "video/mp4") == TOO_LARGE.format(3)
    assert refused(acme, darkroom.picture("PNG", width=101, height=100), "image/png") == (
        "101x100 images are not supported"
    )
    assert acme.media_post(darkroom.picture("PNG", width=100, height=100), "image/png").id
    assert acme.media_post(darkroom.mp4(2 << 20), "video/mp4").id


def test_a_bomb_is_refused_and_not_unpacked(acme: Mastodon) -> None:
    assert refused(acme, darkroom.bomb(), "image/png") == "12000x12000 images are not supported"


@pytest.mark.parametrize("wrong", [{"colour": 1}, {"pixels": "many"}, {"types": "image/png"}, {"count": -1}])
def test_rules_that_make_no_sense_are_refused_and_change_nothing(
    platform: RehearsalPlatform, acme: Mastodon, wrong: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="cannot change the rules for media"):
        platform.media_rules(**wrong)
    assert acme.instance_v2().configuration.media_attachments.image_matrix_limit == 33_177_600


def test_rules_and_processing_are_told_to_a_process_by_its_routes(plain: Plain) -> None:
    assert plain.ask("POST", "/rehearsal/media-rules", '{"count": 2}').status == 200
    assert plain.ask("POST", "/rehearsal/media-rules", '{"count": "2"}').status == 422
    assert plain.ask("GET", "/api/v2/instance").json["configuration"]["statuses"]["max_media_attachments"] == 2
    assert plain.ask("POST", "/rehearsal/faults", '{"kind": "processing"}').status == 200
    assert plain.ask("POST", "/rehearsal/processed").status == 200


def test_a_film_stands_alone_and_pictures_stand_together(platform: RehearsalPlatform, acme: Mastodon) -> None:
    platform.media_rules(count=2)
    pictures = [acme.media_post(darkroom.picture("PNG"), "image/png").id for _ in range(3)]
    film = acme.media_post(darkroom.mp4(), "video/mp4").id
    for wanted in ([film, pictures[0]], pictures):
        with pytest.raises(MastodonAPIError, match="Cannot attach"):
            acme.status_post("x", media_ids=wanted)
    assert len(acme.status_post("x", media_ids=pictures[:2]).media_attachments) == 2
    assert len(acme.status_post("y", media_ids=[film]).media_attachments) == 1


def test_forty_megabytes_are_taken_whole(plain: Plain) -> None:
    data = darkroom.mp4(40_000_000)
    body, named = multipart(data, "video/mp4")
    taken = plain.ask("POST", "/api/v2/media", body, **plain.as_account("acme"), **named)
    assert taken.status == 200
    given = plain.ask("GET", taken.json["url"].partition("127.0.0.1")[2].partition("/")[2].join(["/", ""]))
    assert given.body == data


def test_a_reply_to_nothing_is_refused_and_makes_nothing(platform: RehearsalPlatform, acme: Mastodon) -> None:
    first = acme.status_post("one")
    acme.status_delete(first.id)
    for parent in (first.id, "1", "nonsense"):
        with pytest.raises(MastodonNotFoundError):
            acme.status_post("two", in_reply_to_id=parent)
    assert len(platform.posts()) == 1
