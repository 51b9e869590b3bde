"""Which post is meant, and whose it is: nothing is guessed, and nobody else's post is ever touched."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Illegal, Mistake, Unfound
from guardian.model import Secret
from tests.duties.urgent import READING

if TYPE_CHECKING:
    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.urgent import Urgent


def strangers_post(urgent: Urgent, platform: RehearsalPlatform) -> tuple[str, str]:
    """A post of somebody who is no account of ours: its id and its address."""
    platform.add_account("stranger")
    made = urgent.by_hand("POST", "/api/v1/statuses", platform.token("stranger"), {"status": "not yours"})
    return str(made["id"]), str(made["url"])


@pytest.mark.parametrize("alone", [False, True])
def test_a_post_of_somebody_else_is_never_touched(urgent: Urgent, platform: RehearsalPlatform, *, alone: bool) -> None:
    platform_id, url = strangers_post(urgent, platform)
    settings = urgent.scene.in_force.settings
    accounts = settings.accounts[:1] if alone else settings.accounts  # alone at its server: the address is enough
    urgent.scene.in_force.swap(dataclasses.replace(settings, accounts=accounts), at=0)
    (target,) = urgent.take_down(url if alone else f"acme/{platform_id}")
    assert target.state == "not_attempted"
    assert "somebody else" in target.why
    assert urgent.asked("DELETE") == []


def test_a_post_whose_author_nobody_can_read_is_not_touched_unless_our_books_say_that_it_is_ours(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    platform_id, _ = strangers_post(urgent, platform)
    post = urgent.publish()
    theirs, ours = urgent.order(f"acme/{platform_id}"), urgent.order(post.id)
    platform.fault("status", path=r"/api/v1/statuses/.*", status=503, **READING)
    urgent.once()
    assert urgent.targets(theirs)[0].state == "not_attempted"
    assert "nobody can say whose it is" in urgent.targets(theirs)[0].why
    assert urgent.deleted() == urgent.parts_of(post)
    assert urgent.targets(ours)[0].state == "acting"


@pytest.mark.parametrize("capture", ["best-effort", "skip"])
def test_a_token_of_another_account_takes_nothing_down(
    urgent: Urgent, platform: RehearsalPlatform, capture: str
) -> None:
    post = urgent.publish()
    settings = urgent.scene.in_force.settings
    acme, beta = settings.accounts
    swapped = dataclasses.replace(acme, secrets={"token": Secret(platform.token("beta"))})
    urgent.scene.in_force.swap(dataclasses.replace(settings, accounts=(swapped, beta)), at=0)
    (target,) = urgent.take_down(post.id, capture=capture)
    assert target.state == "not_attempted"
    assert "the token belongs to" in target.why
    assert urgent.asked("DELETE") == []


def test_a_post_that_we_made_with_another_tool_is_ours_because_the_platform_says_so(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    made = urgent.by_hand("POST", "/api/v1/statuses", platform.token("acme"), {"status": "from the phone"})
    (target,) = urgent.take_down(str(made["url"]))
    assert (target.state, target.grade, target.post) == ("gone", "complete", None)


def test_one_post_is_found_by_every_name_it_has(urgent: Urgent) -> None:
    post = urgent.publish()
    (platform_id,) = urgent.parts_of(post)
    order = urgent.order(post.id, f"{post.id}#1", f"acme/{platform_id}", str(urgent.scene.post(post).url))
    assert [one.platform_id for one in urgent.targets(order)] == [platform_id]
    assert urgent.targets(order)[0].post == post.id


@pytest.mark.parametrize(
    ("ref", "error"),
    [
        ("p-nobodyknowsthis1", Unfound),
        ("acme", Mistake),
        ("nobody/123", Mistake),
        ("acme/", Mistake),
        (" ", Mistake),
        ("x" * 2001, Mistake),
        ("https://[broken", Mistake),
        ("https://elsewhere.example/@acme/1", Unfound),
    ],
)
def test_what_names_nothing_orders_nothing(urgent: Urgent, ref: str, error: type[Exception]) -> None:
    good = urgent.publish()
    with pytest.raises(error):
        urgent.order(good.id, ref)
    assert urgent.lines("takedown ordered") == []
    assert urgent.lines("incident opened") == []


@pytest.mark.parametrize("odd", ["../accounts/1", "1?x=1", "1/source", "%2e%2e", "1#2", "\u202e1", "9" * 1990])
def test_an_id_that_is_none_leads_to_no_other_address(urgent: Urgent, odd: str) -> None:
    before = len(urgent.platform.log())
    for decision in ("delete", "hide"):
        (target,) = urgent.take_down(f"acme/{odd}", decision=decision)
        assert target.state == "not_attempted"
    asked = {str(one["path"]) for one in urgent.platform.log(before)}
    assert asked <= {"/api/v1/accounts/verify_credentials", "/api/v1/instance/", "/api/v2/instance/"}  # who are we?


def test_a_part_that_a_post_does_not_have_is_not_another_one(urgent: Urgent) -> None:
    post = urgent.publish("one", "two")
    for number in ("0", "3", "-1", "x", "²", ""):
        if number:
            with pytest.raises(Unfound):
                urgent.order(f"{post.id}#{number}")


def test_a_post_that_is_not_out_yet_is_cancelled_and_not_taken_down(urgent: Urgent) -> None:
    post = urgent.scene.enter("tomorrow's joke", at="2030-01-01T00:00:00Z")
    with pytest.raises(Illegal, match="nothing of it is live"):
        urgent.order(post.id)


def test_an_address_that_may_be_of_two_accounts_is_refused_with_both_named(
    urgent: Urgent, platform: RehearsalPlatform
) -> None:
    platform_id, url = strangers_post(urgent, platform)
    with pytest.raises(Mistake, match=f"acme/{platform_id}, beta/{platform_id}"):
        urgent.order(url)


def test_in_the_worst_minute_one_wrong_reference_does_not_keep_the_others_up(urgent: Urgent) -> None:
    post = urgent.publish()
    order = urgent.order("p-nobodyknowsthis1", post.id, urgent=True)
    (target,) = urgent.settle(order)
    told = urgent.document(order)
    assert (target.state, told["complete"]) == ("gone", False)
    assert [one["ref"] for one in told["lost"]] == ["p-nobodyknowsthis1"]
    assert urgent.lines("takedown ordered")[0]["lost"][0]["ref"] == "p-nobodyknowsthis1"


def test_an_order_of_the_worst_minute_that_names_nothing_at_all_is_refused(urgent: Urgent) -> None:
    with pytest.raises(Mistake):
        urgent.order("p-nobodyknowsthis1", "acme", urgent=True)
    assert urgent.lines("takedown ordered") == []
