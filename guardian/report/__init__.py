"""What an incident looks like on paper: facts in, Markdown, HTML and JSON out. Pure.

`lines` reads the facts; `figures`, `targets`, `measures` and `said` compute from them, each figure with its lines of
the journal; `redacting` takes names out before that; `paper` puts the figures into the words of `words`; `markdown`,
`page` and `picture` write what `paper` made. No clock, no file, no table: the same facts give the same bytes.
"""
