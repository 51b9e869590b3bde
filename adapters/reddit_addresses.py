"""Public addresses of posts and comments on Reddit, and the ids in them. Pure; any thread may call.

Never the library's own parser: it takes any host for Reddit, and sends the token there to resolve a share link.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

HOME = "https://www.reddit.com"
HOSTS = frozenset(
    f"{name}reddit.com" for name in ("", "www.", "old.", "new.", "sh.", "np.", "m.", "i.", "amp.", "oauth.")
)
SHORT = frozenset({"redd.it", "www.redd.it"})
LONGEST = 2000
ID = r"[0-9a-z]{1,13}"
POST = re.compile(
    rf"(/(r|u|user)/[\w-]+)?/(comments|gallery)/(?P<post>{ID})(/[^/]*(/(?P<comment>{ID}))?)?", re.IGNORECASE | re.ASCII
)
COMMENT = re.compile(
    rf"(/(r|u|user)/[\w-]+)?/comments/(?P<post>{ID})/comment/(?P<comment>{ID})", re.IGNORECASE | re.ASCII
)
BRIEF = re.compile(rf"/(?P<post>{ID})", re.IGNORECASE | re.ASCII)
SHARE = re.compile(r"/(r|u|user)/[\w-]+/s/[0-9A-Za-z]{4,40}", re.ASCII)
FULLNAME = re.compile(rf"t[13]_{ID}", re.ASCII)


def split(url: str, base: str) -> SplitResult | None:
    """The parts of a web address at Reddit (or at `base`); None when it is none."""
    if len(url) > LONGEST:
        return None
    try:
        found = urlsplit(url.strip())
        here = urlsplit(base)
        host = (found.hostname or "").lower()
        if found.scheme not in ("http", "https") or found.username is not None:
            return None
        at_base = found.netloc.lower() == here.netloc.lower()
        return found if at_base or (found.port is None and host in HOSTS | SHORT) else None
    except ValueError:
        return None


def id_in(parts: SplitResult) -> str | None:
    """The full name of the post or comment that the address says, such as `t3_4bbe4b`; None when it says none."""
    path = parts.path.rstrip("/")
    if (parts.hostname or "").lower() in SHORT:
        found = BRIEF.fullmatch(path)
        return f"t3_{found['post'].lower()}" if found else None
    found = COMMENT.fullmatch(path) or POST.fullmatch(path)
    if found is None:
        return None
    return f"t1_{found['comment'].lower()}" if found["comment"] else f"t3_{found['post'].lower()}"


def share_in(parts: SplitResult) -> str | None:
    """The address to ask for where a share link leads, at Reddit's own host; None when it is no share link."""
    path = parts.path.rstrip("/")
    return HOME + path if SHARE.fullmatch(path) and (parts.hostname or "").lower() not in SHORT else None


def post_of(url: str | None, base: str) -> str | None:
    """The id (without `t3_`) of the post that a public address is about, also where it names a comment below it."""
    found = None if url is None else split(url, base)
    path = "" if found is None else found.path.rstrip("/")
    shape = COMMENT.fullmatch(path) or POST.fullmatch(path)
    return shape["post"].lower() if shape else None


def public(permalink: object, fullname: str, below: object = None) -> str | None:
    """Where anybody sees it: by what Reddit calls its permanent link, else by its id and, `below`, that of its post."""
    if isinstance(permalink, str) and permalink.startswith("/") and not permalink.startswith("//"):
        return HOME + permalink
    if fullname.startswith("t3_"):
        return f"{HOME}/comments/{fullname[3:]}/"
    known = isinstance(below, str) and FULLNAME.fullmatch(below) is not None
    return f"{HOME}/comments/{str(below)[3:]}/_/{fullname[3:]}/" if known else None
