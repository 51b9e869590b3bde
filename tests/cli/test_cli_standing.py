"""A takedown that is not done is seen by whoever asks for the state, and ends to be seen when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.cli import takedown_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Place, Ran

    Guardian = Callable[..., Ran]


def test_what_is_still_visible_is_named_by_the_status_until_a_later_order_has_taken_it_down(
    place: Place, guardian: Guardian
) -> None:
    post = guardian("queue", "add", "--account", "acme", "--at", "now", "stays up", "--json").json["post"]["id"]
    place.wait(lambda: place.get(f"/v1/posts/{post}")["state"] == "published")
    address = place.get(f"/v1/posts/{post}")["url"]
    place.platform.fault("status", method="DELETE", path=r"/api/v1/statuses/\d+", status=403, times=None)
    first = guardian("takedown", post, "--delete", "--reason", "a bad joke")
    place.platform.clear_faults()
    assert first.code == 14
    state = place.get(f"/v1/takedowns/{first.out.split()[0]}")["targets"][0]["state"]
    (row,) = place.get("/v1/status")["takedowns"]["not_done"]
    assert (row["post"], row["url"], row["state"]) == (post, address, state)
    status = guardian("status")
    assert any(line.strip().startswith("NOT DONE") and address in line for line in status.out.splitlines()), status.out
    second = guardian("takedown", post, "--delete", "--reason", "once more")
    assert second.code == 0, second
    standing = guardian("status", "--json").json["takedowns"]
    assert (standing["running"], standing["not_done"], standing["not_done_in_all"]) == ([], [], 0)
    assert "NOT DONE" not in guardian("status").out
    shown = guardian("queue", "show", post)
    told = place.get(f"/v1/posts/{post}")["takedowns"]
    assert [one["takedown"] for one in told] == [second.out.split()[0], first.out.split()[0]]
    assert [one["state"] for one in told] == ["gone", state]
    for one in told:
        assert one["takedown"] in shown.out
        assert one["evidence"] in shown.out
    assert guardian("incident", "close", "after the test").code == 0


@pytest.mark.parametrize(
    ("state", "reversible", "said"),
    [
        ("kept", True, "IN FORCE: close-replies"),
        ("kept", False, "the post stays visible; close-replies"),
        ("still_visible", True, "NOT LIMITED: close-replies is not in force"),
        ("gone", False, "GONE"),
    ],
)
def test_of_a_limit_nobody_is_told_that_the_post_is_out_of_sight(state: str, reversible: bool, said: str) -> None:
    one = {
        "id": "g-1", "ref": "p-1", "account": "acme", "url": "https://bsky.app/1", "state": state, "why": "the reason",
        "due": None, "evidence": None, "grade": None, "reversible": reversible,
    }  # fmt: skip
    found = {"id": "t-1", "decision": "close-replies", "overwrite": False, "state": "done", "complete": True}
    told = "\n".join(takedown_lines.lines({**found, "targets": [one], "siblings": [], "waiting": [], "incident": None}))
    assert said in told
    assert "HIDDEN" not in told
    assert "the reason" in told
