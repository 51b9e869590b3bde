"""`guardian evidence verify`: is it what was sealed? The daemon's bundles by name, any directory without a daemon.

The daemon holds a bundle against its journal, where the hash of every seal stands, and against the house's own keys. A
directory alone can be held against what lies in it, and against whatever its reader has from elsewhere.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guardian.cli import endings, reading, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Absent, Broken, GuardianError, Mistake, Refusal
from guardian.model import Entry
from guardian.rules import chain

if TYPE_CHECKING:
    from guardian.evidence import Seal
    from guardian.evidence.signing import Known

WITHIN = 600.0
PAGE = 500
SILENCE = 2.0  # seconds, after which a person is told how far it is
MOST_BYTES = 64 << 20
HEADS = "heads"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
OWN_LIST = "checked by its own list of signers alone: compare the key with the one that you have from elsewhere"
NO_JOURNAL = "not compared with the journal: whoever holds the key could have sealed all of it anew"
Document = dict[str, Any]


def verify(
    *,
    bundles: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|NAME...]", help="Directories, or names of the daemon's bundles."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All of this house, and the stamped ends of its journal.")
    ] = False,
    journal: Annotated[
        str | None, typer.Option("--journal", metavar="FILE", help="Lines of the journal, as an exported tar has them.")
    ] = None,
    signers: Annotated[
        str | None, typer.Option("--signers", metavar="FILE", help="Keys that may seal, from elsewhere.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Say whether evidence is what was sealed; names every file that is not.

    A changed byte, a missing file, a swapped seal, a cut chain: each is named. A path is looked at right here, without
    a daemon; a name by the daemon, which also holds it against its journal. Exit: 0 whole, 1 not.
    """
    desk = Desk(config, as_json)
    if bool(bundles) is everything:
        raise Mistake(
            "cannot tell what to verify, because neither or both of bundles and --all are given", fix="give one"
        )
    look = _Look(desk, journal, signers)
    found: list[Document] = []
    progress = _Progress()
    for name, of in look.all() if everything else ((one, len(bundles or [])) for one in bundles or []):
        progress.tell(len(found), of, name)
        found.append(look.at(name))
    wrong = [one for one in found if not one["whole"]]
    document: Document = {"whole": not wrong, "bundles": found}
    if wrong:
        broken = Refusal(
            f"cannot trust {render.count(len(wrong), 'bundle')} of {len(found)}, because of what is named above",
            fix="keep what is there as it is, and compare it with a copy: guardian evidence show",
        )
        document["error"] = endings.as_document(broken)
    desk.answer(document, (line for one in found for line in _lines(one)))
    if wrong:
        render.tell(str(broken))
    return endings.FAILED if wrong else endings.DONE


def plain(name: str) -> str:
    """A name as it may stand in a path. Raises Mistake."""
    if not NAME.fullmatch(name):
        raise Mistake(
            f"cannot find the bundle {name[:100]!r}, because that is no name of one", fix="guardian evidence list"
        )
    return name


