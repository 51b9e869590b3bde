"""`guardian journal`: the hash-chained log; shown, and verified here, without taking the daemon's word for it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer

from guardian.cli import endings, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Refusal
from guardian.model import Entry
from guardian.rules.chain import START, Torn, Whole, verify

PAGE = 1000  # as many as the daemon gives at a time: 15 MB at the most, as a line can name 500 posts
USUAL = 100
LARGEST = 1000

Document = dict[str, Any]

app = typer.Typer(
    help="What happened: a log, each line sealed with the one before.",
    epilog="Example: guardian journal verify",
    rich_markup_mode=None,
)


@app.command("verify", epilog="Example: guardian journal verify --json")
def check(*, config: Config = None, as_json: AsJson = False) -> int:
    """Follow the chain from the first line to the last.

    Note the head elsewhere: it shows later if the end was cut off.
    """
    desk = Desk(config, as_json)
    found = follow(desk.client())
    if isinstance(found, Whole):
        text = f"The journal is whole: {render.count(found.lines, 'line')}, head {found.head}"
        desk.answer({"whole": True, "lines": found.lines, "head": found.head}, [text])
        return endings.DONE
    torn = Refusal(
        f"cannot trust the journal from line {found.seq} on, because {found.why}",
        fix="keep a copy of the store and find out who changed it",
    )
    render.tell(str(torn))
    if desk.as_json:
        document = {"whole": False, "line": found.seq, "why": found.why, "error": endings.as_document(torn)}
        render.document(document)
    return endings.FAILED


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
