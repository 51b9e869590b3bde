"""`guardian demo`: the whole story on a rehearsal platform, in seconds, every claim checked; leaves nothing behind."""

import signal
import sys
import time
from typing import Annotated

import typer

from guardian.cli import endings, render
from guardian.cli.demo_stage import Stage
from guardian.cli.demo_story import Story, Untrue, table
from guardian.cli.given import AsJson

ENDS = (signal.SIGTERM, signal.SIGHUP)


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("demo", epilog="Example: guardian demo --stay")(demo)


def demo(
    *,
    stay: Annotated[bool, typer.Option("--stay", help="Keep platform and daemon up afterwards, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> int:
    """See it work: publish, freeze in the middle, thaw.

    On a platform of its own on this machine; nothing reaches the internet, and nothing is left behind.
    """
    say = _on_stderr if as_json else _at_once
    for end in ENDS:
        signal.signal(end, _interrupt)
    began = time.monotonic()
    say("Guardian in one story. Everything below is real, and happens on this machine alone.")
    with Stage() as stage:
        story = Story(stage, say)
        try:
            story.tell()
            took = time.monotonic() - began
            if stay:
                _stay(story)
            story.end()
            story.summary["all this took"] = f"{took:.0f} s, {story.claims} claims checked"
        except BrokenPipeError:
            raise
        except (Untrue, OSError, ValueError, KeyError):
            for line in stage.tail():
                render.tell(f"  daemon.log: {line}")
            raise
    say("\nIn short\n")
    for line in table(story.summary):
        say(line)
    if as_json:
        render.document({"held": True, "claims": story.claims, "summary": story.summary})
    return endings.DONE


def _stay(story: Story) -> None:
    """Leave everything up to look at; Ctrl-C is the way on, and no error."""
    story.say("\nStill running, until Ctrl-C")
    story.say(f"   the timeline   {story.platform.url}")
    story.say(f"   the commands   export GUARDIAN_CONFIG={story.stage.config}")
    story.say("                  guardian status")
    sys.stdout.flush()
    try:
        while story.daemon.poll() is None:
            time.sleep(0.2)
    except KeyboardInterrupt:
        story.say("")


def _interrupt(_signal: int, _frame: object) -> None:
    """Being ended from outside goes the way of Ctrl-C, so that everything is taken away."""
    raise KeyboardInterrupt


def _at_once(line: str) -> None:
    """A story is told while it happens, also into a pipe."""
    print(line, flush=True)


def _on_stderr(line: str) -> None:
    print(line, file=sys.stderr)
