"""Where the person types in a drill: the drill's own prompt, while another terminal may be quicker."""

import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from guardian.cli.drill_stage import DrillStage

PROMPT = "drill> "
GLANCE = 0.1
COMMAND_WITHIN = 120.0
NOT_HERE = ("run", "demo", "drill", "init")


@dataclass(slots=True)
class Prompt:
    """Reads commands from the terminal and runs them in the drill's house, until something is so."""

    stage: DrillStage
    say: Callable[[str], None]

    def until(self, true: Callable[[], bool], within: float) -> bool:
        """Take commands until it is so, for so many seconds; whether it came."""
        end, ask = time.monotonic() + within, True
        while not true():
            if time.monotonic() > end:
                return False
            if ask:
                print(PROMPT, end="", flush=True)
                ask = False
            if select.select([sys.stdin], [], [], GLANCE)[0]:
                line = sys.stdin.readline()
                if not line:
                    return False
                self._do(line)
                ask = True
        if not ask:
            print(flush=True)
        return True

    def _do(self, line: str) -> None:
        """One line: a guardian command, by hand as on the day."""
        try:
            words = shlex.split(line)
        except ValueError:
            self.say("   cannot read that, because a quote is not closed")
            return
        if not words:
            return
        if words[0] != "guardian" or (len(words) > 1 and words[1] in NOT_HERE):
            self.say("   type a guardian command, such as: guardian freeze a bad joke is live")
            return
        environment = {**os.environ, "GUARDIAN_CONFIG": str(self.stage.config)}
        given = [sys.executable, "-m", "guardian", *words[1:]]
        try:
            subprocess.run(given, env=environment, timeout=COMMAND_WITHIN, check=False)  # noqa: S603 (our own program)
        except subprocess.TimeoutExpired:
            self.say(f"   it was ended, because it took longer than {COMMAND_WITHIN:.0f} s")
