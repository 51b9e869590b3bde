"""The file of a backup: a plain tar of everything, then `SHA256SUMS` for stock tools, then the manifest.

`tar xf FILE && sha256sum -c SHA256SUMS` proves it without us. The manifest comes last and seals itself: a file without
a whole one was cut off. Used by one thread.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from guardian.backup import contents
from guardian.errors import GuardianError, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Heed = Callable[[int], None]

FORMAT = 1
SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
MOST_FILES = 1_000_000
MOST_WORDS = 512 << 20  # bytes of the manifest of so many
PIECE = 1 << 20


class File(NamedTuple):
    """One file of a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself. All that happened before `at` (ms) is in it, and nothing that happened after."""

    at: int
    version: str
    host: str
    schema: int
    posts: int
    states: dict[str, int]
    in_flight: int
    freezes: list[str]
    lines: int
    head: str
    bundles: int
    left_out: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)

    def raw(self) -> bytes:
        """As it is written: JSON with the hash of itself."""
        words: dict[str, Any] = {"format": FORMAT, **asdict(self), "files": [list(one) for one in self.files]}
        words["seal"] = _seal(words)
        return json.dumps(words, ensure_ascii=True, indent=0).encode("ascii")


class Sink:
    """Where the files of a backup go while it is read; this one lets them go."""

    def begin(self, name: str) -> None:
        """A file comes."""

    def write(self, piece: bytes) -> None:
        """A piece of it."""

    def end(self) -> None:
        """It has ended, whole or not; called again where nothing was begun."""


class Writing:
    """A backup being written into an open file."""

    def __init__(self, file: BinaryIO, heed: Heed) -> None:
        """`heed` is told how many bytes were done since it was told last."""
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 (closed by `finish`)
        self._heed = heed
        self.files: list[File] = []

    def add(self, name: str, path: Path) -> File | None:
        """Put a file in as it is now; None when it is gone. Raises Refusal when there are too many."""
        if len(self.files) >= MOST_FILES:
            raise Refusal(f"cannot make the backup, because the house has more than {MOST_FILES} files")
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb") as source:
            seen = os.fstat(fd)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = seen.st_size, 0o600, int(seen.st_mtime)
            hashing = _Hashing(source, self._heed)
            self._tar.addfile(entry, hashing)
        self.files.append(File(name, entry.size, hashing.sha256))
        return self.files[-1]

    def finish(self, manifest: Manifest) -> None:
        """The sums, the manifest, the end."""
        sums = "".join(f"{one.sha256}  {one.name}\n" for one in self.files)
        for name, raw in ((SUMS, sums.encode("utf-8", "surrogateescape")), (MANIFEST, manifest.raw())):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(raw), 0o600, manifest.at // 1000
            self._tar.addfile(entry, io.BytesIO(raw))
        self._tar.close()


def read(path: Path, sink: Sink, heed: Heed) -> Manifest:
    """Read a backup to its end, each file into the sink; what it says of itself, if all of it is true.

    Raises Refusal with what is wrong. Whoever kept what came must then throw it away.
    """
    found: list[File] = []
    words = b""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
            for entry in tar:
                if words:
                    raise _wrong(path, "something follows its manifest")
                if entry.name == MANIFEST:
                    words = _small(tar, entry, path)
                elif entry.name == SUMS:
                    _small(tar, entry, path)
                else:
                    found.append(_take(tar, entry, path, sink, heed))
                    if len(found) > MOST_FILES:
                        raise _wrong(path, f"it has more than {MOST_FILES} files")
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _wrong(path, f"it is cut off or is no backup ({error})") from error
    finally:
        sink.end()
    if not words:
        raise _wrong(path, "it has no manifest: it was cut off, or is no backup")
    manifest = _parsed(words, path)
    _compare(manifest.files, found, path)
    return manifest


class _Hashing:
    """A file that is read once, and what its bytes hash to."""

    def __init__(self, source: BinaryIO, heed: Heed) -> None:
        self._source, self._heed, self._hash = source, heed, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As a file has it."""
        piece = self._source.read(size)
        self._hash.update(piece)
        self._heed(len(piece))
        return piece

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _take(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path, sink: Sink, heed: Heed) -> File:
    if not entry.isreg() or entry.sparse is not None or not contents.is_name(entry.name):
        raise _wrong(path, f"{entry.name[:100]!r} has no place in one")
    source, digest = tar.extractfile(entry), hashlib.sha256()
    assert source is not None  # noqa: S101 (a plain file has content)
    sink.begin(entry.name)
    left = entry.size
    while left:
        piece = source.read(min(PIECE, left))
        if not piece:
            raise _wrong(path, "it is cut off")
        digest.update(piece)
        sink.write(piece)
        heed(len(piece))
        left -= len(piece)
    sink.end()
    return File(entry.name, entry.size, digest.hexdigest())


def _small(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> bytes:
    source = tar.extractfile(entry) if entry.isreg() and entry.size <= MOST_WORDS else None
    if source is None:
        raise _wrong(path, f"its {entry.name} is none")
    return source.read()


def _parsed(raw: bytes, path: Path) -> Manifest:
    try:
        words = json.loads(raw)
        seal, form = words.pop("seal"), words["format"]
        if seal != _seal(words):
            raise _wrong(path, "its manifest was changed")
        if form != FORMAT:
            raise _wrong(path, f"it is of format {form}, which this version does not know")
        words.pop("format")
        files = [File(str(name), int(size), str(sha256)) for name, size, sha256 in words.pop("files")]
        return Manifest(**words, files=files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _wrong(path, f"its manifest cannot be read ({type(error).__name__})") from error


def _compare(said: list[File], found: list[File], path: Path) -> None:
    if len({one.name for one in found}) != len(found):
        raise _wrong(path, "a name comes twice in it")
    for one, other in zip(said, found, strict=False):
        if one != other:
            raise _wrong(path, f"{other.name} is not what its manifest says")
    if len(said) != len(found):
        raise _wrong(path, f"it has {len(found)} files, and its manifest names {len(said)}")


def _seal(words: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(words, ensure_ascii=True, sort_keys=True).encode("ascii")).hexdigest()


def _wrong(path: Path, why: str) -> GuardianError:
    error = Refusal(f"cannot use the backup {path}, because {why}", fix="use another one; nothing was changed")
    error.code = "backup_broken"
    return error
