"""Exchanges as WARC 1.1 records, and records read back. Pure: bytes in, bytes out. The one place that calls warcio.

Each record is a gzip member of its own. Digests are SHA-256 of the block (what stands after the record's head) and of
the payload (what stands after HTTP's head). Bodies stay as they came, but for the chunks of HTTP: whoever reads the
archive would look for chunks, so that header is renamed.
"""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from guardian.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guardian.model import Exchange

VERSION = "WARC/1.1"
PACKED = ("image/", "video/", "audio/", "application/zip")  # packing them again costs time and gains nothing
MOST_RECORD = 256 << 20  # bytes of one record, unpacked
CHUNK = 1 << 16
_BODILESS = frozenset({204, 304})
_ORIGINAL = "X-Archive-Orig-"
_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Records as they go to the disk: the gzip members, how many they are, the ids, why the body is not whole."""

    data: bytes
    records: int
    response_id: str
    request_id: str
    truncated: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record read back: its place in the file, its head, its block."""

    offset: int
    length: int
    headers: tuple[tuple[str, str], ...]
    block: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def payload(self) -> bytes:
        """What stands after HTTP's head."""
        return self.block.partition(b"\r\n\r\n")[2]


def opening(*, filename: str, part_of: str, software: str, at: int) -> bytes:
    """The record with which each file begins: who wrote it."""
    words = f"software: {software}\r\nformat: WARC File Format 1.1\r\nisPartOf: {part_of}\r\n".encode()
    head = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", _new_id()),
        ("WARC-Date", _date(at)),
        ("WARC-Filename", filename),
    ]
    return _member([*head, ("Content-Type", "application/warc-fields")], words, level=6)


def written(exchange: Exchange) -> Written:
    """The response and the request that it answers. Raises nothing for what a platform may say."""
    truncated = _truncated(exchange)
    response_id, request_id = _new_id(), _new_id()
    shared = [
        ("WARC-Date", _date(exchange.began_at)),
        ("WARC-Target-URI", printable_uri(exchange.url)),
        *_connection(exchange),
    ]
    answer = [("WARC-Type", "response"), ("WARC-Record-ID", response_id), *shared]
    answer += [("WARC-Truncated", truncated)] if truncated else []
    question = [("WARC-Type", "request"), ("WARC-Record-ID", request_id), *shared, ("WARC-Concurrent-To", response_id)]
    kind = next((value for name, value in exchange.response_headers if name.lower() == "content-type"), "")
    members = [
        _member([*answer, *_http("response")], _response(exchange), level=0 if kind.startswith(PACKED) else 6),
        _member([*question, *_http("request")], _request(exchange), level=6),
    ]
    return Written(
        data=b"".join(members), records=2, response_id=response_id, request_id=request_id, truncated=truncated
    )


def printable_uri(url: str) -> str:
    """The address with everything percent-encoded that is no printable ASCII."""
    return "".join(
        letter
        if "!" <= letter <= "~" and letter not in "<>"
        else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))
        for letter in url
    )


def scanned(data: bytes) -> Iterator[Record]:
    """The records of a file, each of which is a gzip member of its own, digests checked. Raises Refusal."""
    offset = 0
    while offset < len(data):
        raw, length = _unpacked(data, offset)
        headers, block = _parsed(raw, offset)
        yield Record(offset=offset, length=length, headers=headers, block=block)
        offset += length


def whole_length(data: bytes) -> tuple[int, int]:
    """How many bytes from the start are whole records, and how many records: what a crash cut off stands behind."""
    offset = count = 0
    while offset < len(data):
        try:
            raw, length = _unpacked(data, offset)
            _parsed(raw, offset)
        except Refusal:
            break
        offset, count = offset + length, count + 1
    return offset, count


def digest(data: bytes) -> str:
    """SHA-256 as WARC writes it."""
    return "sha256:" + base64.b32encode(hashlib.sha256(data).digest()).decode("ascii")


def _member(headers: Sequence[tuple[str, str]], block: bytes, *, level: int) -> bytes:
    """One record as one gzip member, whose own clock says nothing."""
    lines = [*headers, ("WARC-Block-Digest", digest(block))]
    if ("WARC-Type", "warcinfo") not in headers:
        lines.append(("WARC-Payload-Digest", digest(block.partition(b"\r\n\r\n")[2])))
    kind = next(value for name, value in headers if name == "WARC-Type")
    content_type = next(value for name, value in headers if name == "Content-Type")
    head = StatusAndHeaders("", lines, protocol=VERSION)
    record = ArcWarcRecord("warc", kind, head, io.BytesIO(block), None, content_type, len(block))
    out = io.BytesIO()
    WARCWriter(out, gzip=False, warc_version=VERSION).write_record(record)
    packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    return packer.compress(out.getvalue()) + packer.flush()


