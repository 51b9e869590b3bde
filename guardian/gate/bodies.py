"""What the body of a request says at its top, where one path does many things and only the body tells which. Pure.

Fails closed: a body that two readers could read in two ways says nothing, and what says nothing is in no table.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

MAX_BODY = 128 * 1024  # no publishing request is longer
JSON = "application/json"


class _Ambiguous(ValueError):
    """A name twice, or a number that is none."""


def top_fields(request: PreparedRequest) -> dict[str, str]:
    """The strings at the top of a JSON object, and yes and no; nothing of whatever is no such object beyond doubt."""
    body = request.body
    data = body.encode() if isinstance(body, str) else body
    if not isinstance(data, bytes) or not data or len(data) > MAX_BODY:
        return {}
    media_type, _, parameter = str(request.headers.get("Content-Type", "")).lower().partition(";")
    if media_type.strip() != JSON or parameter.strip() not in ("", "charset=utf-8"):
        return {}
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_never)
    except (ValueError, RecursionError):
        return {}
    return dict(_said(found)) if isinstance(found, dict) else {}


def _said(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, bool):
            yield name, "true" if value else "false"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Ambiguous
    return found


def _never(_: str) -> NoReturn:
    raise _Ambiguous
