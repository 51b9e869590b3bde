"""What anybody sees of a post, without a token: its page and its files, after it was taken down. Any thread may call.

Never what decides whether it is gone: pages are cached, files outlive their posts by a day, a login page is no answer.
It is written down beside the platform's own word, so that nobody says *gone* when a picture is still served.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.errors import GuardianError
from guardian.gate import recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardian.gate.public import PublicReader
    from guardian.model import Exchange, Shown

MOST = 1 << 20
MOST_FILES = 16
OK, NOT_FOUND, GONE = 200, 404, 410
WHY_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What came of one address. `verdict`: served, gone or unknown."""

    what: str
    url: str
    status: int
    verdict: str
    why: str = ""


def look(
    public: PublicReader, url: str | None, files: Iterable[Shown], *, within: float, keep: Callable[[Exchange], None]
) -> list[View]:
    """The page and the files, one after the other, within so many seconds in all."""
    wanted = [("page", url)] if url else []
    wanted += [(f"file {nr}", one.url) for nr, one in enumerate(files, 1)][:MOST_FILES]
    until = time.monotonic() + within
    return [_one(public, what, address, until, keep) for what, address in wanted]


def _one(public: PublicReader, what: str, url: str, until: float, keep: Callable[[Exchange], None]) -> View:
    try:
        with recording.record(keep, until=until):
            found = public.read(url, most=MOST)
    except GuardianError as error:
        too_long = "more than" in str(error)  # there is something: more of it than is read
        verdict = "served" if too_long else "unknown"
        return View(what=what, url=url, status=0, verdict=verdict, why=str(error)[:WHY_LENGTH])
    verdict = {OK: "served", NOT_FOUND: "gone", GONE: "gone"}.get(found.status, "unknown")
    if found.url != url or found.to is not None:  # sent on, to a login page perhaps: no word about this address
        verdict = "unknown"
    return View(what=what, url=url, status=found.status, verdict=verdict)
