"""`guardian queue export`: the queue as a file that `queue import` reads, page by page, written whole or not at all."""

import contextlib
import csv
import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from guardian.cli import choosing, reading, render
from guardian.cli.choosing import Wanted
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import GuardianError, Mistake
from guardian.model import State
from guardian.rules import cells
from guardian.rules.columns import PLAIN

STDOUT = "-"
PAGE = 200
WITHIN = 60.0
JSONL, CSV = "jsonl", "csv"
FORMATS = (JSONL, CSV)
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
}

Document = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Put the command into the queue's family."""
    app.command("export", epilog="Example: guardian queue export plan.csv --media pictures")(export)


def export(  # noqa: PLR0913 (one parameter for each filter)
    *,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Where to; - is stdout.")] = STDOUT,
    form: Annotated[str | None, typer.Option("--format", metavar="F", help="Jsonl or csv; else by the name.")] = None,
    account: choosing.Account = None,
    brand: choosing.Brand = None,
    tag: choosing.Tag = None,
    campaign: choosing.Campaign = None,
    state: choosing.States = None,
    after: choosing.After = None,
    before: choosing.Before = None,
    media: Annotated[str | None, typer.Option("--media", metavar="DIR", help="Put the pictures there.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the queue into a file that `queue import` reads: what waits, or what --state names."""
    form = form or (CSV if file.lower().endswith(".csv") else JSONL)
    if form not in FORMATS:
        raise Mistake(f"cannot write {form!r}, because that is no format", fix=f"use {' or '.join(FORMATS)}")
    wanted = Wanted(
        account=account, brand=brand, tag=tag, campaign=campaign, states=state or [State.QUEUED.value], after=after,
        before=before,
    )  # fmt: skip
    query = choosing.query(wanted)
    if file == STDOUT and as_json:
        raise Mistake("cannot write both to stdout, because --json answers there", fix="name a file")
    if file != STDOUT and os.path.lexists(file) and not force:
        raise Mistake(f"cannot write {file}, because it is there already", fix="name another one, or add --force")
    desk = Desk(config, as_json)
    client = desk.client(within=WITHIN)
    records = _records(client, query)
    pictures = _Pictures(client, Path(media), _folder(file)) if media is not None else None
    written = 0
    with out_to(file) as out:
        for record in _as_lines(records, pictures, form, out):
            written += record
    if file != STDOUT:
        count = 0 if pictures is None else len(pictures.names)
        document = {"file": file, "format": form, "records": written, "files": count}
        desk.answer(document, [f"{render.count(written, 'post')} written to {render.one_line(file)}"])


def _records(client: Client, query: Document) -> Iterator[Document]:
    cursor = None
    while True:
        page = client.get("/v1/records", **query, cursor=cursor, limit=PAGE)
        yield from page["records"]
        cursor = page["next"]
        if cursor is None:
            return


def _as_lines(records: Iterator[Document], pictures: "_Pictures | None", form: str, out: IO[str]) -> Iterator[int]:
    """Write them; 1 for each. A table needs its columns first, so its records wait in a nameless file."""
    if form == JSONL:
        for record in records:
            out.write(_line(_with_files(record, pictures)))
            yield 1
        return
    shape = _Shape()
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as waiting:
        for record in records:
            found = _with_files(record, pictures)
            shape.fit(found)
            waiting.write(_line(found))
        waiting.seek(0)
        columns = shape.columns()
        # all in quotes: a spreadsheet that separates by semicolons would find a cell of its own behind one in a text
        table = csv.DictWriter(out, columns, restval="", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        table.writeheader()
        for line in waiting:
            table.writerow(_row(json.loads(line)))
            yield 1


def _line(record: Document) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _with_files(record: Document, pictures: "_Pictures | None") -> Document:
    """The record with its files as paths, or as hashes where nobody wants them."""
    for part in record.get("parts", [record]):
        if "media" in part:
            part["media"] = [_file(one, pictures) for one in part["media"]]
    return record


def _file(one: Document, pictures: "_Pictures | None") -> Document:
    alt = {"alt": one["alt"]} if one.get("alt") else {}
    if pictures is None:
        return {"sha256": one["sha256"], **alt}
    return {"path": pictures.put(one["sha256"], one["type"]), **alt}


class _Pictures:
    """The directory of the files, each written once."""

    def __init__(self, client: Client, folder: Path, beside: Path) -> None:
        self.client = client
        self.folder = folder
        self.beside = beside
        self.names: dict[str, str] = {}

    def put(self, sha256: str, kind: str) -> str:
        """Write a file unless it is there; its path from where the export lies."""
        if sha256 not in self.names:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{sha256}.{ENDINGS.get(kind, 'bin')}"
            if not _holds(path, sha256):  # somebody may have laid another picture, or a link, under this name
                with _atomic(path, "wb") as into:
                    self.client.fetch(sha256, into)
            self.names[sha256] = os.path.relpath(path, self.beside)
        return self.names[sha256]


def _holds(path: Path, sha256: str) -> bool:
    """Whether an ordinary file lies there whose content that is."""
    try:
        with open(os.open(path, os.O_NOFOLLOW | reading.FLAGS), "rb") as file:  # noqa: PTH123 (a descriptor)
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return regular and hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


class _Shape:
    """How many parts and files the records have at most: so many columns the table has."""

    def __init__(self) -> None:
        self.files: list[set[str]] = []
        self.most: list[int] = []

    def fit(self, record: Document) -> None:
        for number, part in enumerate(record.get("parts", [record])):
            while len(self.most) <= number:
                self.most.append(0)
                self.files.append(set())
            media = part.get("media", [])
            self.most[number] = max(self.most[number], len(media))
            for one in media:
                self.files[number].update(one)

    def columns(self) -> list[str]:
        found = list(PLAIN)
        for number, most in enumerate(self.most):
            before = f"part{number + 1}_" if number else ""
            found += [f"{before}text"] if number else []
            for place in range(1, most + 1):
                found += [
                    f"{before}media{place}_{key}" for key in ("path", "sha256", "alt") if key in self.files[number]
                ]
        return found


def _row(record: Document) -> Document:
    row = {key: value for key, value in record.items() if key in PLAIN}
    row["tags"] = " ".join(record.get("tags", ()))
    for number, part in enumerate(record.get("parts", [record])):
        before = f"part{number + 1}_" if number else ""
        row[f"{before}text"] = part["text"]
        for place, one in enumerate(part.get("media", ()), start=1):
            row |= {f"{before}media{place}_{key}": value for key, value in one.items()}
    return {key: cells.written(value) for key, value in row.items()}


def _folder(file: str) -> Path:
    return Path.cwd() if file == STDOUT else Path(file).parent


@contextlib.contextmanager
def out_to(file: str) -> Iterator[IO[str]]:
    """Where the export goes to: stdout as UTF-8, or a file that is there in the end, whole."""
    if file == STDOUT:
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
            yield out
        return
    with _atomic(Path(file), "w") as out:
        yield out


@contextlib.contextmanager
def _atomic(path: Path, mode: str) -> Iterator[Any]:
    """A file beside the real one, which takes its place when all is written. Raises Mistake when it cannot be."""
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    made = None
    try:
        try:
            made = tempfile.NamedTemporaryFile(  # noqa: SIM115 (closed below; it stays, if it is whole)
                mode, dir=path.parent, prefix=f".{path.name[:80]}.", delete=False, **text
            )
        except OSError as error:
            raise _unwritable(path, error) from None
        with made as out:
            yield out
            try:
                out.flush()
                os.fsync(out.fileno())
                mask = os.umask(0)
                os.umask(mask)
                os.fchmod(out.fileno(), 0o666 & ~mask)  # as any other file of theirs; by its descriptor, not its name
            except OSError as error:
                raise _unwritable(path, error) from None
        os.replace(made.name, path)  # noqa: PTH105 (the name is text)
        made = None
    finally:
        if made is not None:
            with contextlib.suppress(OSError):
                os.unlink(made.name)  # noqa: PTH108 (the name is text)


def _unwritable(path: Path, error: OSError) -> GuardianError:
    return Mistake(f"cannot write {path}, because of this: {error.strerror}", fix="name a place that can be written")
