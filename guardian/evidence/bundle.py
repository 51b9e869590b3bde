"""A bundle: one directory that holds the evidence of one post, grows by phases and is sealed at the end of each.

One thread at a time. What files hold is on the disk when a method returns; the names of those that were added certainly
are when `seal` returns. Times are arguments, in milliseconds since 1970 (UTC).
"""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING, NamedTuple

from guardian import __version__
from guardian.errors import Illegal, Refusal, Unfound
from guardian.evidence import canonical, files, manifest, names, recovery, signing, stamps, tombstones, warc, words
from guardian.failpoint import failpoint

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer
    from guardian.model import Exchange

ABOUT = "bundle.json"
LONGEST_LINE = 1 << 20
TRIES = 64  # for a name that is free: four digits are few, when a post is captured again and again


class Seal(NamedTuple):
    """A seal: its number in the bundle, and the SHA-256 of the list that it signs."""

    n: int
    sha256: str


class Bundle:
    """The directory, open for what is added to it."""

    def __init__(self, path: Path, *, phase: int, mended: tuple[recovery.Mended, ...] = ()) -> None:
        """Use `create` or `open`. `mended` tells what a crash had left, and where that is now."""
        self.path = path
        self.phase = phase
        self.mended = mended
        self._sums: dict[str, str] = {}
        self._hashes: dict[str, hashlib._Hash] = {}  # of files that grow
        self._records: dict[str, int] = {}
        self._certificates: set[str] = set()
        self._unsynced: set[str] = set()  # logs of exchanges: `seal` brings them to the disk

    @classmethod
    def create(cls, root: Path, *, account: str, platform: str, platform_id: str, at: int) -> Bundle:
        """A new bundle below `root` (made if need be). Raises Unwritable, DiskFull."""
        for _ in range(TRIES):
            salt = secrets.token_hex(2)
            path = root / names.bundle_name(platform=platform, platform_id=platform_id, at=at, salt=salt)
            if not path.exists():
                break
        files.fresh_directory(path)
        bundle = cls(path, phase=1)
        about = {"account": account, "at": at, "bundle": path.name, "platform": platform, "platform_id": platform_id}
        bundle._put(ABOUT, canonical.written(about))
        return bundle

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """A bundle that exists, put in order after a crash. Raises Unfound, Refusal, Unwritable."""
        if not path.is_dir() or path.is_symlink():
            raise Unfound(f"cannot open the bundle {path}, because there is none", fix="run `guardian evidence list`")
        mended = tuple(recovery.mended(path))
        bundle = cls(path, phase=recovery.phase(path), mended=mended)
        bundle._look_around()
        for one in mended:
            line = {"bytes": one.size, "file": one.file, "kept_as": one.kept_as, "why": one.why}
            bundle.append("recovery.jsonl", canonical.written(line))
        return bundle

    @property
    def name(self) -> str:
        """The directory's name, by which the journal knows the bundle."""
        return self.path.name

    def about(self) -> dict[str, object]:
        """What it is about: account, platform, platform_id, at. Raises Refusal."""
        return canonical.table(files.read(self.path, ABOUT, limit=1 << 16))

    def is_behind(self) -> bool:
        """Whether somebody else has sealed the phase that this one writes into: then it must be opened anew."""
        return self.has(names.manifest(self.phase))

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return names.is_plain(name) and (self.path / name).is_file()

    def current(self, name: str) -> str:
        """The file in which `checks.jsonl` (or another that grows) goes on in this phase: `checks-2.jsonl`."""
        return names.growing(name, self.phase)

    def add(self, name: str, data: bytes) -> str:
        """Keep a file for ever; its SHA-256. Raises Mistake for a name that is none, Refusal when it exists."""
        self._put(names.checked(name), data)
        return self._sums[name]

    def append(self, name: str, line: bytes) -> None:
        """Add a line to `checks.jsonl`, `custody.jsonl` (or another that grows). Raises Mistake, Unwritable."""
        data = line.rstrip(b"\n") + b"\n"
        if b"\n" in data[:-1] or len(data) > LONGEST_LINE:
            raise Refusal(f"cannot append to {name}, because that is not one line of at most {LONGEST_LINE} bytes")
        self._grow(names.growing(name, self.phase), data)

    def exchange(self, exchange: Exchange, *, others: bool = False) -> str | None:
        """Archive a request and its answer (`others`: third parties' words); the response's record id.

        None when no answer came: that is noted, and there is no record. Raises Unwritable.
        """
        warc_name = self.current("warc/third-party.warc.gz" if others else "warc/post.warc.gz")
        log = "third-party/exchanges.jsonl" if others else "exchanges.jsonl"
        certificate = self._certificate(exchange.certificate) if exchange.certificate else None
        written = warc.written(exchange) if exchange.status else None
        if written is not None:
            head = self._head(warc_name, exchange.began_at)
            self._grow(warc_name, head + written.data)
            self._records[warc_name] = self._records.get(warc_name, 1) + written.records
        line: dict[str, object] = {
            "began_at": exchange.began_at,
            "began_ns": str(exchange.began),
            "bytes": len(exchange.body),
            "certificate": certificate,
            "ended_ns": str(exchange.ended),
            "file": warc_name if written else None,
            "method": exchange.method,
            "peer": exchange.peer,
            "record": written.response_id if written else None,
            "sha256": hashlib.sha256(exchange.body).hexdigest() if not others else None,  # a short reply can be guessed
            "status": exchange.status,
            "tls": exchange.tls,
            "truncated": written.truncated if written else None,
            "url": exchange.url,
            "why": exchange.why,
        }
        self._grow(self.current(log), canonical.written(line) + b"\n", sync=False)
        return written.response_id if written else None

    def seal(self, signer: Signer, *, at: int, allowed: str = "") -> Seal:
        """Close this phase: list every file with its hash, and sign the list. A few ms on an idle disk.

        `allowed`: the house's list of allowed signers, in force from this seal on (default: this key alone).
        Raises Unwritable, DiskFull, and Refusal when the list does not hold this key.
        """
        n = self.phase
        pieces = self._signers(signer, allowed)
        if not self.has(names.README):
            pieces[names.README] = words.readme(self.name, identity=signer.identity).encode("utf-8")
        pieces[names.contents(n)] = canonical.written(self._contents(signer, at))
        data = manifest.written({**self._listed(n), **_hashed(pieces)})
        failpoint("evidence.sealing")
        pieces |= {names.manifest(n): data, f"{names.manifest(n)}.sig": signer.sign(data)}
        self._to_the_disk(pieces)
        self._sums |= _hashed(pieces)
        self.phase = n + 1
        self._records.clear()
        self._hashes.clear()
        return Seal(n, hashlib.sha256(data).hexdigest())

    def seals(self) -> tuple[Seal, ...]:
        """The seals it has, first one first. Raises Refusal."""
        return tuple(Seal(n, files.sha256(self.path, names.manifest(n))) for n in range(1, self.phase))

    def sums(self) -> dict[str, str]:
        """The hash of every file that a seal of now would list."""
        return self._listed(self.phase)

    def keep_stamp(self, pieces: dict[str, bytes], keys: dict[str, bytes]) -> None:
        """Keep the pieces of a stamp and the keys that check it. For `stamps` alone, which has checked them.

        The last piece is the response: what a crash left without it is replaced.
        """
        if self.has(list(pieces)[-1]):
            raise Refusal(f"cannot keep {list(pieces)[-1]}, because there is one already in {self.name}")
        for name in pieces:
            self.forget(name)
        new = {**{name: data for name, data in keys.items() if not self.has(name)}, **pieces}
        self.append(stamps.LOG, stamps.pieces(new))
        for name, data in new.items():
            self._put(name, data)

    def forget(self, name: str) -> None:
        """Remove a file from the disk. For `erasure` alone, which leaves the tombstone."""
        with files.in_words(self.path / name):
            if os.path.lexists(self.path / name):
                (self.path / name).unlink()
                files.sync_directory((self.path / name).parent)
        self._sums.pop(name, None)

    def _put(self, name: str, data: bytes) -> None:
        if self.has(name):
            raise Refusal(f"cannot keep {name}, because there is one already in {self.name}; it was left as it is")
        files.write_part(self.path, name, data)
        files.settle(self.path, name)
        self._sums[name] = hashlib.sha256(data).hexdigest()

    def _grow(self, name: str, data: bytes, *, sync: bool = True) -> None:
        files.append(self.path, name, data, sync=sync)
        if not sync:
            self._unsynced.add(name)
        self._hashes.setdefault(name, hashlib.sha256()).update(data)
        self._sums[name] = self._hashes[name].hexdigest()

    def _head(self, name: str, at: int) -> bytes:
        """The record with which an archive begins; nothing when it has begun."""
        if name in self._records:
            return b""
        software = f"post-guardian {__version__}"
        return warc.opening(filename=name.rpartition("/")[2], part_of=self.name, software=software, at=at)

    def _certificate(self, der: bytes) -> str:
        """The peer's certificate, kept once; the name of its file."""
        name = f"certificates/{hashlib.sha256(der).hexdigest()[:16]}.der"
        if name not in self._certificates and not self.has(name):
            self._put(name, der)
        self._certificates.add(name)
        return name

    def _signers(self, signer: Signer, allowed: str) -> dict[str, bytes]:
        """The list of signers that this seal is checked against lies in the bundle: what must be added for that."""
        own = signing.allowed_signers(signer.identity, signer.public)
        lists = sorted((name for name in self._sums if name.startswith(names.SIGNERS)), key=_by_number)
        latest = files.read(self.path, lists[-1], limit=signing.MOST).decode("utf-8", "replace") if lists else ""
        wanted = allowed or (latest if _holds(latest, signer) else latest + own)
        if not _holds(wanted, signer):
            raise Illegal("cannot seal, because the list of allowed signers does not hold the key that seals")
        name = f"{names.SIGNERS}-{self.phase}" if lists else names.SIGNERS
        return {name: wanted.encode("utf-8")} if wanted != latest else {}

    def _to_the_disk(self, pieces: dict[str, bytes]) -> None:
        """These files, and all that was written before them; the last one is there only if all others are."""
        for name in pieces:
            self.forget(name)  # of a try that the disk refused
        for name in sorted(self._unsynced):
            files.sync_file(self.path, name)
        self._unsynced.clear()
        files.write_parts(self.path, pieces)
        *others, last = pieces
        for name in others:
            files.settle(self.path, name)
        for folder in sorted(files.folders([*self._sums, *pieces])):
            if (self.path / folder).is_dir():
                files.sync_directory(self.path / folder)
        files.settle(self.path, last)
        files.sync_directory(self.path)

    def _contents(self, signer: Signer, at: int) -> dict[str, object]:
        previous = self._sums.get(names.manifest(self.phase - 1))
        key = signing.fingerprint(signer.public)
        return {
            "at": at, "bundle": self.name, "identity": signer.identity, "key": key, "previous": previous,
            "records": dict(self._records), "seal": self.phase, "tool": f"post-guardian {__version__}",
        }  # fmt: skip

    def _listed(self, n: int) -> dict[str, str]:
        """Every file that seal n covers; what this process did not write is read."""
        for name in files.listed(self.path):
            if name not in self._sums and names.covered(name, n) and names.is_plain(name):
                self._sums[name] = files.sha256(self.path, name)
        return {name: sha256 for name, sha256 in self._sums.items() if names.covered(name, n)}

    def _look_around(self) -> None:
        """What earlier seals list counts as they list it; what came since is read."""
        for n in range(1, self.phase):
            self._sums.update(manifest.parsed(files.read(self.path, names.manifest(n))))
        for name in tombstones.erased(self.path):
            if not self.has(name):
                self._sums.pop(name, None)
        for name in files.listed(self.path):
            if names.phase_of(name) == self.phase:
                data = files.read(self.path, name)
                self._hashes[name] = hashlib.sha256(data)
                if names.is_warc(name):
                    self._records[name] = warc.whole_length(data)[1]
            if name not in self._sums and names.is_plain(name) and names.covered(name, self.phase):
                self._sums[name] = files.sha256(self.path, name)


def _hashed(pieces: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in pieces.items()}


def _by_number(name: str) -> tuple[int, str]:
    return len(name), name


def _holds(text: str, signer: Signer) -> bool:
    return any(one.public == signer.public and one.identity == signer.identity for one in signing.known(text))
