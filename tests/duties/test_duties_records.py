"""Import records: everything that is wrong is said at once, with its place; nothing is guessed, dropped or thrown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.duties import import_lines
from guardian.duties.import_lines import MOST_WRONG, Wrong
from guardian.duties.records import MOST_WRONG_OF_ONE, Read, Rules, read_record
from guardian.errors import Mistake
from guardian.rules.lines import MAX_LINE
from tests.duties.reading import read_lines

RULES = Rules(accounts=("acme-mastodon", "acme-x"), zone="Europe/Stockholm", now=1_763_000_000_000)
FEW = settings(max_examples=150, deadline=None)
GOOD = '"account": "acme-mastodon", "at": "now", "text": "hello"'


def one(line: str) -> list[tuple[int, str]]:
    good, wrong = read_lines(line, RULES)
    assert bool(good) != bool(wrong), "neither entered nor refused"
    assert {found.line for found in wrong} <= {1}
    return [(found.column, found.message) for found in wrong]


WRONG = [
    ("{", 2, "cannot read the record, because of"),
    ("nothing", 1, "cannot read the record, because of Expecting value"),
    ("[]", 1, "because it is no object, do write {...}"),
    ("null", 1, "because it is no object"),
    ("7", 1, "because it is no object"),
    ('{"at": "now", "text": "x"}', 1, "'account' is missing, do add it"),
    ('{"account": "acme-mastodon", "text": "x"}', 1, "'at' is missing"),
    ('{"account": "acme-mastodon", "at": "now"}', 1, "'text' is missing"),
    (f'{{{GOOD}, "txet": "x"}}', 60, "there is no such key, do write text"),
    (f'{{{GOOD}, "langauge": "sv"}}', 60, "there is no such key, do write language"),
    (f'{{{GOOD}, "xyzzy": 1}}', 60, "there is no such key"),
    ('{"account": "acme-mastadon", "at": "now", "text": "x"}', 2, "no such account, do you mean 'acme-mastodon'?"),
    ('{"account": "zzz", "at": "now", "text": "x"}', 2, "do choose from: acme-mastodon, acme-x"),
    (f'{{{GOOD}, "media": [{{"path": "a.png"}}]}}', 71, "cannot use the path 'a.png', because only the file's hash"),
    (f'{{{GOOD}, "media": [{{"alt": "a cat"}}]}}', 70, "because it has neither or both of 'path' and 'sha256'"),
    (f'{{{GOOD}, "media": [{{"sha256": "{"0" * 64}"}}]}}', 71, "because it is not in the spool"),
    (f'{{{GOOD}, "media": [{{"sha256": "x"}}]}}', 71, "cannot use 'sha256' of file 1, because"),
    (
        f'{{{GOOD}, "media": [{{"path": "a", "atl": "b"}}]}}',
        84,
        "cannot read 'atl' in file 1, because there is no such key, do write alt",
    ),
    (f'{{{GOOD}, "media": {{}}}}', 60, "cannot use 'media', because at most 100 files fit"),
    (f'{{{GOOD}, "parts": [{{"text": "x"}}, {{"text": "y"}}]}}', 43, "cannot use 'text' beside 'parts'"),
    ('{"account": "acme-x", "at": "now", "parts": [{"text": "x"}]}', 36, "because a thread has 2 to 100 parts"),
    (
        '{"account": "acme-x", "at": "now", "parts": [{"text": "x"}, {"text": " "}]}',
        62,
        "'text' of part 2, because it is empty",
    ),
    (
        '{"account": "acme-x", "at": "now", "parts": [{"text": "x"}, {"text": 7}]}',
        62,
        "cannot use 'text' of part 2, because",
    ),
    ('{"account": "acme-x", "at": "now", "parts": [{"text": "x"}, {"txet": "y"}]}', 62, "cannot read 'txet' in part 2"),
    (
        '{"account": "acme-x", "at": "2025-11-12T09:00:00+00:00", "text": "x"}',
        23,
        "has passed, 17 hours ago, do use now, or a later time",
    ),
    ('{"account": "acme-x", "at": "yesterday", "text": "x"}', 23, "because it is not ISO 8601"),
    ('{"account": "acme-x", "at": "2026-11-21T09:00", "zone": "Mars", "text": "x"}', 23, "not an IANA zone"),
    ('{"account": "acme-x", "at": "now", "text": ""}', 36, "cannot use 'text', because it is empty"),
    ('{"account": "acme-x", "at": "now", "text": "  \\n"}', 36, "because it is empty"),
    ('{"account": "acme-x", "at": "now", "text": 7}', 36, "cannot use 'text', because"),
    ('{"account": "acme-x", "at": 1763000000, "text": "x"}', 23, "cannot use 'at', because"),
    ('{"account": "acme-x", "at": "now", "text": "a\\u0000b"}', 36, "it has a NUL or half a character in it"),
    ('{"account": "acme-x", "at": "now", "text": "a\\ud800b"}', 36, "cannot use 'text', because"),
    (f'{{{GOOD}, "language": "swedish"}}', 60, "cannot use 'language', because"),
    (f'{{{GOOD}, "tags": ["a b"]}}', 69, "cannot use 'tags', because"),
    (f'{{{GOOD}, "tags": "launch"}}', 60, "cannot use 'tags', because"),
    (f'{{{GOOD}, "ref": ""}}', 60, "cannot use 'ref', because it is empty"),
    (f'{{{GOOD}, "ref": "{"r" * 201}"}}', 60, "cannot use 'ref', because"),
    (f'{{{GOOD}, "visibility": true}}', 60, "cannot use 'visibility', because"),
]


@pytest.mark.parametrize(("line", "column", "words"), WRONG)
def test_a_wrong_record_is_refused_at_its_place_in_words(line: str, column: int, words: str) -> None:
    found = one(line)
    assert any(words in message for _, message in found), found
    assert [at for at, message in found if words in message] == [column]
    assert all(message.startswith("cannot ") for _, message in found)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = "\n".join([
        '{"account": "acme-x", "at": 7, "text": "", "txet": "x", "tags": 1}',
        f"{{{GOOD}}}",
        "{",
        '{"account": "nobody", "at": "never", "text": "x", "media": [1], "parts": [1]}',
    ])  # fmt: skip
    good, wrong = read_lines(text, RULES)
    assert [line for line, _ in good] == [2]
    places = [(found.line, found.column) for found in wrong]
    assert places == sorted(places)
    assert {line for line, _ in places} == {1, 3, 4}
    assert sum(1 for line, _ in places if line == 1) == 4
    assert sum(line == 4 for line, _ in places) == 4


def test_a_whole_record_is_read_as_it_was_meant() -> None:
    raw = {
        "account": "acme-x",
        "at": "2026-11-21T09:00:00",
        "zone": "Asia/Tokyo",
        "text": " hello ",
        "warning": "careful",
        "language": "sv-SE",
        "visibility": "unlisted",
        "tags": ["launch", "q4"],
        "ref": "42",
        "media": [],
    }
    found = read_record(raw, RULES)
    draft = found.draft
    assert (draft.account, draft.zone, draft.ref, draft.tags) == ("acme-x", "Asia/Tokyo", "42", ("launch", "q4"))
    assert (draft.part.text, draft.part.warning, draft.part.language) == (" hello ", "careful", "sv-SE")
    assert draft.at == 1_795_219_200_000
    assert found.note is None


def test_a_byte_order_mark_empty_lines_and_windows_line_ends_do_no_harm() -> None:
    good, wrong = read_lines(f"\ufeff{{{GOOD}}}\r\n\r\n  \n{{{GOOD}}}\r\n", RULES)
    assert ([line for line, _ in good], wrong) == ([1, 4], [])


def test_a_line_separator_inside_a_text_does_not_end_the_line() -> None:
    good, wrong = read_lines('{"account": "acme-x", "at": "now", "text": "one\u2028two\u0085three"}', RULES)
    assert wrong == []
    assert good[0][1].draft.part.text == "one\u2028two\u0085three"


@pytest.mark.parametrize(
    "line",
    [
        '{"account": ' + "1" * 5_000 + "}",
        '{"account": -' + "9" * 5_000 + ', "text": "x"}',
        "[" * 100_000,
        '{"a":' * 50_000,
        "x" * (MAX_LINE + 1),
        '{"text": NaN, "at": Infinity, "account": -Infinity}',
        '{"\\ud800": "x"}',
        "{" + GOOD + ', "zone": "' + "a/" * 90 + '"}',
    ],
)
def test_what_is_beyond_measure_is_refused_in_words_and_not_by_a_crash(line: str) -> None:
    assert one(line)


def test_the_place_of_a_key_is_not_that_of_a_value_with_the_same_name() -> None:
    line = '{"text": "account", "at": "now", "account": 5}'
    assert [column for column, message in one(line) if "'account'" in message] == [line.rindex('"account"') + 1]


def test_a_key_written_twice_is_not_half_dropped_in_silence() -> None:
    assert one(f'{{{GOOD}, "text": "other words"}}')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("account", "at", "zone", "text", "warning", "language", "visibility", "tags", "ref", "media", "parts", "txet")
LIKELY = st.sampled_from(
    ["now", "acme-x", "2026-11-21T09:00:00", "Europe/Stockholm", "sv", "public", "", "\ud800", "\0"]
)
RECORDS = st.dictionaries(st.sampled_from(KEYS), LIKELY | JSON, max_size=8)


@FEW
@given(JSON | RECORDS)
def test_any_json_is_a_record_or_a_list_of_mistakes(raw: object) -> None:
    line = json.dumps(raw)
    good, wrong = read_lines(line, RULES)
    assert bool(good) != bool(wrong), "neither entered nor refused"
    for found in wrong:
        assert found.line == 1
        assert 1 <= found.column <= len(line)
        assert found.message.startswith("cannot ")


@FEW
@given(RECORDS)
def test_a_record_that_comes_alone_is_judged_as_one_in_a_file(raw: dict[str, object]) -> None:
    good, wrong = read_lines(json.dumps(raw), RULES)
    try:
        found: Read | None = read_record(raw, RULES)
    except Mistake as mistake:
        found = None
        assert str(mistake).strip(), "refused without a word"  # noqa: PT017 (both ends are fine, but not a silent one)
    assert bool(good) == (found is not None)
    assert bool(wrong) == (found is None)


@FEW
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(['{"a":1}', "{", "\n", "\r", '"', "\u2028", "\ufeff", f"{{{GOOD}}}"])).map("".join)
)
def test_any_text_is_read_to_its_end_without_a_crash(text: str) -> None:
    good, wrong = read_lines(text, RULES)
    told = {line for line, _ in good} | {found.line for found in wrong}
    written = {number for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1) if line.strip()}
    assert told == written, "a line was passed over"
    assert all(isinstance(found, Wrong) for found in wrong)


def test_a_record_of_very_many_wrong_keys_costs_no_time_that_grows_with_their_square() -> None:
    line = json.dumps({f"k{number}": 1 for number in range(20_000)})
    good, wrong = read_lines("\n".join([line] * 5), RULES)
    assert (good, len(wrong)) == ([], 5 * MOST_WRONG_OF_ONE)
    with pytest.raises(Mistake) as caught:
        read_record(json.loads(line), RULES)
    assert len(str(caught.value)) < 5000


def test_a_file_that_is_wrong_throughout_is_not_read_on_for_ever() -> None:
    good, wrong = read_lines('{"a": 1}\n' * 50_000, RULES)
    assert good == []
    assert len(wrong) <= MOST_WRONG + MOST_WRONG_OF_ONE
    assert wrong[-1].message.startswith("cannot read on, because 10000 things are wrong by now")


def test_an_import_of_more_records_than_fit_is_refused_whole_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_lines, "MAX_RECORDS", 3)
    assert read_lines(f"{{{GOOD}}}\n" * 3, RULES)[1] == []
    _, wrong = read_lines(f"{{{GOOD}}}\n" * 4, RULES)
    assert [(one.line, one.message) for one in wrong] == [
        (4, "cannot read on, because an import has at most 3 records, do split it")
    ]
