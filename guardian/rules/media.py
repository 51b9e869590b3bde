"""What a part may show: how many files, of which kinds, how large, described in how many characters. Pure."""

from __future__ import annotations

MOST_BYTES = 100 << 20  # of one file; no platform takes more of one request
