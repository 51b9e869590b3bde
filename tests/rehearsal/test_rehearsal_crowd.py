"""What happens around a post: replies by the thousand, boosts, quotes, votes; and how much of it who may see."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.rehearsal import RehearsalPlatform
    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider
HOSTILE = ("<script>alert(1)</script>", "\u202egnp.exe\x1b[2J", "家族 👩\u200d👩\u200d👧 مرحبا")
PIE = {"options": ["apple", "pear"], "expires_in": 3600}


def pages(plain: Plain, path: str, account: str = "acme") -> list[list[str]]:
    """The ids on each page of a list, from the first to the last, as its Link header leads."""
    found = []
    while path:
        reply = plain.ask("GET", path, **plain.as_account(account))
        found.append([one["id"] for one in reply.json])
        links = {part.partition('rel="')[2][:4]: part for part in reply.headers.get("Link", "").split(", ")}
        path = links.get("next", "").partition("<")[2].partition(">")[0].removeprefix(plain.platform.url)
    return found


def test_four_thousand_replies_are_all_shown_to_a_token_and_sixty_without(plain: Plain, acme: Mastodon) -> None:
    made = acme.status_post("bread")
    told = plain.ask("POST", "/rehearsal/crowd", json.dumps({"status": made.id, "replies": 4096, "texts": HOSTILE}))
    path = f"/api/v1/statuses/{made.id}/context"
    shown = plain.ask("GET", path, **plain.as_account("acme")).json["descendants"]
    assert [reply["id"] for reply in shown] == told.json["replies"]
    assert acme.status(made.id).replies_count == len({reply["account"]["id"] for reply in shown}) == 4096
    assert len(plain.ask("GET", path).json["descendants"]) == 60


def test_a_long_thread_is_shown_whole_to_a_token_and_cut_without(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = acme.status_post("bread")
    line = platform.stir(made.id, replies=50, chain=True)["replies"]
    assert isinstance(line, list)
    assert [one.id for one in acme.status_context(line[-1]).ancestors] == [made.id, *line[:-1]]
    above = plain.ask("GET", f"/api/v1/statuses/{line[-1]}/context").json["ancestors"]
    assert [one["id"] for one in above] == line[9:-1]
    below = plain.ask("GET", f"/api/v1/statuses/{made.id}/context").json["descendants"]
    assert [one["id"] for one in below] == line[:20]


def test_strangers_say_what_they_are_given_and_it_stays_text(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = acme.status_post("bread")
    platform.stir(made.id, replies=3, texts=HOSTILE, names=["<img src=x>", "\u202eemca"])
    replies = acme.status_context(made.id).descendants
    assert replies[0].content == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert replies[1].content == f"<p>{HOSTILE[1]}</p>"
    assert [reply.account.display_name for reply in replies] == ["<img src=x>", "\u202eemca", "<img src=x>"]
    assert plain.ask("GET", "/").body.count(b"<script>") == 1


def test_boosters_likers_and_quotes_are_counted_and_listed_page_by_page(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = acme.status_post("bread")
    told = platform.stir(made.id, boosts=130, favourites=90, quotes=45)
    read = acme.status(made.id)
    assert (read.reblogs_count, read.favourites_count, read.quotes_count) == (130, 90, 45)
    path = f"/api/v1/statuses/{made.id}"
    assert [len(page) for page in pages(plain, f"{path}/reblogged_by?limit=200")] == [80, 50]
    assert [len(page) for page in pages(plain, f"{path}/favourited_by")] == [40, 40, 10]
    quoting = pages(plain, f"{path}/quotes?limit=40")
    assert [len(page) for page in quoting] == [40, 5]
    assert list(chain.from_iterable(quoting))[::-1] == told["quotes"]
    everybody = list(chain.from_iterable(pages(plain, f"{path}/reblogged_by")))
    assert len(set(everybody)) == len(everybody) == 130
    assert [one.id for one in acme.status_quotes(made.id, limit=40)] == quoting[0]
    platform.stir(made.id, boosts=131)
    assert acme.status(made.id).reblogs_count == 131  # nobody boosts twice


def test_a_boost_shows_the_post_and_can_be_taken_back(
    platform: RehearsalPlatform, login: Callable[[str], Mastodon], acme: Mastodon
) -> None:
    made, beta = acme.status_post("bread"), login("beta")
    boost = beta.status_reblog(made.id)
    assert (boost.reblog.id, boost.account.acct, beta.status_reblog(made.id).id) == (made.id, "beta", boost.id)
    assert [one.id for one in beta.account_statuses(beta.me().id)] == [boost.id]
    assert beta.account_statuses(beta.me().id, exclude_reblogs=True) == []
    assert (beta.status(made.id).reblogged, acme.status(made.id).reblogged) == (True, False)
    assert [one.acct for one in acme.status_reblogged_by(made.id)] == ["beta"]
    assert [post["id"] for post in platform.posts()] == [made.id]
    assert beta.status_unreblog(made.id).reblogs_count == 0
    assert beta.status_unreblog(made.id).id == made.id
    assert beta.account_statuses(beta.me().id) == []


def test_boosts_go_with_the_post(login: Callable[[str], Mastodon], acme: Mastodon) -> None:
    made, beta = acme.status_post("bread"), login("beta")
    boost = beta.status_reblog(made.id)
    acme.status_delete(made.id)
    with pytest.raises(MastodonNotFoundError):
        beta.status(boost.id)
    with pytest.raises(MastodonNotFoundError):
        beta.status_reblog(made.id)
    assert beta.me().statuses_count == 0


def test_a_quote_outlives_the_post_and_shows_it_no_more(acme: Mastodon, plain: Plain) -> None:
    made = acme.status_post("bread")
    quoting = plain.ask(
        "POST",
        "/api/v1/statuses",
        json.dumps({"status": "look", "quoted_status_id": made.id}),
        Content_Type="application/json",
        **plain.as_account("beta"),
    ).json
    assert quoting["quote"]["quoted_status"]["id"] == made.id
    acme.status_delete(made.id)
    assert plain.ask("GET", f"/api/v1/statuses/{quoting['id']}").json["quote"] == {
        "state": "deleted",
        "quoted_status": None,
    }


def test_likes_come_and_go(login: Callable[[str], Mastodon], acme: Mastodon) -> None:
    made, beta = acme.status_post("bread"), login("beta")
    assert beta.status_favourite(made.id).favourited
    assert [one.acct for one in acme.status_favourited_by(made.id)] == ["beta"]
    assert beta.status_unfavourite(made.id).favourites_count == 0


def test_an_edit_without_the_poll_loses_it_and_its_votes_and_history_keeps_what_was_asked(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    made = acme.status_post("which?", poll=acme.make_poll(["apple", "pear"], 3600))
    platform.stir(made.id, votes=[3, 5])
    read = acme.status(made.id)
    assert ([option.votes_count for option in read.poll.options], read.poll.votes_count) == ([3, 5], 8)
    assert acme.poll(read.poll.id).votes_count == 8
    assert acme.status_update(made.id, "which pie?").poll is None
    assert [
        edition.poll and [one.title for one in edition.poll.options] for edition in acme.status_history(made.id)
    ] == [
        ["apple", "pear"],
        None,
    ]
    again = acme.status_update(made.id, "which pie?", poll=acme.make_poll(["apple", "pear"], 3600))
    assert again.poll.votes_count == 0


def test_an_edit_with_the_same_poll_keeps_its_votes_and_with_another_loses_them(
    platform: RehearsalPlatform, acme: Mastodon
) -> None:
    made = acme.status_post("which?", poll=acme.make_poll(["apple", "pear"], 3600))
    platform.stir(made.id, votes=[3, 5])
    assert acme.status_update(made.id, "which pie?", poll=acme.make_poll(["apple", "pear"], 3600)).poll.votes_count == 8
    assert acme.status_update(made.id, "which pie?", poll=acme.make_poll(["apple", "fig"], 3600)).poll.votes_count == 0


@pytest.mark.parametrize(
    "poll",
    [
        PIE | {"options": ["apple"]},
        PIE | {"options": list("abcde")},
        PIE | {"options": ["a", "a"]},
        PIE | {"options": ["a", "b" * 51]},
        PIE | {"expires_in": 10},
    ],
)
def test_a_poll_that_mastodon_would_refuse_is_refused(
    platform: RehearsalPlatform, acme: Mastodon, poll: dict[str, object]
) -> None:
    with pytest.raises(MastodonAPIError) as refused:
        acme.status_post("which?", poll=poll)
    assert refused.value.args[1] == 422
    assert platform.posts() == []


def test_a_poll_comes_in_a_form_too(plain: Plain) -> None:
    body = "status=which%3F&poll[options][]=apple&poll[options][]=pear&poll[expires_in]=3600&poll[multiple]=true"
    form = {"Content_Type": "application/x-www-form-urlencoded", **plain.as_account("acme")}
    poll = plain.ask("POST", "/api/v1/statuses", body, **form).json["poll"]
    assert ([option["title"] for option in poll["options"]], poll["multiple"]) == (["apple", "pear"], True)


@pytest.mark.parametrize(
    "uproar",
    [{}, {"status": "7"}, {"replies": -1}, {"replies": 4097}, {"texts": []}, {"votes": [1]}, {"colour": 1}, []],
)
def test_an_uproar_that_makes_no_sense_is_refused(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon, uproar: dict[str, object]
) -> None:
    made = acme.status_post("bread")
    asked = {"status": made.id, **uproar} if uproar else uproar
    assert plain.ask("POST", "/rehearsal/crowd", json.dumps(asked)).status == 422
    assert len(platform.posts()) == 1


def test_a_search_finds_a_post_by_its_address_and_by_its_name(login: Callable[[str], Mastodon], acme: Mastodon) -> None:
    made = acme.status_post("bread")
    hidden = acme.status_post("mine alone", visibility="private")
    for address in (made.url, made.uri):
        assert [one.id for one in acme.search_v2(address, resolve=True, result_type="statuses").statuses] == [made.id]
    beta = login("beta")
    strangers = (hidden.url, made.url + "0", made.url.replace("acme", "beta"), "https://far.example/@a/1", "bread")
    assert [beta.search_v2(address, result_type="statuses").statuses for address in strangers] == [[]] * 5
    acme.status_delete(made.id)
    assert acme.search_v2(made.url, result_type="statuses").statuses == []


def test_a_search_needs_a_token(plain: Plain) -> None:
    assert plain.ask("GET", "/api/v2/search?q=x").status == 401


def test_a_post_made_with_another_application_bears_its_name(platform: RehearsalPlatform, plain: Plain) -> None:
    by_hand = {"Authorization": f"Bearer {platform.token('acme', 'Web')}"}
    form = {"Content_Type": "application/x-www-form-urlencoded", **by_hand}
    made = plain.ask("POST", "/api/v1/statuses", "status=x", **form).json
    assert (made["account"]["acct"], made["application"]["name"]) == ("acme", "Web")
    assert plain.post("y").json["application"]["name"] == "Rehearsal"
    assert [post["client"] for post in platform.posts()] == ["Web", "Rehearsal"]


def test_the_page_says_what_a_post_is_about_and_how_many_cared(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    made = acme.status_post("bread")
    platform.stir(made.id, replies=2, quotes=3, boosts=1, favourites=4)
    page = plain.ask("GET", f"/@acme/{made.id}").body.decode()
    for mark in ("2 replies", "3 quotes", "1 boosts", "4 favourites"):
        assert f"<i>{mark}</i>" in page
    assert "<i>boosts @acme</i>" in plain.ask("GET", "/").body.decode()
