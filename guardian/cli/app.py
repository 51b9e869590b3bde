"""The root of all commands: what there is, what comes before a command, and how every command ends."""

import os
import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from guardian import __version__
from guardian.cli import (
    backup,
    campaign,
    capabilities,
    completion,
    deciding,
    demo,
    doctor,
    drill,
    endings,
    entering,
    evidence,
    exporting,
    holding,
    importing,
    incident,
    init,
    journal,
    native,
    queue,
    render,
    status,
    takedown,
    thaw,
)
from guardian.cli import config as config_

COMMANDS = """\
Owns an organisation's scheduled posts, and can be stopped dead.

The stop: guardian freeze. Nothing more leaves the house after it has said CONFIRMED, even with the daemon dead or hung.
"""


class Verbatim(TyperCommand):
    """A command that reads its own words: what is declared here is for help and completion alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (Typer's own context)
        """Keep the words as they are; only a shell that completes has them parsed."""
        if ctx.resilient_parsing:
            parsed: list[str] = super().parse_args(ctx, args)
            return parsed
        kept = ctx.args = list(args)
        return kept


_ELSEWHERE = "The house, where no configuration names it."
Reason = Annotated[list[str] | None, typer.Argument(metavar="REASON...", help="Why, for everybody to see.")]
Scope = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", metavar="S", help="What to stop; again for more. Default: all.", autocompletion=completion.scopes
    ),
]
Drain = Annotated[
    str | None, typer.Option("--drain", metavar="SECONDS", help="How long to wait for a send that is leaving.")
]
Wait = Annotated[
    str | None, typer.Option("--wait", metavar="SECONDS", help="How long to wait for answers, after CONFIRMED.")
]
Takedown = Annotated[
    list[str] | None,
    typer.Option("--takedown", metavar="REF", help="A post to take down beside the stop; again for more."),
]
Capture = Annotated[
    str | None, typer.Option("--capture", metavar="POLICY", help="Without proof in time: best-effort, require, skip.")
]
Native = Annotated[
    bool, typer.Option("--native", help="Put off what the platform itself would publish; =delete, =list.")
]
StateDir = Annotated[str | None, typer.Option("--state-dir", metavar="DIR", help=_ELSEWHERE)]
RuntimeDir = Annotated[str | None, typer.Option("--runtime-dir", metavar="DIR", help=_ELSEWHERE)]

app = typer.Typer(
    name="guardian",
    help=COMMANDS,
    epilog="Example: guardian freeze a tasteless post is live",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": render.WIDEST},
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    *,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="The configuration.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Say which version this is.")] = False,
) -> None:
    """What may stand before any command."""
    del config, as_json  # every command takes them from here when it has none of its own
    if version:
        render.say(f"guardian {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        render.say(ctx.get_help())
        raise typer.Exit(endings.WRONG_USE)


@app.command("freeze", cls=Verbatim, epilog="Example: guardian freeze --scope brand:acme wrong account")
def freeze(  # noqa: PLR0913 (one parameter for each option of the stop)
    ctx: typer.Context,
    *,
    reason: Reason = None,
    scope: Scope = None,
    drain: Drain = None,
    wait: Wait = None,
    takedown: Takedown = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it, once the proof is sealed.")] = False,
    hide: Annotated[bool, typer.Option("--hide", help="Hide it, as far as the platform can.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it live and take the proof alone: the default.")] = False,
    capture: Capture = None,
    native: Native = False,
    state_dir: StateDir = None,
    runtime_dir: RuntimeDir = None,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="The configuration.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> int:
    """Stop: nothing more leaves the house.

    Words after it are the reason; asks nothing; works with the daemon dead or hung.
    """
    del reason, scope, drain, wait, takedown, delete, hide, keep  # the stop reads its own words
    del capture, native, state_dir, runtime_dir, config, as_json
    from guardian.fence.command import main as stop

    return stop([*_before(ctx), *ctx.args])


@app.command(
    "run",
    epilog="Example: guardian run --config /etc/guardian/guardian.toml",
)
def run(
    ctx: typer.Context,
    config: Annotated[str | None, typer.Option("--config", metavar="FILE", help="The configuration.")] = None,
) -> None:
    """The daemon, in the foreground.

    Until SIGTERM or Ctrl-C; what is being sent then is finished first. SIGHUP has it read its configuration again.
    """
    given = ["--config", config] if config else _before(ctx)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # outlives the exec; the daemon reads it when it can
    os.execv(sys.executable, [sys.executable, "-m", "guardian", "run", *given])  # noqa: S606 (ourselves; the daemon is another floor)


for family in (init, config_, status, thaw, capabilities):
    family.register(app)
app.add_typer(queue.app, name="queue")
app.add_typer(campaign.app, name="campaign")
app.add_typer(incident.app, name="incident")
app.add_typer(journal.app, name="journal")
takedown.register(app)
app.add_typer(evidence.app, name="evidence")
app.add_typer(native.app, name="native")
demo.register(app)
backup.register(app)
doctor.register(app)
drill.register(app)
entering.register(queue.app)
importing.register(queue.app)
exporting.register(queue.app)
holding.register(queue.app)
deciding.register(queue.app)


def main(words: list[str] | None = None) -> int:
    """Run the command line; returns the exit code. Never shows a traceback unless GUARDIAN_DEBUG is set."""
    given = sys.argv[1:] if words is None else words
    if completion.is_asked(given):
        return completion.answer(typer.main.get_command(app))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # whatever the locale, a letter never ends a command
    try:
        code = _run(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return endings.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python would complain once more on its way out
        return endings.NOBODY_LISTENS
    return code


def _run(words: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("guardian", list(words)) as ctx:
            code = command.invoke(ctx)
        return code if isinstance(code, int) else endings.DONE
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, it is said in one line)
        return endings.end_with(error, as_json="--json" in words)


def _before(ctx: typer.Context) -> list[str]:
    """What stood before the command, for the two commands that read their own words."""
    given = ctx.find_root().params.get("config")
    return ["--config", given] if given else []
