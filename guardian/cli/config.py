"""`guardian config check`: read the configuration as the daemon would, and say all that is wrong with it.

With `--ask` also what each platform says of its token. The daemon that runs has asked, and is asked for that: nothing
here ever touches a platform.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guardian.cli import endings, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Absent, ConfigMistake, Doubt, GuardianError, Refusal
from guardian.model import Account

if TYPE_CHECKING:
    from guardian.config import Fault, Settings

ENOUGH = 2  # authorities: one may be down, or gone in some years
NOT_ASKED = "not asked yet"
PATIENCE = 8.0  # a daemon that has just started, or reloaded, is asking
LOOK_EVERY = 0.2
RELOAD = "reload it: systemctl reload guardian, or kill -HUP its pid"
Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the family into the root."""
    family = typer.Typer(help="The configuration.", epilog="Example: guardian config check", rich_markup_mode=None)
    family.callback()(_family)
    family.command("check", epilog="Example: guardian config check --ask --config guardian.toml")(config_check)
    app.add_typer(family, name="config")


def _family() -> None:
    """The configuration."""


def config_check(
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Also tell whose each token is, by its platform.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Say all that is wrong with the configuration.

    Run it as the user that the daemon runs as. With --ask the daemon that runs tells what each platform answered when
    it was asked who the token belongs to. Exit: 0 right, 1 wrong for a platform or not to be asked, 2 mistakes.
    """
    from guardian.config import read  # the models take longer to load than most commands to run

    desk = Desk(config, as_json)
    path = desk.path()
    settings = read(path, known=known_secrets())
    if isinstance(settings, list):
        return _wrong(desk, str(path), settings)
    accounts = settings.accounts
    errors = _ask(desk.client(within=PATIENCE), path, accounts) if ask else []
    shown = [_account(one) for one in accounts]
    notes = _notes(settings)
    found: Document = {"ok": not errors, "config": str(path), "accounts": shown, "faults": [], "notes": notes}
    if errors:
        found |= {"error": endings.as_document(errors[0]), "errors": [endings.as_document(one) for one in errors]}
    desk.answer(found, _lines(str(path), accounts, notes, asked=ask and not errors))
    for one in errors:
        render.tell(str(one))
    return endings.FAILED if errors else endings.DONE


def _notes(settings: "Settings") -> list[str]:
    """What is no mistake, and worth a thought."""
    named = len(settings.evidence.authorities)
    if named >= ENOUGH:
        return []
    found = "one authority alone stamps" if named else "no authority stamps"
    rests = "that one" if named else "this host alone"
    why = f"{found} the time of evidence ([evidence] authorities), so that its date rests on {rests}"
    return [f"{why}; name two of different operators: docs/evidence.md"]


def known_secrets() -> Mapping[str, tuple[str, ...]]:
    """Which secrets each platform's adapter asks for; loaded for the platforms that the configuration names alone."""
    from guardian.installed import Installed, SecretsOf

    return SecretsOf(Installed())


def _ask(client: Client, path: Path, accounts: Sequence[Account]) -> list[GuardianError]:
    """What is wrong by the platforms' own word, one error for each account; or that they could not be asked."""
    until = time.monotonic() + PATIENCE
    try:
        told = client.get("/v1/status")
        while time.monotonic() < until and any(one["trouble"] == NOT_ASKED for one in told["accounts"]):
            time.sleep(LOOK_EVERY)
            told = client.get("/v1/status")
    except Absent:
        why = "cannot ask the platforms whose the tokens are, because the daemon does not run, and only it may"
        return [Absent(why, fix="start it: guardian run, then check again")]
    except GuardianError as error:
        why = f"cannot ask the platforms whose the tokens are, because of this: {error.message}"
        return [type(error)(why, fix=error.fix)]
    known = {one["name"]: one for one in told["accounts"]}
    stale = path.stat().st_mtime > datetime.fromisoformat(told["config"]["at"]).timestamp()
    found = (_trouble(one, None if stale else known.get(one.name)) for one in accounts)
    return [error for error in found if error is not None]


def _trouble(account: Account, told: Document | None) -> GuardianError | None:
    """What stands between an account and its platform, as far as the daemon has found out."""
    name = account.name
    if told is None or any(told[key] != value for key, value in _account(account).items()):
        return Doubt(f"cannot say whose the token of {name} is, because the daemon has not read this yet", fix=RELOAD)
    trouble = told["trouble"]
    if trouble == NOT_ASKED:
        why = f"cannot say whose the token of {name} is, because its platform has not been asked yet"
        return Doubt(why, fix="check again in a minute")
    if trouble is None:
        return None
    message, _, fix = trouble.partition(", do ")
    message = message.replace("cannot publish,", f"cannot publish as {name},", 1)
    if not message.startswith("cannot "):
        message = f"cannot post as {name}, because {message}"
    elif ", because " not in message:
        message = f"cannot post as {name}, because of this: {message}"
    return Refusal(message, fix=fix or f"correct base_url or token of {name}, or wait until its platform answers")


def _wrong(desk: Desk, path: str, faults: "list[Fault]") -> int:
    for fault in faults:
        render.tell(f"{path}:{fault.line}: {fault.message}" if fault.line else f"{path}: {fault.message}")
    if desk.as_json:
        mistake = ConfigMistake(
            f"cannot use {path}, because it has {render.count(len(faults), 'mistake')}", fix="correct them"
        )
        named = [{"line": fault.line, "key": fault.key, "message": fault.message} for fault in faults]
        render.document({"ok": False, "config": path, "faults": named, "error": endings.as_document(mistake)})
    return endings.WRONG_USE


def _account(account: Account) -> dict[str, str]:
    return {
        "name": account.name,
        "platform": account.platform,
        "brand": account.brand,
        "identity": account.identity,
    }


def _lines(path: str, accounts: Sequence[Account], notes: Sequence[str], *, asked: bool) -> Iterator[str]:
    yield f"{render.one_line(path)} is right: {render.count(len(accounts), 'account')}"
    yield from (render.field("note", note) for note in notes)
    if not accounts:
        yield "  write one into it: the end of the file says how"
        return
    rows = [(one.name, one.platform, one.brand, one.identity) for one in accounts]
    yield from render.indented(render.table(("account", "platform", "brand", "identity"), rows), "  ")
    if asked:
        yield "Each platform says that the token belongs to this identity."
