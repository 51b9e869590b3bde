"""How long a text is, counted as Bluesky counts it: a table, and the server's own counter asked for every row of it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from adapters.bluesky_record import LIMITS, check, facets, length, mentioned
from guardian.model import Media, Part
from tests.bluesky.installing import installed

if TYPE_CHECKING:
    from tests.bluesky.pds import Pds

COUNTS = {
    "plain letters": ("hello", 5),
    "line ends": ("a\r\nb\nc", 5),
    "a lone carriage return": ("a\rb", 3),
    "an umlaut in one sign": ("\u00fc", 1),
    "an umlaut in two": ("u\u0308", 1),
    "many marks on one letter": ("Z\u0351\u036b\u0343\u032a\u0302\u036b\u033d\u034f\u0334\u0319", 1),
    "a heart with its colour": ("\u2764\ufe0f", 1),
    "a keycap": ("1\ufe0f\u20e3", 1),
    "a family of four": ("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", 1),
    "a firefighter with a skin": ("\U0001f469\U0001f3fd\u200d\U0001f692", 1),
    "a rainbow flag": ("\U0001f3f3\ufe0f\u200d\U0001f308", 1),
    "a flag": ("\U0001f1e9\U0001f1ea", 1),
    "two flags": ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 2),
    "a flag and a half": ("\U0001f1e9\U0001f1ea\U0001f1eb", 2),
    "England": ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", 1),
    "Han": ("\u6f22\u5b57", 2),
    "Kana with a mark": ("\u304b\u3099", 1),
    "Hangul": ("\ud55c\uad6d\uc5b4", 3),
    "Hangul in its letters": ("\u1112\u1161\u11ab", 1),
    "Han with a variant": ("\u845b\U000e0100", 1),
    "Devanagari": ("\u0928\u092e\u0938\u094d\u0924\u0947", 3),
    "a Devanagari conjunct": ("\u0915\u094d\u0937\u093f", 1),
    "a Bengali conjunct": ("\u0995\u09cd\u09b7", 1),
    "Tamil": ("\u0ba8\u0bbf", 1),
    "Thai": ("\u0e01\u0e33", 1),
    "Khmer": ("\u1781\u17d2\u1798\u17c2\u179a", 2),
    "Hebrew with its points": ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", 4),
    "Arabic with its marks": ("\u0633\u064e\u0644\u064e\u0651\u0627\u0645", 4),
    "an Arabic number sign": ("\u0600\u0661", 1),
    "two words held apart": ("a\u200cb", 2),
    "a direction turned round": ("\u202eabc", 4),
    "an emoji of 2024": ("\U0001fae9", 1),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_text_is_as_long_as_it_looks(name: str) -> None:
    text, expected = COUNTS[name]
    assert length(text) == expected
    assert length(text * 3) <= 3 * expected


def test_the_servers_own_counter_counts_the_same(pds: Pds) -> None:
    assert pds.place
    node, place = installed()
    program = (
        "const {graphemeLen} = require('@atproto/lex-data');"
        "console.log(JSON.stringify(JSON.parse(process.argv[1]).map(graphemeLen)))"
    )
    asked = [text for text, _ in COUNTS.values()] + [text * 3 for text, _ in COUNTS.values()]
    ran = subprocess.run(
        [node.program, "-e", program, json.dumps(asked)],
        cwd=place,
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    theirs = dict(zip(asked, json.loads(ran.stdout), strict=True))
    assert {text: length(text) for text in asked} == theirs


def problems(**said: object) -> list[str]:
    return [one.field for one in check(Part(**said), LIMITS)]  # type: ignore[arg-type]


def test_what_a_pds_would_refuse_or_could_not_show_is_said_before_it_is_due() -> None:
    dot = Media(sha256="0" * 64, type="image/png", size=2_000_000)
    many = tuple(Media(sha256=f"{nr}" * 64, type="image/png", size=9) for nr in range(5))
    film = Media(sha256="9" * 64, type="video/webm", size=9)
    assert problems(text="x", language="pt-BR", warning="porn", visibility="public", media=(dot,)) == []
    assert problems(text="e\u0301" * 300) == []
    assert problems(text="e" * 301) == ["text"]
    assert problems(text="\u6f22" * 300) == []
    assert problems(text="\U0001f469\U0001f3fd\u200d\U0001f692" * 201) == ["text"]
    assert problems(text=" ") == ["text"]
    assert problems(text="", media=(dot,)) == []
    assert problems(text="x", visibility="private") == ["visibility"]
    assert problems(text="x", warning="spiders") == ["warning"]
    assert problems(text="x", language="English, mostly") == ["language"]
    assert problems(text="x", media=many) == ["media"]
    assert problems(text="x", media=(film,)) == ["media1"]
    assert problems(text=" ".join(f"@a{nr}.test" for nr in range(11))) == ["text"]


def test_what_is_marked_is_marked_by_bytes_and_never_moved() -> None:
    text = (
        "\U0001f469\u200d\U0001f692 (https://example.com/x) caf\u00e9.example #\u00dcber, #1 $ACME @Who.test. a@b.test"
    )
    raw = text.encode()
    found = [
        (raw[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(), one["features"][0])
        for one in facets(text, {"who.test": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"})
    ]
    assert [words for words, _ in found] == ["https://example.com/x", "#\u00dcber", "$ACME", "@Who.test"]
    assert found[3][1]["did"].startswith("did:plc:")
    assert [one.handle for one in mentioned(text)] == ["Who.test"]
    assert facets("nothing to see", {}) == []
