"""How single values of the configuration are read: durations, names, addresses, paths, zones.

Every reader returns the value in the form the house uses, or raises `Bad`, which never repeats what stood there: it may
have been a secret in the wrong place, and the line number tells where to look.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import zoneinfo
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from guardian.errors import Mistake
from guardian.fence.scopes import is_name
from guardian.model import Capture

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SOCKET_PATH = 107  # bytes that the kernel has room for in the address of a Unix socket, less the closing zero
MAX_PORT = 65535
MAX_IDENTITY = 320
MAX_AUTHORITY = 500
MOST_AUTHORITIES = 8
MAX_GUESS = 64  # comparing is quadratic; nobody misspells a longer word
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit}(?![a-z]))?" for unit, _ in UNITS))
HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,31}")
ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
BLUESKY = re.compile(r"@?([a-z0-9-]+\.)+[a-z0-9-]+|did:[a-z]+:[a-z0-9.:%-]+", re.ASCII | re.IGNORECASE)
HANDLE = re.compile(r"@[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?@\w(?:[\w.-]*\w)?(?::[0-9]{1,5})?")
REDDITOR = re.compile(r"u/[\w-]{3,30}", re.ASCII)


class Bad(ValueError):
    """cannot use a value of the configuration; the reason and the remedy are its two fields."""

    def __init__(self, because: str, do: str) -> None:
        super().__init__(because, do)
        self.because = because
        self.do = do


def parse_duration(text: str) -> int:
    """Milliseconds in `15m`, `2h30m`, `45s`, `1d`, `250ms`, `0s`: units from large to small, each at most once."""
    match = DURATION.fullmatch(text)
    if not text or match is None:
        raise Mistake(
            "cannot read the duration, because it is not made of whole numbers with units, from large to small",
            fix='write it like "45s", "15m", "2h30m", "1d" or "250ms"',
        )
    return sum(int(amount or 0) * size for amount, (_, size) in zip(match.groups(), UNITS, strict=True))


def duration(value: object, least: str, most: str) -> int:
    """A duration in milliseconds, from `least` to `most`."""
    example = 'write it in quotes, like "45s", "15m" or "2h30m"'
    if not isinstance(value, str):
        raise Bad("it is no duration", example)
    try:
        length = parse_duration(value)
    except Mistake:
        raise Bad("it is not made of whole numbers with units, from large to small", example) from None
    if not parse_duration(least) <= length <= parse_duration(most):
        raise Bad("it is too short or too long", f'choose something from "{least}" to "{most}"')
    return length


def name(text: str) -> str:
    """The name of an account, a platform or a brand; it becomes part of a file's name in the fence."""
    if not is_name(text) or ".." in text:
        raise Bad(
            "it names a file of the fence and has other letters than that allows",
            "use at most 63 of a-z, 0-9, '.', '_', '-', with a letter or digit first and never two dots in a row",
        )
    return text


def directory(text: str) -> str:
    """An absolute path, in the same normal form in which the stop reads it."""
    if not text.startswith("/") or not text.isprintable():
        raise Bad("it is no absolute path of printable letters", "write the whole path, beginning with /")
    return os.path.normpath(text)


def runtime_directory(text: str) -> str:
    """An absolute path that leaves room for the name of a socket."""
    path = directory(text)
    if len(f"{path}/control.sock".encode()) > MAX_SOCKET_PATH:
        raise Bad("a Unix socket in it would have a longer address than the kernel takes", "choose a shorter path")
    return path


def store_url(text: str) -> str:
    """Which store; only one exists so far."""
    if text != "sqlite":
        raise Bad("SQLite is the only store that exists so far", 'write url = "sqlite"')
    return text


def zone(text: str) -> str:
    """A zone of the IANA list, such as Europe/Stockholm."""
    try:
        if ZONE.fullmatch(text):
            zoneinfo.ZoneInfo(text)
            return text
    except (ValueError, OSError, KeyError):
        pass  # not there, a folder, or no zone file: all the same to the person who wrote it
    best = nearest(text, zoneinfo.available_timezones())
    raise Bad("no time zone has that name", f'write "{best}"' if best else 'write one like "Europe/Stockholm" or "UTC"')


def group(text: str) -> str:
    """The name of a Unix group; whether this host has it is not asked, another host may be meant."""
    if not GROUP.fullmatch(text):
        raise Bad("a Unix group cannot have that name", 'write it like "guardian-operate"')
    return text


