"""Rows about what platforms answer: mad answers, absurd stated times, storms of 5xx; to one account of four.

Each is bounded, none is taken for a post, for a no or for an absence; then the lane goes on, and the others did always.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.torture import doors
from tests.torture.front import says, says_on_and_on
from tests.torture.house import ACCOUNTS, SCOPES
from tests.torture.mad_answers import DOCUMENTS, MAD, answer
from tests.torture.results import Result
from tests.torture.rows_cut import FrontedHouse
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from tests.torture.front import Act
    from tests.torture.results import Options

WHO = "north-a"
SANE = tuple(name for name in ACCOUNTS if name != WHO)
OVER = 1.0
CONFIG = f'[gate]\nanswer_within = "1s"\n[reconcile]\nlooks = 2\nover = "{OVER:.0f}s"'
MOST_MEMORY = 128 * 1024  # KB by which the daemon may grow over all of them
ENDS_WITHIN = 8.0  # seconds from SIGTERM, of a lane that was told to wait for years
LONG_WAITS = (
    "1e308", "inf", "Infinity", "9" * 4000, "31536000", "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z", "7200",
)  # fmt: skip
SHORT_WAITS = (
    "-1", "-inf", "-1e308", "0", "1e-300", "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
)  # fmt: skip
NO_WAITS = ("nan", "soon", "", ",", "0x10", "60, 5", "\x80\xff" * 2000, "Thu, " * 2000)
LONGEST = 900.0
WAITS = re.compile(r'"seconds": ([0-9.]+).*"event": "waits"')


class OneMadHouse(FrontedHouse):
    """Only one account's platform is behind the front."""

    def base_url(self, name: str) -> str:
        """The front's for one, the platform's own for the others."""
        return self.front.url if name == WHO else self.witness.url

    def arrivals(self) -> list[dict[str, Any]]:
        """The front's for that one, the platform's for the others."""
        return self.front.creates() + [entry for entry in self.witness.creates() if entry["account"] != WHO]

    def memory(self) -> int:
        """The most that the daemon ever took, in KB."""
        assert self.daemon is not None
        status = Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    def log(self) -> str:
        """All that the daemon said."""
        return (self.directory / "daemon.log").read_text("utf-8", "replace")


def mad_answers(options: Options) -> Result:
    """Every mad answer to a create, made and not made; then those that could be read as *it is not there*, to looks."""
    dice = options.dice("mad-answers")
    silent = dice.choice([name for name in sorted(MAD) if MAD[name].silent])
    others = [name for name in sorted(MAD) if name != silent]
    names = [silent, *dice.sample(others, options.times(len(others), 5))]  # the first keeps its lane for a while
    acts = [_mad(name, made=made) for name in names for made in (True, False)]
    looks = dice.sample(sorted(DOCUMENTS), options.times(len(DOCUMENTS), 0))
    with OneMadHouse(config=CONFIG) as house:
        house.start()
        house.feed(4)
        house.wait_all()
        before = house.memory()
        wrong = _misbehave(house, acts)
        for name in looks:
            house.front.acts.append(says(made=True))
            house.front.acts_for_reads.append(_mad(name, made=False))
            house.feed(1, accounts=(WHO,))
            publish_all(house)
        grown = house.memory() - before
        wrong = wrong or ("" if grown < MOST_MEMORY else f"the daemon grew by {grown} KB")
        wrong = wrong or _said(house)
        found = house.judge()
        found.mismatched = []  # an answer that the front swallows is one that the platform gave
        note = f"{grown // 1024} MB more"
        return Result.of(
            "mad-answers", len(acts) + len(looks), found, worst=house.history.worst, wrong=wrong, note=note
        )


def _mad(name: str, *, made: bool) -> Act:
    return says_on_and_on(MAD[name].chunks, made=made, then_silent=MAD[name].silent)


def _misbehave(house: OneMadHouse, acts: list[Act]) -> str:
    """All of them to one lane, a freeze in the middle; the other lanes are done long before."""
    house.front.acts.extend(acts)
    house.feed(len(acts), accounts=(WHO,))
    sane = house.feed(30, accounts=SANE)
    _until_published(house, set(sane))
    left = len(house.front.acts)
    house.freeze(door=doors.in_process)
    time.sleep(0.3)
    house.thaw(*SCOPES)
    until = time.monotonic() + 5 * len(acts)
    while house.front.acts and time.monotonic() < until:
        house.release()
        time.sleep(0.2)
    publish_all(house)
    if house.front.acts:
        return f"{len(house.front.acts)} answers were not given"
    return house.front.trouble or ("" if left else "the sane lanes had to wait for the mad one")


