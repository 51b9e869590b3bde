"""What can be wrong with an account, on each of four platforms: it is said with what to do, and the others go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.adapters.reddit_double import Next
from tests.bluesky.installing import NotInstalled
from tests.torture.daemon import ROOT
from tests.torture.networks import BLUESKY, FOUR, MASTODON, REDDIT, FourHouse, X, four

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate"),
]
WITHIN = 40.0
FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
TOLD_BY_MASTODON = "GET /api/v1/accounts/verify_credentials"
TOKEN_OF_REDDIT = "POST /api/v1/access_token"


class Mishap(NamedTuple):
    """Something that is wrong with an account while a daemon starts, how it is put right, and what is said of it."""

    account: str
    happens: Callable[[FourHouse], object]
    mended: Callable[[FourHouse], object]
    words: str


def answer(status: int, document: object) -> bytes:
    """An answer in place of the platform's."""
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n".encode() + body


def says(account: str, to: str, status: int, document: object, words: str) -> Mishap:
    """The platform answers this to every request that begins so."""
    return Mishap(
        account,
        lambda house: house.fronts[account].instead.update({to: answer(status, document)}),
        lambda house: house.fronts[account].instead.clear(),
        words,
    )


def of_x(what: str, *, value: bool, words: str) -> Mishap:
    """The double of X has this set for the account."""

    def set_to(house: FourHouse, *, to: bool) -> None:
        setattr(house.there.x.accounts["acme"], what, to)

    return Mishap(X, lambda house: set_to(house, to=value), lambda house: set_to(house, to=not value), words)


def suspended_on_reddit(house: FourHouse, *, suspended: bool = True) -> None:
    """Reddit's own word of the account."""
    house.there.reddit.me["is_suspended"] = suspended


def somebody_else_on_reddit(house: FourHouse, name: str = "somebody_else") -> None:
    """The token is of another account."""
    house.there.reddit.me["name"] = name


def keys_of_x(house: FourHouse, name: str) -> None:
    """The four keys of this account, in the files of ours."""
    for key, value in house.there.x.accounts[name].keys.items():
        house.secret(X, key, value)


def of_bluesky(house: FourHouse, password: str | None = None) -> None:
    """Write this app password into our file; without one, our own."""
    house.secret(BLUESKY, "app_password", password or house.there.brand.app_password)


def of_mastodon(house: FourHouse, token: str = f"rehearsal-{MASTODON}") -> None:
    """Write this token into our file."""
    house.secret(MASTODON, "token", token)


def taken_down_on_bluesky(house: FourHouse, *, applied: bool = True) -> None:
    """By who runs the PDS, for real."""
    house.there.pds.take_down(house.there.brand, applied=applied)


def not_let_in_on_bluesky(house: FourHouse) -> None:
    """The session that was kept is lost, and who asks for another is told this, as bsky.social's own front says it."""
    for kept in Path(house.house.state_dir, "sessions").glob(f"{BLUESKY}.sealed"):
        kept.unlink()
    no = answer(401, {"error": "AccountTakedown", "message": "Account has been taken down"})
    house.fronts[BLUESKY].instead["POST /xrpc/com.atproto.server.createSession"] = no


ROUNDS = {
    "wrong credentials": (
        Mishap(MASTODON, lambda house: of_mastodon(house, "of-last-year"), of_mastodon, "refuses the token"),
        of_x("revoked", value=True, words="X refuses the keys: they were regenerated, revoked"),
    ),
    "expired and wrong": (
        says(REDDIT, TOKEN_OF_REDDIT, 400, {"error": "invalid_grant"}, "put a valid refresh_token"),
        Mishap(BLUESKY, lambda house: of_bluesky(house, "aaaa-bbbb-cccc-dddd"), of_bluesky, "refuses the name or the"),
    ),
    "suspended": (
        says(
            MASTODON,
            TOLD_BY_MASTODON,
            403,
            {"error": "Your login is currently disabled"},
            "(Your login is currently disabled), do log",
        ),
        of_x("suspended", value=True, words="X has suspended the account, do appeal"),
    ),
    "suspended, too": (
        Mishap(
            REDDIT,
            suspended_on_reddit,
            lambda house: suspended_on_reddit(house, suspended=False),
            "because Reddit has suspended it",
        ),
        Mishap(
            BLUESKY,
            taken_down_on_bluesky,
            lambda house: taken_down_on_bluesky(house, applied=False),
            "has closed the account",
        ),
    ),
    "swapped": (
        Mishap(MASTODON, lambda house: of_mastodon(house, "rehearsal-other"), of_mastodon, "token belongs to @other"),
        Mishap(X, lambda house: keys_of_x(house, "other"), lambda house: keys_of_x(house, "acme"), "belongs to @other"),
    ),
    "swapped, too": (
        Mishap(
            REDDIT,
            somebody_else_on_reddit,
            lambda house: somebody_else_on_reddit(house, "acme_brand"),
            "the token belongs to u/somebody_else",
        ),
        Mishap(
            BLUESKY,
            lambda house: of_bluesky(house, house.there.pds.brand().app_password),
            of_bluesky,
            "refuses the name or the app password",
        ),
    ),
    "may do too little": (
        says(MASTODON, TOLD_BY_MASTODON, 403, {"error": "This action is outside the authorized scopes"}, "scopes), do"),
        of_x("credit", value=False, words="no credit at X left, do buy credit"),
    ),
    "not let in": (
        says(REDDIT, TOKEN_OF_REDDIT, 403, {"message": "Forbidden", "error": 403}, "have the app approved"),
        Mishap(
            BLUESKY,
            not_let_in_on_bluesky,
            lambda house: house.fronts[BLUESKY].instead.clear(),
            "the platform has closed the account (AccountTakedown), do sign in at bsky.app",
        ),
    ),
}


