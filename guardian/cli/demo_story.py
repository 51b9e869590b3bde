"""The demo's story: a house at work, a drill, a campaign with a bad joke in it, and the way back to every day.

Short chapters, each with a real command, its claims checked against the platform's log. The incident itself is told by
`demo_incident`.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from guardian.cli.demo_incident import BAD, NATIVE, PICTURE, Incident, picture
from guardian.cli.demo_stage import ACCOUNTS, Stage, until
from guardian.cli.demo_telling import Telling

FLOOD = 400
LATER = 20
PER_POST = 0.05
SOME = 60
GOOD = ("Good morning. We are open.", "New in the shop: umbrellas.", "We are looking for a gardener.")
SORRY = "One of our posts made fun of a flood. It is gone. We are sorry, and we will say how it came to that."


@dataclass(slots=True)
class Story:
    """Tells, runs and checks."""

    stage: Stage
    say: Callable[[str], None]
    telling: Telling = field(init=False)
    incident: Incident = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is started yet."""
        self.telling = Telling(self.stage, self.say)
        self.incident = Incident(self.telling)

    def tell(self) -> None:
        """The whole story."""
        for chapter in (
            self.set_up,
            self.publish,
            self.drill,
            self.flood,
            self.incident.answer,
            self.incident.witness,
            self.incident.prove,
            self.incident.the_rest_of_it,
            self.look,
            self.incident.write_down,
            self.lift,
            self.speak,
            self.release,
            self.incident.report,
            self.verify,
        ):
            chapter()

    def set_up(self) -> None:
        """A platform, a configuration, a house, a daemon."""
        tell = self.telling
        tell.title("A house, and a platform to rehearse on")
        tell.platform = self.stage.platform()
        tell.words(f"The platform speaks Mastodon's language on {tell.platform.url}; nothing leaves this machine.")
        self.stage.write(tell.platform)
        tell.words(f"The configuration names {len(ACCOUNTS)} accounts of one brand: {', '.join(ACCOUNTS)}.")
        tell.run("init")
        tell.words("$ guardian run &")
        tell.daemon = self.stage.daemon()
        tell.claim(until(self._answers, 20), "the daemon runs and answers")

    def publish(self) -> None:
        """Three posts go out."""
        tell = self.telling
        tell.title("Posts go out when their time has come")
        for account, text in zip(ACCOUNTS, GOOD, strict=False):
            tell.run("queue", "add", "--account", account, "--at", "now", text)
        out = until(lambda: len(tell.platform.posts()) == len(GOOD), 15)
        tell.claim(out, "all three are on the platform")
        until(lambda: tell.counts().get("published") == len(GOOD), 10)

    def drill(self) -> None:
        """The stop needs no daemon that can answer."""
        tell = self.telling
        tell.title("A drill: the daemon hangs, and somebody must stop everything")
        tell.words(f"$ kill -STOP {tell.daemon.pid}    # the daemon")
        os.kill(tell.daemon.pid, signal.SIGSTOP)
        try:
            ran = tell.run("freeze", "a", "drill")
            tell.claim("CONFIRMED" in ran.out, "frozen all the same, with the daemon stopped")
        finally:
            tell.words(f"$ kill -CONT {tell.daemon.pid}")
            os.kill(tell.daemon.pid, signal.SIGCONT)
        tell.summary["with a hung daemon"] = f"confirmed, {ran.seconds * 1000:.0f} ms from Enter to prompt"
        tell.claim(until(self._has_heard, 15), "awake again, the daemon has heard of it")
        tell.run("thaw", "--yes", "--reason", "the drill is over")
        tell.run("incident", "close", "it was a drill")

    def flood(self) -> None:
        """Many due posts at once, on a platform that takes its time, and one that nobody should have approved."""
        tell = self.telling
        tell.title(f"A campaign: {FLOOD + 1} posts are due now, {LATER} tomorrow. One of them is a bad joke")
        tell.platform.slow_down(PER_POST)
        tell.platform.schedule(ACCOUNTS[1], NATIVE, seconds=3 * 3600)
        tell.words("(and a colleague has scheduled one on the platform itself, where no guardian sends it)")
        (self.stage.directory / PICTURE).write_bytes(picture())
        file = self.stage.directory / "campaign.jsonl"
        file.write_text("".join(_campaign()))
        tell.run("queue", "import", str(file))
        enough = until(lambda: len(tell.platform.posts()) >= SOME, 30)
        tell.claim(enough, f"{SOME} posts are live, and the others are on their way")
        tell.claim(until(self.incident.is_live, 15), "so is the bad joke: a thread of two, with a picture")

    def look(self) -> None:
        """Status, and that the books agree with the platform."""
        tell = self.telling
        tell.title("What is the state of everything?")
        settled = until(lambda: not self._under_way(), 15)
        tell.claim(settled, "every post that had left has a known outcome")
        tell.run("status", expect=20)
        counts, live = tell.counts(), tell.platform.live()
        texts = {post["text"] for post in live}
        tell.claim(counts["published"] == len(live), f"the books and the platform agree: {len(live)} posts are live")
        tell.claim(counts["retracted"] == 1, "and the bad one is not: the books have it as retracted")
        tell.claim(len(texts) == len(live), "nothing was sent twice")
        tell.claim(sum(counts.values()) == FLOOD + LATER + len(GOOD) + 1, "nothing was lost")
        tell.claim(counts["queued"] == LATER, f"tomorrow's {LATER} are held")
        tell.summary |= {"published before": f"{len(live)} posts", "held for tomorrow": f"{LATER} posts"}

    def lift(self) -> None:
        """Thaw; nothing that was missed goes out by itself."""
        tell = self.telling
        tell.title("Lift it: what was missed stays unsent")
        known = len(tell.platform.posts())
        tell.run("thaw", "--yes", "--reason", "the statement goes out")
        time.sleep(1)
        tell.claim(len(tell.platform.posts()) == known, "nothing went out by itself: no old campaign at 3 a.m.")
        tell.summary["missed, never sent late"] = f"{tell.counts()['missed']} posts"

    def speak(self) -> None:
        """The statement goes out, and into the record."""
        tell = self.telling
        tell.title("The statement goes out")
        tell.run("queue", "add", "--account", ACCOUNTS[0], "--at", "now", SORRY)
        tell.claim(until(lambda: tell.platform.find(SORRY) is not None, 15), "it is on the platform")
        tell.run("incident", "statement", tell.platform.address(SORRY))

    def release(self) -> None:
        """A person sends two of the missed ones after all."""
        tell = self.telling
        tell.title("A person decides about what was missed")
        listed = tell.document("queue", "list", "--state", "missed", "--account", ACCOUNTS[0])
        chosen = [post["id"] for post in listed["posts"][:2]]
        known = len(tell.platform.posts())
        tell.run("queue", "release", *chosen, "--gap", "1s")
        tell.claim(until(lambda: len(tell.platform.posts()) == known + 2, 15), "both are out")
        first, second = (post["created_ns"] for post in tell.platform.posts()[-2:])
        apart = (second - first) / 1e9
        tell.claim(apart > 0.5, f"and {apart:.1f} s apart, as asked")  # noqa: PLR2004 (a second, generously)

    def verify(self) -> None:
        """The journal, verified by the client itself."""
        tell = self.telling
        tell.title("What happened, sealed line by line")
        ran = tell.run("journal", "verify")
        tell.summary["journal"] = ran.out.partition(":")[2].partition(",")[0].strip() + ", whole"
        tell.claim(self.stage.guardian(["status"]).code == 0, "open again")

    def end(self) -> None:
        """Stop the daemon as systemd would."""
        tell = self.telling
        tell.title("The end")
        tell.daemon.terminate()
        tell.claim(tell.daemon.wait(20) == 0, "the daemon finished what it did and stopped")

    def _answers(self) -> bool:
        return self.telling.status().get("daemon") == "running"

    def _under_way(self) -> int:
        counts = self.telling.counts()
        under_way = ("claimed", "sending", "unknown", "retracting")
        return sum(counts.get(state, 0) for state in under_way) + abs(counts.get("queued", 0) - LATER)

    def _has_heard(self) -> bool:
        return any(one["id"] for one in self.telling.status().get("freezes", ()))


def _campaign() -> list[str]:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    due = [("now", f"Autumn sale, offer {number} of {FLOOD}") for number in range(1, FLOOD + 1)]
    later = [(tomorrow, f"See you tomorrow, {number} of {LATER}") for number in range(1, LATER + 1)]
    good = [
        {"account": ACCOUNTS[place % len(ACCOUNTS)], "at": at, "text": text}
        for place, (at, text) in enumerate(due + later)
    ]
    first, second = BAD
    shown = [{"path": PICTURE, "alt": "A cartoon of an umbrella, floating past a roof"}]
    bad = {"account": ACCOUNTS[0], "at": "now", "parts": [{"text": first, "media": shown}, {"text": second}]}
    return [json.dumps(one) + "\n" for one in (*good[:4], bad, *good[4:])]
