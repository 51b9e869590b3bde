"""The named queries, loaded once from `queries.sql`. Every other file of the store calls them by name."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import aiosql

if TYPE_CHECKING:
    import sqlite3

_TEXT = files("guardian.store").joinpath("queries.sql").read_text("utf-8")

# no parameter lists in the headers: the names behind colons in the SQL are the parameters, said once
Q: Any = aiosql.from_str(_TEXT, "sqlite3", mandatory_parameters=False)


def as_dict(cursor: sqlite3.Cursor, values: tuple[object, ...]) -> dict[str, object]:
    """A row by its names."""
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
