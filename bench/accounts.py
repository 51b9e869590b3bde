"""How long the daemon takes to start, and what it holds in memory, with accounts on one platform and on all four."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench import page
from bench.goals import Goal, lines
from bench.house import GLANCE, WITHIN, BenchHouse, Sink, memory
from bench.timing import Measured, in_turn

if TYPE_CHECKING:
    from pathlib import Path

    from bench.timing import Sample

PLATFORMS = ("mastodon", "x", "reddit", "bluesky")
COUNTS = (1, 4, 30)
ONE, FOUR, MANY = (f"{count} account{'s' if count > 1 else ''}" for count in COUNTS)
ROUNDS, BUDGET = 5, 90.0
ANSWERS, KNOWN = "start until the socket answers, {}", "start until every account is known, {}"
RESIDENT = "resident memory then, {} (MB)"
GOALS = (
    Goal("start until every account is known, thirty accounts", KNOWN.format(MANY), most=2000.0),
    Goal("every account known, four platforms", KNOWN.format(FOUR), KNOWN.format(ONE)),
    Goal("every account known, thirty accounts", KNOWN.format(MANY), KNOWN.format(FOUR), most=1.5),
    Goal("the socket answers, four platforms", ANSWERS.format(FOUR), ANSWERS.format(ONE)),
    Goal("the socket answers, thirty accounts", ANSWERS.format(MANY), ANSWERS.format(FOUR), most=1.5),
    Goal("resident memory, thirty accounts", RESIDENT.format(MANY), most=150.0, unit="MB"),
    Goal("resident memory, four platforms", RESIDENT.format(FOUR), RESIDENT.format(ONE)),
    Goal("resident memory, thirty accounts", RESIDENT.format(MANY), RESIDENT.format(FOUR), most=1.5),
)
ABOUT = """\
* One account is on Mastodon, four are one on each of Mastodon, X, Reddit and Bluesky, thirty are spread over the four.
  Their platform is a process on loopback that answers at once and knows nothing but whose a token is.
* *Until the socket answers*: from the start of the process `guardian run` until `GET /v1/status` is answered. *Until
  every account is known*: until each platform has been asked whose the account is, and posts could leave. The daemon
  imports only the libraries that its accounts need, and it imports them before it answers.
* *Resident memory*: VmRSS right after that.
"""


class AccountsHouse(BenchHouse):
    """A house with accounts on several platforms, all of which are at one address."""

    def _write(self, sink: Sink) -> None:
        lines = [f'state_dir = "{self.house.state_dir}"', f'runtime_dir = "{self.house.runtime_dir}"']
        for nr, name in enumerate(self.accounts):
            platform = PLATFORMS[nr % len(PLATFORMS)]
            identity, secrets = _as_known(platform, name, sink.place)
            lines += [
                f"[accounts.{name}]", f'platform = "{platform}"', f'brand = "{name}"', f'base_url = "{sink.url}"',
                f'identity = "{identity}"', f"[accounts.{name}.secrets]",
            ]  # fmt: skip
            lines += [f'{secret} = "file:{self._secret(name, secret)}"' for secret in secrets]
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def _secret(self, name: str, secret: str) -> Path:
        file = self.directory / f"{name}.{secret}"
        file.touch(0o600)
        file.write_text(f"named-{name}\n", "utf-8")
        return file

    def known(self) -> int:
        """How many accounts the platforms have told this life of the daemon about."""
        return (self.directory / "daemon.log").read_text("utf-8", "replace").count('"event": "verified"')


def _as_known(platform: str, name: str, domain: str) -> tuple[str, tuple[str, ...]]:
    """Who the account is there, and which secrets it has."""
    return {
        "mastodon": (f"@{name}@{domain}", ("token",)),
        "x": (f"@{name}", ("consumer_key", "consumer_secret", "access_token", "access_token_secret")),
        "reddit": (f"u/{name}", ("client_id", "client_secret", "refresh_token")),
        "bluesky": (f"@{name.replace('_', '-')}.test", ("app_password",)),
    }[platform]


def run() -> None:
    """Measure, print, and write the page's section."""
    before = os.getloadavg()
    with ExitStack() as stack:
        answering = stack.enter_context(Sink((), "bench.answering"))
        words = zip(COUNTS, (ONE, FOUR, MANY), strict=True)
        things = [_started(stack, count, word, answering) for count, word in words]
        taken, absent = in_turn(things, rounds=ROUNDS, budget=BUDGET)
    section = page.Section("accounts", "Accounts on four platforms", ABOUT)
    page.publish(section, lines(GOALS, taken), taken, absent, before)


def _started(stack: ExitStack, count: int, word: str, there: Sink) -> Measured:
    house = stack.enter_context(AccountsHouse([f"account_{nr:02d}" for nr in range(count)], there))

    def take() -> Sample:
        (house.directory / "daemon.log").write_text("", "utf-8")
        began = time.monotonic_ns()
        daemon = house.start()
        answered = (time.monotonic_ns() - began) / 1e6
        while (known := house.known()) < count:
            if (time.monotonic_ns() - began) / 1e9 > WITHIN:
                raise OSError(f"{known} of {count} accounts were known within {WITHIN:g} s: {daemon.tail()[-300:]}")
            time.sleep(GLANCE)
        took = (time.monotonic_ns() - began) / 1e6
        held = memory(daemon.pid)
        house.stop()
        return {ANSWERS.format(word): answered, KNOWN.format(word): took, RESIDENT.format(word): held}

    return Measured(KNOWN.format(word), take)
