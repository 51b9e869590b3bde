"""`guardian queue add`: one post from the command line, with its pictures, or a thread."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from guardian.cli import completion, queue, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Mistake

STDIN = "-"
MAX_TEXT = 256 * 1024

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the queue's family."""
    app.command("add", epilog='Example: guardian queue add --account acme-mastodon --at now "We are open again"')(add)


def add(  # noqa: PLR0913 (one parameter for each key of a record)
    *,
    account: Annotated[
        str, typer.Option("--account", metavar="A", help="Who posts.", autocompletion=completion.accounts)
    ],
    at: queue.At,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What it says; - reads it from stdin.")] = None,
    part: Annotated[list[str] | None, typer.Option("--part", metavar="TEXT", help="A thread: each part.")] = None,
    media: Annotated[
        list[str] | None, typer.Option("--media", metavar="PATH", help="A picture; again for more.")
    ] = None,
    alt: Annotated[list[str] | None, typer.Option("--alt", metavar="TEXT", help="What that picture shows.")] = None,
    zone: queue.Zone = None,
    warning: Annotated[str | None, typer.Option("--warning", metavar="W", help="Shown in place of the text.")] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="L", help="As sv, or en-GB.")] = None,
    visibility: Annotated[str | None, typer.Option("--visibility", metavar="V", help="As public, unlisted.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="T", help="A label of yours; again for more.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", metavar="C", help="Whose variant for this account it is.")
    ] = None,
    ref: Annotated[str | None, typer.Option("--ref", metavar="R", help="An id of yours: never entered twice.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Enter one post.

    Pictures of a thread belong to its first part; a file (queue import) can say more.
    """
    paths, words = list(media or []), list(alt or [])
    if len(words) > len(paths):
        raise Mistake(
            "cannot tell what an --alt describes, because there are more of them than --media", fix="pair them"
        )
    said = _said(text, list(part or []))
    desk = Desk(config, as_json)
    client = desk.client()
    files = _handed_over(client, paths, words)
    if files:
        (said["parts"][0] if "parts" in said else said)["media"] = files
    given = {
        "account": account,
        "at": at,
        "zone": zone,
        **said,
        "warning": warning,
        "language": language,
        "visibility": visibility,
        "tags": tag or [],
        "campaign": campaign,
        "ref": ref,
    }
    done = client.post("/v1/posts", {key: value for key, value in given.items() if value is not None})
    desk.answer(done, _added(done))
    queue.warn_of_freezes_and_holds(client, [done["post"]])


def _said(text: str | None, parts: list[str]) -> Document:
    """The text, or the parts of a thread. Raises Mistake when it is neither or both."""
    if text is not None and parts:
        raise Mistake(
            "cannot tell what to say, because both a text and parts are given", fix="give every part as --part"
        )
    if parts:
        return {"parts": [{"text": one} for one in parts]}
    return {"text": _stdin() if text == STDIN else text or ""}


def _handed_over(client: Client, paths: list[str], words: list[str]) -> list[Document]:
    """Every picture with what it shows; the first --alt belongs to the first --media."""
    alts = [*words, *[""] * (len(paths) - len(words))]
    return [
        {"sha256": client.upload(Path(path))["sha256"], **({"alt": alt} if alt else {})}
        for path, alt in zip(paths, alts, strict=True)
    ]


def _stdin() -> str:
    raw = sys.stdin.buffer.read(MAX_TEXT + 1)
    if len(raw) > MAX_TEXT:
        raise Mistake(f"cannot read stdin, because it is larger than {MAX_TEXT >> 10} KiB", fix="split it")
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Mistake(f"cannot read stdin:{line}, because it is not UTF-8", fix="save it as such") from None


def _added(done: Document) -> Iterator[str]:
    post = done["post"]
    word = "entered" if done["fresh"] else "known already"
    yield f"{post['id']}  {word}: {render.local(post['at'])} as {render.one_line(post['account'])}"
    yield from queue.notes(done["note"])
