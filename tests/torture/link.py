"""A link that can be cut and healed: network namespaces made for one row, and rules of nft that drop on arrival.

Nothing in them can leave this machine: they have the loopback, or one cable between the two of them, and no route.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUSE, FAR = "10.213.0.1", "10.213.0.2"
LOOPBACK = "127.0.0.1"
CLONE_NEWNET = 0x40000000
OWN = "/proc/thread-self/ns/net"
CHAIN = "{ type filter hook input priority filter; }"
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def why_not() -> str:
    """Why no link can be made here; empty when it can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    missing = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    return f"needs {' and '.join(missing)} (iproute2, nftables)" if missing else ""


class Link:
    """In a `with`, the calling thread, and all that it starts, is at the platform's end; `at_the_house` is the other.

    Without a cable both ends are the loopback of one namespace.
    """

    def __init__(self, *, cable: bool) -> None:
        self._house = f"torture-{os.getpid()}-{next(_numbers)}"
        self._far = f"{self._house}-far" if cable else self._house
        self.ports: set[int] = set()
        self.address = FAR if cable else LOOPBACK
        self._home = -1

    def __enter__(self) -> Self:
        self._home = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._make()
            _go_to(f"/run/netns/{self._far}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        _enter(self._home)
        os.close(self._home)
        for name in {self._house, self._far}:
            subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True, timeout=30)

    def _make(self) -> None:
        for name in sorted({self._house, self._far}):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
            _nft(name, "add table inet torture", f"add chain inet torture arriving {CHAIN}")
        if self._house == self._far:
            return
        _run(
            "ip", "-n", self._house, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self._far
        )
        for name, address in ((self._house, HOUSE), (self._far, FAR)):
            _run("ip", "-n", name, "address", "add", f"{address}/30", "dev", "cable")
            _run("ip", "-n", name, "link", "set", "cable", "up")

    @contextlib.contextmanager
    def at_the_house(self) -> Iterator[None]:
        """What this thread starts in the block is at the house's end."""
        _go_to(f"/run/netns/{self._house}")
        try:
            yield
        finally:
            _go_to(f"/run/netns/{self._far}")

    def cut(self) -> None:
        """From now on nothing arrives, either way."""
        self.lose_requests()
        self.lose_answers()

    def lose_requests(self, *, larger_than: int = 0) -> None:
        """Packets to the platform that are larger than this (with all heads) do not arrive."""
        _nft(self._far, f"add rule inet torture arriving tcp dport {self._set} meta length > {larger_than} drop")

    def lose_answers(self) -> None:
        """Nothing from the platform arrives, acknowledgements neither."""
        _nft(self._house, f"add rule inet torture arriving tcp sport {self._set} drop")

    def heal(self) -> None:
        """Everything arrives again."""
        for name in {self._house, self._far}:
            _nft(name, "flush chain inet torture arriving")

    @property
    def _set(self) -> str:
        return "{ " + ", ".join(map(str, sorted(self.ports))) + " }"


def _nft(name: str, *commands: str) -> None:
    _run("ip", "netns", "exec", name, "nft", "; ".join(commands))


def _run(*words: Iterable[str]) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=30)


def _go_to(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(fd)
    finally:
        os.close(fd)


def _enter(fd: int) -> None:
    """Of this thread alone; `os.setns` came with Python 3.12."""
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot enter the network namespace")
