"""Which groups may look and which may stop: the `[rights]` table as the fence agent reads it.

The whole file is read as TOML if it can be; if a mistake elsewhere forbids that, the table alone is. A table that
cannot be understood gives nobody a right but root and the service user, who need none.
"""

from __future__ import annotations

import tomllib

from guardian.fence.house import MAX_CONFIG_BYTES
from guardian.fence.light import TYPE_CHECKING
from guardian.fence.peers import Right

if TYPE_CHECKING:
    from collections.abc import Mapping

    Groups = Mapping[Right, tuple[str, ...]]

USUAL = {Right.READ: ("guardian",), Right.FREEZE: ("guardian",)}


def rights_in(config: str | None) -> Groups:
    """The groups that may read, and those that may freeze; the usual ones where there is no file or no such key."""
    if config is None:
        return USUAL
    try:
        with open(config, "rb") as file:
            text = file.read(MAX_CONFIG_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    table = _table(text)
    return {} if table is None else {right: _groups(table.get(right.value, usual)) for right, usual in USUAL.items()}


def _table(text: str) -> dict[str, object] | None:
    for part in (text, _alone(text)):
        try:
            found = tomllib.loads(part).get("rights", {})
        except tomllib.TOMLDecodeError:
            continue
        return found if isinstance(found, dict) else None
    return None


def _alone(text: str) -> str:
    """The lines of the table and no others, up to the next table."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("[") and words.partition("#")[0].strip().endswith("]") and "=" not in words:
            inside = words.partition("#")[0].strip() == "[rights]"
        if inside:
            kept.append(line)
    return "\n".join(kept)


def _groups(value: object) -> tuple[str, ...]:
    """The names of a list; anything else names nobody."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        return ()
    return tuple(value)
