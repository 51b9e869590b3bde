"""Files into the queue and out of it: they go in whole or not at all, and come out as they were."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from guardian.rehearsal import RehearsalPlatform
from tests.cli.conftest import NAMES, Place
from tests.cli.test_cli_queue import TOMORROW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Guardian = Callable[..., Any]

HEAD = "account,at,zone,text,media1_path,media1_alt,part2_text,tags,ref"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")


def picture(colour: str = "red") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(made, "PNG")
    return made.getvalue()


def state(place: Place) -> tuple[Any, int]:
    """What must not change: how many posts there are, and the last line of the journal."""
    lines = place.get("/v1/journal?limit=1000")["entries"]
    return place.get("/v1/status")["counts"], lines[-1]["seq"] if lines else 0


def story(place: Place, post: str) -> Any:  # noqa: ANN401 (JSON)
    return place.get(f"/v1/posts/{post}")


def test_a_post_with_a_picture_goes_out_with_it(guardian: Guardian, place: Place, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(picture())
    words = ("--media", tmp_path / "cat.png", "--alt", "a cat", "--json", "look")
    ran = guardian("queue", "add", "--account", "acme", "--at", "now", *words)
    assert ran.code == 0, ran.err
    place.wait(lambda: story(place, ran.json["post"]["id"])["state"] == "published")
    shown = next(one for one in place.platform.posts() if one["text"] == "look")
    assert shown["text"] == "look"
    assert [one["path"] for one in place.platform.log()].count("/api/v2/media") == 1


def test_a_thread_from_the_command_line_goes_out_part_by_part(guardian: Guardian, place: Place) -> None:
    ran = guardian(
        "queue", "add", "--account", "acme", "--at", "now", "--part", "one of two", "--part", "two of two", "--json"
    )
    assert ran.code == 0, ran.err
    place.wait(lambda: story(place, ran.json["post"]["id"])["state"] == "published")
    texts = [one["text"] for one in place.platform.posts()]
    assert {"one of two", "two of two"} <= set(texts)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "words",
    [
        ("--part", "a", "--part", "b", "text too"),
        ("--part", "a thread of one"),
        ("--alt", "of nothing", "text"),
        (),
        ("--media", "/nowhere.png", "text"),
        ("--media", "/dev/null", "text"),
        ("--media", "/", "text"),
    ],
)
def test_what_to_post_is_never_guessed(guardian: Guardian, words: tuple[str, ...]) -> None:
    ran = guardian("queue", "add", "--account", "acme", "--at", TOMORROW, *words)
    assert ran.code == 2
    assert ran.err.startswith("cannot "), ran.err
    assert len(ran.err.splitlines()) == 1


def test_every_fault_of_a_table_stands_in_one_list_with_its_line_and_its_field(
    guardian: Guardian, place: Place, tmp_path: Path
) -> None:
    (tmp_path / "cut.png").write_bytes(picture()[:40])
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / "good.png").write_bytes(picture())
    guardian("queue", "add", "--account", "acme", "--at", TOMORROW, "--media", tmp_path / "good.png", "known picture")
    rows = [
        f'acme,{TOMORROW},,"one\nwith, a line end",good.png,fine,,,',
        f"acme,{TOMORROW},,{'x' * 501},,,,,",
        f"acme,{YESTERDAY},,late,,,,,",
        f"acne,{TOMORROW},,hello,,,,,",
        f"acme,{TOMORROW},,hello,cut.png,,,,",
        f"acme,{TOMORROW},,hello,notes.png,,,,",
        f"acme,{TOMORROW},,hello,none.png,,,,",
        'acme,soon,,"a\u202eb\x1b[2J",,,"part two",,',
        f"acme,{TOMORROW},,hello,,a picture of nothing,,,",
    ]
    file = tmp_path / "launch.csv"
    file.write_text("\r\n".join([HEAD, *rows, ""]), newline="")
    before = state(place)
    ran = guardian("queue", "import", file)
    assert (ran.code, ran.out) == (2, "")
    told = ran.err.splitlines()
    starts = ("4:4", "5:2", "6:1", "7:5", "8:5", "9:5", "10:2", "11:6")
    for start, line in zip(starts, told, strict=False):
        assert line.startswith(f"{file}:{start}: cannot "), told
    for words in ("501 characters", "has passed", "'acme'?", "cut.png", "notes.png", "it is not there", "ISO 8601"):
        assert any(words in line for line in told), words
    assert "8 mistakes; nothing was imported" in told[-1]
    assert len(told) == 9
    assert not {"\x1b", "\u202e"} & set(ran.err)
    assert state(place) == before


def test_a_table_is_imported_once_and_comes_out_as_it_went_in(guardian: Guardian, place: Place, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(picture("blue"))
    rows = [
        'beta,2031-05-06T07:08:09,Asia/Tokyo,"say ""hi"",\r\nthen go",cat.png,"a cat, ""blue""",part two,q1 q2,files-1',
        "beta,2031-05-07T07:08:09,Asia/Tokyo,=1+1 and 🎉 \u202e,,,,,files-2",
    ]
    file = tmp_path / "plan.csv"
    file.write_text("\ufeff" + "\r\n".join([HEAD, *rows, ""]), newline="", encoding="utf-8")
    assert guardian("queue", "import", file).out == "2 entered, 0 known already\n"
    assert guardian("queue", "import", file).out == "0 entered, 2 known already\n"
    out = tmp_path / "out.csv"
    ran = guardian("queue", "export", out, "--account", "beta", "--media", tmp_path / "pictures")
    assert ran.code == 0, ran.err
    text = out.read_bytes().decode()
    assert '"say ""hi"",\r\nthen go"' in text
    assert '"2031-05-06T07:08:09","Asia/Tokyo"' in text
    assert '"\'=1+1 and 🎉 \u202e"' in text, "a spreadsheet computes nothing that somebody wrote"
    head, *others = text.split("\r\n")
    again = tmp_path / "again.csv"
    again.write_text("\r\n".join([head, *(one for one in others if "files-2" in one), ""]), "utf-8", newline="")
    ran = guardian("queue", "import", again)
    assert ran.out == "0 entered, 1 known already\n", ran.err
    (kept,) = (tmp_path / "pictures").iterdir()
    assert kept.read_bytes() == picture("blue")
    assert f"pictures/{kept.name}" in text
    assert kept.name.endswith(".png")
    lines = tmp_path / "out.jsonl"
    assert guardian("queue", "export", lines, "--account", "beta").code == 0
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    mine = [one for one in records if one.get("ref") == "files-1"]
    assert mine[0]["parts"][1] == {"text": "part two"}
    assert mine[0]["parts"][0]["media"][0]["alt"] == 'a cat, "blue"'
    assert guardian("queue", "export", lines).code == 2, "overwritten unasked"
    assert guardian("queue", "export", lines, "--force", "--json").json["records"] >= len(records)
    assert place.get("/v1/status")["daemon"] == "running"


