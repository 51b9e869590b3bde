"""Tables of posts: what a spreadsheet makes is read as it was meant; all else is named with line and field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.duties.foreign import Choices
from guardian.duties.records import Rules
from guardian.model import Media
from tests.duties.reading import read_any

if TYPE_CHECKING:
    from guardian.duties.records import Read

HASH = "0" * 64
FILES = {"a.png": HASH, "b.png": HASH, "no.png": "cannot hand over no.png, because it is not there"}
RULES = Rules(
    accounts=("acme", "acme-x"),
    zone="Europe/Stockholm",
    now=1_763_000_000_000,
    files=FILES,
    media=lambda sha256: Media(sha256=sha256, type="image/png", size=3) if sha256 == HASH else None,
)
HEAD = "account,at,text"
GOOD = "acme,now,hello"


def table(text: str) -> tuple[list[tuple[int, Read]], list[tuple[int, int, str]]]:
    good, wrong, _ = read_any(text, "csv", RULES)
    return good, [(one.line, one.column, one.message) for one in wrong]


def test_a_row_is_the_record_that_its_columns_name() -> None:
    head = "ref,at,account,zone,text,warning,language,visibility,tags,media1_path,media1_alt,media3_sha256"
    row = f'r1, 2031-05-06T07:08:09 ,acme,Asia/Tokyo," two\r\nlines ",careful,sv,unlisted,a  b,a.png,cat,{HASH}'
    ((line, read),), wrong = table(f"{head}\r\n{row}\r\n")
    draft = read.draft
    assert (line, wrong) == (2, [])
    assert (draft.ref, draft.account, draft.zone, draft.wall) == ("r1", "acme", "Asia/Tokyo", "2031-05-06T07:08:09")
    assert (draft.part.text, draft.part.warning, draft.tags) == (" two\r\nlines ", "careful", ("a", "b"))
    assert [(one.sha256, one.alt) for one in draft.part.media] == [(HASH, "cat"), (HASH, None)]


def test_a_thread_in_a_row_has_its_parts_and_their_pictures_in_order() -> None:
    head = f"{HEAD},part2_text,part2_media1_path,part2_media1_alt,part3_text"
    good, wrong = table(f"{head}\r\nacme,now,one,two,b.png,dog,three\r\nacme,now,alone,,,,\r\n")
    assert wrong == []
    thread, alone = good[0][1].draft, good[1][1].draft
    assert [part.text for part in (thread.part, *thread.tail)] == ["one", "two", "three"]
    assert thread.tail[0].media[0].alt == "dog"
    assert alone.tail == ()


WRONG = [
    (f"{HEAD},txet\n{GOOD},x", 1, 4, "no such column, do write text"),
    (f"{HEAD},text\n{GOOD},x", 1, 4, "because field 3 has that name, too"),
    (f"{HEAD},\n{GOOD},", 1, 4, "because it has no name"),
    (f"{HEAD},part1_text\n{GOOD},x", 1, 4, "there is no such column, do write part2_text"),
    (f"{HEAD},part101_text\n{GOOD},x", 1, 4, "there is no such column"),
    ("at,text\nnow,x", 1, 1, "the column 'account' is missing"),
    (f"{HEAD}\nacme,now", 2, 3, "it has 2 fields, and the first row has 3"),
    (f"{HEAD}\nacme,now,x,y", 2, 4, "it has 4 fields, and the first row has 3"),
    (f'{HEAD}\nacme,now,"x"y', 2, 1, "a quoted field goes on after its closing quote"),
    (f'{HEAD}\nacme,now,"x', 2, 1, "a quote that opens in this record is never closed"),
    (f"{HEAD}\nacme,now,x\ry", 2, 1, "a carriage return stands outside of quotes"),
    (f"{HEAD}\nacme,now,", 2, 3, "cannot use 'text', because it is empty, do write it, or add a picture (col"),
    (f"{HEAD}\nacme,,x", 2, 2, "'at' is missing"),
    (f'{HEAD},zone\n"acme",soon,"a\n\nb",', 2, 2, "ISO 8601"),
    ('text,zone,account,at\n"a\n\nb",UTC,acme,soon', 4, 4, "not ISO 8601"),
    (f"{HEAD},media1_path\n{GOOD},no.png", 2, 4, "cannot hand over no.png, because it is"),
    (f"{HEAD},media1_path\n{GOOD},else.png", 2, 4, "it was not handed over with the import"),
    (f"{HEAD},media1_path,media1_alt\n{GOOD},,of nothing", 2, 5, "neither or both of 'path' and 'sha256'"),
    (f"{HEAD},media1_sha256\n{GOOD},{'1' * 64}", 2, 4, "because it is not in the spool"),
    (f"{HEAD},part2_text,part3_text\n{GOOD},,three", 2, 4, "cannot use 'text' of part 2, because it is empty"),
    (f'{HEAD}\nacme,now,"{"x" * 140_000}"', 2, 1, "a field of it is longer than 131072 signs"),
    (f'{HEAD},tags\n{GOOD},"a,b"', 2, 4, "cannot use 'tags', because"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "words"), WRONG)
def test_what_is_wrong_with_a_table_is_named_by_line_and_field(text: str, line: int, column: int, words: str) -> None:
    good, wrong = table(text)
    assert [(one[0], one[1]) for one in wrong if words in one[2]] == [(line, column)], wrong
    assert all(one[2].startswith("cannot ") for one in wrong)
    assert good == [] or line == 1


def test_one_broken_row_does_not_hide_the_next_ones_mistakes() -> None:
    _, wrong = table(f'{HEAD}\nacme,now,"x"y\nacne,now,x\nacme,now,x,y\n\n,,\nacme,soon,z\n')
    assert [one[:2] for one in wrong] == [(2, 1), (3, 1), (4, 4), (7, 2)]


def test_bytes_that_are_no_utf8_are_named_by_line_and_sign() -> None:
    import io

    from guardian.duties import import_lines

    raw = b"account,at,text\r\nacme,now,fine\r\nacme,now,na" + b"\xefve\r\nacme,soon,x\r\n"
    wrong = [one for one in import_lines.read(io.BytesIO(raw), "csv", RULES) if isinstance(one, import_lines.Wrong)]
    assert [(one.line, one.column) for one in wrong] == [(3, 12), (4, 2)]
    assert "not UTF-8 (byte 0xef)" in wrong[0].message


@pytest.mark.parametrize(("separator", "said"), [(";", "semicolons"), ("\t", "tabs"), (",", "")])
def test_the_separator_is_that_of_the_first_row_and_is_said(separator: str, said: str) -> None:
    text = "\ufeff" + "account,at,text\nacme,now,hello\n".replace(",", separator)
    good, wrong, remarks = read_any(text, "csv", RULES)
    assert (len(good), wrong) == (1, [])
    assert [said in one.note for one in remarks] == ([True] if said else [])


def bulk(tool: str, text: str, **choices: str) -> tuple[list[tuple[int, Read]], list[tuple[int, int, str]]]:
    good, wrong, _ = read_any(text, tool, RULES, Choices(account="acme", **choices))
    return good, [(one.line, one.column, one.message) for one in wrong]


def test_buffers_table_becomes_posts_of_the_account_that_was_named() -> None:
    head = "Text,Image URL,Tags,Posting Time"
    good, wrong = bulk("buffer", f'{head}\n"Hello, ""you""",,"big launch, q4",2031-01-02 09:00\n', zone="Asia/Tokyo")
    draft = good[0][1].draft
    assert wrong == []
    assert (draft.account, draft.part.text, draft.tags) == ("acme", 'Hello, "you"', ("big-launch", "q4"))
    assert (draft.wall, draft.zone) == ("2031-01-02T09:00:00", "Asia/Tokyo")
    _, wrong = bulk(
        "buffer", f"{head},Board Name\nx,https://a.example/b.png,,2031-01-02 09:00,\ny,,,,\n,,,2031-01-02 09:00,\n"
    )
    assert [one[:2] for one in wrong] == [(2, 2), (3, 4), (4, 1)]
    _, wrong = bulk("buffer", "Text,Link\nx,y\n")
    assert [one[:2] for one in wrong] == [(1, 1), (1, 2)]


