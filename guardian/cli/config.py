"""`guardian config check`: read the configuration as the daemon would, and say all that is wrong with it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from guardian.cli import endings, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.errors import ConfigMistake
from guardian.model import Account

if TYPE_CHECKING:
    from guardian.config import Fault

GROUP = "guardian.adapters"


def register(app: typer.Typer) -> None:
    """Put the family into the root."""
    family = typer.Typer(help="The configuration.", epilog="Example: guardian config check", rich_markup_mode=None)
    family.callback()(_family)
    family.command("check", epilog="Example: guardian config check --config guardian.toml")(config_check)
    app.add_typer(family, name="config")


def _family() -> None:
    """The configuration."""


def config_check(*, config: Config = None, as_json: AsJson = False) -> int:
    """Say all that is wrong with the configuration: run it as the user that the daemon runs as."""
    from guardian.config import check, load  # the models take longer to load than most commands to run

    desk = Desk(config, as_json)
    path = desk.path()
    known = known_secrets()
    faults = check(path, known=known)
    if faults:
        return _wrong(desk, str(path), faults)
    accounts = load(path, known=known).accounts
    found = {"ok": True, "config": str(path), "accounts": [_account(one) for one in accounts], "faults": []}
    desk.answer(found, _lines(str(path), accounts))
    return endings.DONE


def known_secrets() -> dict[str, tuple[str, ...]]:
    """Which secrets each platform's adapter asks for, from the adapters installed, as the daemon finds them."""
    from importlib.metadata import entry_points

    from guardian.adapter import Maker

    makers = ((point.name, point.load()) for point in entry_points(group=GROUP))
    return {name: maker.secrets for name, maker in makers if isinstance(maker, Maker)}


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


def _lines(path: str, accounts: tuple[Account, ...]) -> Iterator[str]:
    yield f"{render.one_line(path)} is right: {render.count(len(accounts), 'account')}"
    if not accounts:
        yield "  write one into it: the end of the file says how"
        return
    rows = [(one.name, one.platform, one.brand, one.identity) for one in accounts]
    yield from render.indented(render.table(("account", "platform", "brand", "identity"), rows), "  ")
