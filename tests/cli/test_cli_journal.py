"""`guardian journal`: the chain is followed here, line by line, and nobody's word is taken for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardian.cli import journal
from guardian.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

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