def test_hootsuites_table_has_no_first_row_of_names_and_may_have_one() -> None:
    rows = '11/25/2031 09:00,One,https://example.org\n11/26/2031 21:30,"Two, too",\n11/26/2031 9:30 PM,Three https://a.example,https://a.example\n'
    for text, first in ((rows, 1), (f"Date,Message,Link\n{rows}", 2)):
        good, wrong = bulk("hootsuite", text, dates="month")
        assert wrong == []
        assert [line for line, _ in good] == [first, first + 1, first + 2]
        drafts = [read.draft for _, read in good]
        assert [one.wall for one in drafts] == ["2031-11-25T09:00:00", "2031-11-26T21:30:00", "2031-11-26T21:30:00"]
        assert [one.part.text for one in drafts] == ["One https://example.org", "Two, too", "Three https://a.example"]
    _, wrong = bulk("hootsuite", "2031/11/25 09:00,One,,https://a.example/b.png\n")
    assert [one[:2] for one in wrong] == [(1, 4)]


TIMES = [
    ("11/12/2031 09:00", None, "could be 2031-12-11 or 2031-11-12, do say which comes first"),
    ("25/11/2031 9:00", None, "do say which comes first: --dates day, or --dates month"),
    ("11/11/2031 9:00", None, "2031-11-11T09:00:00"),
    ("11/12/2031 09:00", "day", "2031-12-11T09:00:00"),
    ("11/12/2031 09:00", "month", "2031-11-12T09:00:00"),
    ("25/11/2031 9:00", "month", "there is no month 25, do look whether --dates month is right"),
    ("1/2/31 12:05 am", "day", "2031-02-01T00:05:00"),
    ("2031/11/25 09:00", None, "2031-11-25T09:00:00"),
    ("2031-11-25 9:00:30", None, "2031-11-25T09:00:30"),
    ("2031-11-25 13:00 PM", None, "because it is none"),
    ("tomorrow", "day", "because it is none"),
    ("2031-02-30 09:00", None, "not ISO 8601"),
]


@pytest.mark.parametrize(("text", "dates", "means"), TIMES)
def test_a_date_of_another_tool_is_asked_about_rather_than_guessed(text: str, dates: str | None, means: str) -> None:
    choices = {} if dates is None else {"dates": dates}
    good, wrong = bulk("hootsuite", f"{text},words,\n", **choices)
    if means.startswith("2031"):
        assert [read.draft.wall for _, read in good] == [means], wrong
    else:
        assert [one[:2] for one in wrong] == [(1, 1)]
        assert means in wrong[0][2]


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from([HEAD, "\n", "\r\n", '"', ",", GOOD, "\ufeff", "\0", "media1_path", "part2_text"])).map(
        "".join
    ),
    st.sampled_from(["csv", "buffer", "hootsuite"]),
)
def test_any_text_is_a_table_or_a_list_of_mistakes(text: str, form: str) -> None:
    good, wrong, _ = read_any(text, form, RULES, Choices(account="acme"))
    lines = text.count("\n") + 1
    for one in wrong:
        assert 1 <= one.line <= lines
        assert one.column >= 1
        assert one.message.startswith("cannot ")
    for _, read in good:
        read.draft.digest()
