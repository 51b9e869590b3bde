"""`guardian config check`: everything that is wrong, at once, in the daemon's own view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place

WRONG = """\
state_dir = "/a"
runtime_dir = "/b"
[queue]
zome = "UTC"
[accounts.acme]
platform = "mastodont"
brand = "acme"
base_url = "https://mastodon.example"
identity = "@acme@mastodon.example"
[accounts.beta]
platform = "mastodon"
brand = "acme"
base_url = "https://mastodon.example"
identity = "@acme@mastodon.example"
"""


def test_a_configuration_that_the_daemon_takes_is_said_to_be_right(guardian: Callable[..., Any], place: Place) -> None:
    ran = guardian("config", "check")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == f"{place.config} is right: 2 accounts"
    assert [one["name"] for one in guardian("config", "check", "--json").json["accounts"]] == ["acme", "beta"]
    assert "rehearsal-acme" not in ran.out


def test_all_mistakes_are_said_at_once_with_their_lines(guardian: Callable[..., Any], empty: Path) -> None:
    config = empty / "wrong.toml"
    config.write_text(WRONG)
    ran = guardian("config", "check", "--config", config)
    assert (ran.code, ran.out) == (2, "")
    found = ran.err.splitlines()
    assert [line.partition(": ")[0] for line in found] == [f"{config}:{number}" for number in (4, 6, 10)]
    assert 'write "mastodon"' in found[1]
    assert "token" in found[2]


def test_a_script_gets_the_mistakes_as_one_document(guardian: Callable[..., Any], empty: Path) -> None:
    config = empty / "wrong.toml"
    config.write_text(WRONG)
    ran = guardian("config", "check", "--config", config, "--json")
    assert ran.code == 2
    assert [fault["line"] for fault in ran.json["faults"]] == [4, 6, 10]
    assert ran.json["error"]["code"] == "bad_config"


def test_whoever_names_too_few_time_authorities_is_told_and_not_refused(
    guardian: Callable[..., Any], place: Place, empty: Path
) -> None:
    assert "no authority stamps the time" in " ".join(guardian("config", "check", "--config", place.config).out.split())
    config = empty / "guardian.toml"
    for number, notes in ((1, 1), (2, 0)):
        named = ", ".join(f'"https://tsa{one}.example"' for one in range(number))
        config.write_text(f"{place.config.read_text()}\n[evidence]\nauthorities = [{named}]\n")
        ran = guardian("config", "check", "--json", "--config", config)
        assert (ran.code, ran.err, len(ran.json["notes"])) == (0, "", notes)
