"""Files for X: a picture in one request, a film in pieces, and asking how far X is with it. Used by one thread.

Every request is an upload of its own at the gate: a freeze between two pieces stops the next. Nothing here waits.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from adapters import x_answers as answers_
from adapters import x_films
from guardian.adapter import Kind, Readiness, Route
from guardian.errors import Doubt, Mistake
from guardian.model import MediaLimits, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from guardian.model import Media

    Ask = Callable[..., Any]

UPLOAD = "/2/media/upload"
METADATA = "/2/media/metadata"
ROUTES = tuple(
    Route(Kind.UPLOAD, "POST", path)
    for path in (UPLOAD, METADATA, UPLOAD + "/initialize", UPLOAD + r"/[0-9]{1,19}/(?:append|finalize)")
)
FILM = "video/mp4"
PIECE = 4 << 20  # X takes 5 MB, and not more than 10,000 pieces
SHORTEST, LONGEST, LONGEST_OF_PAYING = 0.5, 20 * 60.0, 125 * 60.0  # seconds of a film
MEDIA = MediaLimits(
    count=4,
    types=frozenset({"image/jpeg", "image/png", "image/webp", FILM}),  # no moving pictures
    image_bytes=5 << 20,
    video_bytes=512 << 20,  # X takes 8 GB; the guardian takes in 100 MB
    alt_characters=1000,
)


class XUploads:
    """What one adapter has handed over."""

    def __init__(self, ask: Ask, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`ask` makes one request, and raises for an answer that is none."""
        self._ask = ask
        self._clock = clock
        self._working: dict[str, float] = {}  # of which X said that it is not done with them, and when to ask again

    def hand_over(self, data: bytes, media: Media, *, paying: bool) -> str:
        """The id that X gives it. Raises Mistake, and asks nothing, for a film that is too long or too short."""
        found = self._film(data, paying=paying) if media.type == FILM else self._picture(data, media)
        upload = str(found["id"])
        if _state(found) not in (None, "succeeded"):
            self._note(upload, found)
        return upload

    def ready(self, upload: str) -> Readiness:
        """Pictures are, at once; only what X said that it works on is asked for, and not before it said to."""
        again_at = self._working.get(upload)
        if again_at is None:
            return Readiness.READY
        if self._clock() < again_at:
            return Readiness.PROCESSING
        params = {"command": "STATUS", "media_id": upload}
        found = answers_.thing_in(self._ask("GET", UPLOAD, params=params).json()) or {}
        state = _state(found)
        if state == "failed":
            return Readiness.FAILED
        if state not in (None, "succeeded"):
            self._note(upload, found)
            return Readiness.PROCESSING
        del self._working[upload]
        return Readiness.READY

    def _picture(self, data: bytes, media: Media) -> dict[str, Any]:
        """One POST of the file and, where it has one, one of its description: nobody's picture goes without."""
        body = {"media": base64.b64encode(data).decode(), "media_category": "tweet_image", "media_type": media.type}
        found = _thing(self._ask("POST", UPLOAD, json=body).json())
        if media.alt:
            described = {"id": str(found["id"]), "metadata": {"alt_text": {"text": media.alt}}}
            self._ask("POST", METADATA, json=described)
        return found

    def _film(self, data: bytes, *, paying: bool) -> dict[str, Any]:
        _expect_length(data, most=LONGEST_OF_PAYING if paying else LONGEST)
        begun = {"media_type": FILM, "media_category": "tweet_video", "total_bytes": len(data)}
        found = _thing(self._ask("POST", f"{UPLOAD}/initialize", json=begun).json())
        upload = answers_.name_of(found)
        if upload is None:
            raise Doubt("cannot believe the answer, because the film's id is none that X gives")
        for number, at in enumerate(range(0, len(data), PIECE)):
            piece = {"segment_index": (None, str(number)), "media": ("piece", data[at : at + PIECE])}
            self._ask("POST", f"{UPLOAD}/{upload}/append", files=piece)
        return _thing(self._ask("POST", f"{UPLOAD}/{upload}/finalize").json())

    def _note(self, upload: str, found: dict[str, Any]) -> None:
        said = found.get("processing_info")
        after = said.get("check_after_secs") if isinstance(said, dict) else None
        plain = isinstance(after, int | float) and not isinstance(after, bool) and 0 < after <= 60  # noqa: PLR2004 (seconds)
        self._working[upload] = self._clock() + (float(after) if plain else 0.0)  # type: ignore[arg-type]  # a number, in the line above


def problems(media: Sequence[Media]) -> Iterator[Problem]:
    """What X has no field for: it shows no description at a film."""
    for place, one in enumerate(media, start=1):
        if one.type == FILM and one.alt:
            message = "X shows a description at pictures alone: say it in the text, or leave it out"
            yield Problem(field=f"media{place}_alt", message=message)


def _expect_length(data: bytes, *, most: float) -> None:
    lasts = x_films.seconds(data)
    if lasts is not None and not SHORTEST <= lasts <= most:
        raise Mistake(
            f"cannot show that film at X, because it lasts {lasts:.1f} s, and {SHORTEST:g} to {most:g} are allowed",
            fix="cut it",
        )


def _thing(made: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    found = answers_.thing_in(made) if isinstance(made, dict) else None
    if found is None:
        raise Doubt("cannot believe the answer, because the file has no id in it")
    return found


def _state(upload: dict[str, Any]) -> str | None:
    """How far X says that it is with a file; None: it has nothing to do with it."""
    said = upload.get("processing_info")
    return str(said.get("state")) if isinstance(said, dict) else None
