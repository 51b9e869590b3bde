"""What every command is given: `--config` and `--json`, before or after the command, and what follows from them.

The house is found as the stop finds it, from two lines of the configuration: a mistake further down never keeps anybody
from looking, thawing or mending the queue.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from guardian.cli import render
from guardian.client import WITHIN, Client
from guardian.errors import ConfigMistake, NotAllowed
from guardian.fence.house import Denied, FenceError, House, config_path, find_house

NAME_IT = "name one: --config FILE, or make one: guardian init"


def _or_roots(name: str) -> Any:  # noqa: ANN401 (Typer looks at the callback's own annotations)
    """A callback that falls back to the same option given before the command."""

    def merge(ctx: typer.Context, value: Any) -> Any:  # noqa: ANN401 (as above)
        return value or ctx.find_root().params.get(name)

    return merge


Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="The configuration.", callback=_or_roots("config")),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="One JSON document on stdout.", callback=_or_roots("as_json")),
]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command finds its house and puts its answer."""

    config: str | None
    as_json: bool

    def path(self) -> Path:
        """The configuration in force, which can be read. Raises ConfigMistake or NotAllowed."""
        found = config_path(self.config)
        if found is None:
            raise ConfigMistake("cannot find the house, because there is no configuration", fix=NAME_IT)
        try:
            with open(found, "rb"):  # noqa: PTH123 (config_path speaks in plain paths)
                return Path(found)
        except PermissionError:
            raise NotAllowed(f"cannot read {found}, because you may not", fix="make it readable: chmod 644") from None
        except OSError as error:
            raise ConfigMistake(f"cannot read {found}, because of this: {error.strerror}", fix=NAME_IT) from None

    def house(self) -> House:
        """The two directories. Raises ConfigMistake or NotAllowed."""
        try:
            return find_house(str(self.path()), None, None)
        except Denied as error:
            raise NotAllowed(str(error)) from None
        except FenceError as error:
            raise ConfigMistake(str(error)) from None

    def client(self, *, within: float = WITHIN) -> Client:
        """Who asks the daemon of the house."""
        return Client(self.house(), within=within)

    def answer(self, document: object, lines: Iterable[str]) -> None:
        """Put the answer on stdout: the document for programs, or the lines for people."""
        if self.as_json:
            render.document(document)
            return
        for line in lines:
            render.say(line)
