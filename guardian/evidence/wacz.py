"""A bundle as one WACZ file (1.1.1), which ReplayWeb.page and pywb replay. The master stays the directory.

The same archive gives the same bytes: the file carries no time of its own making. Any thread may call it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian import __version__
from guardian.errors import Refusal
from guardian.evidence import files, names, warc
from guardian.evidence.surt import surt

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.bundle import Bundle
    from guardian.evidence.warc import Record

VERSION = "1.1.1"
LINES = 1024  # of the index in one packed block
_FIXED = (1980, 1, 1, 0, 0, 0)
_STORED = (".gz", ".jpg", ".png", ".webp", ".mp4")


def export(bundle: Bundle, out: Path, *, others: bool = False, page: str | None = None) -> str:
    """Write the WACZ to a new file; its SHA-256. `others`: with other people's words. `page`: what is opened first.

    The file's time is the bundle's. Raises Refusal when there is nothing to export or the file exists.
    """
    contents = _contents(bundle, others=others, page=page)
    package = _json({**_package(bundle), "resources": [_resource(name, data) for name, data in contents.items()]})
    digest = _json({"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(package).hexdigest()}"})
    contents |= {"datapackage.json": package, "datapackage-digest.json": digest}
    try:
        with out.open("xb") as file, zipfile.ZipFile(file, "w") as packed:
            for name, data in contents.items():
                entry = zipfile.ZipInfo(name, _FIXED)
                entry.external_attr = 0o600 << 16
                entry.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED
                packed.writestr(entry, data)
        out.chmod(0o600)
    except FileExistsError as error:
        raise Refusal(f"cannot export to {out}, because the file exists; it was left as it is") from error
    return files.sha256(out.parent, out.name)


def _contents(bundle: Bundle, *, others: bool, page: str | None) -> dict[str, bytes]:
    archives = {
        name: files.read(bundle.path, name)
        for name in files.listed(bundle.path)
        if names.is_warc(name) and (others or not names.is_third_party(name))
    }
    lines: list[str] = []
    pages: dict[str, str] = {}
    for name, data in archives.items():
        for record in warc.scanned(data):
            if record.header("WARC-Type") == "response":
                lines.append(_index_line(record, name.rpartition("/")[2]))
                if (record.header("WARC-Target-URI") or "") == page or _is_page(record):
                    pages.setdefault(record.header("WARC-Target-URI") or "", record.header("WARC-Date") or "")
    if not lines:
        raise Refusal("cannot export the bundle, because it holds no answer of a platform")
    found = {f"archive/{name.rpartition('/')[2]}": data for name, data in archives.items()}
    packed, index = _index(sorted(lines))
    found |= {"indexes/index.cdx.gz": packed, "indexes/index.idx": index}
    found["pages/pages.jsonl"] = _pages(pages, first=page)
    for name in files.listed(bundle.path):  # the seals go along: the archive alone has no signature
        if names.seal_of(name) or name.startswith(("keys/", "seal-")):
            last = name.rpartition("/")[2]
            found[f"seals/{last if '.' in last else last + '.txt'}"] = files.read(bundle.path, name)
    return found


def _index_line(record: Record, filename: str) -> str:
    url, date = record.header("WARC-Target-URI") or "", record.header("WARC-Date") or ""
    head = record.block.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    kind = next((line.partition(":")[2] for line in head if line.lower().startswith("content-type:")), "")
    said = {
        "url": url,
        "mime": kind.split(";")[0].strip() or "unk",
        "status": head[0].split(" ")[1] if " " in head[0] else "-",
        "digest": record.header("WARC-Payload-Digest"),
        "length": str(record.length),
        "offset": str(record.offset),
        "filename": filename,
    }
    return f"{surt(url)} {_stamp(date)} {json.dumps(said)}\n"


def _index(lines: list[str]) -> tuple[bytes, bytes]:
    """The packed blocks of the index, and where each begins."""
    packed, starts = b"", ['!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n']
    for first in range(0, len(lines), LINES):
        packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS + 16)
        block = packer.compress("".join(lines[first : first + LINES]).encode()) + packer.flush()
        said = {
            "offset": len(packed),
            "length": len(block),
            "digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
            "filename": "index.cdx.gz",
        }
        key, stamp, _ = lines[first].split(" ", 2)
        starts.append(f"{key} {stamp} {json.dumps(said)}\n")
        packed += block
    return packed, "".join(starts).encode()


def _pages(pages: dict[str, str], *, first: str | None) -> bytes:
    lines: list[dict[str, str]] = [{"format": "json-pages-1.0", "id": "pages", "title": "Pages"}]
    for url in sorted(pages, key=lambda url: (url != first, pages[url], url)):
        key = hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:20]
        lines.append({"id": key, "url": url, "ts": pages[url], "title": url})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _package(bundle: Bundle) -> dict[str, object]:
    at = bundle.about().get("at")
    when = datetime.fromtimestamp((at if isinstance(at, int) else 0) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "profile": "data-package",
        "wacz_version": VERSION,
        "title": bundle.name,
        "created": when,
        "software": f"post-guardian {__version__}",
    }


def _resource(name: str, data: bytes) -> dict[str, object]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return {"name": name.rpartition("/")[2].lower(), "path": name, "hash": digest, "bytes": len(data)}


def _is_page(record: Record) -> bool:
    """What a reader may want to open: an answer to a GET that went well. Requests are not asked; it is a list."""
    return record.block.startswith(b"HTTP/1.1 200")


def _stamp(date: str) -> str:
    """`20261120114501` of a record's date."""
    return "".join(letter for letter in date if letter.isdigit())[:14]


def _json(found: object) -> bytes:
    return (json.dumps(found, indent=2) + "\n").encode()
