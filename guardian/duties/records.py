"""Import records: what a person or a script hands in, checked whole before anything is entered. Pure but for its `now`.

The names and rules of a record are the contract (design 6). Every error names line and column; an unknown key names the
nearest known one. What is not built yet (media, threads) is refused by name, never dropped in silence.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from guardian.errors import Mistake
from guardian.model import Part
from guardian.rules import timing
from guardian.store.posts import Draft

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_LINE = 256 * 1024
MAX_TEXT = 20_000
MAX_TEXT_BYTES, MAX_WARNING_BYTES = 32 * 1024, 8 * 1024  # three times that, encoded, still passes the gate in one piece
MAX_RECORDS = 100_000  # of one import; what is read is in memory until all of it is entered
MOST_WRONG = 10_000  # then nobody reads on, and neither do we
MOST_WRONG_OF_ONE = 20  # of one record
NOT_BUILT = {"media": "pictures and other media", "parts": "threads"}


def _clean(text: str) -> str:
    """Refuse what no platform takes and no terminal should see."""
    if "\0" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):  # noqa: PLR2004 (lone surrogates)
        raise ValueError("it has a NUL or half a character in it")
    return text


def _worded(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return _clean(text)


def _small(limit: int) -> AfterValidator:
    """Long in bytes though short in signs: the gate would stop it for ever."""

    def check(text: str) -> str:
        if len(text.encode()) > limit:
            raise ValueError(f"it has more than {limit} bytes")
        return text

    return AfterValidator(check)


Word = Annotated[str, Field(max_length=200), AfterValidator(_worded)]


class Record(BaseModel):
    """One record as it is handed in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    account: Word
    at: Word
    zone: Word | None = None
    text: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_worded), _small(MAX_TEXT_BYTES)]
    warning: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_clean), _small(MAX_WARNING_BYTES)] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    visibility: Word | None = None
    tags: list[Annotated[str, Field(pattern=r"^[^\s,]{1,64}$"), AfterValidator(_clean)]] = []
    ref: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a record is read against."""

    accounts: Collection[str]
    zone: str
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A record that is right, with what had to be decided about its time."""

    draft: Draft
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong, and where."""

    line: int
    column: int
    message: str


def read_lines(text: str, rules: Rules) -> tuple[list[tuple[int, Read]], list[Wrong]]:
    """Every record of a JSON Lines text with its line number, and what is wrong with the others.

    That is everything, unless there is so much of it that the list itself would be the trouble: of one record the first
    20 things, and nothing after 10,000 in all.
    """
    good: list[tuple[int, Read]] = []
    wrong: list[Wrong] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        if len(good) == MAX_RECORDS or len(wrong) >= MOST_WRONG:
            wrong.append(_enough(number, len(wrong)))
            break
        found = _read_line(line, number, rules)
        if isinstance(found, Read):
            good.append((number, found))
        else:
            wrong.extend(found)
    wrong.extend(_doubled_refs(good))
    return good, sorted(wrong, key=lambda one: (one.line, one.column))


def read_record(raw: object, rules: Rules) -> Read:
    """One record that came alone. Raises Mistake with what is wrong with it, up to 20 things."""
    found = _read_object(raw, rules)
    if isinstance(found, Read):
        return found
    raise Mistake("; ".join(message for _, message in found[:MOST_WRONG_OF_ONE]))


def _read_line(line: str, number: int, rules: Rules) -> Read | list[Wrong]:
    if len(line) > MAX_LINE:
        return [Wrong(line=number, column=1, message=f"cannot read the line, because it is longer than {MAX_LINE}")]
    try:
        raw = json.loads(line, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        column, because = _unread(line, error)
        return [Wrong(line=number, column=column, message=f"cannot read the record, because {because}")]
    found = _read_object(raw, rules)
    if isinstance(found, Read):
        return found
    named = found[:MOST_WRONG_OF_ONE]
    return [Wrong(line=number, column=_column(line, key), message=message) for key, message in named]


def _enough(number: int, wrong: int) -> Wrong:
    because = f"{wrong} things are wrong by now" if wrong else f"an import has at most {MAX_RECORDS} records"
    fix = "correct those first" if wrong else "split it"
    return Wrong(line=number, column=1, message=f"cannot read on, because {because}, do {fix}")


def _read_object(raw: object, rules: Rules) -> Read | list[tuple[str, str]]:
    """The record, or what is wrong as pairs of key and message."""
    if not isinstance(raw, dict):
        return [("", "cannot read the record, because it is no object, do write {...}")]
    not_built = [(key, _refused(key)) for key in NOT_BUILT if raw.get(key)]
    plain = {key: value for key, value in raw.items() if key not in NOT_BUILT}
    try:
        record = Record.model_validate(plain)
    except ValidationError as error:
        skip = {("text",)} if not_built and raw.get("parts") else set()
        return not_built + [_worded_error(one) for one in error.errors() if one["loc"] not in skip]
    if record.account not in rules.accounts:
        return [*not_built, ("account", _no_account(record.account, rules.accounts))]
    if not_built:
        return not_built
    return _draft(record, rules)


def _draft(record: Record, rules: Rules) -> Read | list[tuple[str, str]]:
    try:
        instant = timing.resolve(record.at, record.zone, now=rules.now, default_zone=rules.zone)
    except Mistake as error:
        return [("at", str(error))]
    part = Part(
        text=record.text,
        warning=record.warning or None,
        language=record.language,
        visibility=record.visibility,
    )
    draft = Draft(
        account=record.account,
        at=instant.at,
        at_text=record.at,
        zone=instant.zone,
        part=part,
        tags=tuple(record.tags),
        ref=record.ref,
    )
    return Read(draft=draft, note=instant.note)


def _worded_error(error: Any) -> tuple[str, str]:  # noqa: ANN401 (pydantic's own dictionary)
    key = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, [*Record.model_fields, *NOT_BUILT], n=1)
        return key, f"cannot read {key!r}, because there is no such key{f', do write {near[0]}' if near else ''}"
    if error["type"] == "missing":
        return key, f"cannot read the record, because {key!r} is missing, do add it"
    why = str(error["msg"]).removeprefix("Value error, ")
    return key, f"cannot use {key!r}, because {why[:1].lower()}{why[1:]}"


def _no_account(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"do you mean {near[0]!r}?" if near else f"do choose from: {', '.join(sorted(known)) or 'none yet'}"
    return f"cannot post as {name!r}, because the configuration has no such account, {fix}"


def _refused(key: str) -> str:
    return f"cannot take {key!r}, because {NOT_BUILT[key]} are not built yet, do post text"


def _column(line: str, key: str) -> int:
    """Where a key stands in its line, counted from 1; the line's first column when it does not."""
    found = re.search(rf'"{re.escape(key)}"\s*:', line)
    return 1 if found is None else found.start() + 1


class _Twice(ValueError):
    """A key that an object has twice: whichever was meant, the other would be dropped in silence."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise _Twice(key)
        found[key] = value
    return found


def _unread(line: str, error: ValueError | RecursionError) -> tuple[int, str]:
    """Where and why a line is no JSON that can be used."""
    if isinstance(error, json.JSONDecodeError):
        return error.colno, f"of {error.msg}"
    if isinstance(error, _Twice):
        return _column(line, error.key), f"{error.key!r} is in it twice, do write it once"
    if isinstance(error, RecursionError):
        return 1, "it is nested too deeply"
    return 1, "a number in it is beyond measure"


def _doubled_refs(good: list[tuple[int, Read]]) -> Iterator[Wrong]:
    """Two records of one file with the same ref but other content."""
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    for number, read in good:
        if read.draft.ref is None:
            continue
        key = (read.draft.account, read.draft.ref)
        first, digest = seen.setdefault(key, (number, read.draft.digest()))
        if digest != read.draft.digest():
            message = f"cannot enter ref {key[1]!r}, because line {first} has it with other content, do give it another"
            yield Wrong(line=number, column=1, message=message)
