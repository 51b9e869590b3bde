"""`guardian backup` and `guardian restore`, as help and completion show them; the programs are another floor's.

They open the store, which no other command does: they are handed over to as the daemon is.
"""

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

Config = Annotated[str | None, typer.Option("--config", metavar="FILE", help="The configuration.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


class HandedOver(TyperCommand):
    """A command whose words are read by the program that it becomes; here they are for help and completion alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (Typer's own context)
        """Keep the words as they are, but for help."""
        if ctx.resilient_parsing or {"--help", "-h"} & set(args):
            parsed: list[str] = super().parse_args(ctx, args)
            return parsed
        kept = ctx.args = list(args)
        return kept


def register(app: typer.Typer) -> None:
    """Put both commands into the root."""
    app.command("backup", cls=HandedOver, epilog="Example: guardian backup /srv/backups --keep 14")(backup)
    app.command("restore", cls=HandedOver, epilog="Example: guardian restore --check /srv/backups/guardian.tar")(
        restore
    )


def backup(
    ctx: typer.Context,
    place: Annotated[str | None, typer.Argument(metavar="[FILE|DIR]", help="Where to; else STATE_DIR/backups.")] = None,
    *,
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", help="Of those in the directory, keep the last N.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Everything that must survive, in one file, while the daemon runs or not.

    Checked to its end after it was written. Says up to which moment it knows. For root and the guardian's own user.
    """
    del place, keep, config, as_json  # the program reads its own words
    _become(ctx, "backup")


def restore(
    ctx: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="The backup.")] = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it is whole; restore nothing.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Move the house that stands there aside; nothing is deleted.")
    ] = False,
    no_holds: Annotated[
        bool, typer.Option("--no-holds", help="Nobody has moved a post since: put nothing on hold.")
    ] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DIR", help="As a state directory there, to try it.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """A house from a backup: checked first, all or nothing, and frozen until a person thaws.

    What waited is on hold as well, because it may have been sent since. For root and the guardian's own user.
    """
    del file, check, replace, no_holds, to, config, as_json
    _become(ctx, "restore")


def _become(ctx: typer.Context, command: str) -> None:
    given = ctx.find_root().params
    before = ["--config", given["config"]] if given.get("config") else []
    before += ["--json"] if given.get("as_json") else []
    words = [sys.executable, "-m", "guardian", command, *before, *ctx.args]
    os.execv(sys.executable, words)  # noqa: S606 (ourselves; the program is another floor)
