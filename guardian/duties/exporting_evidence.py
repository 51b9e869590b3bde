"""Evidence handed out: a bundle as a tar of its directory, or as the WACZ of its archive. Called by API threads.

The tar holds the directory as it is, and beside it the journal's lines about the bundle: the hash of each seal stands
in them, so that whoever gets it can hold one against the other without the guardian.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.errors import DiskFull, Mistake, TooLarge
from guardian.evidence import Bundle, files, wacz
from guardian.store import bundles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from io import BufferedReader

    from guardian.duties.shelf import Shelf
    from guardian.model import Entry

FORMS = ("tar", "wacz")
MOST_BYTES = 16 << 30
SPARE = 256 << 20  # bytes of the disk that an export leaves to the queue


class Exporting:
    """Copies of bundles, in a file without a name that is gone once it is closed."""

    def __init__(self, *, shelf: Shelf, clock: Callable[[], int]) -> None:
        self.shelf = shelf
        self.database = shelf.database
        self.clock = clock

    def export(self, name: str, *, form: str, who: str, others: bool = False) -> BufferedReader:
        """The copy, open, at its beginning. `others`: an archive has other people's words, too; a tar always has.

        Raises Unfound, Mistake, Refusal, and DiskFull when there is no room for it.
        """
        if form not in FORMS:
            raise Mistake(f"cannot export as {form[:40]!r}, because there is no such form", fix="use tar or wacz")
        place = self.shelf.place(name)
        with self.database.reading() as tx:
            url = bundles.get(tx, name).url
            lines = bundles.lines(tx, name)
        self._must_have_room(place)
        with self.shelf.turn(name):
            copy = _tar(place, lines) if form == "tar" else _wacz(place, others=others, page=url)
        size = copy.seek(0, os.SEEK_END)
        copy.seek(0)
        with self.database.transaction() as tx:
            facts = {"form": form, "bytes": size, "others": others or form == "tar"}
            bundles.custody(tx, name, "exported", who=who, now=self.clock(), **facts)
        return copy

    def _must_have_room(self, place: Path) -> None:
        size = sum((place / one).lstat().st_size for one in files.listed(place))
        if size > MOST_BYTES:
            raise TooLarge(f"cannot export {place.name}, because it has {size} bytes", fix="copy its directory")
        disk = os.statvfs(place)
        if size + SPARE > disk.f_bavail * disk.f_frsize:
            raise DiskFull(f"cannot export {place.name}, because the disk has no room for a copy", fix="make room")


def _tar(place: Path, lines: Sequence[Entry]) -> BufferedReader:
    copy = tempfile.TemporaryFile(dir=place.parent)  # noqa: SIM115 (handed on open)
    try:
        with tarfile.open(fileobj=copy, mode="w", format=tarfile.PAX_FORMAT) as packed:
            for one in files.listed(place):
                if not (place / one).is_symlink():
                    packed.add(place / one, f"{place.name}/{one}", recursive=False, filter=_nobodys)
            told = "".join(
                json.dumps(asdict(line), ensure_ascii=False, sort_keys=True) + "\n" for line in lines
            ).encode()
            beside = tarfile.TarInfo(f"{place.name}.journal.jsonl")
            beside.size, beside.mode = len(told), 0o600
            packed.addfile(beside, io.BytesIO(told))
    except BaseException:
        copy.close()
        raise
    return copy  # type: ignore[return-value]  # a file that can be read from, as `_Pieces` needs it


def _wacz(place: Path, *, others: bool, page: str | None) -> BufferedReader:
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".export-") as folder:
        out = Path(folder) / "evidence.wacz"
        wacz.export(Bundle(place, phase=1), out, others=others, page=page)
        return out.open("rb")


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose files they are here is nobody's business there."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
