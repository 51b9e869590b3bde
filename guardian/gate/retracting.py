"""What a retracting request may say: the name of the post that it takes down, and what was announced. Nothing else.

Pure. It passes while frozen, and an edit or a `putRecord` could publish (research/platforms 1.3): so every value that
it carries must be the target, one of the intent's `says`, or a plain yes, no or nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, quote, urlsplit

from guardian.fence.passage import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

    from guardian.adapter import Route
    from guardian.gate.intents import Intent

MAX_BODY = 8 * 1024
MAX_ADDRESS = 4 * 1024
MAX_FIELDS = 100
INERT = frozenset({"true", "false", ""})
FIELD = re.compile(r"\{(\w+)\}", re.ASCII)
NAME = re.compile(r"[\w.$:\[\]-]{1,80}", re.ASCII)  # a field's name is a name, and no sentence
HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "idempotency-key",
        "user-agent",
    }
)
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

Field = tuple[str, str]


def check(request: PreparedRequest, route: Route, intent: Intent) -> None:
    """Raises Stopped unless the request takes down the intent's target, and says nothing that was not announced."""
    target, url = intent.target, request.url or ""
    if not target or len(url) > MAX_ADDRESS:
        raise Stopped("a retracting request needs a target, and an address of usual length")
    for name in request.headers:
        if name.lower() not in HEADERS:
            raise Stopped(f"a retracting request may not carry the header {name}")
    parts = urlsplit(url)
    said = _form(parts.query)
    body = _body(request)
    body = _without_target(route, parts.path, body, intent)
    _only_what_was_announced([*said, *body], intent.says)


def _without_target(route: Route, path: str, body: list[Field], intent: Intent) -> list[Field]:
    """What the body says beside the target. Raises Stopped unless the target is named, and it alone."""
    target = intent.target or ""
    named = re.fullmatch(route.path, path)
    in_path = named.groupdict().get("target") if named else None
    if in_path is not None and in_path not in (target, quote(target, safe="")):
        raise Stopped("the address names another post than the one to be taken down")
    if route.target is not None:
        fields = FIELD.findall(route.target) or [route.target]
        if _named(route.target, fields, body) != target:
            raise Stopped(f"{route.target} does not name the post to be taken down, and it alone")
        return [field for field in body if field[0] not in fields]
    if in_path is None and not route.announced:
        raise Stopped("the route does not say where the post is named that is taken down")
    if in_path is None and path not in intent.says:
        raise Stopped("the address of a retracting request was not announced")
    return body


def _named(form: str, fields: list[str], body: list[Field]) -> str | None:
    """The name that those fields make up; None when one of them is missing, or is there twice, at whatever depth."""
    found = {name: [value for field, value in body if field == name] for name in fields}
    if any(len(values) != 1 for values in found.values()):
        return None
    return FIELD.sub(lambda one: found[one[1]][0], form) if FIELD.search(form) else found[form][0]


def _only_what_was_announced(fields: list[Field], says: frozenset[str]) -> None:
    for name, value in fields:
        if not NAME.fullmatch(name):
            raise Stopped("a retracting request has a field whose name is no name")
        if value not in says and value not in INERT:
            raise Stopped(f"a retracting request would say something in {name} that was not announced")


def _body(request: PreparedRequest) -> list[Field]:
    """Every value of the body, with the name of its field."""
    body = request.body or b""
    if not isinstance(body, (str, bytes)):
        raise Stopped("the body of a retracting request is not there to be read")
    data = body.encode() if isinstance(body, str) else body
    if not data:
        return []
    if len(data) > MAX_BODY:
        raise Stopped(f"the body of a retracting request has {len(data)} bytes, and {MAX_BODY} are allowed")
    media_type, _, parameter = request.headers.get("Content-Type", "").lower().partition(";")
    read = {FORM: _form, JSON: _json}.get(media_type.strip())
    if read is None:
        raise Stopped("the body of a retracting request is neither a form nor JSON")
    if parameter.strip() not in ("", "charset=utf-8"):
        raise Stopped("the body of a retracting request is in another encoding than UTF-8")
    try:
        return read(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Stopped("the body of a retracting request is no text") from None


def _form(text: str) -> list[Field]:
    if not text:
        return []
    if ";" in text:  # for some servers it separates fields
        raise Stopped("a retracting request has a field that two servers would read in two ways")
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Stopped("a retracting request has fields that cannot be read") from None


def _json(text: str) -> list[Field]:
    try:
        document = json.loads(text, object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=_never)
        return list(_leaves("", document))
    except (ValueError, RecursionError):
        raise Stopped("the body of a retracting request is no JSON that can be read") from None


def _leaves(name: str, value: Any) -> Iterator[Field]:  # noqa: ANN401 (whatever JSON holds)
    """Every value at every depth, also of names that occur twice, as a string."""
    if isinstance(value, tuple):  # an object: each of its pairs
        for inner, one in value:
            if isinstance(one, tuple | list):
                yield inner, ""  # its name is looked at, too, and a target is never a container
            yield from _leaves(inner, one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(name, one)
    else:
        yield name, value if isinstance(value, str) else ""  # true, false, null


def _never(_: str) -> NoReturn:
    raise ValueError
