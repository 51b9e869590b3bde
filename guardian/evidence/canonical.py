"""JSON in one form only: the same facts are the same bytes (RFC 8785 for what is allowed here). Pure.

Allowed: text, whole numbers below 2^53, true, false, null, lists, objects with ASCII keys. Numbers with a fraction and
large ones are refused: other programs would read other digits. Ids are text.
"""

from __future__ import annotations

import json
from typing import Any

from guardian.errors import Mistake, Refusal

LARGEST = 1 << 53
DEEPEST = 20


def written(found: object) -> bytes:
    """The bytes, in UTF-8, without a line end. Raises Mistake for what has no single form."""
    _check(found, "the document", DEEPEST)
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # half a surrogate pair has no UTF-8: it becomes U+FFFD here; the platform's own bytes are in the archive
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")


def parsed(data: bytes) -> object:
    """What a document says, in whatever form. Raises Refusal for what is none, however it is garbled."""
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refusal("cannot read a document, because it is no JSON") from error
    return found


def table(data: bytes) -> dict[str, Any]:
    """The same for a document that is an object. Raises Refusal."""
    found = parsed(data)
    if not isinstance(found, dict):
        raise Refusal("cannot read a document, because it is no object of JSON")
    return found


def _check(found: object, where: str, depth: int) -> None:
    if depth == 0:
        raise Mistake(f"cannot write {where[:200]}, because it is nested too deeply")
    if found is None or isinstance(found, (bool, str)):
        return
    if isinstance(found, int) and abs(found) < LARGEST:
        return
    if isinstance(found, dict):
        if not all(isinstance(key, str) and key.isascii() for key in found):
            raise Mistake(f"cannot write {where[:200]}, because a key of it is not ASCII")
        inner = [(value, f"{where}.{key}") for key, value in found.items()]
    elif isinstance(found, (list, tuple)):
        inner = [(value, where) for value in found]
    else:
        raise Mistake(f"cannot write {where[:200]}, because a {type(found).__name__} like that has no single form")
    for value, place in inner:
        _check(value, place, depth - 1)
