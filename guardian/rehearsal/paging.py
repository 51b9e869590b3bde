"""Pages of a list, as Mastodon cuts them and says so in its Link header; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from guardian.rehearsal.messages import json_answer
from guardian.rehearsal.posts import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardian.rehearsal.calls import Call
    from guardian.rehearsal.messages import Answer, Json

    Thing = TypeVar("Thing")

PER_PAGE = 20
MOST_PER_PAGE = 40


def window_of(call: Call, *, usual: int = PER_PAGE, most: int = MOST_PER_PAGE) -> Window:
    """The page that the query asks for."""
    query = call.request.head.query
    limit = query.number("limit")
    return Window(
        limit=usual if limit is None else min(limit, most),
        max_id=query.number("max_id"),
        since_id=query.number("since_id"),
        min_id=query.number("min_id"),
    )


def cut(things: Iterable[tuple[int, Thing]], window: Window) -> list[tuple[int, Thing]]:
    """The page of these numbered things, newest first; they come oldest first."""
    lowest = max(window.min_id or 0, window.since_id or 0)
    found = [one for one in things if one[0] > lowest and (window.max_id is None or one[0] < window.max_id)]
    page = found[: window.limit] if window.min_id is not None else found[::-1][: window.limit]
    return page[::-1] if window.min_id is not None else page


def answer(call: Call, page: Sequence[tuple[int, Json]], *, limit: int) -> Answer:
    """A page of numbered shapes, and where the pages beside it are."""
    links = []
    if page and len(page) == limit:
        links.append(f'<{_link(call, "max_id", page[-1][0])}>; rel="next"')
    if page:
        links.append(f'<{_link(call, "min_id", page[0][0])}>; rel="prev"')
    headers = (("Link", ", ".join(links)),) if links else ()
    return json_answer([shape for _, shape in page], headers=headers)


def _link(call: Call, bound: str, number: int) -> str:
    head = call.request.head
    kept = {name: values for name, values in head.query.fields.items() if name not in ("max_id", "since_id", "min_id")}
    return f"{call.world.url}{head.path}?{urlencode(kept | {bound: [str(number)]}, doseq=True)}"
