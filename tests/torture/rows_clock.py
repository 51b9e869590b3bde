"""Row `down-three-hours`: the daemon was away while posts fell due; it sends none of them by itself."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from guardian.config import load
from guardian.daemon.build import build
from guardian.daemon.clocks import sight
from guardian.daemon.program import own
from guardian.duties.recover import recover
from guardian.gate import accounts
from tests.torture.house import TorturedHouse
from tests.torture.results import Result
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from guardian.rules.clock import Sight
    from tests.torture.results import Options

POSTS = 200
AWAY = 3 * 3_600_000
DUE_IN = timedelta(hours=1)
ROUNDS = 3


def down_three_hours(options: Options) -> Result:
    """200 posts fall due while it is down for three hours: 0 sent, 200 missed, one line in the journal."""
    posts = options.times(POSTS, 40)
    with TorturedHouse() as house:
        daemon = house.start()
        house.feed(posts, at=datetime.now(UTC) + DUE_IN)
        daemon.terminate()
        _live_three_hours_later(house)
        house.start()
        house.thaw()  # the clock goes back by three hours here: a person says that it is right
        lines = [entry for entry in _journal(house) if entry["kind"] == "missed"]
        counts, made = house.counts(), len(house.witness.creates())
        wrong = "" if made == 0 else f"{made} were sent"
        wrong = wrong or ("" if counts["missed"] == posts else f"not all were missed: {dict(counts)}")
        wrong = wrong or ("" if len(lines) == 1 else f"{len(lines)} lines in the journal")
        publish_all(house)
        return Result.of("down-three-hours", posts, house.judge(), wrong=wrong)


def _live_three_hours_later(house: TorturedHouse) -> None:
    """The real parts with another clock, started as `program.run` starts them, polled by hand."""
    found = accounts.makers()
    settings = load(house.config, known=accounts.known_secrets(found))

    def look() -> Sight:
        now = sight()
        return replace(now, wall=now.wall + AWAY, elapsed=now.elapsed + AWAY)

    def later() -> int:
        return look().wall

    lock = own(settings.house)
    daemon = build(settings, found, look=look)
    try:
        recover(daemon.database, now=later())
        daemon.books.open_the_house()
        daemon.books.sweep()
        for _ in range(ROUNDS):
            for loop in daemon.loops:
                loop.polled.poll(later())
    finally:
        daemon.database.close()
        os.close(lock)


def _journal(house: TorturedHouse) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = house.client.get("/v1/journal", limit=1000)["entries"]
    return entries
