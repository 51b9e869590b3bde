"""`guardian campaign` and `--campaign`: each variant's fate is told by itself, and what failed alone is tried again."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_cli_queue import TOMORROW, enter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Place

    Guardian = Callable[..., Any]


@pytest.fixture
def name() -> str:
    """A campaign of its own for each test: the house is shared."""
    return f"launch {uuid.uuid4().hex[:8]}"


def state(place: Place, post: str) -> str:
    return str(place.get(f"/v1/posts/{post}")["state"])


def test_each_variant_is_shown_with_its_state_its_address_and_why_and_the_retry_sends_what_failed_alone(
    guardian: Guardian, place: Place, name: str
) -> None:
    place.platform.fault("status", status=422, account="beta")
    fine = enter(guardian, "--campaign", name, "said well", at="now")
    no = enter(guardian, "--campaign", name, "said badly", at="now", account="beta")
    later = enter(guardian, "--campaign", name, "and later")
    place.wait(lambda: (state(place, fine), state(place, no)) == ("published", "refused"))
    shown = guardian("campaign", "show", name)
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[0] == f"{name}  1 of 3 variants out"
    rows = {post: next(nr for nr, line in enumerate(lines) if post in line) for post in (fine, no, later)}
    assert lines[rows[fine]].split()[:2] == ["acme", "published"]
    assert lines[rows[fine] + 1].strip() == place.get(f"/v1/posts/{fine}")["url"]
    assert lines[rows[no]].split()[:2] == ["beta", "refused"]
    assert "because: the platform answered 422" in lines[rows[no] + 1]
    retry = next(line.strip() for line in lines if "--state refused" in line)
    assert retry == f"guardian queue reschedule --campaign '{name}' --state refused --at now"
    found = guardian("campaign", "show", name, "--json").json
    assert (found["campaign"], found["count"], found["complete"]) == (name, 3, False)
    assert found["counts"] == {"published": 1, "refused": 1, "queued": 1}
    assert [(one["id"], one["account"]) for one in found["posts"]] == [(fine, "acme"), (no, "beta"), (later, "acme")]
    ran = guardian("queue", "reschedule", "--campaign", name, "--state", "refused", "--at", "now", "--yes", "--json")
    assert [one["id"] for one in ran.json["posts"]] == [no], ran.err
    place.wait(lambda: state(place, no) == "published")
    assert state(place, later) == "queued"
    texts = [one["text"] for one in place.platform.posts()]
    assert (texts.count("said well"), texts.count("said badly"), texts.count("and later")) == (1, 1, 0)


@pytest.mark.usefixtures("place")
def test_a_mistyped_campaign_is_refused_by_every_command_and_the_right_name_is_told(
    guardian: Guardian, name: str, tmp_path: Path
) -> None:
    post = enter(guardian, "--campaign", name, "hello")
    wrong = name + "x"
    for words in (
        *(("campaign", "show"), ("queue", "list", "--campaign"), ("queue", "export", tmp_path / "x", "--campaign")),
        *(("queue", act, "--yes", "--campaign") for act in ("hold", "unhold", "release", "cancel")),
        ("queue", "reschedule", "--at", TOMORROW, "--yes", "--campaign"),
    ):
        ran = guardian(*words, wrong)
        assert ran.code == 2, words
        assert f"cannot find the campaign '{wrong}'" in ran.err
        assert name in ran.err
    assert not list(tmp_path.iterdir())
    assert guardian("queue", "show", post, "--json").json["state"] == "queued"


@pytest.mark.usefixtures("place")
def test_a_campaign_is_listed_held_let_go_and_cancelled_by_its_name_alone(guardian: Guardian, name: str) -> None:
    mine = [enter(guardian, "--campaign", name, "hello", account=one) for one in ("acme", "beta")]
    other = enter(guardian, "--campaign", f"{name} 2", "hello")
    assert guardian("queue", "list", "--campaign", name, "--ids").out.split() == mine
    told = guardian("queue", "show", mine[0]).out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in told if line.startswith("  campaign ")] == [name]
    held = guardian("queue", "hold", "--campaign", name, "--yes", "--json").json
    assert {one["post"] for one in held["holds"]} == set(mine)
    assert "held by h-" in guardian("campaign", "show", name).out
    assert guardian("queue", "unhold", "--campaign", name, "--yes", "--json").json["count"] == 2
    done = guardian("queue", "cancel", "--campaign", name, "--yes", "--json").json
    assert [one["id"] for one in done["posts"]] == mine
    assert guardian("queue", "show", other, "--json").json["state"] == "queued"


@pytest.mark.usefixtures("place")
def test_a_second_variant_for_the_same_time_is_refused_and_changes_nothing(guardian: Guardian, name: str) -> None:
    first = enter(guardian, "--campaign", name, "hello")
    again = ("queue", "add", "--account", "acme", "--at", TOMORROW, "--campaign", name, "hello once more")
    ran = guardian(*again)
    assert ran.code == 2
    assert f"because {first} is its variant for acme at the same time" in ran.err
    assert guardian("queue", "list", "--campaign", name, "--ids").out.split() == [first]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_campaign_is_exported_and_imported_by_its_name(
    guardian: Guardian, name: str, tmp_path: Path, form: str
) -> None:
    posts = [enter(guardian, "--campaign", name, "hello", account=one) for one in ("acme", "beta")]
    out = tmp_path / f"plan.{form}"
    assert guardian("queue", "export", out, "--campaign", name).code == 0
    refused = guardian("queue", "import", out)
    assert refused.code == 2, "the same variants once more"
    assert all(post in refused.err + refused.out for post in posts)
    assert guardian("queue", "cancel", "--campaign", name, "--yes").code == 0
    assert guardian("queue", "import", out).code == 0
    found = guardian("campaign", "show", name, "--json").json
    assert found["counts"] == {"cancelled": 2, "queued": 2}


@pytest.mark.usefixtures("place")
def test_a_takedown_shows_what_else_its_campaign_has_live_and_what_is_still_to_go_out(
    guardian: Guardian, place: Place, name: str
) -> None:
    bad = enter(guardian, "--campaign", name, "a bad joke of ours", at="now")
    worse = enter(guardian, "--campaign", name, "our bad joke, longer", at="now", account="beta")
    enter(guardian, "--campaign", name, "our bad joke, tomorrow", account="beta")
    place.wait(lambda: {state(place, bad), state(place, worse)} == {"published"})
    url = place.get(f"/v1/posts/{worse}")["url"]
    ran = guardian("takedown", bad, "--delete")
    assert ran.code == 0, ran.err
    assert f"the same campaign  {url}" in ran.out
    assert f"1 post of campaign {name} still to go out; to keep back:" in ran.out
    assert f"guardian queue hold --campaign '{name}'" in ran.out
    assert (state(place, bad), state(place, worse)) == ("retracted", "published")
    both = guardian("takedown", bad, worse, "--keep", "--siblings", "--json")
    assert json.loads(both.out)["siblings"] == []
