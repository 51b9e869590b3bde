"""`guardian journal`: the hash-chained log; shown, copied, and verified here, taking nobody's word for it."""

import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer

from guardian.cli import endings, reading, render
from guardian.cli.exporting import STDOUT, out_to
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Mistake, Refusal
from guardian.model import Entry
from guardian.rules.chain import START, Torn, Whole, verify

PAGE = 1000  # as many as the daemon gives at a time: 15 MB at the most, as a line can name 500 posts
USUAL = 100
LARGEST = 1000
LONGEST_LINE = 1 << 20  # characters; a line can name 500 posts

Document = dict[str, Any]

app = typer.Typer(
    help="What happened: a log, each line sealed with the one before.",
    epilog="Example: guardian journal verify",
    rich_markup_mode=None,
)


@app.command("verify", epilog="Example: guardian journal verify --file journal.jsonl")
def check(
    *,
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="Verify what was exported; no daemon is asked.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Follow the chain from the first line to the last.

    Note the head elsewhere: it shows later if the end was cut off.
    """
    desk = Desk(config, as_json)
    found = follow(desk.client()) if file is None else verify(_read(file))
    if isinstance(found, Whole):
        text = f"The journal is whole: {render.count(found.lines, 'line')}, head {found.head}"
        desk.answer({"whole": True, "lines": found.lines, "head": found.head}, [text])
        return endings.DONE
    torn = _distrusted(found)
    render.tell(str(torn))
    if desk.as_json:
        document = {"whole": False, "line": found.seq, "why": found.why, "error": endings.as_document(torn)}
        render.document(document)
    return endings.FAILED


@app.command("export", epilog="Example: guardian journal export journal.jsonl")
def export(
    *,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; - is stdout.")] = STDOUT,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Copy the whole journal, one JSON document on each line; each line is verified before it is written.

    `guardian journal verify --file` verifies the copy, anywhere. A journal that is torn is not copied.
    """
    if file == STDOUT and as_json:
        raise Mistake("cannot write both to stdout, because --json answers there", fix="name a file")
    if file != STDOUT and os.path.lexists(file) and not force:
        raise Mistake(f"cannot write {file}, because it is there already", fix="name another one, or add --force")
    desk = Desk(config, as_json)
    client, found = desk.client(), Whole(lines=0, head=START)
    with out_to(file) as out:
        while page := _page(client, found.lines):
            following = verify((Entry(**one) for one in page), head=found.head, seq=found.lines)
            if isinstance(following, Torn):
                raise _distrusted(following)
            out.writelines(json.dumps(one, ensure_ascii=True, sort_keys=True) + "\n" for one in page)
            found = following
    if file != STDOUT:
        text = f"{render.count(found.lines, 'line')} written to {render.one_line(file)}, head {found.head}"
        desk.answer({"file": file, "lines": found.lines, "head": found.head}, [text])


@app.command("show", epilog="Example: guardian journal show --after 100 --limit 20")
def show(
    *,
    after: Annotated[int, typer.Option("--after", metavar="N", min=0, help="Only lines after this one.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=LARGEST, help="How many.")] = USUAL,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Lines of the journal, oldest first."""
    desk = Desk(config, as_json)
    entries = desk.client().get("/v1/journal", after=after, limit=limit)["entries"]
    desk.answer({"entries": entries}, (_line(one) for one in entries))


def _distrusted(torn: Torn) -> Refusal:
    return Refusal(
        f"cannot trust the journal from line {torn.seq} on, because {torn.why}",
        fix="keep a copy of the store and find out who changed it",
    )


def _read(file: str) -> Iterator[Entry]:
    """The lines of an export. Raises Mistake, naming the line, for what is none."""
    number = 0
    try:
        with io.TextIOWrapper(reading.ordinary(file), encoding="ascii") as lines:
            while line := lines.readline(LONGEST_LINE):
                number += 1
                yield Entry(**json.loads(line))
    except OSError as error:
        raise Mistake(f"cannot read {file}, because {error.strerror or 'an error'}") from None
    except (ValueError, TypeError, RecursionError):
        raise Mistake(
            f"cannot read line {max(number, 1)} of {file}, because it is no line of a journal",
            fix="name a file that `guardian journal export` wrote",
        ) from None


def follow(client: Client) -> Whole | Torn:
    """Verify page by page, each from where the one before left off; the next is asked for while one is verified."""
    found = Whole(lines=0, head=START)
    with ThreadPoolExecutor(1) as asking:
        coming = asking.submit(_page, client, 0)
        while page := coming.result():
            coming = asking.submit(_page, client, found.lines + len(page))  # a whole chain has no gaps
            following = verify((Entry(**one) for one in page), head=found.head, seq=found.lines)
            if isinstance(following, Torn):
                return following
            found = following
    return found


def _page(client: Client, after: int) -> list[Document]:
    entries: list[Document] = client.get("/v1/journal", after=after, limit=PAGE)["entries"]
    return entries


def _line(one: Document) -> str:
    data = ", ".join(f"{key}={_brief(value)}" for key, value in one["data"].items())
    return render.one_line(
        f"{one['seq']:>6}  {render.local(one['at'])}  {one['kind']:<12} {one['who']:<10} {data}"
    ).rstrip()


def _brief(value: object) -> str:
    """A list by how many it holds, when it holds more than can be read."""
    if isinstance(value, list) and len(value) > 3:  # noqa: PLR2004 (a few ids still read well)
        return f"[{len(value)} of them]"
    return str(value)
