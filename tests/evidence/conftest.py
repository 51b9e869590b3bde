"""Keys and an authority for the tests of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.evidence import signing
from tests.evidence.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    path = tmp_path_factory.mktemp("keys") / "evidence.key"
    signing.make(path)
    return signing.load(path)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "evidence"
