"""Four platforms at once in one house: a freeze in the middle of their posts, and one bad post on each taken down."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.evidence import verify as verifying
from tests.bluesky.installing import NotInstalled
from tests.torture.catalogue import ROWS
from tests.torture.daemon import ROOT
from tests.torture.networks import BLUESKY, FOUR, MASTODON, REDDIT, FourHouse, X, four
from tests.torture.results import NotRunError, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate"),
]
WITHIN = 90.0
WHOLE = ("gone", "complete")
CONFIG = "[evidence]\nrender = false\n"
IN_CI = os.environ.get("CI") == "true"


@pytest.mark.parametrize("name", ["networks", "broken-networks"])
def test_a_freeze_lets_nothing_late_through_at_any_of_four_platforms_and_a_broken_fence_is_caught(name: str) -> None:
    try:
        result = ROWS[name](Options(seed=1, short=True))
    except NotRunError as error:
        if IN_CI:
            raise
        pytest.skip(str(error))
    assert result.holds, result.line()


@pytest.fixture
def house() -> Iterator[FourHouse]:
    """A house that has one live post on each of the four."""
    try:
        with four(config=CONFIG) as found:
            found.start()
            found.feed(len(FOUR), accounts=FOUR)
            found.wait_all()
            yield found
    except NotInstalled as error:
        if IN_CI:
            raise
        pytest.skip(str(error))


def run(house: FourHouse, *words: str, code: int) -> str:
    """One command, which must end with this; what it prints."""
    command = [sys.executable, "-m", "guardian", *words, "--config", str(house.config)]
    environment = {**os.environ, "COLUMNS": "300"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=WITHIN, check=False, cwd=ROOT, env=environment
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def asked(house: FourHouse, *words: str, code: int = 0) -> Any:  # noqa: ANN401 (a JSON document)
    """The same, as JSON."""
    return json.loads(run(house, *words, "--json", code=code))


def urls(house: FourHouse) -> dict[str, str]:
    """The address of each account's post, as a person would paste it."""
    return {post["account"]: post["url"] for post in asked(house, "queue", "list", "--all")["posts"]}


def live(house: FourHouse) -> set[str]:
    """The accounts whose post is there, as the platforms themselves have it."""
    return {name for name, texts in house.made().items() if texts}


def each(flag: str, refs: dict[str, str]) -> list[str]:
    """The same flag before each of them."""
    return [word for ref in refs.values() for word in (flag, ref)]


def proven(house: FourHouse, names: set[str]) -> None:
    """So many bundles, of these names, verify."""
    state = Path(house.house.state_dir)
    assert len(names) == len(FOUR)
    assert names == {place.name for place in (state / "evidence").glob("ev-*")}
    for name in names:
        assert verifying.verify(state / "evidence" / name) == []
    run(house, "evidence", "verify", "--all", code=0)


def test_one_freeze_takes_one_post_on_each_of_four_platforms_down_and_proves_all_four(house: FourHouse) -> None:
    found = urls(house)
    said = run(house, "freeze", "bad", "joke", *each("--takedown", found), "--delete", code=0)
    assert said.startswith("FROZEN  CONFIRMED")
    for url in found.values():
        assert re.search(rf"^  takedown +{re.escape(url)}: gone$", said, re.MULTILINE)
    assert live(house) == set()
    (order,) = asked(house, "takedown", "list")["takedowns"]
    assert {one["account"]: (one["state"], one["grade"]) for one in order["targets"]} == dict.fromkeys(FOUR, WHOLE)
    proven(house, {one["evidence"] for one in order["targets"]})
    creates = len(house.arrivals())
    house.feed(len(FOUR), accounts=FOUR)
    house.wait(lambda counts: counts["missed"] == len(FOUR), WITHIN, "what is due while frozen missed")
    assert len(house.arrivals()) == creates
    assert not house.blind()


def test_one_takedown_says_in_one_table_that_one_of_four_could_not_be_taken_down(house: FourHouse) -> None:
    found = urls(house)
    house.there.x.accounts["acme"].credit = False
    said = run(house, "takedown", *found.values(), "--delete", "--reason", "a bad joke", code=14)
    assert live(house) == {X}
    assert "delete  NOT complete" in said
    told = {name: section for name in FOUR for section in said.split("\n\n") if f"  {name}  " in section}
    for name in (MASTODON, REDDIT, BLUESKY):
        assert f"{name}  GONE, read back from the platform" in told[name]
        assert "(complete)" in told[name]
    assert f"{X}  UNKNOWN: nobody can say whether it is gone" in told[X]  # to look at it costs credit, too
    assert "no credit at X left" in told[X]
    assert "open the address and take it down by hand" in told[X]
    (order,) = asked(house, "takedown", "list")["takedowns"]
    assert not order["complete"]
    proven(house, {one["evidence"] for one in order["targets"]})
    house.there.x.accounts["acme"].credit = True
    again = asked(house, "takedown", "order", found[X], "--delete", "--reason", "there is credit again")
    assert [one["state"] for one in again["targets"]] == ["gone"]
    assert live(house) == set()
