"""Pages of a bundle: whatever a platform or a stranger writes, nothing runs, nothing is fetched, nothing hides."""

from __future__ import annotations

import html.parser
import re
import unicodedata
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Mistake
from guardian.evidence import canonical, card, harmless, record, summary, words
from tests.evidence.building import NOW, exchange, facts, fresh

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'--></style></title></textarea><svg onload=alert(1)>",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "\x1b[2J\x1b]0;owned\x07\x00\x08\x7f\x9b31m",
    "\u202egnp.exe\u202c \u2066x\u2069 \u200e\u200f\u061c",
    "pay\u200bpal \ufeff\u2060\u00ad\u180e\u3164 a\u200db",
    "\U000e0041\U000e0042 hidden tags",
    "\ud800 half a pair \udfff",
    "javascript:alert(1)",
    "\u2028\u2029\x85",
]
KEPT = [
    "👩‍👩‍👧‍👦",
    "👍🏽",
    "❤️‍🔥",
    "🧑🏿‍⚕️",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "日本語",
    "مرحبا بالعالم",
    "שלום",
    "می‌خواهم",
    "e\u0301",
    "½ ÷ ñ",
    "🇸🇪",
]
TAGS = {
    "html", "head", "meta", "title", "style", "body", "p", "b", "i", "br", "div", "article", "bdi", "span", "a", "img",
    "figure", "figcaption", "table", "tr", "th", "td", "h1", "h2", "ul", "li", "code",
}  # fmt: skip