def listen(text: str) -> str:
    """A host and a port to listen on."""
    parts = _split(f"//{text}")
    port = _port(parts) if parts else None
    if parts is None or not port or not _is_host(parts) or parts.netloc != text or "@" in text:
        raise Bad("it is no host with a port", 'write it like "127.0.0.1:9464" or "[::1]:9464"')
    return text


def base_url(text: str) -> str:
    """The address of a platform: https, or http on this host alone; without slash at the end."""
    parts = _split(text)
    port = _port(parts) if parts else None
    if parts is None or not _is_host(parts) or port is None or parts.scheme not in ("http", "https"):
        raise Bad("it is no address of a server", 'write it like "https://mastodon.example"')
    if "@" in parts.netloc:
        raise Bad(
            "a user or password stands in it", "remove everything before the @; secrets have a table of their own"
        )
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise Bad("it has more than a server's name", 'end it after the host and port, like "https://mastodon.example"')
    host = (parts.hostname or "").lower()
    if parts.scheme == "http" and not _is_loopback(host):
        raise Bad("http would show the token to everybody on the way", "write https:// (http is for this host only)")
    shown = f"[{host}]" if ":" in host else host
    standard = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (0, standard) else "")


def capture(text: str) -> str:
    """What a takedown does by itself when the proof cannot be had in time. To skip it is decided order by order."""
    if text not in (Capture.BEST_EFFORT, Capture.REQUIRE):
        raise Bad("no policy for everything has that name", f'write "{Capture.BEST_EFFORT}" or "{Capture.REQUIRE}"')
    return text


def whole_path(text: str) -> str:
    """The absolute path of a file; empty: the usual one."""
    if text and (not text.startswith("/") or not text.isprintable()):
        raise Bad("it is no absolute path of printable letters", 'write the whole path, or "" for the usual one')
    return text


def authority(text: str) -> str:
    """The address of an authority that stamps the time (RFC 3161). Plain http is usual: the answer is signed."""
    parts = _split(text) if len(text) <= MAX_AUTHORITY else None
    if parts is None or parts.scheme not in ("http", "https") or not _is_host(parts) or _port(parts) is None:
        raise Bad("it is no address of an authority", 'write it like "https://tsa.example/tsr"')
    if "@" in parts.netloc or "#" in text:
        raise Bad("a user, a password or a fragment stands in it", "write the address alone")
    return text


def authorities(found: tuple[str, ...]) -> tuple[str, ...]:
    """All of them: few, each once."""
    if len(found) > MOST_AUTHORITIES:
        raise Bad("each stamp would be asked from too many", f"name at most {MOST_AUTHORITIES}")
    if len(set(found)) != len(found):
        raise Bad("one stands there twice", "name each once")
    return found


def identity(text: str, platform: str | None) -> str:
    """Who the platform should say that we are; on Mastodon always with the server, on Bluesky the whole handle."""
    if not text.strip() or len(text) > MAX_IDENTITY or not text.isprintable():
        raise Bad("it is empty, too long or unprintable", "write the name that the platform shows for the account")
    if platform == "mastodon" and not HANDLE.fullmatch(text):
        raise Bad("it is no full Mastodon address", 'write it with the server, like "@acme@mastodon.example"')
    if platform == "reddit" and not REDDITOR.fullmatch(text):
        raise Bad("it is no name of an account at Reddit", 'write it as Reddit does, like "u/acme_official"')
    if platform == "bluesky" and not BLUESKY.fullmatch(text):
        raise Bad("it is no handle of Bluesky, and no DID", 'write it like "@acme.bsky.social"')
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant."""
    if len(word) > MAX_GUESS:
        return None
    by_small = {each.lower(): each for each in sorted(known)}
    found = difflib.get_close_matches(word.lower(), by_small, n=1)
    return by_small[found[0]] if found else None


def _split(text: str) -> SplitResult | None:
    # urlsplit quietly drops tabs and line ends; an address that needs that is not what it seems
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        return None
    try:
        return urlsplit(text)
    except ValueError:
        return None


def _port(parts: SplitResult) -> int | None:
    """The port; 0 when none is written, None when it is none."""
    try:
        port = parts.port
    except ValueError:
        return None
    if port is None:
        return 0
    return port if 0 < port <= MAX_PORT else None


def _is_host(parts: SplitResult) -> bool:
    host = (parts.hostname or "").lower()
    return _address(host) is not None if ":" in host else HOST.fullmatch(host) is not None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    address = _address(host)
    return address is not None and (address in ipaddress.ip_network("127.0.0.0/8") or str(address) == "::1")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None
