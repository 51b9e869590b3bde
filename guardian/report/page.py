"""The report as one static page: no script, nothing from elsewhere, good to print, with a picture of the time. Pure."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from guardian.report.harmless import in_html
from guardian.report.paper import Fields, Missing, Sentences, Table
from guardian.report.picture import drawn
from guardian.report.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.report.paper import Block, Paper

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #bbb }
table { border-collapse: collapse; width: 100%; font-size: .87rem }
th, td { border: 1px solid #ccc; padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { background: #f2f2f2 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 }
dt { font-weight: 600 }
dd { margin: 0; overflow-wrap: anywhere }
bdi { unicode-bidi: isolate }
svg { width: 100%; height: auto }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt }
  h2 { break-after: avoid }
  tr { break-inside: avoid }
  thead { display: table-header-group }
}
"""
HASH = base64.b64encode(hashlib.sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
POLICY = f"default-src 'none'; style-src 'sha256-{HASH}'; base-uri 'none'; form-action 'none'"


def written(paper: Paper) -> str:
    """The whole page; ends with a line end."""
    return "\n".join(_lines(paper)) + "\n"


def _lines(paper: Paper) -> Iterator[str]:
    words = Words(paper.language)
    yield "<!DOCTYPE html>"
    yield f'<html lang="{in_html(paper.language)}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{in_html(POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{in_html(paper.title)}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{in_html(paper.title)}</h1>"
    for section in paper.sections:
        yield f'<section id="{in_html(section.key)}">'
        yield f"<h2>{in_html(section.title)}</h2>"
        if section.key == "overview":
            yield from drawn(paper.record, words)
        for block in section.blocks:
            yield from _block(block)
        yield "</section>"
    yield "</body>"
    yield "</html>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Missing):
        yield f"<p><em>{in_html(block.text)}</em></p>"
    elif isinstance(block, Sentences):
        yield "<ul>"
        yield from (f"<li>{in_html(text)}</li>" for text in block.texts)
        yield "</ul>"
    elif isinstance(block, Fields):
        yield "<dl>"
        yield from (f"<dt>{in_html(label)}</dt><dd>{_own(text)}</dd>" for label, text in block.rows)
        yield "</dl>"
    elif isinstance(block, Table):
        yield "<table>"
        yield f"<thead><tr>{''.join(f'<th>{in_html(head)}</th>' for head in block.heads)}</tr></thead>"
        yield "<tbody>"
        yield from (f"<tr>{''.join(f'<td>{_own(cell)}</td>' for cell in row)}</tr>" for row in block.rows)
        yield "</tbody>"
        yield "</table>"


def _own(text: str) -> str:
    """A text that reads in its own direction and turns nothing around it."""
    return f'<bdi dir="auto">{in_html(text)}</bdi>'
