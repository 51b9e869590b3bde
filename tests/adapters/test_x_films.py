"""Films and long posts on X, against its double: in pieces through the gate, and only what X says that it takes."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.x_films import seconds
from adapters.x_uploads import PIECE
from adapters.x_words import text_of
from guardian.adapter import Kind, Readiness
from guardian.errors import Doubt, Mistake
from guardian.gate.intents import declare
from guardian.gate.verdicts import Accepted, NotSent, Rejected, Stopped, Uncertain, verdict_of_upload
from guardian.model import Media, Part
from tests.adapters.x_stage import NOBODY, Stage, now, picture, stage, x

if TYPE_CHECKING:
    from guardian.gate.verdicts import Verdict

__all__ = ["stage", "x"]


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def film(lasts: float = 12.5, size: int = 0) -> bytes:
    """The smallest that says how long it is, filled up to `size`."""
    header = struct.pack(">IIIII", 0, 0, 0, 1000, round(lasts * 1000)) + bytes(80)
    start = box(b"ftyp", b"isom\0\0\2\0") + box(b"moov", box(b"mvhd", header))
    return start + box(b"mdat", bytes(max(size - len(start) - 8, 0)))


def shown(data: bytes, alt: str | None = None) -> Media:
    return replace(picture(data, alt, "video/mp4"), width=None, height=None)


def handed(stage: Stage, data: bytes) -> tuple[str | None, Verdict, Exception | None]:
    found, error = None, None
    with declare(stage.intent(Kind.UPLOAD)) as receipt:
        try:
            found = stage.adapter.upload(data, shown(data))
        except Exception as raised:  # noqa: BLE001 (the receipt decides)
            error = raised
    return found, verdict_of_upload(receipt), error


def test_a_film_goes_in_pieces_and_is_shown_when_x_is_done_with_it(stage: Stage) -> None:
    data = film(size=2 * PIECE + 5)
    upload, found, _ = handed(stage, data)
    assert upload is not None
    assert found == Accepted(200)
    there = stage.x.uploads.films[upload]
    assert b"".join(there.pieces[nr] for nr in sorted(there.pieces)) == data
    steps = [path.rpartition("/")[2] for _, path in stage.x.changes()]
    assert steps == ["initialize", "append", "append", "append", "finalize"]
    part = Part(text="Look", media=(shown(data),))
    refused, _ = stage.publish("Look", media=part.media, uploads=(upload,))
    assert refused is None, "X is not done with it"
    assert [stage.adapter.ready(upload) for _ in range(3)] == [Readiness.PROCESSING] * 2 + [Readiness.READY]
    assert stage.adapter.ready(upload) is Readiness.READY
    assert len([one for one in stage.x.asked if one.query.get("command") == "STATUS"]) == 3
    ref = stage.published("Look", media=part.media, uploads=(upload,))
    assert stage.adapter.find(part, since=now() - 1000, known=NOBODY) == ref


def test_x_is_not_asked_before_it_said_to_and_nobody_sleeps(stage: Stage) -> None:
    stage.x.uploads.check_after = 30
    upload, _, _ = handed(stage, film())
    assert upload is not None
    assert [stage.adapter.ready(upload) for _ in range(5)] == [Readiness.PROCESSING] * 5
    assert not [one for one in stage.x.asked if one.query.get("command") == "STATUS"]


def test_a_film_that_x_cannot_show_is_said_to_have_failed(stage: Stage) -> None:
    stage.x.uploads.works = ["failed"]
    upload, _, _ = handed(stage, film())
    assert upload is not None
    assert stage.adapter.ready(upload) is Readiness.FAILED


def test_a_gate_that_closes_between_two_pieces_stops_the_next(stage: Stage) -> None:
    ask = stage.adapter._uploads._ask

    def closing(method: str, route: str, **said: object) -> object:
        answer = ask(method, route, **said)
        if route.endswith("append"):
            Path(stage.house.permit("all")).unlink(missing_ok=True)
        return answer

    stage.adapter._uploads._ask = closing
    upload, found, _ = handed(stage, film(size=3 * PIECE))
    assert upload is None
    assert isinstance(found, Stopped)
    assert [path.rpartition("/")[2] for _, path in stage.x.changes()] == ["initialize", "append"]


@pytest.mark.parametrize(
    ("step", "fault", "found"),
    [
        ("initialize", {"kind": "answer", "status": 400, "body": {"detail": "no"}}, Rejected),
        ("initialize", {"kind": "answer", "status": 200, "body": {"data": {"id": "../7"}}}, Accepted),
        ("initialize", {"kind": "answer", "status": 200, "body": "<html>"}, Accepted),
        ("append", {"kind": "lose"}, Uncertain),
        ("append", {"kind": "answer", "status": 503, "body": "busy"}, Uncertain),
        ("finalize", {"kind": "lose"}, Uncertain),
        ("finalize", {"kind": "answer", "status": 400, "body": {"detail": "Segments missing"}}, Rejected),
    ],
)
def test_a_film_of_which_one_step_fails_is_none(stage: Stage, step: str, fault: dict[str, object], found: type) -> None:
    stage.x.fault(path=f"/2/media/upload/.*{step}", **fault)  # type: ignore[arg-type]
    upload, verdict, error = handed(stage, film())
    assert upload is None
    assert error is not None
    assert isinstance(verdict, found)
    again, verdict, _ = handed(stage, film())
    assert again is not None
    assert verdict == Accepted(200)


@pytest.mark.parametrize(("lasts", "paying"), [(0.2, False), (20 * 60 + 1, False), (125 * 60 + 1, True)])
def test_a_film_that_lasts_too_long_or_not_long_enough_is_said_so_and_nobody_is_asked(
    stage: Stage, lasts: float, paying: bool
) -> None:
    stage.x.accounts["acme"].subscription = "Premium" if paying else "None"
    stage.adapter.whoami()
    upload, found, error = handed(stage, film(lasts))
    assert upload is None
    assert isinstance(found, NotSent)
    assert isinstance(error, Mistake)
    assert "it lasts" in str(error)
    assert stage.x.changes() == []


def test_whoever_pays_may_show_longer_films(stage: Stage) -> None:
    stage.x.accounts["acme"].verified = "business"
    stage.adapter.whoami()
    assert handed(stage, film(60 * 60))[1] == Accepted(200)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"moov",
        box(b"moov", b""),
        box(b"moov", box(b"mvhd", b"\0" * 10)),
        box(b"moov", box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 0, 7))),
        box(b"moov", box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 0xFFFFFFFF))),
        struct.pack(">I4s", 4, b"moov") * 100,
        struct.pack(">I4sQ", 1, b"mdat", 1 << 62),
        struct.pack(">I4s", 0xFFFFFFFF, b"moov"),
        box(b"free", b"") * 5000 + film(),
    ],
)
def test_a_header_that_says_nothing_is_left_to_x(data: bytes) -> None:
    assert seconds(data) is None


def test_the_length_of_a_film_is_read_in_both_forms_and_wherever_its_header_stands() -> None:
    assert seconds(film(12.5)) == 12.5
    long = struct.pack(">IQQIQ", 1 << 24, 0, 0, 600, 6000)
    wide = struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234"
    assert seconds(wide + box(b"moov", box(b"iods", b"x") + box(b"mvhd", long))) == 10


def test_a_film_goes_alone_and_has_no_alt_text_at_x(stage: Stage) -> None:
    limits = stage.adapter.limits()
    data = film()
    assert list(stage.adapter.check(Part(text="x", media=(shown(data),)), limits)) == []
    (problem,) = stage.adapter.check(Part(text="x", media=(shown(data, "A loaf"),)), limits)
    assert problem.field == "media1_alt"
    assert stage.adapter.check(Part(text="x", media=(shown(data), picture())), limits)


@pytest.mark.parametrize(
    ("subscription", "verified", "most"),
    [
        ("None", "none", 280), ("Basic", "none", 25_000), ("Premium", "blue", 25_000), ("PremiumPlus", "none", 25_000),
        ("None", "government", 25_000), ("Nonesuch", "red", 280), ("", "", 280),
    ],
)  # fmt: skip
def test_long_posts_are_for_whom_x_says_that_he_pays(stage: Stage, subscription: str, verified: str, most: int) -> None:
    account = stage.x.accounts["acme"]
    account.subscription, account.verified = subscription, verified
    stage.adapter.whoami()
    asked = len(stage.x.asked)
    limits = stage.adapter.limits()
    assert limits.characters == most
    assert len(stage.x.asked) == asked, "to say who we are was question enough"
    assert list(stage.adapter.check(Part(text="日" * (most // 2)), limits)) == []
    assert stage.adapter.check(Part(text="日" * (most // 2 + 1)), limits)


def test_the_limits_of_an_account_that_was_never_asked_are_asked_for(stage: Stage) -> None:
    stage.x.accounts["acme"].subscription = "Premium"
    assert stage.adapter.limits().characters == 25_000


def test_a_lost_long_post_is_found_though_the_timeline_shows_its_beginning_alone(stage: Stage) -> None:
    began = now()
    stage.x.accounts["acme"].subscription = "Premium"
    text = "Our whole story, see https://example.com/story\n" + "And then. " * 200
    stage.x.fault("lose")
    ref, found = stage.publish(text)
    assert ref is None
    assert isinstance(found, Uncertain)
    (post,) = stage.x.posts.values()
    assert len(post["text"]) < 320
    again = stage.adapter.find(Part(text=text), since=began, known=NOBODY)
    assert again is not None
    assert again.id == post["id"]
    with pytest.raises(Doubt, match="alike, but not the same"):
        stage.adapter.find(Part(text=text[:270]), since=began, known=NOBODY)
    (seen,) = stage.adapter.recent(since=began - 1000)
    assert seen.text == text.strip()


def test_what_is_no_long_post_is_read_as_it_is() -> None:
    for whole in (None, 7, {}, {"text": None}, {"text": 7}):
        assert text_of({"text": "Fresh bread", "note_tweet": whole}) == "Fresh bread"
