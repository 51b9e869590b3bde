"""The chain: nobody edits the past unseen, except by cutting off its end, which only a noted head shows."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.model import Entry
from guardian.rules import chain
from guardian.rules.chain import Torn, Whole

FEW = settings(max_examples=40, deadline=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=3,
)  # fmt: skip
DATA = st.dictionaries(st.text(max_size=4), JSON, max_size=2)
LINES = st.lists(
    st.tuples(st.integers(0, 2**45), st.text(max_size=8), st.text(max_size=8), DATA), min_size=1, max_size=6
)


def chained(lines: list[tuple[int, str, str, dict[str, object]]]) -> list[Entry]:
    entries: list[Entry] = []
    prev = chain.START
    for seq, (at, kind, who, data) in enumerate(lines, start=1):
        sealed = chain.seal(seq=seq, at=at, kind=kind, who=who, data=data, prev=prev)
        entries.append(Entry(seq=seq, at=at, kind=kind, who=who, data=data, prev=prev, hash=sealed))
        prev = sealed
    return entries


JOURNALS = st.builds(chained, LINES)


@FEW
@given(JOURNALS)
def test_an_untouched_journal_is_whole(entries: list[Entry]) -> None:
    assert chain.verify(entries) == Whole(lines=len(entries), head=entries[-1].hash)


@FEW
@given(JOURNALS, st.data())
def test_an_edited_line_is_found_at_its_place(entries: list[Entry], draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(entries) - 1))
    line = entries[place]
    edits = [
        replace(line, at=line.at + 1),
        replace(line, kind=line.kind + "x"),
        replace(line, who=line.who + "x"),
        replace(line, data={**line.data, "forged": True}),
        replace(line, prev="f" * 64),
        replace(line, hash="f" * 64),
    ]
    entries[place] = draw.draw(st.sampled_from(edits))
    found = chain.verify(entries)
    assert isinstance(found, Torn)
    assert found.seq == line.seq


@FEW
@given(JOURNALS, st.data())
def test_an_edited_line_with_a_fresh_hash_breaks_the_line_after_it(entries: list[Entry], draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(entries) - 1))
    line = replace(entries[place], who="somebody else entirely")
    sealed = chain.seal(seq=line.seq, at=line.at, kind=line.kind, who=line.who, data=line.data, prev=line.prev)
    entries[place] = replace(line, hash=sealed)
    found = chain.verify(entries)
    if place == len(entries) - 1:  # the very last line: only a head noted elsewhere shows it
        assert isinstance(found, Whole)
        assert found.head == sealed
    else:
        assert found == Torn(seq=line.seq + 1, why="it does not follow the line before it")


@FEW
@given(JOURNALS, st.data())
def test_a_line_taken_out_is_missed(entries: list[Entry], draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(entries) - 1))
    del entries[place]
    if place < len(entries):
        assert chain.verify(entries) == Torn(seq=place + 2, why=f"line {place + 1} is missing")


@FEW
@given(JOURNALS, st.data())
def test_a_line_taken_out_and_the_rest_renumbered_is_found(entries: list[Entry], draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(entries) - 1))
    del entries[place]
    numbered = [replace(entry, seq=seq) for seq, entry in enumerate(entries, start=1)]
    found = chain.verify(numbered)
    assert isinstance(found, Torn if place < len(entries) else Whole)


@FEW
@given(JOURNALS, st.data())
def test_two_lines_exchanged_are_found(entries: list[Entry], draw: st.DataObject) -> None:
    one, other = draw.draw(st.tuples(*[st.integers(0, len(entries) - 1)] * 2))
    entries[one], entries[other] = entries[other], entries[one]
    for seq in (True, False):
        shown = entries if seq else [replace(entry, seq=place) for place, entry in enumerate(entries, start=1)]
        assert isinstance(chain.verify(shown), Whole if one == other else Torn)


@FEW
@given(JOURNALS, st.data())
def test_a_line_put_in_between_is_found(entries: list[Entry], draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(entries) - 1))
    prev = entries[place].prev
    words = {"at": 1, "kind": "published", "who": "nobody", "data": {}}
    sealed = chain.seal(seq=place + 1, at=1, kind="published", who="nobody", data={}, prev=prev)
    forged = Entry(seq=place + 1, prev=prev, hash=sealed, **words)  # type: ignore[arg-type]
    after = [replace(entry, seq=entry.seq + 1) for entry in entries[place:]]
    assert isinstance(chain.verify([*entries[:place], forged, *after]), Torn)
    assert isinstance(chain.verify([*entries[:place], forged, *entries[place:]]), Torn)


@FEW
@given(JOURNALS, st.data())
def test_a_cut_off_end_shows_only_against_a_head_noted_elsewhere(entries: list[Entry], draw: st.DataObject) -> None:
    kept = draw.draw(st.integers(0, len(entries) - 1))
    noted = chain.verify(entries)
    found = chain.verify(entries[:kept])
    assert isinstance(found, Whole)
    assert found != noted


@FEW
@given(JOURNALS, st.data())
def test_a_page_of_the_journal_is_checked_from_where_the_last_page_ended(
    entries: list[Entry], draw: st.DataObject
) -> None:
    cut = draw.draw(st.integers(0, len(entries)))
    first = chain.verify(entries[:cut])
    assert isinstance(first, Whole)
    assert chain.verify(entries[cut:], head=first.head, seq=first.lines) == chain.verify(entries)
    if 0 < cut < len(entries):
        assert isinstance(chain.verify(entries[cut:]), Torn)
