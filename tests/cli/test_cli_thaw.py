"""`guardian thaw`: nobody lifts a freeze by accident, and nobody believes one lifted that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardian.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place


def test_a_script_thaws_nothing_that_it_was_not_told_to(guardian: Callable[..., Any], place: Place) -> None:
    place.freeze("stop")
    ran = guardian("thaw", "--reason", "over", stdin="y\n")
    assert ran.code == 2
    assert "do add --yes" in ran.err
    assert guardian("status").code == 20


def test_a_person_sees_what_waits_and_must_say_yes(guardian: Callable[..., Any], place: Place) -> None:
    place.freeze("a bad one")
    for said in ("\n", "n\n", "", "yess\n"):
        ran = guardian("thaw", "--reason", "over", stdin=said, terminal=True)
        assert (ran.code, ran.out) == (1, "")
        assert "a bad one" in ran.err
        assert "held" in ran.err
        assert "missed" in ran.err
        assert "Thaw? [y/N]" in ran.err
        assert guardian("status").code == 20
    ran = guardian("thaw", "--reason", "over", "--json", stdin="y\n", terminal=True)
    assert ran.code == 0
    assert (ran.json["state"], ran.json["thawed"]) == ("open", ["all"])


def test_without_a_scope_a_narrow_freeze_stays_and_is_named(guardian: Callable[..., Any], place: Place) -> None:
    place.freeze("--scope", "brand:acme", "wrong account")
    place.freeze("everything")
    ran = guardian("thaw", "--yes", "--reason", "over")
    assert ran.code == 0
    assert "THAWED  all" in ran.out
    assert "Stays frozen" in ran.out
    assert "wrong account" in ran.out
    assert guardian("status").code == 21


@pytest.mark.usefixtures("place")
def test_what_is_not_frozen_is_left_alone_and_the_journal_too(guardian: Callable[..., Any]) -> None:
    before = guardian("journal", "verify", "--json").json["lines"]
    ran = guardian("thaw", "--yes", "--reason", "over", "--scope", "brand:acme")
    assert ran.code == 0
    assert "Nothing to thaw: not frozen: brand:acme" in ran.out
    assert guardian("thaw", "--yes", "--reason", "over", "--json").json["thawed"] == []
    after = guardian("journal", "show", "--after", str(before), "--json").json["entries"]
    assert [one for one in after if one["kind"] == "thawed"] == [], "the house may note what it looks at meanwhile"


@pytest.mark.usefixtures("place")
def test_a_mistyped_scope_is_never_said_to_be_open(guardian: Callable[..., Any]) -> None:
    ran = guardian("thaw", "--yes", "--reason", "over", "--scope", "brand:acne")
    assert ran.code == 2
    assert "brand:acme" in ran.err


def test_a_thaw_that_lost_against_a_newer_freeze_fails(
    guardian: Callable[..., Any], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.freeze("stop")
    why = "it was frozen again meanwhile"

    def refuse(client: Client, path: str, body: object) -> object:  # noqa: ARG001 (as the real one)
        freezes = client.get("/v1/status")["freezes"]
        refused = [{"scope": "all", "why": why}]
        return {"state": "frozen", "thawed": [], "refused": refused, "freezes": freezes, "missed": []}

    monkeypatch.setattr(Client, "post", refuse)
    ran = guardian("thaw", "--yes", "--reason", "over")
    assert ran.code == 1
    assert "THAWED" not in ran.out
    assert why in ran.err
    assert guardian("thaw", "--yes", "--reason", "over", "--json").json["error"]["code"] == "refused"


def test_what_was_missed_is_said_with_the_way_to_send_it(guardian: Callable[..., Any], place: Place) -> None:
    place.freeze("stop")
    added = guardian("queue", "add", "--account", "acme", "--at", "now", "too early", "--json")
    assert added.code == 0
    place.wait(lambda: place.get(f"/v1/posts/{added.json['post']['id']}")["state"] == "missed")
    ran = guardian("thaw", "--yes", "--reason", "over")
    assert "guardian queue release --all --gap 30s" in ran.out
    assert "guardian queue reschedule ID --at TIME" in ran.out
    assert guardian("queue", "cancel", added.json["post"]["id"]).code == 0
    assert "too early" not in [post["text"] for post in place.platform.posts()]


def test_without_a_daemon_nothing_is_lifted(guardian: Callable[..., Any], empty: Path) -> None:
    guardian("init", "--dir", empty)
    ran = guardian("thaw", "--yes", "--reason", "over", "--config", empty / "guardian.toml", "--json")
    assert ran.code == 1
    assert ran.json["error"]["code"] == "daemon_absent"
