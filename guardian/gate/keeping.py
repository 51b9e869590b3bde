"""What a platform has given an account in place of its login, kept for the next start: one sealed file per account.

Some logins are good for one use: each refresh token comes with its successor, and whoever loses that has lost the
account. So it goes to the disk before anybody uses it, and all adapters of an account, in every process, have one turn.

The seal (AES-GCM) is made of the account's own configured secrets, made dear by scrypt: the file alone is worth
nothing to a thief, a backup of the state holds no token in clear, and when a person configures another secret, what
was kept under the old one opens no more and is forgotten. Any thread.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import threading
import time
from typing import TYPE_CHECKING

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardian import masking
from guardian.errors import Doubt
from guardian.fence.scopes import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardian.model import Account

SESSIONS = "sessions"  # where in the house's state
MAGIC = b"guardian kept 1\n"
SALT, NONCE = 16, 12
MOST = 64 * 1024  # bytes that are kept
WITHIN = 20.0  # seconds for a turn; whoever has it asks the platform one thing, which has a deadline of its own
GLANCE = 0.02
COST, BLOCK, TIMES = 1 << 10, 8, 16  # of scrypt: some 50 ms once for each salt, in 1 MiB: of 16 the allocator kept
# as many as there are threads, 65 MB for thirty accounts
log = structlog.get_logger()
_rooms_lock = threading.Lock()
_rooms: dict[str, threading.Lock] = {}
_memory: dict[str, bytes] = {}


class SealedKeeping:
    """What is kept of one account. `place` is a directory of the house's state; None: in memory alone."""

    def __init__(self, account: Account, place: Path | None) -> None:
        self._name = account.name
        self._place = place
        parts = [account.name, account.platform, account.base_url, account.identity]
        for name, secret in sorted(account.secrets.items()):
            parts += [name, secret.reveal()]
        self._key = hashlib.sha256("\0".join(parts).encode()).digest()
        self._said = MAGIC + account.name.encode()
        self._keys: dict[bytes, bytes] = {}
        self._room = f"{place}/{account.name}" if place is not None else self._key.hex()
        with _rooms_lock:
            self._turn = _rooms.setdefault(self._room, threading.Lock())

    @contextlib.contextmanager
    def turn(self, *, within: float = WITHIN) -> Iterator[None]:
        """Be the only one who renews this account's login, here and in every other process.

        Raises Doubt when that does not come about in `within` seconds.
        """
        until = time.monotonic() + within
        if not self._turn.acquire(timeout=max(within, 0)):
            raise self._nobody_came()
        try:
            with self._lock(until) if self._place is not None else contextlib.nullcontext():
                yield
        finally:
            self._turn.release()

    def read(self) -> bytes | None:
        """What was kept; None: nothing, or what nobody can open any more.

        Raises Doubt when the disk does not say: whoever took that for nothing would log in with what is spent.
        """
        if self._place is None:
            return _memory.get(self._room)
        try:
            sealed = self._sealed()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Doubt(
                f"cannot read the login that was kept for {self._name}, because {error.strerror or 'an error'}",
                fix=f"mend {self._path}, or remove it: then the configured secrets are used",
            ) from None
        return self._opened(sealed)

    def write(self, data: bytes) -> None:
        """Keep this in the place of what was there; it is on the disk when this returns.

        Raises Doubt when it cannot be kept. What was kept before is then still there.
        """
        if len(data) > MOST:
            raise self._cannot_keep(f"it is larger than {MOST} bytes")
        masking.keep_what_is_handed_out(data)
        if self._place is None:
            _memory[self._room] = data
            return
        salt, nonce = os.urandom(SALT), os.urandom(NONCE)
        if self._keys:  # a salt is as good the second time; a key costs 50 ms
            salt = next(iter(self._keys))
        sealed = MAGIC + salt + nonce + AESGCM(self._key_for(salt)).encrypt(nonce, data, self._said)
        try:
            make_private(str(self._place))
            self._replace(sealed)
        except OSError as error:
            raise self._cannot_keep(error.strerror or "an error") from None

    def _sealed(self) -> bytes:
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "it is no file")
            return file.read(2 * MOST)

    def _opened(self, sealed: bytes) -> bytes | None:
        salt, nonce = sealed[len(MAGIC) :][:SALT], sealed[len(MAGIC) + SALT :][:NONCE]
        if not sealed.startswith(MAGIC) or len(nonce) < NONCE:
            log.warning("kept login unreadable", account=self._name, why="it is damaged")
            return None
        try:
            kept = AESGCM(self._key_for(salt)).decrypt(nonce, sealed[len(MAGIC) + SALT + NONCE :], self._said)
        except InvalidTag:
            log.info("kept login forgotten", account=self._name, why="it was sealed under other secrets, or is damaged")
            return None
        masking.keep_what_is_handed_out(kept)  # before anybody has it
        return kept

    def _key_for(self, salt: bytes) -> bytes:
        if salt not in self._keys:
            self._keys = {salt: hashlib.scrypt(self._key, salt=salt, n=COST, r=BLOCK, p=TIMES, dklen=32)}
        return self._keys[salt]

    def _replace(self, sealed: bytes) -> None:
        """Beside it first, then in its place, then the directory: a crash leaves the old one or the new one."""
        beside = f"{self._path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)  # noqa: PTH108 (what a crash left; whoever writes has the turn)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(fd)
        os.replace(beside, self._path)  # noqa: PTH105 (plain paths, as the fence's)
        above = os.open(str(self._place), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(above)
        finally:
            os.close(above)

    @contextlib.contextmanager
    def _lock(self, until: float) -> Iterator[None]:
        """Other processes' turn. Closing the file ends it, and so does a crash."""
        try:
            make_private(str(self._place))
            fd = os.open(
                f"{self._place}/{self._name}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except OSError as error:
            raise self._cannot_keep(error.strerror or "an error") from None
        try:
            while not _locked(fd):
                if time.monotonic() >= until:
                    raise self._nobody_came()
                time.sleep(GLANCE)
            yield
        finally:
            os.close(fd)

    @property
    def _path(self) -> str:
        return f"{self._place}/{self._name}.sealed"

    def _nobody_came(self) -> Doubt:
        return Doubt(f"cannot renew the login of {self._name}, because somebody else has been at it for too long")

    def _cannot_keep(self, why: str) -> Doubt:
        return Doubt(
            f"cannot keep the login of {self._name}, because {why}",
            fix=f"mend {self._place or 'that'}; until then each start needs the configured secrets",
        )


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