BAD = [
    ('{"account": "acme", "at": "now", "text": "x", "txet": 1}', 2, "no such key, do write text"),
    ('{"account": "acme", "at": "now", "text": "a\\u0000b"}', 2, "NUL"),
    ('{"account": "acme", "at": "now", "text": "a\\ud800b"}', 2, "cannot use 'text'"),
    (b'{"account": "acme", "at": "now", "text": "\xed\xa0\x80"}', 2, "not UTF-8 (byte 0xed)"),
    ('{"account": "acme", "at": "now", "text": "a\x00b"}', 2, "cannot read the record"),
    ('{"account": "acme", "at": "now", "text": "%s"}' % ("x" * 501), 2, "501 characters, and 500 are allowed"),
    ('{"account": "acme", "at": "2020-01-01T00:00:00Z", "text": "x"}', 2, "has passed"),
    ('{"account": "acme", "at": "now", "text": "x", "media": [{"path": "no.png"}]}', 2, "it is not there"),
    ('{"account": "acme", "at": "now", "text": "x", "media": [{"path": "/etc"}]}', 2, "directory"),
    ('{"account": "acme", "at": "now", "text": "x", "media": [{"path": "\\u0000"}]}', 2, "NUL"),
    ('{"account": "\\u001b[31m\\u202e", "at": "now", "text": "x"}', 2, "no such account"),
    ('{"account": "acme", "at": "\\u001b]0;x\\u0007", "text": "x"}', 2, "ISO 8601"),
    ("\ufeff\ufeff{}", 2, "cannot read the record"),
    ("{}\r{}", 2, "cannot read the record"),
    ("x" * 300_000, 2, "longer than 262144 bytes"),
    (b"\xff\xfe{\x00}\x00", 2, "UTF-16"),
]


