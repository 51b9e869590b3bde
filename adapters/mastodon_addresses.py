"""Public addresses of posts on servers that speak Mastodon's API, and the ids in them. Pure; any thread may call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = r"(?P<id>[0-9A-Za-z_-]{1,100})"
OWN = tuple(
    re.compile(path)
    for path in (
        r"(/web|/deck)?/@[^/]+/(?P<id>[0-9]{1,30}|[0-9A-HJKMNP-TV-Z]{26})(/embed)?",  # no id: /@user/followers
        rf"(/web|/deck)?/@[^/]+/(statuses|posts)/{ID}",  # GoToSocial, Akkoma's other face
        rf"(/ap)?/users/[^/]+/statuses/{ID}(/activity)?",
        rf"(/web|/deck)?/statuses/{ID}",
        rf"/notice/{ID}",  # Pleroma
        r"/p/[^/]+/(?P<id>[0-9]{1,30})",  # Pixelfed
    )
)
COPY = re.compile(r"(/web|/deck)?/@(?P<name>[^/@]+)@(?P<host>[^/@]+)/[^/]+")
SAFE_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
LONGEST = 2000
PORTS = {"https": 443, "http": 80}


def split(url: str) -> SplitResult | None:
    """The parts of a web address without a name and password in it; None when it is none."""
    if len(url) > LONGEST:
        return None
    try:
        found = urlsplit(url.strip())
        is_web = found.scheme in PORTS and bool(found.hostname) and found.username is None and found.port != 0
    except ValueError:
        return None
    return found if is_web else None


def place(parts: SplitResult) -> tuple[str, int]:
    """Host and port. The scheme is left out: people write http for https."""
    port = parts.port or PORTS[parts.scheme]
    return (parts.hostname or "").lower(), PORTS["https"] if port == PORTS["http"] else port


def is_at(url: str, base: str) -> bool:
    """Whether the address is one of the server at `base`."""
    there, here = split(url), split(base)
    return there is not None and here is not None and place(there) == place(here)


def id_in(path: str) -> str | None:
    """The id in the path of a post's address at its own server; None when the path does not say it."""
    tidy = path.rstrip("/")
    return next((found["id"] for form in OWN if (found := form.fullmatch(tidy))), None)


def names(status: dict[str, Any], url: SplitResult) -> bool:
    """Whether a post that a search has found is the one at this address, and not one that merely speaks of it.

    It is, if its address is this one; or if this is where another server shows its copy of it (`/@name@host/...`).
    """
    if _plain(url) in (_plain(one) for one in _addresses(status)):
        return True
    copy, account = COPY.fullmatch(url.path.rstrip("/")), status.get("account")
    if copy is None or not isinstance(account, dict):
        return False
    home = split(str(status.get("url") or ""))
    return account.get("username") == copy["name"] and home is not None and home.hostname == copy["host"].lower()


def _addresses(status: dict[str, Any]) -> Iterator[SplitResult]:
    for name in ("url", "uri"):
        found = split(said) if isinstance(said := status.get(name), str) else None
        if found is not None:
            yield found


def _plain(url: SplitResult) -> tuple[object, ...]:
    return (*place(url), url.path.rstrip("/"), url.query)
