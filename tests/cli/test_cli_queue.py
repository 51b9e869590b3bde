"""`guardian queue`: what is entered, listed and decided is what the person meant, and is shown as it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli import entering, importing, render

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place

    Guardian = Callable[..., Any]

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")


def enter(guardian: Guardian, *words: str, at: str = TOMORROW, account: str = "acme") -> str:
    ran = guardian("queue", "add", "--account", account, "--at", at, "--json", *words)
    assert ran.code == 0, ran.err
    return str(ran.json["post"]["id"])


def missed(guardian: Guardian, place: Place, *words: str) -> str:
    """A post whose time passed under a freeze that is over."""
    place.freeze("--scope", "account:acme", "stop")
    post = enter(guardian, *words, at="now")
    place.wait(lambda: place.get(f"/v1/posts/{post}")["state"] == "missed")
    assert guardian("thaw", "--yes", "--reason", "over", "--scope", "account:acme").code == 0
    return post


def test_a_post_goes_out_once_and_its_story_is_told(guardian: Guardian, place: Place) -> None:
    post = enter(guardian, "--tag", "launch", "--ref", "r-1", "--language", "sv", "Hej", at="now")
    place.wait(lambda: place.get(f"/v1/posts/{post}")["state"] == "published")
    shown = guardian("queue", "show", post)
    assert shown.code == 0
    for words in (f"{post}  published", "Hej", "launch", "r-1", "sv", "attempt 1", place.platform.url):
        assert words in shown.out
    assert guardian("queue", "show", post, "--json").json["attempts"][0]["outcome"] == "landed"
    listed = guardian("queue", "list", "--state", "published")
    assert place.platform.url in listed.out
    assert [one["text"] for one in place.platform.posts()].count("Hej") == 1


@pytest.mark.usefixtures("place")
def test_a_time_is_shown_with_its_offset_and_given_to_scripts_in_utc(guardian: Guardian) -> None:
    words = ("--zone", "Europe/Stockholm", "vinter")
    post = enter(guardian, *words, at="2090-01-01T09:00:00")
    found = guardian("queue", "show", post, "--json").json
    assert found["at"] == "2090-01-01T08:00:00.000Z"
    line = next(line for line in guardian("queue", "show", post).out.splitlines() if line.startswith("  at "))
    assert datetime.fromisoformat(line.split()[1] + "T" + line.split()[2]) == datetime.fromisoformat(found["at"])


@pytest.mark.usefixtures("place")
def test_a_wall_time_that_happens_twice_is_said(guardian: Guardian) -> None:
    words = ("queue", "add", "--account", "acme", "--zone", "Europe/Stockholm", "--at")
    ran = guardian(*words, "2030-10-27T02:30:00", "twice")
    assert "happens twice in Europe/Stockholm" in " ".join(ran.out.split())


@pytest.mark.usefixtures("place")
def test_words_of_a_post_never_steer_the_terminal(guardian: Guardian) -> None:
    evil = "a\x1b[2Jb\u202ec\x9bd\re\nf"
    post = enter(guardian, evil)
    for words in (("queue", "list"), ("queue", "show", post), ("status",), ("queue", "cancel", post)):
        ran = guardian(*words)
        assert not {"\x1b", "\u202e", "\x9b", "\r"} & set(ran.out)
    shown = guardian("queue", "show", post, "--json")
    assert not {"\x1b", "\u202e", "\x9b", "\r"} & set(shown.out)
    assert shown.json["text"] == evil
    assert "a\\u001b[2Jb\\u202ec\\u009bd\\u000de" in guardian("queue", "show", post).out


@pytest.mark.usefixtures("place")
def test_a_list_fits_the_page_whatever_is_in_it(guardian: Guardian) -> None:
    enter(guardian, "wide 漢字 " * 60)
    assert all(render._columns(line) <= 100 for line in guardian("queue", "list").out.splitlines())


@pytest.mark.usefixtures("place")
def test_the_text_can_come_from_a_pipe_but_not_without_end(guardian: Guardian) -> None:
    words = ("queue", "add", "--account", "acme", "--at", TOMORROW, "--json", "-")
    assert guardian(*words, stdin="from a pipe\n").json["post"]["text"] == "from a pipe"
    ran = guardian(*words, stdin="x" * (entering.MAX_TEXT + 1))
    assert ran.code == 2
    assert "larger than 256 KiB" in ran.json["error"]["message"]
    assert guardian(*words, stdin=b"\xff\xfe").code == 2


@pytest.mark.usefixtures("place")
def test_an_account_that_there_is_not_gets_nothing(guardian: Guardian) -> None:
    ran = guardian("queue", "add", "--account", "acne", "--at", TOMORROW, "hello")
    assert ran.code == 2
    assert "'acme'" in ran.err


def test_a_post_under_a_freeze_is_said_to_be_held_and_shown_so(guardian: Guardian, place: Place) -> None:
    place.freeze("--scope", "brand:acme", "stop")
    ran = guardian("queue", "add", "--account", "acme", "--at", TOMORROW, "later")
    assert ran.code == 0
    assert "A freeze covers acme: this is held, and is missed if its time passes before a thaw." in ran.err
    held = guardian("queue", "list", "--state", "held", "--json").json["posts"]
    assert {post["account"] for post in held} == {"acme"}
    assert all(post["held_by"] for post in held)
    shown = guardian("queue", "show", held[0]["id"])
    assert f"held by {held[0]['held_by']}" in shown.out
    listed = guardian("queue", "list", "--account", "acme", "--state", "queued").out
    assert "  held  " in listed
    assert f"held by {held[0]['held_by']}" in listed
    assert "covers" not in guardian("queue", "add", "--account", "beta", "--at", TOMORROW, "fine").err


def test_one_wrong_line_and_nothing_of_the_file_is_entered(guardian: Guardian, place: Place, tmp_path: Path) -> None:
    before = place.get("/v1/status")["counts"]
    good = json.dumps({"account": "acme", "at": TOMORROW, "text": "good"})
    wrong = '{"account": "acme", "at": "soon", "text": "x"}'
    file = tmp_path / "launch.jsonl"
    file.write_text(f'{good}\n{wrong}\n{{"account": "acme"\n{{"acount": "acme", "at": "now", "text": "\\u001b[31m"}}\n')
    ran = guardian("queue", "import", file)
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert lines[0].startswith(f"{file}:2:21: ")
    assert lines[1].startswith(f"{file}:3:19: ")
    assert any(line.startswith(f"{file}:4:2: ") and "do write account" in line for line in lines)
    assert "nothing was imported" in lines[-1]
    assert place.get("/v1/status")["counts"] == before
    document = guardian("queue", "import", file, "--json")
    assert document.code == 2
    assert document.json["entered"] == 0
    assert document.json["error"]["code"] == "bad_input"


@pytest.mark.usefixtures("place")
def test_the_same_file_twice_enters_nothing_twice(guardian: Guardian, tmp_path: Path) -> None:
    file = tmp_path / "again.jsonl"
    records = [{"account": "beta", "at": TOMORROW, "text": f"no {n}", "ref": f"again-{n}"} for n in range(3)]
    file.write_text("".join(json.dumps(one) + "\n" for one in records))
    assert guardian("queue", "import", file).out == "3 entered, 0 known already\n"
    assert guardian("queue", "import", "-", stdin=file.read_bytes()).out == "0 entered, 3 known already\n"


@pytest.mark.usefixtures("place")
def test_a_file_that_cannot_be_read_is_wrong_use(guardian: Guardian, tmp_path: Path) -> None:
    assert guardian("queue", "import", tmp_path / "none.jsonl").code == 2
    assert guardian("queue", "import", tmp_path).code == 2
    (tmp_path / "latin.jsonl").write_bytes(b"{}\n\xe5\n")
    assert "latin.jsonl:2" in guardian("queue", "import", tmp_path / "latin.jsonl").err


@pytest.mark.usefixtures("place")
def test_a_file_that_the_daemon_would_not_take_is_refused_here(
    guardian: Guardian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "big.jsonl"
    file.write_text('"' * 200)
    monkeypatch.setattr(importing, "MAX_FILE", 100)
    for ran in (guardian("queue", "import", file), guardian("queue", "import", "-", stdin=file.read_bytes())):
        assert ran.code == 2
        assert "larger than" in ran.err


@pytest.mark.usefixtures("place")
def test_a_page_ends_where_the_next_begins(guardian: Guardian) -> None:
    for number in range(5):
        enter(guardian, "--tag", "paged", f"page {number}", at=f"2091-01-01T00:00:0{number}+00:00", account="beta")
    whole = guardian("queue", "list", "--all", "--tag", "paged", "--json").json
    assert whole["next"] is None
    first = guardian("queue", "list", "--limit", 2, "--tag", "paged", "--json").json
    found = list(first["posts"])
    cursor = first["next"]
    while cursor:
        page = guardian("queue", "list", "--limit", 2, "--tag", "paged", "--cursor", cursor, "--json").json
        found += page["posts"]
        cursor = page["next"]
    assert [one["id"] for one in found] == [one["id"] for one in whole["posts"]]
    assert "--cursor" in guardian("queue", "list", "--limit", 2, "--tag", "paged").out


@pytest.mark.usefixtures("place")
def test_a_state_that_there_is_not_is_no_empty_list(guardian: Guardian) -> None:
    ran = guardian("queue", "list", "--state", "mised")
    assert ran.code == 2
    assert "missed" in ran.err


def test_a_missed_post_goes_out_only_when_it_is_released(guardian: Guardian, place: Place) -> None:
    post = missed(guardian, place, "released by hand")
    assert f"guardian queue release {post}" in guardian("queue", "show", post).out
    ran = guardian("queue", "release", post, "--gap", "1s")
    assert ran.code == 0
    assert ran.out.startswith("1 post released\n")
    place.wait(lambda: place.get(f"/v1/posts/{post}")["state"] == "published")


def test_releasing_under_a_freeze_is_said_to_be_in_vain(guardian: Guardian, place: Place) -> None:
    post = missed(guardian, place, "in vain")
    place.freeze("stop again")
    ran = guardian("queue", "release", post)
    assert ran.code == 0
    assert "A freeze covers acme" in ran.err
    place.wait(lambda: place.get(f"/v1/posts/{post}")["state"] == "missed")
    assert guardian("queue", "cancel", post).code == 0


@pytest.mark.usefixtures("place")
def test_what_to_release_is_never_guessed(guardian: Guardian) -> None:
    assert guardian("queue", "release").code == 2
    assert guardian("queue", "release", "p-x", "--all").code == 2
    assert guardian("queue", "release", "--all", "--gap", "soon").code == 2


@pytest.mark.usefixtures("place")
def test_a_post_gets_a_new_time_or_none_and_an_illegal_move_is_refused(guardian: Guardian) -> None:
    post = enter(guardian, "moved")
    ran = guardian("queue", "reschedule", post, "--at", "2092-02-02T02:00:00", "--zone", "UTC", "--json")
    assert ran.json["post"]["at"] == "2092-02-02T02:00:00.000Z"
    assert guardian("queue", "cancel", post).code == 0
    ran = guardian("queue", "reschedule", post, "--at", TOMORROW, "--json")
    assert ran.code == 1
    assert ran.json["error"]["code"] == "illegal_state"


@pytest.mark.usefixtures("place")
def test_cancelling_several_tells_which_could_not_be(guardian: Guardian) -> None:
    first, second = enter(guardian, "one"), enter(guardian, "two")
    ran = guardian("queue", "cancel", first, "p-nothing", second, "--json")
    assert ran.code == 2
    assert [post["id"] for post in ran.json["posts"]] == [first, second]
    assert ran.json["error"]["code"] == "not_found"
    assert guardian("queue", "show", "p-nothing").code == 2


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("post", ["", " ", "../status", "p-x/../../status", "?a=b", "p\u00e5"])
def test_an_odd_id_is_no_other_route(guardian: Guardian, post: str) -> None:
    assert guardian("queue", "show", "--json", "--", post).code == 2
    assert guardian("queue", "cancel", "--", post).code == 2
