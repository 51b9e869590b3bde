"""What the double of X makes of the links in a text: short ones, and what they stand for. Pure."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]
LINK = re.compile(r"https?://\S+|\b[a-z0-9-]+\.(?:com|org|net)\b(?:/\S*)?", re.IGNORECASE)


def shortened(text: str, platform_id: str) -> tuple[str, list[Json]]:
    """The text as X shows it, and its links."""
    links: list[Json] = []

    def shorten(found: re.Match[str]) -> str:
        meant = found[0] if "://" in found[0] else f"http://{found[0]}"
        links.append({"url": f"https://t.co/{platform_id[-8:]}{len(links)}", "expanded_url": meant})
        return str(links[-1]["url"])

    return LINK.sub(shorten, text), links
