"""The spool: files that posts show, each under the SHA-256 of its content. Any thread may call it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from guardian.errors import Garbled, Unfound

if TYPE_CHECKING:
    from pathlib import Path

SPOOL = "spool"


class Spool:
    """The files below one directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, sha256: str) -> bytes:
        """One file, its hash checked again. Raises Unfound, and Garbled when it is another one by now."""
        try:
            data = (self.path / sha256[:2] / sha256).read_bytes()
        except FileNotFoundError:
            raise Unfound(f"cannot find the file {sha256}, because it is not in the spool") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Garbled(f"cannot use the file {sha256}, because it is not what was handed over")
        return data
