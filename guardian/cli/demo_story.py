"""The demo's story: short chapters, each with a real command, its claims checked against the platform's log."""

import json
import os
import shlex
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from guardian.cli import render
from guardian.cli.demo_stage import ACCOUNTS, Platform, Ran, Stage, until
from guardian.errors import GuardianError

FLOOD = 400
LATER = 20
PER_POST = 0.05
SOME = 60
PROOF = 1.5
MOST_LINES = 30

Document = dict[str, Any]


class Untrue(GuardianError):
    """cannot go on with the demo, because something that it claims was not so"""

    code = "untrue"


@dataclass(slots=True)
class Story:
    """Tells, runs and checks; what it learned goes into the summary."""

    stage: Stage
    say: Callable[[str], None]
    platform: Platform = field(init=False)
    daemon: subprocess.Popen[bytes] = field(init=False)
    frozen_at: int = 0
    summary: dict[str, str] = field(default_factory=dict)
    claims: int = 0
    chapter: int = 0

    def tell(self) -> None:
        """The whole story."""
        for chapter in (
            self.set_up,
            self.publish,
            self.flood,
            self.stop,
            self.prove,
            self.look,
            self.lift,
            self.release,
            self.hang,
            self.verify,
        ):
            chapter()

    def set_up(self) -> None:
        """A platform, a configuration, a house, a daemon."""
        self._title("A house, and a platform to rehearse on")
        self.platform = self.stage.platform()
        self._words(f"The platform speaks Mastodon's language on {self.platform.url}; nothing leaves this machine.")
        self.stage.write(self.platform)
        self._words(f"The configuration names {len(ACCOUNTS)} accounts of one brand: {', '.join(ACCOUNTS)}.")
        self.run("init")
        self._words("$ guardian run &")
        self.daemon = self.stage.daemon()
        self._claim(until(self._answers, 20), "the daemon runs and answers")

    def publish(self) -> None:
        """Three posts go out."""
        self._title("Posts go out when their time has come")
        texts = ("Good morning. We are open.", "New in the shop: umbrellas.", "We are looking for a gardener.")
        for account, text in zip(ACCOUNTS, texts, strict=False):
            self.run("queue", "add", "--account", account, "--at", "now", text)
        self._claim(until(lambda: len(self.platform.posts()) == len(texts), 15), "all three are on the platform")
        until(lambda: self._counts().get("published") == len(texts), 10)
        self.run("queue", "list")

    def flood(self) -> None:
        """Many due posts at once, on a platform that takes its time."""
        self._title(f"A campaign: {FLOOD} posts are due now, {LATER} tomorrow")
        self.platform.slow_down(PER_POST)
        file = self.stage.directory / "campaign.jsonl"
        file.write_text("".join(_campaign()))
        self.run("queue", "import", str(file))
        enough = until(lambda: len(self.platform.posts()) >= SOME, 30)
        self._claim(enough, f"{SOME} posts are live, and the others are on their way")

    def stop(self) -> None:
        """The freeze, in the middle of it."""
        self._title("Something is wrong: stop everything, in the middle of it")
        ran = self.run("freeze", "a", "tasteless", "post", "is", "live", "--json")
        found = ran.document()
        self.frozen_at = ran.answered
        self._claim(found["confirmed"] is True, "the freeze is CONFIRMED")
        self._claim(found["durable"] is True, "it would survive a reboot")
        flight = found["in_flight"] or []
        outcomes = render.counts(Counter(one["state"] for one in flight))
        self._note("CONFIRMED", f"{found['elapsed_ms']} ms after it was asked for")
        self._note("the command", f"{ran.seconds * 1000:.0f} ms from Enter to prompt")
        self._note("on the wire", f"{len(flight)} had left already when it came; what became of them: {outcomes}")
        self._note("held", f"{found['held']} posts wait behind it")

    def prove(self) -> None:
        """The platform's own log is the witness."""
        self._title("The proof, from the platform's own log")
        time.sleep(PROOF)
        arrived = self.platform.publishing()
        after = [one for one in arrived if one["first_byte"] > self.frozen_at]
        last = max(one["first_byte"] for one in arrived)
        before = (self.frozen_at - last) / 1e6
        self._note(
            "requests", f"{len(arrived)} publishing requests in all; the last came {before:.0f} ms before the answer"
        )
        self._claim(not after, f"{len(after)} publishing requests arrived after the freeze had answered")
        self._note("so far", f"{len(self.platform.posts())} posts are on the platform; watched for {PROOF} s more")

    def look(self) -> None:
        """Status, and that the books agree with the platform."""
        self._title("What is the state of everything?")
        settled = until(lambda: not self._under_way(), 15)
        self._claim(settled, "every post that had left has a known outcome")
        self.run("status", expect=20)
        counts, live = self._counts(), self.platform.posts()
        texts = {post["text"] for post in live}
        self._claim(counts["published"] == len(live), f"the books and the platform agree: {len(live)} posts are live")
        self._claim(len(texts) == len(live), "nothing was sent twice")
        self._claim(sum(counts.values()) == FLOOD + LATER + 3, "nothing was lost")
        self._claim(counts["queued"] == LATER, f"tomorrow's {LATER} are held")
        self.summary |= {"published before": f"{len(live)} posts", "held for tomorrow": f"{LATER} posts"}

    def lift(self) -> None:
        """Thaw; nothing that was missed goes out by itself."""
        self._title("The statement is out: lift it")
        live = len(self.platform.posts())
        self.run("thaw", "--yes", "--reason", "statement is out")
        time.sleep(1)
        self._claim(len(self.platform.posts()) == live, "what was missed stays unsent: no old campaign at 3 a.m.")
        self.summary["missed, never sent late"] = f"{self._counts()['missed']} posts"

    def release(self) -> None:
        """A person sends two of the missed ones after all."""
        self._title("A person decides about what was missed")
        listed = self.stage.guardian(["queue", "list", "--state", "missed", "--account", ACCOUNTS[0], "--json"])
        chosen = [post["id"] for post in listed.document()["posts"][:2]]
        live = len(self.platform.posts())
        self.run("queue", "release", *chosen, "--gap", "1s")
        self._claim(until(lambda: len(self.platform.posts()) == live + 2, 15), "both are out")
        first, second = (post["created_ns"] for post in self.platform.posts()[-2:])
        apart = (second - first) / 1e9
        self._claim(apart > 0.5, f"and {apart:.1f} s apart, as asked")  # noqa: PLR2004 (a second, generously)

    def hang(self) -> None:
        """The stop needs no daemon that can answer."""
        self._title("And if the daemon hangs?")
        self._words(f"$ kill -STOP {self.daemon.pid}    # the daemon")
        os.kill(self.daemon.pid, signal.SIGSTOP)
        try:
            ran = self.run("freeze", "and", "again")
            self._claim("CONFIRMED" in ran.out, "frozen all the same, with the daemon stopped")
            self.run("status", expect=20)
        finally:
            self._words(f"$ kill -CONT {self.daemon.pid}")
            os.kill(self.daemon.pid, signal.SIGCONT)
        self.summary["with a hung daemon"] = f"confirmed, {ran.seconds * 1000:.0f} ms from Enter to prompt"
        self._claim(until(self._has_heard, 15), "awake again, the daemon has heard of it")

    def verify(self) -> None:
        """The journal, verified by the client itself."""
        self._title("What happened, sealed line by line")
        ran = self.run("journal", "verify")
        self.summary["journal"] = ran.out.partition(":")[2].partition(",")[0].strip() + ", whole"
        self.run("thaw", "--yes", "--reason", "the demo is over")
        self._claim(self.stage.guardian(["status"]).code == 0, "open again")

    def end(self) -> None:
        """Stop the daemon as systemd would."""
        self._title("The end")
        self.daemon.terminate()
        self._claim(self.daemon.wait(20) == 0, "the daemon finished what it did and stopped")

    def run(self, *words: str, expect: int = 0) -> Ran:
        """Show a command, run it, show what it said, and check its exit code."""
        self._words(f"$ guardian {shlex.join(words)}".replace(str(self.stage.directory), "DEMO"))
        ran = self.stage.guardian(words)
        lines = (ran.out + ran.err).replace(str(self.stage.directory), "DEMO").splitlines()
        for line in lines[:MOST_LINES]:
            self.say(f"      {line}")
        if len(lines) > MOST_LINES:
            self.say(f"      ... and {len(lines) - MOST_LINES} lines more")
        if ran.code != expect:
            self._claim(holds=False, text=f"guardian {words[0]} ends with {expect}; it ended with {ran.code}")
        return ran

    def _title(self, text: str) -> None:
        self.chapter += 1
        self.say(f"\n{self.chapter}. {text}\n")

    def _words(self, text: str) -> None:
        self.say(f"   {text}")

    def _note(self, label: str, text: str) -> None:
        self.say(f"   {label:<12} {text}")
        if label in ("CONFIRMED", "on the wire"):
            self.summary[label] = text

    def _claim(self, holds: bool, text: str) -> None:
        """Every claim is checked; one that does not hold ends the demo."""
        if not holds:
            raise Untrue(f"cannot go on, because this was not so: {text}", fix="look at the daemon's log above")
        self.claims += 1
        self.say(f"   + {text}")

    def _status(self) -> Document:
        ran = self.stage.guardian(["status", "--json"])
        return dict(ran.document()) if ran.out else {}

    def _answers(self) -> bool:
        return self._status().get("daemon") == "running"

    def _counts(self) -> dict[str, int]:
        return dict(self._status().get("counts") or {})

    def _under_way(self) -> int:
        counts = self._counts()
        return sum(counts.get(state, 0) for state in ("claimed", "sending", "unknown")) + abs(
            counts.get("queued", 0) - LATER
        )

    def _has_heard(self) -> bool:
        return any(one["id"] for one in self._status().get("freezes", ()))


def _campaign() -> list[str]:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    due = [("now", f"Autumn sale, offer {number} of {FLOOD}") for number in range(1, FLOOD + 1)]
    later = [(tomorrow, f"See you tomorrow, {number} of {LATER}") for number in range(1, LATER + 1)]
    return [
        json.dumps({"account": ACCOUNTS[place % len(ACCOUNTS)], "at": at, "text": text}) + "\n"
        for place, (at, text) in enumerate(due + later)
    ]


def table(summary: dict[str, str]) -> list[str]:
    """The summary in two columns."""
    return [f"   {render.one_line(label):<26} {render.one_line(text)}" for label, text in summary.items()]
