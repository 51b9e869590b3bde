"""`guardian queue add` and `import`: new posts into the queue, one from the command line or many from a file."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from guardian.cli import completion, endings, queue, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.errors import Mistake

STDIN = "-"
MAX_TEXT = 256 * 1024
MAX_FILE = 64 << 20
MAX_BODY = 96 << 20  # what the daemon takes; a file grows on its way, because quotes are escaped
IMPORT_WITHIN = 600.0

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put both commands into the queue's family."""
    app.command("add", epilog='Example: guardian queue add --account acme-mastodon --at now "We are open again"')(add)
    app.command("import", epilog="Example: guardian queue import launch.jsonl")(take_in)


def add(  # noqa: PLR0913 (one parameter for each key of a record)
    *,
    account: Annotated[
        str, typer.Option("--account", metavar="A", help="Who posts.", autocompletion=completion.accounts)
    ],
    at: queue.At,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it says; - reads it from stdin.")],
    zone: queue.Zone = None,
    warning: Annotated[str | None, typer.Option("--warning", metavar="W", help="Shown in place of the text.")] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="L", help="As sv, or en-GB.")] = None,
    visibility: Annotated[str | None, typer.Option("--visibility", metavar="V", help="As public, unlisted.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="T", help="A label of yours; again for more.")
    ] = None,
    ref: Annotated[str | None, typer.Option("--ref", metavar="R", help="An id of yours: never entered twice.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Enter one post."""
    desk = Desk(config, as_json)
    client = desk.client()
    words = _read(STDIN, MAX_TEXT).rstrip("\r\n") if text == STDIN else text
    given = {
        "account": account,
        "at": at,
        "zone": zone,
        "text": words,
        "warning": warning,
        "language": language,
        "visibility": visibility,
        "tags": tag or [],
        "ref": ref,
    }
    done = client.post("/v1/posts", {key: value for key, value in given.items() if value is not None})
    desk.answer(done, _added(done))
    queue.warn_of_freezes(client, [done["post"]])


def take_in(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines; - reads stdin.")],
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Enter every post of a file, or, if anything in it is wrong, none."""
    desk = Desk(config, as_json)
    client = desk.client(within=IMPORT_WITHIN)
    text = _read(file, MAX_FILE)
    body = {"text": text}
    if len(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")) > MAX_BODY:
        raise Mistake(f"cannot import {file}, because it is too large on its way to the daemon", fix="split it")
    done = client.post("/v1/posts/import", body)
    if done["errors"]:
        return _wrong(desk, file, done)
    desk.answer(done, _imported(done))
    return endings.DONE


def _read(path: str, most: int) -> str:
    """A text, from a file or stdin, within its limit. Raises Mistake."""
    try:
        if path == STDIN:
            raw = sys.stdin.buffer.read(most + 1)
        else:
            with open(path, "rb") as file:  # noqa: PTH123 (what the person wrote, as they wrote it)
                raw = file.read(most + 1)
    except PermissionError:
        raise
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise Mistake(f"cannot read {path}, because of this: {why}", fix="name a file that can be read") from None
    if len(raw) > most:
        size = f"{most >> 20} MiB" if most >> 20 else f"{most >> 10} KiB"
        raise Mistake(f"cannot read {_shown(path)}, because it is larger than {size}", fix="split it")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Mistake(f"cannot read {_shown(path)}:{line}, because it is not UTF-8", fix="save it as such") from None


def _shown(path: str) -> str:
    return "stdin" if path == STDIN else path


def _added(done: Document) -> Iterator[str]:
    post = done["post"]
    word = "entered" if done["fresh"] else "known already"
    yield f"{post['id']}  {word}: {render.local(post['at'])} as {render.one_line(post['account'])}"
    yield from queue.notes(done["note"])


def _imported(done: Document) -> Iterator[str]:
    yield f"{done['entered']} entered, {done['known']} known already"
    yield from (render.field(f"line {one['line']}", one["note"]) for one in done["notes"])


def _wrong(desk: Desk, file: str, done: Document) -> int:
    """Every error with its place, as compilers write it, so that editors can jump there."""
    for one in done["errors"]:
        render.tell(f"{_shown(file)}:{one['line']}:{one['column']}: {render.one_line(one['message'])}")
    unseen = done["errors_in_all"] - len(done["errors"])
    if unseen:
        render.tell(f"... and {unseen} more")
    mistake = Mistake(
        f"cannot import {_shown(file)}, because it has {render.count(done['errors_in_all'], 'mistake')}; "
        "nothing was imported",
        fix="correct them and import it again",
    )
    render.tell(str(mistake))
    if desk.as_json:
        render.document({**done, "error": endings.as_document(mistake)})
    return endings.WRONG_USE
