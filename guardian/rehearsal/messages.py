"""What comes in and what goes out: a request as the routes see it, an answer, a refusal; frozen, for any thread."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.rehearsal.forms import Form, read_body, read_query

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, object]

NOT_FOUND = "Record not found"
BAD_TOKEN = "The access token is invalid"  # noqa: S105  # what Mastodon says, no token
FORBIDDEN = "This action is not allowed"


class Refused(Exception):  # the platform's no is an answer, not an error of this program
    """The platform says no, with a status and Mastodon's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request before its body: enough to know who asks for what."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The target without its query and, as Rails sees it, without a slash at its end."""
        return self.target.partition("?")[0].rstrip("/") or "/"

    @property
    def query(self) -> Form:
        """The query's fields."""
        return read_query(self.target.partition("?")[2])

    @property
    def token(self) -> str | None:
        """The bearer token, if one was shown."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A whole request."""

    head: Head
    form: Form

    @classmethod
    def of(cls, head: Head, body: bytes) -> Request:
        """Read the body as its content type says; ValueError if it is not that."""
        return cls(head=head, form=read_body(head.headers.get("content-type", ""), body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back. `status_id` names the post that was made on the way, for the log."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=())
    kind: str = "application/json; charset=utf-8"
    status_id: str | None = None


def json_answer(document: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer that carries a JSON document."""
    return Answer(status=status, body=json.dumps(document, ensure_ascii=False).encode(), headers=headers)


def error_answer(status: int, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Mastodon's error shape."""
    return json_answer({"error": message}, status=status, headers=headers)
