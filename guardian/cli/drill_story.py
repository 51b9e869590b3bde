"""The story of a drill: posts go out, one of them is a bad joke, a person stops and takes down; every step is timed.

It is told in the drill's own house (`drill_stage`), with the real commands. What the commands say is held against the
platform's own log. Times are in ms.
"""

import json
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from guardian.cli.demo_stage import Platform, Ran, until
from guardian.cli.demo_telling import Untrue
from guardian.cli.drill_prompt import Prompt
from guardian.cli.drill_stage import NAMES, DrillStage
from guardian.client import Client
from guardian.config import load
from guardian.errors import GuardianError
from guardian.fence import marker, reading

JOKE = "So good that you will pray for a flood: our umbrellas."
EVERY = 0.5  # seconds between two posts that nobody minds
LEAD = 4  # of them are live before the joke is
PERSON_WITHIN, PROGRAM_WITHIN = 600.0, 60.0
READY_WITHIN = 60.0
PROOF = 0.3

Document = dict[str, Any]


@dataclass(slots=True)
class DrillStory:
    """Tells, runs, measures. `auto`: the drill types the command itself."""

    stage: DrillStage
    say: Callable[[str], None]
    auto: bool
    platform: Platform = field(init=False)
    measures: dict[str, int] = field(default_factory=dict)
    _seen: int = 0
    _url: str = ""

    def tell(self) -> None:
        """The whole of it. Raises Untrue for what is not so."""
        self._set_up()
        self._go_wrong()
        self._answer()
        self._witness()
        self._end()

    def _set_up(self) -> None:
        self.platform = self.stage.platform()
        self.stage.write(self.platform)
        self.stage.daemon()  # which arms what is new, as `guardian init` does
        self._claim(until(self._answers, READY_WITHIN), "a house for the drill stands, and its daemon runs")

    def _go_wrong(self) -> None:
        """A plan of harmless posts, two a second; in the middle of it the joke."""
        Client(self.stage.house).post("/v1/posts/import", {"text": "".join(_plan(self._patience))})
        live = until(lambda: self.platform.find(JOKE) is not None, READY_WITHIN)
        self._claim(live, "posts go out on the rehearsal platform, and one of them is a bad joke")
        self._url = self.platform.address(JOKE)
        self._seen = _now()

    @property
    def _patience(self) -> float:
        return PROGRAM_WITHIN if self.auto else PERSON_WITHIN

    def _answer(self) -> None:
        """The stop and the takedown, by the person or by us."""
        words = ["freeze", "a", "bad", "joke", "is", "live", "--takedown", self._url, "--delete"]
        self.say(f"\n   Live now: {self._url}")
        if self.auto:
            self._run(*words)
        else:
            self.say("   Stop everything, and take it down. Here, or in another terminal after")
            self.say(f"      export GUARDIAN_CONFIG={self.stage.config}")
            self.say(f"   As you would on the day; if you do not know how: guardian {shlex.join(words)}\n")
        asked = Prompt(self.stage, self.say)
        wait = until if self.auto else asked.until
        self._claim(wait(self._frozen, self._patience), "it is frozen")
        self._claim(wait(self._gone, self._patience), "the joke is gone, as the platform shows it")
        self._measure(Client(self.stage.house).get("/v1/incidents/latest"))

    def _measure(self, told: Document) -> None:
        """From the markers, the journal and the platform: nobody's own word about himself."""
        found = marker.of(self.stage.house, self._stopped()[0])
        ordered = found.at if found is not None and found.at else _now()
        deletes = [one for one in self.platform.deleting() if one["status"] is not None]
        taken = {one["measure"]: one["ms"] for one in told["measures"]}
        self.measures["freeze_ms"] = max(ordered - self._seen, 0)
        if taken.get("confirmed") is not None:
            self.measures["confirm_ms"] = int(taken["confirmed"])
        if deletes:
            ended = deletes[0]["answered"] or deletes[0]["last_byte"]
            self.measures["takedown_ms"] = max(_wall(ended) - self._seen, 0)

    def _witness(self) -> None:
        """No publishing request of what was stopped after CONFIRMED, by the platform's own log."""
        confirmed = self._seen + self.measures["freeze_ms"] + self.measures.get("confirm_ms", 0)
        time.sleep(PROOF)
        after = [one for one in self.platform.publishing() if _wall(one["first_byte"]) > confirmed + 1]
        free = self._free()
        late = [one for one in after if one["account"] not in free]
        goes_on = f"; {', '.join(sorted(free))}: not stopped, {len(after) - len(late)} sent" if free else ""
        self._claim(not late, f"{len(late)} posts of what was stopped were sent after CONFIRMED{goes_on}")
        others = [one for one in self.platform.deleting() if self._url.rpartition("/")[2] not in one["path"]]
        self._claim(not others, "no other post was deleted")

    def _free(self) -> set[str]:
        """The accounts that no frozen scope covers: where less than everything was stopped, they go on, and rightly."""
        stopped = set(self._stopped())
        accounts = load(self.stage.config, with_secrets=False).accounts
        return {one.name for one in accounts if stopped.isdisjoint(one.scopes)}

    def _end(self) -> None:
        """The way back, and the report."""
        for scope in self._stopped():
            self._run("thaw", "--yes", "--scope", scope, "--reason", "the drill is over")
        Client(self.stage.house).post("/v1/incidents/latest/close", {"reason": "it was a drill"})
        ran = self._run("incident", "report", "--format", "html", show=False)
        self._claim("</html>" in ran.out, "the report is written, from the journal alone")
        self.measures["report_ms"] = max(_now() - self._seen, 0)

    def _run(self, *words: str, show: bool = True) -> Ran:
        """A real command; with its words, if somebody is to see them."""
        if show:
            self.say(f"   $ guardian {shlex.join(words)}")
        ran = self.stage.guardian(words)
        if show:
            for line in (ran.out + ran.err).splitlines():
                self.say(f"      {line}")
        if ran.code != 0:
            why = (ran.err or ran.out).strip().splitlines()
            self._claim(False, f"guardian {words[0]} ends well (it ended with {ran.code}: {why[-1] if why else ''})")
        return ran

    def _claim(self, holds: bool, text: str) -> None:
        if not holds:
            raise Untrue(f"cannot go on, because this was not so: {text}", fix="look at the lines above")
        self.say(f"   + {text}")

    def _answers(self) -> bool:
        try:
            Client(self.stage.house).get("/v1/status")
        except GuardianError:
            return False
        return True

    def _stopped(self) -> list[str]:
        """The scopes that are frozen in the drill's house."""
        return [one.scope for one in reading.read_fence(self.stage.house).scopes if one.state == reading.FROZEN]

    def _frozen(self) -> bool:
        return bool(self._stopped())

    def _gone(self) -> bool:
        return self.platform.find(JOKE) is None


def _plan(seconds: float) -> Iterator[str]:
    """Harmless posts for so long, and the joke soon."""
    start = datetime.now(UTC)
    for number in range(int(seconds / EVERY)):
        at = (start + timedelta(seconds=EVERY * (number - LEAD))).isoformat(timespec="milliseconds")
        yield json.dumps({"account": NAMES[number % len(NAMES)], "at": at, "text": f"Drill: offer {number}"}) + "\n"
    yield json.dumps({"account": NAMES[0], "at": start.isoformat(timespec="milliseconds"), "text": JOKE}) + "\n"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _wall(monotonic: int) -> int:
    """An instant of the monotonic clock (ns) by the wall clock (ms)."""
    return (monotonic + time.time_ns() - time.monotonic_ns()) // 1_000_000
