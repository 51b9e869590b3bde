"""Reads query strings and bodies (form, multipart, JSON) into one kind of form; pure, any thread may call it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from urllib.parse import parse_qsl

_MOST_FIELDS = 1000
_TRUE = frozenset({"1", "true", "t", "on", "yes"})


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file."""

    data: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name without Rails' trailing `[]`; every field may occur many times."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    def one(self, name: str) -> str | None:
        """The field's last value, or None if it is absent."""
        values = self.fields.get(name)
        return values[-1] if values else None

    def many(self, name: str) -> list[str]:
        """All values of the field."""
        return self.fields.get(name, [])

    def flag(self, name: str) -> bool:
        """Whether the field says yes."""
        return (self.one(name) or "").lower() in _TRUE

    def number(self, name: str) -> int | None:
        """The field as a whole number, None if it is absent or no number."""
        text = self.one(name)
        return int(text) if text is not None and text.isascii() and text.isdigit() else None


def read_query(query: str) -> Form:
    """A query string's fields."""
    return Form(_collected(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)))


def read_body(content_type: str, body: bytes) -> Form:
    """A body's fields and files; ValueError if it is not what its content type says. An unknown type has no fields."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return Form()
    if kind == "application/json":
        return _from_json(body)
    if kind == "multipart/form-data":
        return _from_multipart(content_type, body)
    if kind in ("", "application/x-www-form-urlencoded"):
        return read_query(body.decode())
    return Form()


def _collected(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name.removesuffix("[]"), []).append(value)
    return fields


def _from_json(body: bytes) -> Form:
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("cannot read the body, because it is no JSON object")  # noqa: TRY004  # as bad JSON is
    pairs: list[tuple[str, str]] = []
    for name, value in document.items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, as_text(item)) for item in values if item is not None]
    return Form(_collected(pairs))


def as_text(value: object) -> str:
    """A JSON value as a form would say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _from_multipart(content_type: str, body: bytes) -> Form:
    boundary = _parameter("content-type", content_type, "boundary")
    if not boundary:
        raise ValueError("cannot read the body, because its content type names no boundary")
    pairs: list[tuple[str, str]] = []
    files: dict[str, File] = {}
    # The first piece is what precedes the first boundary, the last is the closing dashes: neither is a part.
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(head)
        disposition = headers.get("content-disposition", "")
        name = _parameter("content-disposition", disposition, "name") or ""
        if _parameter("content-disposition", disposition, "filename") is None:
            pairs.append((name, data.decode()))
        else:
            files[name] = File(data, headers.get_content_type())
    return Form(_collected(pairs), files)


def _parameter(header: str, value: str, name: str) -> str | None:
    message = Message()
    message[header] = value
    found = message.get_param(name, header=header)
    return found if isinstance(found, str) else None
