"""The order of addresses in an archive's index: `https://www.m.example:443/A?b` becomes `example,m)/a?b`. Pure.

Only http and https. A test holds it to the package `surt`; session ids in addresses are left as they are, and so are
hosts in numbers other than `a.b.c.d`.
"""

from __future__ import annotations

import contextlib
import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

_ADDRESS = re.compile(rb"(?P<scheme>https?)://(?P<where>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?", re.IGNORECASE)
_WWW = re.compile(rb"www\d*\.")
_STEERING = re.compile(rb"[\r\n\t]")
_SAFE = rb"""!"$&'()*+,-./:;<=>?@[\]^_`{|}~"""
_DEFAULT = {b"http": b"80", b"https": b"443"}


def surt(url: str) -> str:
    """The key under which replay programs look an address up; what is no http(s) address is its own key."""
    found = _ADDRESS.match(_STEERING.sub(b"", url.strip().encode("utf-8", "surrogatepass")))
    if found is None:
        return url
    where = found["where"].rpartition(b"@")[2]
    host, colon, port = _parts(where)
    if port == _DEFAULT[found["scheme"].lower()]:
        colon = port = b""
    key = b",".join(reversed(_host(host).split(b"."))) + colon + port + b")" + _path(found["path"])
    query = _query(found["query"] or b"")
    return (key + (b"?" + query if query else b"")).decode("ascii", "replace")


def _parts(where: bytes) -> tuple[bytes, bytes, bytes]:
    """Host, colon, port."""
    if where.startswith(b"["):
        host, _, rest = where[1:].partition(b"]")
        return host, rest[:1], rest[1:]
    return where.partition(b":")


def _host(raw: bytes) -> bytes:
    host = _unquoted(raw)
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            host = host.decode("utf-8", "ignore").encode("idna")
    host = _quoted(host.replace(b"..", b".").strip(b".").lower())
    return host[len(found[0]) :] if (found := _WWW.match(host)) else host


def _path(raw: bytes) -> bytes:
    """Without dot segments and doubled slashes, in small letters, without the last slash."""
    kept: list[bytes] = []
    for piece in _unquoted(raw).split(b"/")[1:]:
        if piece == b".." and kept:
            kept.pop()
        elif piece != b".":
            kept.append(piece)
    path = b"/" + b"".join(piece + b"/" for piece in kept[:-1] if piece) + (kept[-1] if kept else b"")
    path = _quoted(path).lower()
    return path[:-1] if path.endswith(b"/") and len(path) > 1 else path


def _query(raw: bytes) -> bytes:
    """In small letters, sorted."""
    query = _quoted(_unquoted(raw)).lower()
    return b"&".join(b"=".join(pair) for pair in sorted(tuple(one.split(b"=", 1)) for one in query.split(b"&")))


def _unquoted(text: bytes) -> bytes:
    while (plain := unquote_to_bytes(text)) != text:
        text = plain
    return text


def _quoted(text: bytes) -> bytes:
    return quote_from_bytes(text, safe=_SAFE).encode("ascii")