class Reader(html.parser.HTMLParser):
    """What a browser would see: elements, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(page: str) -> Reader:
    page.encode("utf-8")
    seen = Reader(page)
    assert {tag for tag, _ in seen.elements} <= TAGS
    assert sum(tag == "style" for tag, _ in seen.elements) == 1
    (policy,) = [one["content"] for tag, one in seen.elements if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'"
    for _, attributes in seen.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert re.match(r"https?://|[A-Za-z0-9./_-]+$|$", attributes.get("href", ""))
        assert re.match(r"data:image/|[A-Za-z0-9./_-]+$|$", attributes.get("src", ""))
    bad = {letter for letter in page if unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\n\t"}
    bad |= {
        letter
        for letter in page
        if letter in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff"
    }
    assert not bad
    return seen


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_in_any_place_do_nothing(root: Path, text: str) -> None:
    media = (
        card.Shown(type="image/png", alt=text, file=text, data=b"x"),
        card.Shown(type=text, alt=text, file="../" + text),
    )
    said = card.Said(author=text, handle=text, text=text, at=text, url=text, warning=text, media=media)
    assert_harmless(card.card(said, captured=text, facts=[(text, text)]))
    assert_harmless(card.card(card.Said(author="", handle="", text="", at="", url="https://x/" + text), captured=""))
    assert_harmless(card.replies([said], captured=text))
    bundle = fresh(root)
    about = facts(
        bundle, text=text, alts=(text,), url=text, author=text, account=text, counts={"likes": 1}, published_at=text
    )
    assert_harmless(summary.summary(about, seals=[(1, "0" * 64)]))
    record.add(bundle, about)
    assert "\n" not in canonical.written({"x": text}).decode()
    draft = words.certificate_draft(bundle=text, url=text, at=NOW, tool=text, seals=[(1, "0")], facts={text: text})
    assert not [letter for letter in draft if letter != "\n" and not letter.isprintable()]


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=range(len(HOSTILE) - 1))
def test_the_raw_files_keep_hostile_words_as_they_are(root: Path, text: str) -> None:
    body = text.encode("utf-8", "surrogatepass")
    bundle = fresh(root)
    bundle.add("api/before/status.json", body)
    bundle.exchange(exchange(body=body))
    assert (bundle.path / "api/before/status.json").read_bytes() == body


@pytest.mark.parametrize("text", KEPT)
def test_emoji_and_every_script_are_left_to_the_readers_browser(text: str) -> None:
    assert harmless.shown(text) == text


def test_what_hides_is_shown_by_its_number() -> None:
    assert harmless.shown("pay\u200bpal") == 'pay<span class="mark">U+200B</span>pal'
    assert harmless.attribute('"\u202e') == "&quot;U+202E"


def test_a_card_says_that_it_is_a_rendering_and_carries_its_pictures() -> None:
    media = tuple(
        card.Shown(type="image/jpeg", alt=f"picture {n}", file=f"../media/0{n}.jpg", data=b"\xff\xd8") for n in range(4)
    )
    page = card.card(card.Said(author="A", handle="@a", text="two\nlines", at="now", media=media), captured="now")
    seen = assert_harmless(page)
    assert "RENDERING" in seen.text
    assert "not a screenshot" in seen.text
    assert [one["src"] for tag, one in seen.elements if tag == "img"] == ["data:image/jpeg;base64,/9g="] * 4
    assert [one["href"] for tag, one in seen.elements if tag == "a"] == [f"../media/0{n}.jpg" for n in range(4)]


def test_what_is_too_large_or_no_picture_is_linked_and_not_carried() -> None:
    media = (
        card.Shown(type="image/png", alt=None, file="../media/01.png", data=b"x" * (card.EMBEDDED + 1)),
        card.Shown(type="image/svg+xml", alt=None, file="../media/02.svg", data=b"<svg onload='x'>"),
        card.Shown(type="text/html", alt=None, file="../media/03.html", data=b"<script>"),
    )
    page = card.card(card.Said(author="A", handle="@a", text="", at="now", media=media), captured="now")
    seen = assert_harmless(page)
    assert [one["src"] for tag, one in seen.elements if tag == "img"] == ["../media/01.png"]
    assert len(page) < 10_000
    assert seen.text.count("no alt text") == 3


def test_four_thousand_replies_make_a_page_that_says_how_many_there_are() -> None:
    said = [card.Said(author=f"{n}", handle="@x", text="<b>" * 50, at="now") for n in range(4096)]
    page = card.replies(said, captured="now")
    assert "4096 captured, 500 shown" in assert_harmless(page).text
    assert page.count("<article>") == 500


def test_a_link_out_of_the_bundle_is_no_link() -> None:
    for file in ("../../../../etc/passwd", "a/../../x", "//evil.example/x", "https://evil.example/x", "javascript:x"):
        media = (card.Shown(type="image/png", alt=None, file=file),)
        page = card.card(card.Said(author="A", handle="@a", text="", at="now", media=media), captured="now")
        assert not [one for tag, one in assert_harmless(page).elements if tag in {"a", "img"}]


# --- record.json ---


def test_the_record_has_one_form_with_ids_as_text_and_no_fraction(root: Path) -> None:
    bundle = fresh(root)
    name = record.add(bundle, facts(bundle, platform_id="9007199254740993123"))
    data = (bundle.path / name).read_bytes()
    found = canonical.table(data)
    assert canonical.written(found) + b"\n" == data
    assert found["subject"]["platform_id"] == "9007199254740993123"
    assert (found["times"]["began"], found["grade"], found["version"]) == (str(1 << 60), "complete", 1)


@pytest.mark.parametrize("value", [1.5, float("nan"), 1 << 53, -(1 << 53), {"ä": 1}, {1: 2}, b"x", {"a": [object()]}])
def test_what_has_no_single_form_is_refused(value: object) -> None:
    with pytest.raises(Mistake):
        canonical.written({"x": value})


def test_depth_has_an_end() -> None:
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    with pytest.raises(Mistake):
        canonical.written(deep)


def test_the_servers_date_is_an_interval_because_it_knows_whole_seconds() -> None:
    date = "Wed, 18 Nov 2026 11:06:40 GMT"
    assert record.server_ahead(date, began_at=NOW + 100, ended_at=NOW + 300) == (-300, 900)
    for none in (None, "", "yesterday", "Wed, 99 Nov 2026 11:06:40 GMT"):
        assert record.server_ahead(none, began_at=NOW, ended_at=NOW) is None


def test_the_draft_of_the_certificate_is_marked_as_one_and_names_every_seal() -> None:
    draft = words.certificate_draft(
        bundle="ev-x", url="https://m.example/1", at=NOW, tool="t", seals=[(1, "a" * 64), (2, "b" * 64)]
    )
    assert draft.startswith("DRAFT, NOT A CERTIFICATE")
    assert "a" * 64 in draft
    assert "b" * 64 in draft
    assert "2026-11-18 11:06:40+00:00" in draft
    assert "penalty of perjury" in draft