@pytest.mark.parametrize(("content", "code", "words"), BAD)
def test_a_bad_file_changes_nothing_and_is_told_in_one_line(
    guardian: Guardian, place: Place, tmp_path: Path, content: str | bytes, code: int, words: str
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    before = state(place)
    ran = guardian("queue", "import", file)
    assert ran.code == code
    first = ran.err.splitlines()[0]
    assert first.startswith(f"{file}:1:"), ran.err
    assert words in first
    assert "Traceback" not in ran.err
    assert not {"\x1b", "\u202e", "\x07", "\0"} & set(ran.err)
    assert state(place) == before


def test_a_line_of_a_gibibyte_takes_neither_time_nor_memory(guardian: Guardian, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "huge.jsonl"
    with file.open("wb") as made:
        made.truncate(1 << 30)
    before = state(place)
    ran = guardian("queue", "import", file)
    assert ran.code == 2
    assert "larger than 100 MiB" in ran.err
    with file.open("wb") as made:
        made.truncate(90 << 20)
    ran = guardian("queue", "import", file)
    assert ran.code == 2
    assert ran.err.startswith(f"{file}:1:1: cannot read the line, because it is longer than 262144 bytes")
    assert state(place) == before


@pytest.mark.usefixtures("place")
def test_a_pipe_is_imported_as_a_file_is(guardian: Guardian) -> None:
    record = json.dumps({"account": "beta", "at": TOMORROW, "text": "piped"})
    assert guardian("queue", "import", "-", stdin=record).out == "1 entered, 0 known already\n"
    assert guardian("queue", "import", "-", stdin="").out == "0 entered, 0 known already\n"
    table = f"account;at;text\r\nbeta;{TOMORROW};piped; or not\r\n"
    ran = guardian("queue", "import", "-", "--format", "csv", stdin=table)
    assert ran.code == 2
    assert "stdin:2:4: cannot read the record, because it has 4 fields, and the first row has 3" in ran.err
    ran = guardian("queue", "import", "-", "--format", "csv", stdin=table.replace("; or", " or"))
    assert ran.code == 0
    assert "separated by semicolons" in ran.out


@pytest.mark.usefixtures("place")
def test_a_table_for_another_tool_is_taken_and_its_addresses_are_not(guardian: Guardian, tmp_path: Path) -> None:
    file = tmp_path / "buffer.csv"
    file.write_text('Text,Image URL,Tags,Posting Time\nHello,,"big launch,q4",2031-01-02 09:00\n')
    words = ("queue", "import", file, "--from", "buffer", "--account", "beta", "--zone", "Europe/Stockholm")
    assert guardian(*words).out == "1 entered, 0 known already\n"
    file.write_text("Text,Image URL,Tags,Posting Time\nHello,https://x.example/a.png,,11/12/2031 9:00\n")
    ran = guardian(*words)
    assert ran.code == 2
    assert f"{file}:2:2: cannot fetch the picture" in ran.err
    assert "do say which comes first: --dates day, or --dates month" in ran.err
    file.write_text("25/11/2031 9:05,Bonjour,https://example.org/x\n26/11/2031 21:30,Salut,\n")
    words = ("queue", "import", file, "--from", "hootsuite", "--account", "beta", "--dates", "day")
    assert guardian(*words).out == "2 entered, 0 known already\n"
    found = guardian("queue", "list", "--account", "beta", "--all", "--json").json["posts"]
    assert "Bonjour https://example.org/x" in [one["text"] for one in found]
    for wrong in (
        ("--from", "later"),
        ("--from", "buffer"),
        ("--dates", "day"),
        ("--format", "xml"),
        ("--account", "beta"),
    ):
        assert guardian("queue", "import", file, *wrong).code == 2


def test_an_import_on_a_terminal_shows_a_bar_and_elsewhere_none(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    rows = [f"beta,{TOMORROW},text {number},bar-{number}" for number in range(3000)]
    file.write_text("\n".join(["account,at,text,ref", *rows, ""]))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "guardian", "queue", "import", str(file)]
    environment = {**os.environ, "GUARDIAN_CONFIG": str(place.config), "TERM": "xterm"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=theirs) as child:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody is there any more
            while piece := os.read(ours, 4096):
                seen += piece
        out, _ = child.communicate(timeout=60)
    os.close(ours)
    assert (child.returncode, out) == (0, b"3000 entered, 0 known already\n")
    assert b"100%" in seen
    assert b"checking" in seen or b"entering" in seen
    quiet = place.program("queue", "import", str(file))
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "0 entered, 3000 known already\n", "")


def test_nothing_is_entered_for_a_token_that_the_platform_refuses_or_that_is_anothers(
    guardian: Guardian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RehearsalPlatform(NAMES) as platform:
        place = Place(tmp_path, platform)
        place.write()
        (tmp_path / "acme.token").write_text(platform.token("beta"))
        (tmp_path / "beta.token").write_text("nonsense")
        monkeypatch.setenv("GUARDIAN_CONFIG", str(place.config))
        assert place.program("init").returncode == 0
        try:
            place.start()
            asked = ("not asked yet",)
            place.wait(lambda: all(one["trouble"] not in asked for one in place.get("/v1/status")["accounts"]))
            for name, words in (("acme", "belongs to"), ("beta", "token")):
                ran = guardian("queue", "add", "--account", name, "--at", TOMORROW, "hello", "--json")
                assert (ran.code, ran.json["error"]["code"]) == (1, "account_refused"), ran.err
                assert words in ran.err
                assert len(ran.err.splitlines()) == 1
                assert (ran.err.count("cannot "), ran.err.count(" do ")) == (1, 1), "a sentence inside of a sentence"
                record = json.dumps({"account": name, "at": TOMORROW, "text": "hello"})
                ran = guardian("queue", "import", "-", stdin=f"{record}\n{record}\n")
                assert (ran.code, len(ran.err.splitlines())) == (1, 1), ran.err
                assert ran.err.startswith(f"cannot post as '{name}', because its platform has refused us")
                assert "do put a valid token into its file, or correct its identity, then reload" in ran.err
            assert state(place) == ({}, state(place)[1])
            kinds = {one["kind"] for one in place.get("/v1/journal?limit=1000")["entries"]}
            assert not {"entered", "imported"} & kinds
        finally:
            place.stop()
