"""docs/configuration.md has every key, with the default that it really has and what a reload really does with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.config import load, parse_duration
from guardian.config.changes import TABLES
from guardian.config.tables import Document, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([\w.]+)` \| (?:`([^`]*)`|none|) *\| (\w[\w ]*) \|", re.MULTILINE)
FIXED = ("state_dir", "runtime_dir", "store.url")


def rows() -> dict[str, tuple[str, str]]:
    return {key: (default, reload) for key, default, reload in ROW.findall(PAGE.read_text("utf-8"))}


def test_every_key_is_documented_and_no_other() -> None:
    tables = [name for name in Document.model_fields if keys_of((name,))]
    plain = {name for name in Document.model_fields if not keys_of((name,))}
    keys = {f"{table}.{key}" for table in tables if table != "accounts" for key in keys_of((table,))}
    accounts = {f"accounts.NAME.{key}" for key in keys_of(("accounts",))} - {"accounts.NAME.secrets"}
    assert set(rows()) == plain | keys | accounts | {"accounts.NAME.secrets.KEY"}


def test_the_defaults_are_those_of_the_code(write: Callable[[str], Path]) -> None:
    settings = load(write(""))
    for key, (default, _) in rows().items():
        if key.startswith("accounts."):
            continue
        found = settings
        for step in key.split("."):
            found = getattr(found, step)
        text = default.strip('"')
        if isinstance(found, tuple):
            assert default == "[" + ", ".join(f'"{one}"' for one in found) + "]", key
        elif isinstance(found, bool):
            assert default == str(found).lower(), key
        elif isinstance(found, int) and default.startswith('"'):
            assert parse_duration(text) == found, key
        else:
            assert text == ("" if found is None else str(found)), key


def test_what_a_reload_refuses_is_what_the_page_says() -> None:
    for key, (_, reload) in rows().items():
        assert (reload == "refused") is (key in FIXED), key
        assert key in FIXED or key.partition(".")[0] in (*TABLES, "accounts")
