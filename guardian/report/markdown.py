"""The report as Markdown: headings, tables and sentences that read well unrendered, too. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.report.harmless import in_markdown
from guardian.report.paper import Fields, Missing, Sentences, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.report.paper import Block, Paper


def written(paper: Paper) -> str:
    """The whole report; ends with a line end."""
    return "\n".join(_lines(paper)) + "\n"


def _lines(paper: Paper) -> Iterator[str]:
    yield f"# {in_markdown(paper.title)}"
    for section in paper.sections:
        yield ""
        yield f"## {in_markdown(section.title)}"
        for block in section.blocks:
            yield ""
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Missing):
        yield f"*{in_markdown(block.text)}*"
    elif isinstance(block, Sentences):
        yield from (f"- {in_markdown(text)}" for text in block.texts)
    elif isinstance(block, Fields):
        yield from (f"- **{in_markdown(label)}:** {in_markdown(text)}" for label, text in block.rows)
    elif isinstance(block, Table):
        yield _row(block.heads)
        yield _row("---" for _ in block.heads)
        yield from (_row(in_markdown(cell) for cell in row) for row in block.rows)


def _row(cells: object) -> str:
    return f"| {' | '.join(cells)} |"  # type: ignore[arg-type]