class _Look:
    """How bundles are looked at: by the daemon if it is one of its own, else here."""

    def __init__(self, desk: Desk, journal: str | None, signers: str | None) -> None:
        from guardian.evidence import signing

        self.desk = desk
        self.journal = None if journal is None else _entries(_read(journal), journal)
        self.trusted = None if signers is None else signing.known(_read(signers))

    def all(self) -> Iterator[tuple[str, int]]:
        """Every bundle of the house with how many there are at least; without a daemon, those on its disk."""
        try:
            names = [*_named(self._client()), HEADS]
        except GuardianError as error:
            _must_be_without_a_daemon(error)
            root = self._shelf()
            names = [str(one) for one in sorted(root.iterdir()) if one.name.startswith("ev-")] if root.is_dir() else []
        yield from ((name, len(names)) for name in names)

    def at(self, name: str) -> Document:
        """One of them. Raises Unfound, Mistake."""
        if os.sep in name or Path(name).is_dir():
            return self._here(Path(name))
        try:
            found: Document = self._client().post(f"/v1/evidence/{plain(name)}/verify", {})
        except GuardianError as error:
            _must_be_without_a_daemon(error)
            return self._here(self._shelf() / name)
        return {**found, "by": "the daemon"}

    def _here(self, path: Path) -> Document:
        """A directory, with what is at hand."""
        from guardian.evidence import verify as verifying

        if not path.is_dir():
            raise Mistake(f"cannot verify {path}, because it is no directory", fix="name the directory of a bundle")
        name = path.resolve().name
        trusted = self.trusted if self.trusted is not None else self._house_keys(path)
        sealed, told = self._sealed(name)
        findings = verifying.verify(path, sealed=sealed, trusted=trusted)
        wrong = [{"file": one.file, "what": one.what} for one in findings]
        wrong += [{"file": "journal", "what": what} for what in self._torn(name)]
        gaps = [*(verifying.gaps(path) if not findings or path.is_dir() else []), *told]
        if trusted is None:
            gaps.append(OWN_LIST)
        return {"name": name, "whole": not wrong, "wrong": wrong, "gaps": gaps, "by": "this command alone"}

    def _sealed(self, name: str) -> "tuple[list[Seal], list[str]]":
        """The seals that the journal knows, from the file that was given, or from the daemon if it knows the bundle."""
        from guardian.evidence import Seal

        lines = self.journal
        if lines is None:
            try:
                told = self._client(within=10.0).get(f"/v1/evidence/{plain(name)}")["custody"]
                lines = [Entry(**{**line, "at": 0}) for line in told]
            except (GuardianError, TypeError):
                return [], [NO_JOURNAL]
        mine = [line.data for line in lines if line.data.get("bundle") == name and line.kind == "snapshot sealed"]
        return [Seal(int(str(data["seal"])), str(data["sha256"])) for data in mine], []

    def _torn(self, name: str) -> Iterator[str]:
        """Lines of the file that are not as the journal's chain has them."""
        for line in self.journal or []:
            if line.data.get("bundle") == name:
                found = chain.verify([line], head=line.prev, seq=line.seq - 1)
                if isinstance(found, chain.Torn):
                    yield f"line {found.seq} of the file of the journal: {found.why}"

    def _house_keys(self, path: Path) -> "list[Known] | None":
        """The house's own list, if the bundle stands on its shelf."""
        from guardian.evidence import keyring, signing

        if path.resolve().parent.name != keyring.EVIDENCE:
            return None
        text = keyring.read_list(path.resolve().parent / keyring.KEYS)
        return signing.known(text) if text else None

    def _client(self, *, within: float = WITHIN) -> Client:
        return self.desk.client(within=within)

    def _shelf(self) -> Path:
        from guardian.evidence import keyring

        return Path(self.desk.house().state_dir) / keyring.EVIDENCE


class _Progress:
    """Tells on stderr how far it is, when that takes long."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def tell(self, done: int, of: int, name: str) -> None:
        """Before the next one."""
        if done and time.monotonic() - self._told >= SILENCE:
            self._told = time.monotonic()
            render.tell(f"{done} of {of} looked at; now {name}")
            sys.stderr.flush()


def _must_be_without_a_daemon(error: GuardianError) -> None:
    """Go on alone only if there is no daemon, or one that cannot read its own store. Raises the error otherwise."""
    if not isinstance(error, Absent) and error.code != Broken.code:
        raise error


def _named(client: Client) -> Iterator[str]:
    cursor = None
    while True:
        page = client.get("/v1/evidence", cursor=cursor, limit=PAGE)
        yield from (one["name"] for one in page["bundles"])
        cursor = page["next"]
        if cursor is None:
            return


def _read(name: str) -> str:
    """A file that was given. Raises Mistake."""
    try:
        with reading.ordinary(name) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Mistake(f"cannot read {name}, because of this: {error.strerror}", fix="name a file") from error
    if len(data) > MOST_BYTES:
        raise Mistake(f"cannot read {name}, because it has more than {MOST_BYTES} bytes", fix="name the right file")
    return data.decode("utf-8", "replace")


def _entries(text: str, name: str) -> list[Entry]:
    try:
        return [Entry(**json.loads(line)) for line in text.splitlines()]
    except (ValueError, TypeError):
        raise Mistake(
            f"cannot read {name}, because it holds no lines of the journal", fix="name the exported one"
        ) from None


def _lines(one: Document) -> Iterator[str]:
    head = "is whole" if one["whole"] else "is NOT what was sealed"
    yield render.one_line(f"{one['name']} {head}, by {one['by']}")
    yield from (render.field("WRONG", f"{each['file']}: {each['what']}") for each in one["wrong"])
    yield from (render.field("not proven", gap) for gap in one["gaps"])
