"""A bundle as a text that says the same on every run: what chance and time have made of it stands there by its kind.

Ids are numbered in the order in which they first appear, so that it is still seen which are equal.
"""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SHOWN = 2  # of a list that is longer than `LONG`
LONG = 12
NOT_SHOWN = (
    "README.txt",
    "SHA256SUMS",
    "keys",
    "certificate-draft.txt",
    "custody",
    "record-1.json",
    "seal-",
    "third-party/exchanges",
    "warc/third-party",
)
RACING = {"page", "activity", "quotes"}  # not essential: kept when they are faster than the proof
RACES = re.compile(r"/@\w+/\d+(?: status=\d+)?(?: verdict=\w+)?$|/quotes\?|<th>(?:page|activity|quotes)</th>")
BRIEF = {  # what of a part is shown
    "account": ("acct", "display_name"), "exchange": ("method", "status"), "quoted_status": ("id", "content"),
    "reblog": ("id", "content"),
}  # fmt: skip
KINDS = (
    ("host", re.compile(r"127\.0\.0\.1:\d+")),
    ("bundle", re.compile(r"ev-\d{8}T\d{6}Z-[a-z0-9-]+")),
    ("time", re.compile(r"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC|[+-]\d\d:\d\d)?)?")),
    ("sha256", re.compile(r"\b[0-9a-f]{64}\b")),
    ("uuid", re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")),
    ("id", re.compile(r"\b[a-z]-[a-z2-7]{16}\b")),
    ("bytes", re.compile(r"(?<=base64,)[A-Za-z0-9+/=]+")),
    ("sha8", re.compile(r"(?<=\b\d\d-)[0-9a-f]{8}(?=\.)")),
    ("number", re.compile(r"(?<![\w.])\d{15,20}\b")),
)
UNNUMBERED = ("host", "time", "bundle", "sha256", "sha8", "bytes")
MADE_ANEW = {  # whose value is chance, machine or version, by the key under which it stands
    "began", "ended", "began_at", "ended_at", "as_of", "at_ms", "acted_at_ms", "ended_at_ms", "server", "synchronised",
    "at", "size", "python", "os", "version", "uid", "host", "boot_id", "tty", "config_sha256", "elapsed_ms",
}  # fmt: skip
ROWS = re.compile(
    r"(<tr><th>(?:ordered by|from, to|the platform&#x27;s clock was ahead by|program|captured)</th><td>).*?(</td></tr>)"
)
NOTE = re.compile(r'<p><bdi dir="auto">file \d')
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def plain(bundle: Path) -> str:
    """Every file that the guardian learned something in: its name, and what it says."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    told = [f"=== {path.relative_to(bundle)}\n{_said(path)}\n" for path in files if _is_shown(path, bundle)]
    return _numbered("\n".join(told))


def _is_shown(path: Path, bundle: Path) -> bool:
    name = str(path.relative_to(bundle))
    return not name.startswith(NOT_SHOWN) and path.stem not in RACING


def _said(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".json":
        return _pretty(json.loads(data))
    if path.suffix == ".jsonl":
        return _lines(_brief(json.loads(line)) for line in data.splitlines())
    if path.suffix == ".gz":
        return _lines(_records(gzip.decompress(data)))
    if path.suffix in (".html", ".txt"):
        return "\n".join(_paragraphs(ROWS.sub(r"\1...\2", STYLE.sub("", data.decode("utf-8")))))
    return f"({'the bytes of a file' if data else 'empty'})"


def _lines(found: Iterable[str]) -> str:
    """In order, without those that may be there or not."""
    return "\n".join(sorted(one for one in found if RACES.search(one) is None))


def _paragraphs(html: str) -> Iterator[str]:
    """The page line by line, its notes in order; a row of a table is a line."""
    lines = html.replace("<tr>", "\n<tr>").splitlines()
    notes = sorted(line for line in lines if NOTE.match(line))
    return (notes.pop(0) if NOTE.match(line) else line for line in lines if line.strip() and not RACES.search(line))


def _records(warc: bytes) -> Iterator[str]:
    """Of each record its kind and where it is from; requests have no order of their own."""
    for head in re.findall(rb"WARC/1\.1\r\n(.*?)\r\n\r\n", warc, re.DOTALL):
        fields = dict(line.split(": ", 1) for line in head.decode("utf-8", "replace").split("\r\n"))
        if fields["WARC-Type"] in ("request", "response"):
            yield f"{fields['WARC-Type']} {fields.get('WARC-Target-URI')}"


def _brief(found: dict[str, Any]) -> str:
    """A line of a log: requests that are made at once come in any order."""
    return " ".join(
        f"{key}={found[key]}" for key in ("what", "method", "url", "status", "verdict", "why") if found.get(key)
    )


def _pretty(found: object) -> str:
    return json.dumps(_settled(found), indent=1, ensure_ascii=False, sort_keys=True)


def _settled(found: Any) -> Any:  # noqa: ANN401 (a JSON document)
    if isinstance(found, dict):
        return {key: _value(key, value) for key, value in found.items()}
    if isinstance(found, list) and len(found) > LONG:
        return [*map(_settled, found[:SHOWN]), f"... and {len(found) - SHOWN} more"]
    return [_settled(one) for one in found] if isinstance(found, list) else found


def _value(key: str, value: Any) -> Any:  # noqa: ANN401 (a JSON document)
    if key in MADE_ANEW or key.endswith(("_at_ms", "landed_at")):
        return "..."
    if key == "items" and value and "what" in value[0]:
        value = [one for one in value if one["what"] not in RACING]
    if key == "notes":
        return sorted(value)
    if key in BRIEF and isinstance(value, dict):
        return {name: _settled(value[name]) for name in BRIEF[key]}
    return _settled(value)


def _numbered(text: str) -> str:
    for kind, pattern in KINDS:
        found = dict.fromkeys(one[0] for one in pattern.finditer(text))
        names = {value: f"<{kind}>" if kind in UNNUMBERED else f"<{kind} {nr}>" for nr, value in enumerate(found, 1)}
        text = _renamed(text, pattern, names)
    return text


def _renamed(text: str, pattern: re.Pattern[str], names: dict[str, str]) -> str:
    return pattern.sub(lambda one: names[one[0]], text)
