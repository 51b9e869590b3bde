"""A hostile post, taken down for real: it steers no page and no terminal, and the raw files have all of it."""

from __future__ import annotations

import html
import io
import json
import unicodedata
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Place, Ran

    Guardian = Callable[..., Ran]

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ANSI = "\x1b[2J\x1b[31mred \x9b31m\x07"
BIDI = "admin\u202egnp.exe\u2066 isolated \u2069"
HIDDEN = "zero\u200bwidth\u2060 soft\u00adhyphen\ufeff"
HOSTILE = f"{SCRIPT} {ANSI} {BIDI} {HIDDEN}"
STEERING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "b", "i", "a", "br", "bdi", "table", "tr"),
    *("th", "td", "ul", "li", "code", "div", "span", "article", "figure", "figcaption", "img", "section", "dl", "dt"),
    *("dd", "thead", "tbody", "em", "svg", "text", "line", "rect", "circle"),
}


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.scripts: list[str] = []
        self.sources: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.scripts += [name for name, _ in attrs if name.startswith("on")]
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def steers(text: str) -> set[str]:
    return {one for one in text if one not in "\n\t" and unicodedata.category(one) in STEERING}


def harmless(page: str) -> None:
    found = Seen(page)
    assert found.tags <= OURS
    assert found.scripts == []
    assert all(one.startswith(("http://127.0.0.1:", "../media/", "data:image/png;")) for one in found.sources)
    assert not steers(page)
    assert html.escape("<script>") in page, "it is shown as what it is"


@pytest.fixture
def taken_down(place: Place, guardian: Guardian, tmp_path: Path) -> Iterator[tuple[str, Path, str]]:
    """A hostile post with hostile replies is taken down for a hostile reason: the order, its bundle, what was said."""
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    (tmp_path / "cat.png").write_bytes(picture.getvalue())
    record = {
        "account": "acme", "at": "now", "text": HOSTILE, "warning": HOSTILE,
        "media": [{"path": "cat.png", "alt": HOSTILE}],
    }  # fmt: skip
    (tmp_path / "plan.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
    ran = guardian("queue", "import", str(tmp_path / "plan.jsonl"), "--json")
    assert ran.code == 0, ran.out + ran.err
    (post,) = ran.json["ids"]
    place.wait(lambda: place.get(f"/v1/posts/{post}")["state"] == "published")
    (live,) = [one for one in place.platform.posts() if one["text"] == HOSTILE]
    place.platform.stir(str(live["id"]), replies=3, texts=[HOSTILE], names=[HOSTILE])
    ran = guardian("takedown", post, "--delete", "--replies", "5", "--reason", HOSTILE)
    assert ran.code == 0, ran
    order = next(iter(ran.out.split()))
    bundle = next(line.split()[1] for line in ran.out.splitlines() if line.strip().startswith("proof"))
    place.wait(lambda: place.get(f"/v1/evidence/{bundle}")["seals"] == 2)
    yield order, place.base / "state" / "evidence" / bundle, ran.out + ran.err
    assert guardian("incident", "close", "after the test").code == 0


def test_a_hostile_post_steers_nothing_that_shows_it_and_lies_untouched_in_the_raw_files(
    guardian: Guardian, taken_down: tuple[str, Path, str]
) -> None:
    order, bundle, said = taken_down
    assert not steers(said)
    shown = [
        guardian("takedown", "show", order),
        guardian("takedown", "show", order, "--json"),
        guardian("takedown", "list"),
        guardian("incident", "show"),
        guardian("evidence", "show", bundle.name),
        guardian("evidence", "list"),
        guardian("status"),
        guardian("evidence", "verify", str(bundle)),
    ]
    for ran in shown:
        assert ran.code in (0, 20), ran
        assert not steers(ran.out + ran.err), ran
    report = guardian("incident", "report", "--format", "html")
    for page in (report.out, *((bundle / name).read_text("utf-8") for name in ("report.html", "render/card.html"))):
        harmless(page)
    assert not steers(guardian("incident", "report", "--format", "markdown").out)
    source, status = (json.loads((bundle / f"api/before/{name}.json").read_bytes()) for name in ("source", "status"))
    assert (source["text"], source["spoiler_text"]) == (HOSTILE, HOSTILE)
    assert status["media_attachments"][0]["description"] == HOSTILE
    replies = json.loads((bundle / "third-party/context.json").read_bytes())["descendants"]
    assert [one["account"]["display_name"] for one in replies] == [HOSTILE] * 3
    record = json.loads((bundle / "record-1.json").read_bytes())
    subject, ordered = record["subject"], record["order"]
    assert (subject["text"], subject["alts"], subject["told"]["warning"]) == (HOSTILE, [HOSTILE], HOSTILE)
    assert ordered["reason"] == HOSTILE
