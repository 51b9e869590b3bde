"""Posts in a piece of a signed repository (a CAR file), as a PDS hands it out. Pure; any thread may call.

A repository is a tree whose nodes list keys and what they stand for. In the difference to an earlier time are the nodes
that changed, and the records that are new: a post is new when both its key and its record are in it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import libipld

from adapters.bluesky_names import POST
from guardian.errors import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = dict[str, Any]


def posts_in(car: bytes, *, since: int) -> list[tuple[str, int, str]]:
    """Key, time (ms) and words of every post whose record is in it, newest first. Raises Doubt when it is no CAR.

    `since` (ms) is the time of a post that does not say a time that can be read.
    """
    try:
        _, blocks = libipld.decode_car(car)
        named = {rkey: value for node in blocks.values() for rkey, value in _named(node)}
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise Doubt("cannot read the repository, because what the PDS answered is none") from error
    found = [
        (rkey, _time(record, since), str(record.get("text") or ""))
        for rkey, value in named.items()
        if (record := blocks.get(value)) is not None and record.get("$type") == POST
    ]
    return sorted(found, key=lambda one: one[1], reverse=True)


def _named(node: Node) -> Iterator[tuple[str, bytes]]:
    """The keys of posts in one node, and what each stands for. A key leaves out what it shares with the one before."""
    entries = node.get("e")
    if not isinstance(entries, list):
        return
    path = b""
    for entry in entries:
        path = path[: entry["p"]] + entry["k"]
        collection, _, rkey = path.decode("ascii").partition("/")
        if collection == POST:
            yield rkey, entry["v"]


def _time(record: Node, since: int) -> int:
    try:
        made = datetime.fromisoformat(record["createdAt"])
        return round(made.timestamp() * 1000) if made.tzinfo else since
    except (KeyError, TypeError, ValueError, OverflowError):
        return since