def _until_published(house: OneMadHouse, wanted: set[str]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if wanted <= {row["id"] for row in house.rows() if row["state"] == "published"}:
            return
        time.sleep(0.1)


def _said(house: OneMadHouse) -> str:
    said = house.log()
    for word in ("Traceback", "a loop failed", "rehearsal-"):
        if word in said:
            return f"the log has {word!r}: {said[said.index(word) - 200 :][:600]}"
    return ""


def absurd_waits(options: Options) -> Result:
    """429 with absurd times: no wait is longer than a quarter of an hour, and the daemon's end cuts it short."""
    long, others = LONG_WAITS[: options.times(99, 1)], (*SHORT_WAITS, *NO_WAITS)
    short = options.dice("absurd-waits").sample(others, options.times(len(others), 1))
    wrong, slowest = "", 0.0
    with OneMadHouse(config=CONFIG) as house:
        for said in long:
            house.start()
            told, took = _told_to_wait(house, said)
            wrong, slowest = wrong or told, max(slowest, took)
        house.start()
        for said in short:
            house.front.acts.append(says(_throttled(said)))
            house.feed(1, accounts=(WHO,))
            publish_all(house)
        wrong = wrong or house.front.trouble or _said(house) or _waits(house, len(long))
        note = f"the slowest end of a wait: {slowest:.1f} s"
        return Result.of(
            "absurd-waits", len(long) + len(short), house.judge(), worst=house.history.worst, wrong=wrong, note=note
        )


def _throttled(said: str) -> bytes:
    more = [b"X-RateLimit-Remaining: 0", b"X-RateLimit-Reset: " + said.encode("latin-1")]
    return answer(429, b'{"error":"too many"}', b"Retry-After: " + said.encode("latin-1"), *more)


def _told_to_wait(house: OneMadHouse, said: str) -> tuple[str, float]:
    """The lane waits, the others go on, a freeze is CONFIRMED and the daemon ends at once; nothing was sent again."""
    before, waits = len(house.front.creates()), len(WAITS.findall(house.log()))
    house.front.acts.append(says(_throttled(said)))
    house.feed(1, accounts=(WHO,))
    sane = house.feed(3, accounts=SANE)
    house.wait(lambda counts: counts["published"] == len(house.imported) - 1, 20, "the others published")
    until = time.monotonic() + 10
    while len(WAITS.findall(house.log())) == waits and time.monotonic() < until:
        time.sleep(0.05)
    stop = house.freeze(door=doors.in_process)
    assert house.daemon is not None
    time.sleep(0.3)
    began = time.monotonic()
    house.daemon.terminate()
    took = time.monotonic() - began
    house.start()
    house.thaw(*SCOPES)
    came = len(house.front.creates()) - before
    publish_all(house)
    house.daemon.terminate()
    if stop.confirmed_at is None or stop.killed or took > ENDS_WITHIN:
        return f"{said[:30]}: the wait did not end ({stop.said[:200]}, {took:.1f} s)", took
    return (
        "" if came == 1 and sane else f"{said[:30]}: {came} were sent in place of one, before the wait was over"
    ), took


def _waits(house: OneMadHouse, long: int) -> str:
    waits = [float(seconds) for seconds in WAITS.findall(house.log())]
    capped = [seconds for seconds in waits if seconds == LONGEST]
    if not waits or max(waits) > LONGEST or len(capped) < long:
        return f"the lane waited {max(waits, default=0.0)} s at the most, {len(capped)} times for the longest"
    return ""


def storms(options: Options) -> Result:
    """5xx upon 5xx, of which some had made the post: each attempt is asked for before another is made."""
    trials = options.times(30, 4)
    dice = options.dice("storm")
    with OneMadHouse(config=CONFIG) as house:
        house.start()
        house.feed(4)
        house.wait_all()
        for _ in range(trials):
            status = dice.choice((500, 502, 503, 504, 599))
            house.front.acts.append(says(answer(status, b"", b"Retry-After: 0"), made=dice.random() < 0.3))
        house.feed(max(3, trials // 5), accounts=(WHO,))
        publish_all(house)
        hasty = _hasty(house)
        wrong = house.front.trouble or _said(house)
        wrong = wrong or ("" if not hasty else f"{hasty[0]} was sent again unasked")
        return Result.of("storm-of-5xx", trials, house.judge(), wrong=wrong)


def _hasty(house: OneMadHouse) -> list[str]:
    """Posts that were sent again sooner than the platform can have been asked."""
    last: dict[str, int] = {}
    found = []
    for entry in house.front.creates():
        text = entry["text"]
        if text in last and entry["first_byte"] - last[text] < OVER * 0.9e9:
            found.append(text)
        last[text] = entry["last_byte"]
    return found
