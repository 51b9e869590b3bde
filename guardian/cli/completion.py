"""What a shell is told when somebody presses Tab: Typer's answer, and the names that only the daemon knows.

Completing asks, and never acts: no command is run. Where no daemon answers soon, there is nothing to offer and nothing
is said.
"""

import contextlib
import io
import os
from collections.abc import Callable
from typing import Any

import typer

from guardian.cli.given import Desk
from guardian.model import State

VARIABLE = "_GUARDIAN_COMPLETE"
SOON = 0.7
BREAKS = (":", "=")  # bash takes these for ends of words

Document = dict[str, Any]


def is_asked(words: list[str]) -> bool:
    """Whether a shell asks. It gives no words: where there are any, a person has typed them, and means them."""
    return VARIABLE in os.environ and not words


def answer(command: Callable[..., Any]) -> int:
    """Print what could stand where the cursor is; the exit code."""
    cut = _mend_words() if os.environ[VARIABLE] == "complete_bash" else ""
    said = io.StringIO()
    code: object = 0
    try:
        with contextlib.redirect_stdout(said):
            command(args=[], prog_name="guardian", complete_var=VARIABLE)
    except SystemExit as end:
        code = end.code
    for line in said.getvalue().splitlines():
        print(line.removeprefix(cut))
    return code if isinstance(code, int) else 0


def accounts(ctx: typer.Context, incomplete: str) -> list[str]:
    """The accounts of the daemon that runs."""
    told = _status(ctx)
    return [] if told is None else [one["name"] for one in told["accounts"] if one["name"].startswith(incomplete)]


def scopes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Every scope that covers one of them, and what is frozen already."""
    told = _status(ctx)
    if told is None:
        return []
    found = {"all", *(one["scope"] for one in told["freezes"])}
    for one in told["accounts"]:
        found |= {f"account:{one['name']}", f"brand:{one['brand']}", f"platform:{one['platform']}"}
    return sorted(scope for scope in found if scope.startswith(incomplete))


def states(incomplete: str) -> list[str]:
    """Where a post can be, and `held`."""
    return [name for name in ("held", *State) if name.startswith(incomplete)]


def _status(ctx: typer.Context) -> Document | None:
    try:
        config = ctx.params.get("config") or ctx.find_root().params.get("config")
        told: Document = Desk(config, as_json=False).client(within=SOON).get("/v1/status")
    except Exception:  # noqa: BLE001 (whatever it is: a prompt is no place to complain)
        return None
    return told if {"accounts", "freezes"} <= told.keys() else None


def _mend_words() -> str:
    """Put together what bash took apart at a colon; what of the answers it has on its line already, and wants cut."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    at = os.environ.get("COMP_CWORD", "")
    current = int(at) if at.isdecimal() else len(words) - 1
    whole: list[str] = []
    place, glued = 0, False
    for number, word in enumerate(words):
        joins = number > 0 and (word in BREAKS or words[number - 1] in BREAKS)
        if joins:
            whole[-1] += word
        else:
            whole.append(word)
        if number == current:
            place, glued = len(whole) - 1, joins
    os.environ |= {"COMP_WORDS": "\n".join(whole), "COMP_CWORD": str(place)}
    value = whole[place].partition("=")[2] if whole[place].startswith("--") else whole[place]
    return value[: value.rfind(":") + 1] if glued else ""
