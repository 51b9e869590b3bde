"""The list that a seal signs: `hash, two blanks, name`, as sha256sum writes and reads it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardian.errors import Refusal
from guardian.evidence import names

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def written(sums: Mapping[str, str]) -> bytes:
    """The list for these names and hashes, sorted by name."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode("ascii")


def parsed(data: bytes) -> dict[str, str]:
    """Names and hashes of a list. Raises Refusal unless it is exactly as we write it."""
    sums: dict[str, str] = {}
    text = data.decode("ascii", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(line)
        if found is None or not names.is_plain(found[2]) or found[2] in sums:
            raise Refusal(f"cannot read a list of hashes, because its line {number} is none")
        sums[found[2]] = found[1]
    if written(sums) != data:
        raise Refusal("cannot read a list of hashes, because it is not in the form in which it is written")
    return sums
