"""How X counts a post: against what X's own published parser (twitter-text 3.1.0) says of the same texts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from adapters.x_counting import MOST, length

COUNTED = [
    json.loads(line) for line in (Path(__file__).parent / "x_counted.jsonl").read_text(encoding="ascii").splitlines()
]
HOSTILE = {
    "dots": "." * 25_900,
    "names without end": "a." * 12_900,
    "names in other letters": ("日" * 200 + ".") * 128,
    "open parentheses": "http://x.com/" + "(a" * 12_900,
    "hyphens": "a-" * 12_900 + ".com",
    "at signs": "http://x.com/" + "@a" * 12_900 + "!",
    "a book": "x" * 200_000,
}


@pytest.mark.parametrize(("text", "counted"), COUNTED, ids=range(len(COUNTED)))
def test_a_post_is_counted_as_the_parser_of_x_counts_it(text: str, counted: int) -> None:
    assert length(text) == counted


@pytest.mark.parametrize(
    "unit",
    [
        "\U0001f600",  # a face
        "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # a family of three, joined
        "\U0001f44d\U0001f3fd",  # a thumb with a colour of skin
        "\U0001f1f8\U0001f1ea",  # a flag of two letters
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # a flag of tags
        "1\ufe0f\u20e3",  # a key
        "\u65e5",
    ],
)
def test_of_what_counts_two_a_hundred_and_forty_fit_and_not_one_more(unit: str) -> None:
    assert length(unit * 140) == MOST
    assert length(unit * 141) == MOST + 2


def test_what_is_composed_counts_as_what_it_is_composed_to() -> None:
    assert length("e\u0301" * 280) == length("\u00e9" * 280) == MOST


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_the_counter_more_than_a_moment(text: str) -> None:
    began = time.monotonic()
    assert length(text) > MOST
    assert time.monotonic() - began < 20  # a bound against hanging: an expression that backtracks takes hours
