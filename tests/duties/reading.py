"""An import read from a text, as a list: what a test asks."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from guardian.duties import import_lines
from guardian.duties.import_lines import JSONL, Remark, Wrong

if TYPE_CHECKING:
    from guardian.duties.foreign import Choices
    from guardian.duties.records import Read, Rules


def read_lines(text: str, rules: Rules) -> tuple[list[tuple[int, Read]], list[Wrong]]:
    """Every record of a JSON Lines text with its line number, and what is wrong with the others."""
    good, wrong, _ = read_any(text, JSONL, rules)
    return good, wrong


def read_any(
    text: str, form: str, rules: Rules, choices: Choices | None = None
) -> tuple[list[tuple[int, Read]], list[Wrong], list[Remark]]:
    """The same of any form, with what is said of the file itself."""
    stream = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    good, wrong, said = [], [], []
    for found in import_lines.read(stream, form, rules, choices):
        if isinstance(found, Wrong):
            wrong.append(found)
        elif isinstance(found, Remark):
            said.append(found)
        else:
            good.append((found.line, found.read))
    return good, wrong, said
