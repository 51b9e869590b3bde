"""A configuration written for one test, and what the house says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNT = """\
[accounts.acme]
platform = "mastodon"
brand = "acme"
base_url = "https://mastodon.example"
identity = "@acme@mastodon.example"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a text as a configuration."""

    def write_it(text: str) -> Path:
        path = tmp_path / "guardian.toml"
        path.write_text(text, "utf-8")
        return path

    return write_it


@pytest.fixture
def account() -> str:
    """One whole account, in five lines."""
    return ACCOUNT