def _request(exchange: Exchange) -> bytes:
    there = urlsplit(printable_uri(exchange.url))
    target = (there.path or "/") + (f"?{there.query}" if there.query else "")
    return _head(f"{exchange.method} {target} HTTP/1.1", exchange.request_headers) + exchange.request_body


def _response(exchange: Exchange) -> bytes:
    return _head(f"HTTP/1.1 {exchange.status} {exchange.reason}".rstrip(), _renamed(exchange)) + exchange.body


def _head(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [_one_line(first), *(f"{_one_line(name)}: {_one_line(value)}" for name, value in headers)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1", "backslashreplace")


def _one_line(text: str) -> str:
    """No header ends before it ends."""
    return text.replace("\r", " ").replace("\n", " ").replace("\0", " ")


def _renamed(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """The headers that no longer describe the body that is kept go under another name."""
    unpacked = _is_unpacked(exchange)
    for name, value in exchange.response_headers:
        low = name.lower()
        if (low == "transfer-encoding" and "chunked" in value.lower()) or (
            unpacked and low in {"content-encoding", "content-length"}
        ):
            yield _ORIGINAL + name, value
        else:
            yield name, value


def _is_unpacked(exchange: Exchange) -> bool:
    """Whether the body was unpacked on its way here, though its header says that it is packed."""
    said = next((value for name, value in exchange.response_headers if name.lower() == "content-encoding"), "")
    magic = _MAGIC.get(said.strip().lower())
    return magic is not None and bool(exchange.body) and not exchange.body.startswith(magic)


def _truncated(exchange: Exchange) -> str | None:
    """WARC's word for why a body is not whole, or None."""
    said = next((value for name, value in exchange.response_headers if name.lower() == "content-length"), "")
    bodiless = exchange.method == "HEAD" or exchange.status in _BODILESS or _is_unpacked(exchange)
    short = not bodiless and said.strip().isdecimal() and len(exchange.body) < int(said[:20])
    if not short and not exchange.why:
        return None
    for word, hints in {"length": ("larg", "limit", "long"), "time": ("time", "late", "deadline")}.items():
        if any(hint in exchange.why.lower() for hint in hints):
            return word
    return "disconnect" if short else "unspecified"


def _connection(exchange: Exchange) -> Iterator[tuple[str, str]]:
    address = exchange.peer.rpartition(":")[0].strip("[]")
    if address:
        yield "WARC-IP-Address", _one_line(address)
    yield "WARC-Protocol", "http/1.1"
    if exchange.tls:
        version, _, suite = _one_line(exchange.tls).partition(" ")
        yield "WARC-Protocol", version.lower().replace("tlsv", "tls/")
        if suite:
            yield "WARC-Cipher-Suite", suite


def _http(kind: str) -> list[tuple[str, str]]:
    return [("Content-Type", f"application/http; msgtype={kind}")]


def _new_id() -> str:
    """A random id: it is also the salt that keeps a short reply from being guessed by its hash."""
    return f"<urn:uuid:{uuid.uuid4()}>"


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}000Z"


def _unpacked(data: bytes, offset: int) -> tuple[bytes, int]:
    """The record that begins at this byte, and how long it is packed. In chunks: what follows is not copied."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
    raw, place = bytearray(), offset
    try:
        while not unpacker.eof and place < len(data) and not unpacker.unconsumed_tail:
            raw += unpacker.decompress(data[place : place + CHUNK], MOST_RECORD + 1 - len(raw))
            place += CHUNK
    except zlib.error as error:
        raise Refusal(f"cannot read a record, because at byte {offset} stands none ({error})") from error
    if not unpacker.eof or len(raw) > MOST_RECORD:
        raise Refusal(f"cannot read a record, because the one at byte {offset} is cut or too large")
    return bytes(raw), min(place, len(data)) - offset - len(unpacker.unused_data)


def _parsed(raw: bytes, offset: int) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Head and block of one record, whose digests fit. Raises Refusal."""
    head, found, rest = raw.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
    said = {name.lower(): value for name, value in headers}
    length = said.get("content-length", "")
    if lines[0] != VERSION or not found or not length.isdecimal() or rest[int(length) :] != b"\r\n\r\n":
        raise Refusal(f"cannot read a record, because the one at byte {offset} is malformed")
    block = rest[: int(length)]
    payload = block.partition(b"\r\n\r\n")[2]
    fits = said.get("warc-block-digest") == digest(block)
    if said.get("warc-type") != "warcinfo":
        fits = fits and said.get("warc-payload-digest") == digest(payload)
    if not fits:
        raise Refusal(f"cannot accept a record, because the digest of the one at byte {offset} does not fit")
    return headers, block
