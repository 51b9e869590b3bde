"""`guardian queue import`: every post of a file, or, if anything in it is wrong, none; with a bar on a terminal."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from guardian.cli import attaching, endings, reading, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import GuardianError, Mistake

STDIN = "-"
MAX_FILE = 100 << 20  # what the daemon takes
PIECE = 1 << 20
WITHIN = 600.0
LOOK_EVERY = 0.15
FORMATS = ("jsonl", "csv")
TOOLS = ("buffer", "hootsuite")
TABLES = (".csv", ".tsv")
DATES = ("day", "month")
PHASES = {"waiting": "waiting", "checking": "checking", "entering": "entering"}

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the queue's family."""
    app.command("import", epilog="Example: guardian queue import launch.csv --zone Europe/Stockholm")(take_in)


def take_in(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines or CSV; - reads stdin.")],
    form: Annotated[str | None, typer.Option("--format", metavar="F", help="Jsonl or csv; else by the name.")] = None,
    tool: Annotated[str | None, typer.Option("--from", metavar="TOOL", help="A table for buffer or hootsuite.")] = None,
    account: Annotated[str | None, typer.Option("--account", metavar="A", help="Who posts, with --from.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", metavar="Z", help="Of times without offset and zone.")] = None,
    dates: Annotated[
        str | None, typer.Option("--dates", metavar="ORDER", help="In 11/12/2026: day or month first, with --from.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Enter every post of a file, or, if anything in it is wrong, none."""
    form = _form(file, form, tool, account, dates)
    desk = Desk(config, as_json)
    client = desk.client(within=WITHIN)
    with _opened(file) as source:
        beside = Path.cwd() if file == STDIN else Path(file).parent
        paths = attaching.named_in(source, form)
        source.seek(0)
        order: Document = {"format": form, "account": account, "zone": zone, "dates": dates}
        if os.fstat(source.fileno()).st_size == 0:
            order["text"] = ""
        else:
            order["media"] = attaching.hand_over(client, paths, beside) if paths else None
            order["staged"] = client.stage(source)
    done = _carried_out(client, {key: value for key, value in order.items() if value is not None})
    if done["errors"]:
        return _wrong(desk, file, done)
    desk.answer(done, _imported(done))
    return endings.DONE


def _form(file: str, form: str | None, tool: str | None, account: str | None, dates: str | None) -> str:
    """What the file is read as. Raises Mistake when the options do not fit together."""
    if tool is None and (account is not None or dates is not None):
        named = "--account" if account is not None else "--dates"
        raise Mistake(
            f"cannot use {named}, because it is for the tables of other tools", fix="add --from, or leave it out"
        )
    if tool is not None and tool not in TOOLS:
        raise Mistake(
            f"cannot read a table from {tool!r}, because that is not known here", fix=f"use {', '.join(TOOLS)}"
        )
    if tool is not None and account is None:
        raise Mistake(f"cannot import a table from {tool}, because it names no account", fix="add --account")
    if dates is not None and dates not in DATES:
        raise Mistake(f"cannot read dates by {dates!r}, because that is no order", fix=f"use {' or '.join(DATES)}")
    if form is not None and (tool is not None or form not in FORMATS):
        raise Mistake(
            f"cannot read the file as {form!r}, because that does not fit", fix="use jsonl, csv, or --from alone"
        )
    return tool or form or ("csv" if file.lower().endswith(TABLES) else "jsonl")


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """The file, which can be read twice, within its limit. Raises Mistake."""
    try:
        with contextlib.ExitStack() as opened:
            if path == STDIN:
                file: BinaryIO = opened.enter_context(tempfile.TemporaryFile())
                _copy(file)
            else:
                file = opened.enter_context(reading.ordinary(path))
            if os.fstat(file.fileno()).st_size > MAX_FILE:
                raise _too_large(path)
            yield file
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise Mistake(f"cannot read {path}, because of this: {why}", fix="name a file that can be read") from None


def _copy(into: BinaryIO) -> None:
    size = 0
    while piece := sys.stdin.buffer.read(PIECE):
        size += len(piece)
        if size > MAX_FILE:
            raise _too_large(STDIN)
        into.write(piece)
    into.seek(0)


def _too_large(path: str) -> Mistake:
    return Mistake(f"cannot read {shown(path)}, because it is larger than {MAX_FILE >> 20} MiB", fix="split it")


def _carried_out(client: Client, order: Document) -> Document:
    """What came of it; meanwhile a bar on stderr, if that is a terminal."""
    if "staged" not in order or not sys.stderr.isatty():
        return client.post("/v1/posts/import", order)  # type: ignore[no-any-return]
    found: list[Document | Exception] = []

    def ask() -> None:
        try:
            found.append(client.post("/v1/posts/import", order))
        except Exception as error:  # noqa: BLE001 (raised again in the thread that waits for it)
            found.append(error)

    asking = threading.Thread(target=ask, name="import", daemon=True)
    asking.start()
    _show(client, str(order["staged"]), asking)
    asking.join()
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _show(client: Client, name: str, asking: threading.Thread) -> None:
    """The bar, until the answer is there."""
    watching = Client(client.house)
    with typer.progressbar(length=1000, label="importing", file=sys.stderr, show_pos=False) as bar:
        at = 0
        while asking.is_alive():
            asking.join(LOOK_EVERY)
            with contextlib.suppress(GuardianError):
                seen = watching.get(f"/v1/imports/{name}")
                bar.label = PHASES.get(seen["phase"], "importing")
                part = min(seen["done"] / seen["of"], 1) if seen["of"] else 0
                now = round(part * 800) if seen["phase"] == "checking" else 800 + round(part * 200)
                bar.update(max(now - at, 0))
                at = max(at, now)
        bar.update(max(1000 - at, 0))


def shown(path: str) -> str:
    """What a file is called in a message."""
    return "stdin" if path == STDIN else path


def _imported(done: Document) -> Iterator[str]:
    yield f"{done['entered']} entered, {done['known']} known already"
    yield from (render.field(f"line {one['line']}", one["note"]) for one in done["notes"])
    unseen = done["notes_in_all"] - len(done["notes"])
    if unseen:
        yield f"... and {render.count(unseen, 'more note')}"


def _wrong(desk: Desk, file: str, done: Document) -> int:
    """Every error with its place, as compilers write it, so that editors can jump there."""
    for one in done["errors"]:
        render.tell(f"{shown(file)}:{one['line']}:{one['column']}: {render.one_line(one['message'])}")
    unseen = done["errors_in_all"] - len(done["errors"])
    if unseen:
        render.tell(f"... and {unseen} more")
    mistake = Mistake(
        f"cannot import {shown(file)}, because it has {render.count(done['errors_in_all'], 'mistake')}; "
        "nothing was imported",
        fix="correct them and import it again",
    )
    render.tell(str(mistake))
    if desk.as_json:
        render.document({**done, "error": endings.as_document(mistake)})
    return endings.WRONG_USE