@pytest.fixture
def house() -> Iterator[FourHouse]:
    try:
        with four() as found:
            yield found
    except NotInstalled as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def typed(house: FourHouse, *words: str) -> tuple[int, str]:
    """One command: how it ended, and what it said."""
    command = [sys.executable, "-m", "guardian", *words, "--config", str(house.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def troubles(house: FourHouse) -> dict[str, str]:
    """What the status says of each account; empty where all is well."""
    return {one["name"]: one["trouble"] or "" for one in house.client.get("/v1/status")["accounts"]}


def wait_for(house: FourHouse, mishap: Mishap) -> str:
    """Until the status says what is wrong; what it says."""
    until = time.monotonic() + WITHIN
    while mishap.words not in (said := troubles(house)[mishap.account]):
        assert time.monotonic() < until, said
        time.sleep(0.05)
    return said


def test_what_is_wrong_with_two_accounts_is_said_with_what_to_do_and_the_other_two_go_on(house: FourHouse) -> None:
    daemon = house.start()
    waiting = house.feed(len(FOUR) * len(ROUNDS), accounts=FOUR, at=datetime.now(UTC) + timedelta(hours=1))
    due = 0
    for name, mishaps in ROUNDS.items():
        daemon.terminate()
        for mishap in mishaps:
            mishap.happens(house)
        daemon = house.start()
        said = [wait_for(house, mishap) for mishap in mishaps]
        assert all(", do " in one for one in said), said
        for post in waiting[due : due + len(FOUR)]:
            house.client.post(f"/v1/posts/{post}/reschedule", {"at": "now"})
        due += len(FOUR)
        stuck, goes_on = {mishap.account for mishap in mishaps}, due - len(mishaps)
        house.wait(lambda counts, so_many=goes_on: counts["published"] == so_many, WITHIN, f"{name}: the others' posts")  # type: ignore[misc]
        rows = [row for row in house.rows() if row["id"] in waiting[:due]]
        assert {row["account"] for row in rows if row["state"] != "published"} == stuck
        assert {row["state"] for row in rows} == {"published", "queued"}
        assert not {one for one, trouble in troubles(house).items() if trouble} - stuck
        for mishap in mishaps:
            mishap.mended(house)
    daemon.terminate()
    house.start()
    house.wait_all(within=WITHIN)
    assert not house.judge()


def test_what_a_platform_does_not_take_is_said_of_that_post_and_the_account_goes_on(house: FourHouse) -> None:
    house.start()
    house.feed(len(FOUR), accounts=FOUR)
    house.wait_all(within=WITHIN)
    film = house.directory / "film.mp4"
    film.write_bytes(FILM)
    wanting = (
        (X, ("--alt", "Bread"), "X shows a description at pictures alone"),
        (REDDIT, (), "add one to media beside"),
    )
    for account, more, why in wanting:
        words = ("--account", account, "--at", "now", "--media", str(film), *more, "A film")
        code, said = typed(house, "queue", "add", *words)
        assert (code, why in said) == (2, True), said
    assert len(house.rows()) == len(FOUR), "bad input enters nothing"
    no = ["SUBREDDIT_NOEXIST", "that subreddit doesn't exist", "sr"]
    house.there.reddit.next("/api/submit", Next(body={"json": {"errors": [no]}}, made=False))
    code, said = typed(house, "queue", "add", "--account", REDDIT, "--at", "now", "--visibility", "r/gone", "To nobody")
    assert code == 0, said
    house.wait(lambda counts: counts["refused"] == 1, WITHIN, "the post to a subreddit that is gone refused")
    (refused,) = [row for row in house.rows() if row["state"] == "refused"]
    assert "SUBREDDIT_NOEXIST: that subreddit doesn't exist (sr)" in typed(house, "queue", "show", refused["id"])[1]
    house.feed(len(FOUR), accounts=FOUR)
    house.wait(lambda counts: counts["published"] == 2 * len(FOUR), WITHIN, "what comes after it published")
    assert not any(troubles(house).values())
