"""Files at the double of X: pictures in one piece, films in pieces, and X working on films. Standard library."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.doubles.x_refusals import PROBLEM

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Answer = tuple[int, Json]
NO = 400, {"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "media"}
LARGEST_PIECE = 5 << 20
STATES = ("pending", "in_progress", "succeeded")


@dataclass
class Film:
    """One that is handed over in pieces."""

    size: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    state: str = "open"


class Media:
    """What was handed over. `works` says how X comes along with films, a word for each time that it is asked."""

    def __init__(self, url: Callable[[], str], next_id: Callable[[], str]) -> None:
        self.files: dict[str, Json] = {}
        self.films: dict[str, Film] = {}
        self.works: list[str] = list(STATES)
        self.check_after = 0
        self._url = url
        self._next_id = next_id

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer | None:  # noqa: ANN401 (JSON, or fields)
        """What X says; None: that is no address of files."""
        step = re.fullmatch(r"/2/media/upload/(\d+)/(append|finalize)", path)
        if step is not None and method == "POST":
            film = self.films.get(step[1])
            if film is None:
                return NO
            return self._append(film, body) if step[2] == "append" else self._finalize(step[1], film)
        routes: dict[tuple[str, str], Callable[[], Answer]] = {
            ("POST", "/2/media/upload"): lambda: self._upload(body),
            ("POST", "/2/media/upload/initialize"): lambda: self._initialize(body),
            ("GET", "/2/media/upload"): lambda: self._status(query),
            ("POST", "/2/media/metadata"): lambda: self._describe(body),
        }
        found = routes.get((method, path))
        return None if found is None else found()

    def shown(self, key: str) -> bool:
        """Whether a post may show it."""
        return key in self.files and self.films.get(key, Film(0, state="succeeded")).state == "succeeded"

    def _upload(self, body: Json) -> Answer:
        data = base64.b64decode(body["media"], validate=True)
        if body.get("media_category") != "tweet_image" or not body.get("media_type", "").startswith("image/"):
            return NO
        key = self._keep("photo", len(data))
        said = {"id": key, "media_key": f"3_{key}", "size": len(data), "expires_after_secs": 86400}
        return 200, {"data": said}

    def _initialize(self, body: Json) -> Answer:
        plain = body.get("media_category") == "tweet_video" and body.get("media_type") == "video/mp4"
        if not plain or not isinstance(body.get("total_bytes"), int):
            return NO
        key = self._keep("video", body["total_bytes"])
        self.films[key] = Film(body["total_bytes"])
        return 200, {"data": {"id": key, "media_key": f"13_{key}", "expires_after_secs": 86400}}

    def _append(self, film: Film, body: dict[str, bytes]) -> Answer:
        piece, at = body["media"], int(body["segment_index"])
        if film.state != "open" or len(piece) > LARGEST_PIECE:
            return NO
        film.pieces[at] = piece
        return 200, {"data": {"expires_at": 1_800_000_000}}

    def _finalize(self, key: str, film: Film) -> Answer:
        whole = sum(map(len, film.pieces.values())) == film.size and sorted(film.pieces) == list(
            range(len(film.pieces))
        )
        if not whole:
            return 400, {"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "Segments missing"}
        film.state = "pending"
        said = {"id": key, "media_key": f"13_{key}", "size": film.size, "expires_after_secs": 86400}
        return 200, {"data": {**said, "processing_info": {"state": "pending", "check_after_secs": self.check_after}}}

    def _status(self, query: dict[str, str]) -> Answer:
        film = self.films.get(query.get("media_id", ""))
        if film is None or query.get("command") != "STATUS":
            return NO
        film.state = self.works.pop(0) if len(self.works) > 1 else self.works[0]
        info: Json = {"state": film.state, "check_after_secs": self.check_after}
        return 200, {"data": {"id": query["media_id"], "processing_info": info}}

    def _describe(self, body: Json) -> Answer:
        self.files[body["id"]]["alt_text"] = body["metadata"]["alt_text"]["text"]
        return 200, {"data": {"id": body["id"], "associated_metadata": {}}}

    def _keep(self, kind: str, size: int) -> str:
        key = self._next_id()
        prefix = "3" if kind == "photo" else "13"
        self.files[key] = {
            "media_key": f"{prefix}_{key}",
            "type": kind,
            "url": f"{self._url()}/media/{key}",
            "size": size,
        }
        return key


def fields(raw: bytes, content_type: str) -> dict[str, bytes]:
    """The fields of a form in parts."""
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    found: dict[str, bytes] = {}
    for part in raw.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'; name="([^"]*)"', head)
        assert name is not None, head
        found[name[1].decode()] = content.removesuffix(b"\r\n")
    return found
