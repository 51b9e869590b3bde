"""Holding, releasing and moving from the command line, with a real daemon: what is chosen is shown first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from guardian.client import Client
from guardian.errors import GuardianError
from tests.cli.test_cli_queue import enter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Place

    Guardian = Callable[..., Any]

FAR = "2093-05-0{}T09:00:00"


def tagged(guardian: Guardian, tag: str, count: int, *, account: str = "beta") -> list[str]:
    return [
        enter(guardian, "--tag", tag, "--zone", "Europe/Stockholm", f"{tag} {n}", at=FAR.format(n + 1), account=account)
        for n in range(count)
    ]


def state(place: Place, post: str) -> str:
    return str(place.get(f"/v1/posts/{post}")["state"])


def test_a_tag_on_hold_holds_what_comes_later_and_status_says_so(guardian: Guardian, place: Place) -> None:
    ran = guardian("queue", "hold", "--tag", "launch-1", "--reason", "the date\x1b[2J moves")
    assert ran.code == 0
    assert "no post with that tag waits now" in " ".join(ran.out.split())
    adding = ("queue", "add", "--account", "acme", "--at", FAR.format(1), "later", "--tag")
    told = guardian(*adding, "launch-1").err
    assert "Tag launch-1 is on hold: this is held" in told
    assert "guardian queue unhold --tag launch-1" in told
    assert "on hold" not in guardian(*adding, "launch").err
    post = enter(guardian, "--tag", "launch-1", "held at once", at="now")
    place.wait(lambda: state(place, post) == "missed")
    shown = guardian("queue", "show", post).out
    assert "its time passed while it was on hold" in " ".join(shown.split())
    assert "guardian queue unhold --tag launch-1" in shown
    assert "\x1b" not in shown
    assert "the date\\u001b[2J moves" in guardian("status").out
    assert [one["tag"] for one in guardian("status", "--json").json["holds"]] == ["launch-1"]
    refused = guardian("queue", "release", post)
    assert refused.code == 1
    assert "do guardian queue unhold --tag launch-1" in refused.err
    assert guardian("queue", "unhold", "--tag", "launch-1").code == 0
    assert "is not on hold" in guardian("queue", "unhold", "--tag", "launch-1").out
    assert guardian("queue", "release", post).code == 0
    place.wait(lambda: state(place, post) == "published")


def test_holding_twice_joins_and_an_unknown_post_is_an_error(guardian: Guardian, place: Place) -> None:
    post = enter(guardian, "held")
    assert "1 hold placed" in guardian("queue", "hold", post).out
    again = guardian("queue", "hold", post, "--json")
    assert (again.json["placed"], again.json["joined_in_all"]) == (0, 1)
    assert guardian("queue", "hold", post, "p-none").code == 2
    listed = guardian("queue", "list", "--state", "held", "--json").json["posts"]
    assert [(one["id"], one["held_by"][:2]) for one in listed] == [(post, "h-")]
    assert guardian("queue", "unhold", post).code == 0
    assert "was not on hold" in guardian("queue", "unhold", post).out
    assert place.get("/v1/status")["holds_in_all"] == 0


def test_what_is_out_already_cannot_be_held_and_the_exit_code_says_so(guardian: Guardian, place: Place) -> None:
    post = enter(guardian, "out", at="now")
    place.wait(lambda: state(place, post) == "published")
    ran = guardian("queue", "hold", post)
    assert ran.code == 1
    assert f"Too late for {post}: it is published" in ran.err


@pytest.mark.usefixtures("place")
def test_many_posts_by_filter_are_shown_and_asked_about(guardian: Guardian) -> None:
    posts = tagged(guardian, "ask", 3)
    words = ("queue", "cancel", "--tag", "ask")
    off = guardian(*words)
    assert off.code == 2
    assert "--yes" in off.err
    no = guardian(*words, stdin="no\n", terminal=True)
    assert no.code == 1
    assert posts[0] in no.err
    assert guardian("queue", "show", posts[0], "--json").json["state"] == "queued"
    yes = guardian(*words, stdin="y\n", terminal=True)
    assert yes.out.startswith("3 posts cancelled\n")


@pytest.mark.usefixtures("place")
def test_a_selection_is_moved_by_days_of_the_wall_and_a_past_time_moves_nothing(guardian: Guardian) -> None:
    posts = tagged(guardian, "move", 3)
    ran = guardian("queue", "reschedule", "--tag", "move", "--by", "+1d 2h", "--yes", "--json")
    assert [one["at"] for one in ran.json["posts"]] == [f"2093-05-0{n}T09:00:00.000Z" for n in (2, 3, 4)]
    assert [one["id"] for one in ran.json["posts"]] == posts
    past = guardian("queue", "reschedule", "--tag", "move", "--by", "-25000d", "--yes")
    assert past.code == 2
    assert all(post in past.err for post in posts)
    assert guardian("queue", "show", posts[0], "--json").json["at"] == "2093-05-02T09:00:00.000Z"
    assert guardian("queue", "reschedule", posts[0]).code == 2
    assert guardian("queue", "reschedule", posts[0], "--by", "soon").code == 2
    assert guardian("queue", "reschedule", posts[0], "--by", "-1d", "--json").json["post"]["at"][:10] == "2093-05-01"


@pytest.mark.usefixtures("place")
def test_ids_go_from_a_list_into_another_command(guardian: Guardian) -> None:
    posts = tagged(guardian, "pipe", 3)
    listed = guardian("queue", "list", "--tag", "pipe", "--ids")
    assert listed.out.split() == posts
    assert "3 holds placed" in guardian("queue", "hold", "-", stdin=listed.out).out
    lifted = guardian("queue", "unhold", "-", stdin=listed.out, terminal=False)
    assert "3 holds lifted" in lifted.out
    assert guardian("queue", "hold", "-", stdin=" \n").code == 2
    assert guardian("queue", "hold", "-", stdin="p-x " * 400_000).code == 2


@pytest.mark.usefixtures("place")
def test_a_list_has_what_fits_all_of_its_filters(guardian: Guardian) -> None:
    ours, theirs = tagged(guardian, "sift", 3), tagged(guardian, "sift", 2, account="acme")
    held = ours[1]
    guardian("queue", "hold", held)

    def ids(*words: str) -> list[str]:
        return list(guardian("queue", "list", "--ids", "--all", "--tag", "sift", *words).out.split())

    assert sorted(ids()) == sorted(ours + theirs)
    assert ids("--account", "beta") == ids("--brand", "beta") == ours
    assert ids("--after", "2093-05-02T00:00:00+00:00", "--before", "2093-05-03T00:00:00+00:00", "--brand", "beta") == [
        held
    ]
    assert ids("--state", "held") == [held]
    assert ids("--state", "missed", "--state", "blocked") == []
    assert sorted(ids("--state", "missed", "--state", "queued")) == sorted(ours + theirs)
    guardian("queue", "cancel", theirs[0])
    assert ids("--state", "cancelled") == [theirs[0]]
    assert guardian("queue", "list", "--account", "bete").code == 2
    assert guardian("queue", "list", "--brand", "nobody").code == 2
    assert guardian("queue", "list", "--after", "soon").code == 2
    guardian("queue", "unhold", held)


def test_the_story_of_a_post_says_who_did_what(guardian: Guardian, place: Place) -> None:
    post = enter(guardian, "--tag", "story", "a story")
    guardian("queue", "hold", post, "--reason", "wait for legal")
    guardian("queue", "reschedule", post, "--by", "+1h")
    shown = guardian("queue", "show", post, "--json").json
    assert [line["kind"] for line in shown["journal"]] == ["entered", "held", "rescheduled"]
    assert shown["held_by"] == shown["holds"][0]["id"]
    text = guardian("queue", "show", post).out
    for words in ("wait for legal", "entered", "held", "rescheduled", f"guardian queue unhold {post}"):
        assert words in text
    place.freeze("--scope", "brand:acme", "stop")
    assert [one["scope"] for one in guardian("queue", "show", post, "--json").json["freezes"]] == ["brand:acme"]
    thawing = guardian("thaw", "--scope", "brand:acme", "--reason", "x", stdin="n\n", terminal=True)
    assert "wait for legal" in thawing.err, "the thaw's preview is silent about the hold"
    guardian("queue", "unhold", post)


def test_the_socket_takes_ids_or_a_filter_and_nothing_in_between(place: Place, guardian: Guardian) -> None:
    client = Client(place.house)
    post = tagged(guardian, "socket", 1)[0]
    acts: dict[str, dict[str, str]] = {
        "hold": {},
        "unhold": {},
        "release": {},
        "reschedule": {"by": "+1h"},
        "cancel": {},
    }
    wrongs: tuple[Any, ...] = ({}, {"ids": [post], "select": {"all": True}}, {"select": {}}, {"select": {"tga": "x"}})
    for act, more in acts.items():
        for wrong in wrongs:
            with pytest.raises(GuardianError) as said:
                client.post(f"/v1/posts/{act}", {**wrong, **more})
            assert said.value.code == "bad_input", (act, wrong)
    assert client.post(f"/v1/posts/{post}/hold", {"reason": "r"})["placed"] == 1
    assert client.post(f"/v1/posts/{post}/unhold", {})["count"] == 1
    assert client.post(f"/v1/posts/{post}/reschedule", {"by": "+2d"})["post"]["at"].startswith("2093-05-03")
    seen = client.post("/v1/posts/cancel", {"select": {"tag": "socket"}, "preview": True})
    assert (seen["count"], len(seen["mark"])) == (1, 16)
    with pytest.raises(GuardianError, match="other posts fit"):
        client.post("/v1/posts/cancel", {"select": {"tag": "socket"}, "shown": "0" * 16})
    assert client.post("/v1/posts/cancel", {"select": {"tag": "socket"}, "shown": seen["mark"]})["count"] == 1
    with pytest.raises(GuardianError, match="cancelled"):
        client.post(f"/v1/posts/{post}/cancel", {})


@pytest.mark.usefixtures("place")
def test_a_large_selection_is_answered_in_bounds(guardian: Guardian, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    record = {"account": "beta", "at": "2094-01-01T00:00:00Z", "tags": ["many"]}
    file.write_text("".join(json.dumps({**record, "text": f"many {n}"}) + "\n" for n in range(1200)))
    assert guardian("queue", "import", file).code == 0
    ran = guardian("queue", "cancel", "--tag", "many", "--yes", "--json")
    assert (ran.json["count"], len(ran.json["posts"])) == (1200, 500)


@pytest.mark.usefixtures("place")
def test_what_a_restore_has_put_on_hold_is_chosen_alone(guardian: Guardian) -> None:
    refused = guardian("queue", "unhold", "--restored", "--all")
    assert refused.code == 2
    assert "give it alone" in refused.err
    assert "Nothing to lift" in guardian("queue", "unhold", "--restored").out
