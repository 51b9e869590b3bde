"""Where the configuration says that secrets lie, without reading any: for whoever looks at the files' rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.config.places import Fault
from guardian.config.secrets import Reference, reference
from guardian.config.text import parse_toml, read_text
from guardian.config.values import Bad

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def named(path: Path) -> Iterator[tuple[str, str, Reference]]:
    """Account, name of the secret, and its place; nothing of a file that cannot be understood."""
    text = read_text(path)
    raw = text if isinstance(text, Fault) else parse_toml(text)
    accounts = {} if isinstance(raw, Fault) else raw.get("accounts")
    for account, table in accounts.items() if isinstance(accounts, dict) else ():
        secrets = table.get("secrets") if isinstance(table, dict) else None
        for key, value in secrets.items() if isinstance(secrets, dict) else ():
            try:
                yield account, key, reference(value)
            except Bad:
                continue
