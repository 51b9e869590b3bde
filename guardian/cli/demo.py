"""`guardian demo`: the whole story on a rehearsal platform, in seconds, every claim checked; leaves nothing behind."""

import signal
import sys
import time
from typing import Annotated

import typer

from guardian.cli import endings, render
from guardian.cli.demo_incident import REPORT
from guardian.cli.demo_stage import Stage
from guardian.cli.demo_story import Story
from guardian.cli.demo_telling import Untrue, table
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
    """See it work: one command in the middle of a campaign, the proof, the post gone, the report.

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
            tell = story.telling
            missing = f", {len(tell.not_checked)} NOT checked: a tool is not here" if tell.not_checked else ""
            tell.summary["all this took"] = f"{took:.0f} s, {tell.claims} claims checked{missing}"
        except BrokenPipeError:
            raise
        except (Untrue, OSError, ValueError, KeyError):
            for line in stage.tail():
                render.tell(f"  daemon.log: {line}")
            raise
    say("\nIn short\n")
    for line in table(tell.summary):
        say(line)
    if as_json:
        told = {"claims": tell.claims, "not_checked": tell.not_checked, "summary": tell.summary}
        render.document({"held": True, **told})
    return endings.DONE


def _stay(story: Story) -> None:
    """Leave everything up to look at; Ctrl-C is the way on, and no error."""
    story.say("\nStill running, until Ctrl-C")
    story.say(f"   the timeline   {story.telling.platform.url}")
    story.say(f"   the report     {story.stage.directory / REPORT}")
    story.say(f"   the evidence   {story.stage.directory / 'state' / 'evidence'}")
    story.say(f"   the commands   export GUARDIAN_CONFIG={story.stage.config}")
    story.say("                  guardian status")
    sys.stdout.flush()
    try:
        while story.telling.daemon.poll() is None:
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
