"""Entering posts: whole or not at all, and what comes out goes in again."""

from __future__ import annotations

import io
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.cli import exporting
from guardian.daemon import documents
from guardian.daemon.platforms import LanePlatforms
from guardian.duties.import_check import Plan
from guardian.duties.importing import Importing, Unasked
from guardian.duties.records import AccountRefused
from guardian.duties.staging import KEPT_FOR, MOST, Staging
from guardian.errors import Doubt, Mistake, Unfound
from guardian.model import Media, Problem
from guardian.store import journal, listing, media, posts
from guardian.store.database import Database
from guardian.store.posts import Known
from guardian.store.queries import Q
from guardian.store.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.duties.importing import Imported
    from guardian.model import Account, Part
    from tests.duties.conftest import Scene

LATER = "2090-01-01T00:00:00Z"
HASHES = tuple(f"{number:064x}" for number in range(3))


def record(text: str = "hello", **more: object) -> dict[str, object]:
    return {"account": "acme", "at": LATER, "text": text, **more}


def written(*records: dict[str, object]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()


def plan(raw: bytes, **more: Any) -> Plan:  # noqa: ANN401 (a plan's own)
    return Plan(stream=io.BytesIO(raw), size=len(raw), **more)


def handed(database: Database, *hashes: str) -> None:
    with database.transaction() as tx:
        for sha256 in hashes:
            media.note(tx, Media(sha256=sha256, type="image/png", size=9, width=3, height=3), now=1, who="a test")


def counted(database: Database) -> int:
    with database.reading() as tx:
        return int(tx.execute("select count(*) as n from posts").fetchone()["n"])


def entered(database: Database) -> list[Any]:
    with database.reading() as tx:
        return [posts.to_post(row) for row in tx.execute("select * from posts order by seq")]


def importing(scene: Scene, platforms: Any = None) -> Importing:  # noqa: ANN401 (any platforms)
    return Importing(
        database=scene.database,
        accounts=lambda: ["acme", "beta"],
        zone=lambda: "Europe/Stockholm",
        platforms=platforms or scene.queue.importing.platforms,
        clock=scene.clock,
    )


class Platforms:
    """Platforms that take ten characters of acme, have not been asked of beta, and refuse whom `no` names."""

    def __init__(self, no: tuple[str, ...] = ()) -> None:
        self.no = no

    def problems(self, account: str, part: Part) -> Sequence[Problem] | None:
        if account != "acme":
            return None
        said = [Problem(field="text", message="it is longer than 10")] if len(part.text) > 10 else []
        files = [Problem(field=f"media{len(part.media)}_alt", message="it says nothing")] if len(part.media) > 1 else []
        return [
            *said,
            *files,
            *([Problem(field="visibility", message="it is odd")] if part.visibility == "odd" else []),
        ]

    def refused(self, account: str) -> str | None:
        return "the platform refuses the token" if account in self.no else None


def test_a_post_with_pictures_and_a_thread_are_entered_as_they_were_written(scene: Scene) -> None:
    handed(scene.database, *HASHES)
    shown = [{"sha256": HASHES[0], "alt": "a cat"}, {"path": "b.png"}]
    thread = [{"text": "one", "media": shown}, {"text": "", "media": [{"sha256": HASHES[2]}]}]
    only: dict[str, object] = {
        "account": "beta",
        "at": "2090-05-01T09:00:00",
        "parts": thread,
        "warning": "w",
        "language": "sv",
    }
    found = importing(scene).take_in(
        plan(written(record("", media=shown), only), files={"b.png": HASHES[1]}), who="ann"
    )
    assert (found.count, found.wrong) == (2, ())
    first, second = entered(scene.database)
    assert [one.sha256 for one in first.part.media] == [*HASHES[:2]]
    assert (first.part.text, first.part.media[0].alt, first.part.media[0].width) == ("", "a cat", 3)
    assert [part.text for part in second.parts] == ["one", ""]
    assert {part.warning for part in second.parts} == {"w"}
    assert (second.wall, second.zone) == ("2090-05-01T09:00:00", "Europe/Stockholm")
    with scene.database.reading() as tx:
        sealed = list(Q.sealed_posts_after(tx, after=0, limit=100))
    assert [row["seal"] for row in sealed] == [posts.seal(row) for row in sealed]
    assert len(sealed) == 2


def test_what_the_platform_would_refuse_is_found_at_its_place_before_anything_is_entered(scene: Scene) -> None:
    handed(scene.database, *HASHES)
    two = [{"sha256": HASHES[0]}, {"sha256": HASHES[1], "alt": "x"}]
    parts = [{"text": "short"}, {"text": "much too long for that"}]
    lines = written(
        record("much too long for that"),
        record("fine", media=two),
        {"account": "acme", "at": LATER, "parts": parts, "visibility": "odd"},
        record("much too long, and nobody knows", account="beta"),
    )
    found = importing(scene, Platforms()).take_in(plan(lines), who="ann")
    texts = lines.decode().splitlines()
    want = [(1, '"text"'), (2, '"alt"'), (3, '"text": "much'), (3, '"visibility"')]
    assert [(one.line, one.column) for one in found.wrong] == [
        (line, texts[line - 1].index(key) + 1) for line, key in want
    ]
    assert "cannot use 'text' of part 2, because it is longer than 10" in found.wrong[2].message
    assert counted(scene.database) == 0
    three = written(*(record("beyond all limits", account="beta", ref=str(number)) for number in range(3)))
    found = importing(scene, Platforms()).take_in(plan(three), who="ann")
    assert found.count == 3
    assert [(line, "beta has not said yet what it accepts" in note) for line, note in found.notes] == [(1, True)]


def test_nothing_is_entered_for_an_account_whose_platform_has_disowned_us(scene: Scene) -> None:
    way_in = importing(scene, Platforms(no=("acme",)))
    with pytest.raises(AccountRefused, match="the platform refuses the token") as caught:
        way_in.add(record(), who="ann")
    assert caught.value.code == "account_refused"
    with pytest.raises(AccountRefused):
        way_in.take_in(plan(written(record(), record("b"), record("c", account="beta"))), who="ann")
    found = way_in.take_in(plan(written(record(), record("b"), record("c", at="soon"))), who="ann")
    assert [(one.line, one.unwelcome) for one in found.wrong] == [(1, True), (3, False)]
    assert counted(scene.database) == 0
    assert way_in.add(record(account="beta"), who="ann")[0].post.account == "beta"


@pytest.mark.parametrize("other", [True, False])
def test_a_lane_that_was_disowned_refuses_and_one_that_was_not_asked_does_not(
    scene: Scene, account_of: Callable[..., Account], other: bool
) -> None:
    lane = scene.lane(account=account_of("acme", token_of="beta") if other else None)
    platforms = LanePlatforms(lambda: [lane])
    assert platforms.refused("acme") is None
    assert platforms.problems("acme", scene.enter("x").part) is None
    lane.poll(scene.clock())
    assert (platforms.refused("acme") is not None) == other
    assert ((platforms.problems("acme", scene.enter("x" * 501).part) or []) != []) != other
    assert platforms.refused("nobody") is None
    assert platforms.problems("nobody", scene.enter("x").part) is None


def test_a_plan_that_was_imported_is_still_known_when_its_times_have_passed(scene: Scene) -> None:
    soon = written(record(at="2027-01-01T09:00:00Z", ref="r"), record("b", at="2027-01-02T09:00:00Z"))
    raw = soon.splitlines(keepends=True)
    assert importing(scene).take_in(plan(raw[0]), who="ann").count == 1
    scene.clock.off += 3 * 365 * 86_400_000
    again = importing(scene).take_in(plan(raw[0]), who="ann")
    assert (again.count, again.known, again.wrong) == (0, 1, ())
    assert isinstance(importing(scene).add(json.loads(raw[0]), who="ann")[0], Known)
    found = importing(scene).take_in(plan(soon), who="ann")
    assert [(one.line, "has passed" in one.message) for one in found.wrong] == [(2, True)]
    with pytest.raises(Mistake, match="has passed"):
        importing(scene).add(json.loads(raw[1]), who="ann")


def test_a_time_that_has_only_just_passed_is_taken_and_one_that_has_is_not(scene: Scene) -> None:
    def ago(milliseconds: int) -> str:
        return str(documents.utc(scene.clock() - milliseconds))

    assert scene.queue.add(record(at=ago(50_000)), who="ann")
    with pytest.raises(Mistake, match="1 minute ago, do use now, or a later time"):
        scene.queue.add(record(at=ago(62_000)), who="ann")


def test_what_was_imported_is_found_by_its_tags_and_its_story_begins_with_the_import(scene: Scene) -> None:
    raw = written(record("a", tags=["launch", "launch"]), record("b", tags=["q4"]), record("c"))
    scene.enter("before", at=LATER)
    assert importing(scene).take_in(plan(raw), who="ann").count == 3
    there = entered(scene.database)
    with scene.database.reading() as tx:
        rows, _ = listing.page(tx, listing.Filter(tag="launch"), cursor=None, limit=9)
        assert [row["text"] for row in rows] == ["a"]
        told = [[line.kind for line in journal.of_post(tx, post.id, limit=9)[0]] for post in there]
    assert told == [["entered"], ["imported"], ["imported"], ["imported"]]


class Meddling(io.BytesIO):
    """A file during whose reading somebody else does something."""

    def __init__(self, raw: bytes, act: Callable[[], object]) -> None:
        super().__init__(raw)
        self.act: Callable[[], object] | None = act

    def readline(self, size: int | None = -1, /) -> bytes:
        found = super().readline(size)
        if not found and self.act is not None:
            self.act()
            self.act = None
        return found


def meddled(scene: Scene, raw: bytes, act: Callable[[], object]) -> Imported:
    return importing(scene).take_in(Plan(stream=Meddling(raw, act), size=len(raw)), who="ann")


def test_a_ref_that_somebody_enters_between_the_check_and_the_entry_is_not_entered_twice(scene: Scene) -> None:
    raw = written(record("a", ref="a"), record("b", ref="b"))
    found = meddled(scene, raw, lambda: scene.queue.add(record("b", ref="b"), who="bob"))
    assert (found.count, found.known) == (1, 1)
    raw = written(record("c", ref="c"), record("d", ref="d"))
    found = meddled(scene, raw, lambda: scene.queue.add(record("other", ref="d"), who="bob"))
    assert [(one.line, "other content" in one.message) for one in found.wrong] == [(2, True)]
    assert counted(scene.database) == 3


def test_a_picture_that_is_swept_out_between_the_check_and_the_entry_lets_nothing_in(scene: Scene) -> None:
    handed(scene.database, HASHES[0])

    def sweep() -> None:
        with scene.database.transaction() as tx:
            media.forget(tx, HASHES[0], before=scene.clock())

    found = meddled(scene, written(record(), record(media=[{"sha256": HASHES[0]}])), sweep)
    assert [(one.line, "not in the spool any more" in one.message) for one in found.wrong] == [(2, True)]
    assert counted(scene.database) == 0


def test_the_journal_has_one_line_for_an_import_and_the_answer_names_no_more_than_it_may(scene: Scene) -> None:
    found = importing(scene).take_in(plan(written(*(record(str(number)) for number in range(700)))), who="ann")
    assert (found.count, len(found.entered)) == (700, 500)
    (told,) = scene.journal("imported")
    assert (told.who, told.data["count"], len(told.data["posts"])) == ("ann", 700, 500)  # type: ignore[arg-type]
    assert list(found.entered) == [post.id for post in entered(scene.database)[:500]]


def test_the_way_is_told_while_it_is_gone(scene: Scene) -> None:
    one = plan(written(*(record(str(number)) for number in range(50))))
    seen: list[str] = []

    def look() -> None:
        while one.progress.phase != "entering":
            seen.append(one.progress.phase)
            time.sleep(0.001)

    looking = threading.Thread(target=look)
    looking.start()
    importing(scene).take_in(one, who="ann")
    looking.join(5)
    assert {"checking"} <= set(seen) | {one.progress.phase, "checking"}
    assert (one.progress.phase, one.progress.done, one.progress.of) == ("entering", 50, 50)


def test_a_staged_file_is_imported_once_and_forgotten_when_nobody_comes_for_it(scene: Scene, tmp_path: Path) -> None:
    staging, spool = Staging(clock=scene.clock), Spool(tmp_path / "spool")
    (tmp_path / "spool").mkdir()

    def stage(raw: bytes) -> str:
        with spool.receiving() as incoming:
            incoming.write(raw)
            return staging.settle(incoming)

    name = stage(b"some lines")
    assert list((tmp_path / "spool" / "incoming").iterdir()) == [], "it has a name on the disk"
    assert staging.progress(name).phase == "waiting"
    with staging.taken(name) as (file, staged):
        assert (file.read(), staged.size) == (b"some lines", 10)
        with pytest.raises(Unfound), staging.taken(name):
            pass
    with pytest.raises(Unfound):
        staging.progress(name)
    for _ in range(MOST):
        stage(b"x")
    with pytest.raises(Doubt):
        stage(b"one too many")
    scene.clock.off += KEPT_FOR + 1
    assert stage(b"in time")


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
    lambda text: text.strip()
) | st.sampled_from(
    [
        '"',
        'a "b", c;\td',
        "two\nlines",
        "\r\nthree\r",
        "🎉 漢字",
        "\u202eevil\u2066",
        "=1+1",
        " x ",
        "\x1b[2J",
        "a\u2028b",
    ]
)
FILES = st.lists(st.fixed_dictionaries({"sha256": st.sampled_from(HASHES)}, optional={"alt": TEXTS}), max_size=2)
SHOWN = st.fixed_dictionaries({}, optional={"media": FILES})
SAID = st.tuples(TEXTS, SHOWN).map(lambda pair: {"text": pair[0], **pair[1]})
AT = st.sampled_from(
    [
        {"at": "2031-03-30T02:30:00", "zone": "Europe/Stockholm"},
        {"at": "2031-10-26 02:30", "zone": "Europe/Stockholm"},
        {"at": "2031-11-02T01:30:00.250", "zone": "America/New_York"},
        {"at": "2032-02-29T09:00:00"},
        {"at": "2031-01-01T09:00:00+05:45"},
        {"at": "2031-01-01T09:00:00.123Z", "zone": "Australia/Lord_Howe"},
    ]
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "warning": TEXTS,
        "language": st.sampled_from(["sv", "en-GB"]),
        "visibility": st.sampled_from(["public", "unlisted"]),
        "tags": st.lists(st.sampled_from(["launch", "q4", "🎉", "a\x1cb"]), max_size=3),
    },
)
THREAD = st.lists(SAID, min_size=2, max_size=4).map(lambda parts: {"parts": parts})
RECORDS = st.lists(
    st.tuples(AT, SAID | THREAD, MORE).map(lambda three: {"account": "acme", **three[0], **three[1], **three[2]}),
    max_size=6,
)


def exported(database: Database, form: str) -> str:
    out = io.StringIO(newline="")
    with database.reading() as tx:
        rows, _ = listing.page(tx, listing.Filter(), cursor=None, limit=100)
        found = [documents.record(posts.to_post(row)) for row in rows]
    assert sum(exporting._as_lines(iter(found), None, form, out)) == len(found)
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.sampled_from(["jsonl", "csv"]))
def test_what_was_exported_and_imported_is_exported_byte_for_byte_the_same(records: list[Any], form: str) -> None:
    texts = []
    raw, source = written(*records), "jsonl"
    for _ in range(3):
        with tempfile.TemporaryDirectory() as place:
            database = Database(Path(place) / "guardian.db")
            try:
                handed(database, *HASHES)
                way_in = Importing(
                    database=database,
                    accounts=lambda: ["acme"],
                    zone=lambda: "Asia/Kathmandu",
                    platforms=Unasked(),
                    clock=lambda: 1_800_000_000_000,
                )
                found = way_in.take_in(plan(raw, form=source), who="a test")
                assert (found.count, found.wrong) == (len(records), ())
                texts.append(exported(database, form))
            finally:
                database.close()
        raw, source = texts[-1].encode(), form
    assert texts[0] == texts[1] == texts[2]
