"""What an authority is called in names of files. Pure."""

from __future__ import annotations

import hashlib

from guardian.evidence.names import safe


def label(authority: str) -> str:
    """Its host, and some digits of the whole address, for a host may have several authorities."""
    host = authority.split("://", 1)[-1].split("/", 1)[0]
    return f"{safe(host, 20).lower()}-{hashlib.sha256(authority.encode()).hexdigest()[:8]}"
