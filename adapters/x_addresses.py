"""Public addresses of posts on X, and the ids in them. Nobody is asked: the address says it. Pure; any thread."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from guardian.model import PostRef

SITES = frozenset(
    f"{before}{name}" for name in ("x.com", "twitter.com") for before in ("", "www.", "mobile.", "m.")
)  # where people see posts
ID = r"(?P<id>[0-9]{1,19})"
PATH = re.compile(rf"/(?:(?P<name>[A-Za-z0-9_]{{1,20}})/status(?:es)?|i/web/status|i/status)/{ID}(?:/[A-Za-z0-9/_]*)?")
SAFE_ID = re.compile(r"[0-9]{1,19}")
LONGEST = 2000
PORTS = {"https": 443, "http": 80}


def post_at(url: str) -> PostRef | None:
    """The post that the address names; None when it is none of X's."""
    if len(url) > LONGEST:
        return None
    try:
        parts = urlsplit(url.strip())
        at_x = parts.scheme in PORTS and parts.port in (None, PORTS[parts.scheme]) and parts.username is None
    except ValueError:
        return None
    found = PATH.fullmatch(parts.path)
    if not at_x or (parts.hostname or "").lower() not in SITES or found is None:
        return None
    name = found["name"]
    return PostRef(id=found["id"], url=address(found["id"], None if name in (None, "i") else name))


def address(platform_id: str, name: str | None = None) -> str:
    """Where anybody sees the post; without a name X finds it, too."""
    return f"https://x.com/{name}/status/{platform_id}" if name else f"https://x.com/i/web/status/{platform_id}"
