"""`guardian config check --ask`: what the platforms say of the tokens, by way of the daemon and never around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.daemon.reloading import Reloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Place

pytestmark = pytest.mark.outsider
NORTH = ("north-a", "north-b")


@pytest.fixture
def house() -> Iterator[Reloaded]:
    with Reloaded() as found:
        found.write(NORTH)
        found.start()
        yield found


def token(house: Reloaded, name: str, content: str) -> str:
    path = house.directory / f"{name}.other.token"
    path.touch(0o600)
    path.write_text(content)
    return f"file:{path}"


def test_accounts_that_their_platforms_know_are_said_to_be_right(guardian: Callable[..., Any], place: Place) -> None:
    ran = guardian("config", "check", "--ask")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == f"{place.config} is right: 2 accounts"
    assert ran.out.splitlines()[-1] == "Each platform says that the token belongs to this identity."
    assert guardian("config", "check", "--ask", "--json").json["ok"] is True


def test_a_wrong_token_and_a_wrong_identity_are_one_line_each(guardian: Callable[..., Any], house: Reloaded) -> None:
    changed = {
        "north-a": {"token": token(house, "north-a", "no-such-token")},
        "north-b": {"token": token(house, "north-b", "rehearsal-south-a")},
    }
    house.write(("south-b", *NORTH), changed=changed)
    assert house.reload()["state"] == "in force"
    ran = guardian("config", "check", "--ask", "--config", house.config)
    assert ran.code == 1
    first, second = ran.err.splitlines()
    assert first.startswith("cannot publish as north-a, because the platform refuses the token, do ")
    assert second.startswith("cannot publish as @north-b@")
    assert ", because the token belongs to @south-a@" in second
    assert ", do correct identity or token of north-b" in second
    document = guardian("config", "check", "--ask", "--config", house.config, "--json").json
    assert (document["ok"], len(document["errors"])) == (False, 2)
    assert "no-such-token" not in str(document)


def test_a_platform_that_cannot_be_reached_is_no_proof_that_all_is_well(
    guardian: Callable[..., Any], house: Reloaded
) -> None:
    house.write(NORTH, changed={"north-a": {"base_url": "http://127.0.0.1:1"}})
    house.reload()
    ran = guardian("config", "check", "--ask", "--config", house.config)
    assert ran.code == 1
    assert ran.err.startswith("cannot post as north-a, because of this: cannot ask who we are: ")
    assert len(ran.err.splitlines()) == 1


def test_what_the_daemon_has_not_read_yet_is_not_vouched_for(guardian: Callable[..., Any], house: Reloaded) -> None:
    house.write((*NORTH, "south-a"))
    ran = guardian("config", "check", "--ask", "--config", house.config)
    assert ran.code == 1
    assert ran.err.count("because the daemon has not read this yet, do reload it") == 3
    house.reload()
    assert guardian("config", "check", "--ask", "--config", house.config).code == 0


def test_without_a_daemon_it_says_that_nobody_could_be_asked(guardian: Callable[..., Any], empty: Path) -> None:
    assert guardian("init", "--dir", empty).code == 0
    ran = guardian("config", "check", "--ask", "--config", empty / "guardian.toml")
    assert ran.code == 1
    assert "cannot ask the platforms whose the tokens are, because the daemon does not run" in ran.err
    assert "is right" in ran.out
    assert guardian("config", "check", "--config", empty / "guardian.toml").code == 0


def test_a_refused_configuration_is_shown_by_status_with_every_line(
    guardian: Callable[..., Any], house: Reloaded
) -> None:
    house.write(NORTH, more='[queue]\nzome = "UTC"\nzune = "UTC"\n')
    house.reload()
    ran = guardian("status", "--config", house.config)
    assert ran.code == 0
    assert "REFUSED at " in ran.out
    assert ran.out.count("cannot use queue.z") == 2
    assert guardian("status", "--config", house.config, "--json").json["config"]["state"] == "refused"


def test_posts_of_an_account_that_went_are_shown_with_the_way_out(
    guardian: Callable[..., Any], house: Reloaded
) -> None:
    post = house.add("north-b", "of nobody now", at="2031-01-01T09:00:00Z")
    house.write(["north-a"])
    house.reload()
    given = ("--config", house.config)
    assert "north-b: no such account in the configuration; 1 post of it waits" in guardian("status", *given).out
    assert "no such account in the configuration: north-b" in guardian("queue", "list", *given).out
    shown = " ".join(guardian("queue", "show", post["id"], *given).out.split())
    assert f"write the account into the configuration and reload; or: guardian queue cancel {post['id']}" in shown
    assert guardian("queue", "cancel", post["id"], *given).code == 0
    assert "no such account" not in guardian("status", *given).out
