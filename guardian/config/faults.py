"""What is wrong with a configuration, in words: pydantic's findings turned into *cannot …, because …, do …*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.config.places import Fault
from guardian.config.tables import keys_of
from guardian.config.values import Bad, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from guardian.config.places import Places

EXAMPLES = {"platform": '"mastodon"', "brand": '"acme"', "base_url": '"https://…"', "identity": '"@acme@…"'}
KINDS = {
    "string_type": ("it is no text", "put it in quotes"),
    "bool_type": ("it is neither true nor false", "write true or false, without quotes"),
    "int_type": ("it is no whole number", "write one without quotes and without point"),
    "model_type": ("it is no table", "write the name in brackets on a line of its own, and its keys below"),
    "dict_type": ("it is no table", "write the name in brackets on a line of its own, and its keys below"),
    "tuple_type": ("it is no list", 'write it like ["guardian"]'),
    "greater_than_equal": ("it is too small", "write at least {ge}"),
    "less_than_equal": ("it is too large", "write at most {le}"),
}


def faults_of(error: ValidationError, places: Places) -> Iterator[Fault]:
    """Every finding of pydantic as a fault."""
    for detail in error.errors(include_url=False, include_input=False):
        path = tuple(str(step) for step in detail["loc"])
        if path and path[-1] == "[key]" and detail["type"] != "extra_forbidden":
            path = path[:-1]  # pydantic's way to say that the name of a table is meant, not its content
        if isinstance(detail["loc"][-1], int):
            path = path[:-1]  # an entry of a list is named by its list
        yield Fault.about(path, places, _bad(detail, path))


def _bad(detail: ErrorDetails, path: tuple[str, ...]) -> Bad:
    context = detail.get("ctx", {})
    told = context.get("error")
    if isinstance(told, Bad):
        return told
    if detail["type"] == "extra_forbidden":
        return _unknown(path)
    if detail["type"] == "missing":
        return Bad("it is missing", f"add {path[-1]} = {EXAMPLES.get(path[-1], '…')}")
    because, do = KINDS.get(detail["type"], ("it is not what belongs here", "look into the documented example"))
    return Bad(because, do.format(**context) if "{" in do else do)


def _unknown(path: tuple[str, ...]) -> Bad:
    because = "no key has that name"
    keys = keys_of(path[:-1])
    best = nearest(path[-1], keys)
    if best:
        return Bad(because, f"write {best}")
    home = next((table for table in ((), *((key,) for key in keys_of(()))) if path[-1] in keys_of(table)), None)
    if home is None or home == ("accounts",):
        return Bad(because, f"use one of {', '.join(keys)}, or remove it")
    return Bad(because, f"move it to [{home[0]}]" if home else "move it above the first table")
