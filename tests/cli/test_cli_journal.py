"""`guardian journal`: the chain is followed here, line by line, and nobody's word is taken for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli import journal
from guardian.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place


@pytest.fixture
def lines(guardian: Callable[..., Any], place: Place) -> Place:
    """A house with more than one line in its journal, whichever test comes first."""
    for number in range(3):
        words = ("--account", "acme", "--at", "2090-01-01T00:00:00Z", f"line {number}")
        assert guardian("queue", "add", *words).code == 0
    return place


def test_a_whole_journal_is_counted_over_all_its_pages(
    guardian: Callable[..., Any], lines: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PAGE", 2)
    ran = guardian("journal", "verify", "--json")
    assert ran.code == 0
    last = lines.get(f"/v1/journal?after={ran.json['lines'] - 1}")["entries"][0]
    assert ran.json == {"whole": True, "lines": last["seq"], "head": last["hash"]}
    assert f"head {last['hash']}" in guardian("journal", "verify").out


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("change", "why"),
    [({"who": "somebody else"}, "its words were changed"), ({"seq": 9}, "line 2 is missing")],
    ids=["changed", "missing"],
)
def test_a_changed_line_is_named_and_fails(
    guardian: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, change: dict[str, object], why: str
) -> None:
    honest = Client.get

    def tampered(self: Client, path: str, **query: object) -> Any:  # noqa: ANN401 (as the real one)
        page = honest(self, path, **query)
        page["entries"] = [{**one, **change} if one["seq"] == 2 else one for one in page["entries"]]
        return page

    monkeypatch.setattr(Client, "get", tampered)
    ran = guardian("journal", "verify")
    assert ran.code == 1
    assert ran.out == ""
    assert why in ran.err
    assert guardian("journal", "verify", "--json").json["whole"] is False


@pytest.mark.usefixtures("lines")
def test_lines_are_shown_from_where_one_asks(guardian: Callable[..., Any]) -> None:
    first = guardian("journal", "show", "--limit", 1)
    assert first.code == 0
    assert first.out.split()[0] == "1"
    assert "started" in first.out or "frozen" in first.out
    assert guardian("journal", "show", "--after", 1, "--limit", 1, "--json").json["entries"][0]["seq"] == 2


def test_a_copy_of_the_journal_is_whole_without_the_house(
    guardian: Callable[..., Any], lines: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PAGE", 2)
    copy = tmp_path / "journal.jsonl"
    ran = guardian("journal", "export", str(copy), "--json")
    assert ran.code == 0
    written = [json.loads(line) for line in copy.read_text("ascii").splitlines()]
    assert written[: ran.json["lines"]] == lines.get("/v1/journal?limit=1000")["entries"][: len(written)]
    assert (len(written), written[-1]["hash"]) == (ran.json["lines"], ran.json["head"])
    checked = guardian("journal", "verify", "--file", str(copy), "--config", "/nowhere", "--json")
    assert checked.json == {"whole": True, "lines": ran.json["lines"], "head": ran.json["head"]}


@pytest.mark.usefixtures("lines")
def test_a_line_that_was_changed_in_the_copy_is_named(guardian: Callable[..., Any], tmp_path: Path) -> None:
    copy = tmp_path / "journal.jsonl"
    assert guardian("journal", "export", str(copy)).code == 0
    found = [json.loads(line) for line in copy.read_text("ascii").splitlines()]
    found[1]["who"] = "somebody else"
    copy.write_text("".join(json.dumps(one) + "\n" for one in found))
    ran = guardian("journal", "verify", "--file", str(copy))
    assert ran.code == 1
    assert "from line 2 on, because its words were changed" in ran.err


@pytest.mark.usefixtures("lines")
def test_a_torn_journal_is_not_copied_as_if_it_were_whole(
    guardian: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Client.get

    def tampered(self: Client, path: str, **query: object) -> Any:  # noqa: ANN401 (as the real one)
        page = honest(self, path, **query)
        if page["entries"]:
            page["entries"][0]["who"] = "somebody else"
        return page

    monkeypatch.setattr(Client, "get", tampered)
    ran = guardian("journal", "export", str(tmp_path / "journal.jsonl"))
    assert ran.code == 1
    assert "cannot trust the journal from line 1" in ran.err
    assert list(tmp_path.glob("*journal*")) == []


@pytest.mark.usefixtures("lines")
def test_an_export_overwrites_nothing_unasked(guardian: Callable[..., Any], tmp_path: Path) -> None:
    copy = tmp_path / "journal.jsonl"
    copy.write_text("mine")
    assert guardian("journal", "export", str(copy)).code == 2
    assert copy.read_text() == "mine"
    assert guardian("journal", "export", str(copy), "--force").code == 0
    assert guardian("journal", "export", "--json").code == 2


@pytest.mark.parametrize("content", [b"no journal\n", b"{}\n", b"[1]\n", b"\xff\xfe\n", b"[" * 100_000])
def test_a_file_that_is_no_journal_is_said_so_and_no_traceback(
    guardian: Callable[..., Any], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x").write_bytes(content)
    ran = guardian("journal", "verify", "--file", str(tmp_path / "x"))
    assert ran.code == 2
    assert "is no line of a journal" in ran.err
    assert guardian("journal", "verify", "--file", str(tmp_path / "nowhere")).code == 2
