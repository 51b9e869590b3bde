"""One import record: what a person or a script hands in, checked whole before anything is entered. Pure.

The names and rules of a record are the contract (design 6). Every fault names the key that it is about; an unknown key
names the nearest known one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from guardian.duties import record_files, record_times
from guardian.duties.record_form import Record
from guardian.duties.record_words import A_THREAD, SAY_SOMETHING, Fault, Unwelcome, named, no_account, worded
from guardian.errors import Mistake, Refusal
from guardian.model import Part
from guardian.store.posts import Draft, second_variant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from guardian.duties.record_form import FileRecord
    from guardian.model import Media, Problem
    from guardian.rules.columns import Path
    from guardian.rules.timing import Instant

MOST_WRONG_OF_ONE = 20  # of one record


@dataclass(frozen=True, slots=True)
class Twin:
    """A post that has the ref already, and what it says in one hash."""

    post: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a record is read against. `files` are those that came with it: path to hash, or to why there is none."""

    accounts: Collection[str]
    zone: str
    now: int
    files: Mapping[str, str] | None = None
    media: Callable[[str], Media | None] = lambda _: None
    problems: Callable[[str, Part], Sequence[Problem] | None] = lambda *_: ()
    refused: Callable[[str], str | None] = lambda _: None
    twin: Callable[[str, str], Twin | None] = lambda *_: None
    variant: Callable[[Draft], str | None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A record that is right, with what had to be decided about its time.

    `known`: it is in the store already. `unchecked`: its platform has not said yet what it accepts.
    """

    draft: Draft
    note: str | None
    known: bool = False
    unchecked: bool = False

    def notes(self) -> list[str]:
        """What a person should know about it."""
        return [*([self.note] if self.note else []), *([unchecked(self.draft.account)] if self.unchecked else [])]


class AccountRefused(Refusal):
    """cannot post, because the platform refuses the account"""

    code = "account_refused"


def unchecked(account: str) -> str:
    """That the limits of an account are not known yet."""
    return f"the platform of {account} has not said yet what it accepts: its limits were not checked"


def read_record(raw: object, rules: Rules) -> Read:
    """One record that came alone. Raises Mistake with what is wrong with it, up to 20 things, or AccountRefused."""
    found = read_object(raw, rules)
    if isinstance(found, Read):
        return found
    if all(isinstance(fault, Unwelcome) for fault in found):
        raise AccountRefused(found[0].message)
    raise Mistake("; ".join(fault.message for fault in found[:MOST_WRONG_OF_ONE]))


def read_object(raw: object, rules: Rules) -> Read | list[Fault]:
    """The record, or everything that is wrong with it."""
    if not isinstance(raw, dict):
        return [Fault((), "cannot read the record, because it is no object, do write {...}")]
    try:
        record = Record.model_validate(raw)
    except ValidationError as error:
        faults = [worded(one) for one in error.errors(include_url=False, include_context=False)]
        named = {fault.path[0] for fault in faults if fault.path}
        return [
            *faults,
            *_of_the_whole(raw, named),
            *_of_the_account(raw, named, rules),
            *_of_its_time(raw, named, rules),
        ]
    whole = [*_of_the_whole(raw, set()), *_of_the_account(raw, set(), rules)]
    instant = record_times.instant(record.at, record.zone, rules.now, rules.zone)
    if isinstance(instant, str):
        return [*whole, Fault(("at",), instant), *_parts(record, rules)[1]]
    parts, faults = _parts(record, rules)
    if whole or faults:
        return [*whole, *faults, *_if_passed(record, instant, rules)]
    return _drafted(record, parts, instant, rules)


def _drafted(record: Record, parts: list[Part], instant: Instant, rules: Rules) -> Read | list[Fault]:
    draft = Draft(
        account=record.account,
        at=instant.at,
        at_text=record.at,
        zone=instant.zone,
        wall=record_times.wall(record.at),
        part=parts[0],
        tail=tuple(parts[1:]),
        tags=tuple(record.tags),
        campaign=record.campaign,
        ref=record.ref,
    )
    twin = rules.twin(draft.account, draft.ref) if draft.ref is not None else None
    if twin is not None and twin.digest == draft.digest():
        return Read(draft=draft, note=instant.note, known=True)
    faults = _if_passed(record, instant, rules)
    if twin is not None:
        because = f"because {twin.post} has it with other content, do give it another ref"
        faults.append(Fault(("ref",), f"cannot enter ref {draft.ref!r}, {because}"))
    there = rules.variant(draft) if twin is None else None
    if there is not None:
        fix = "do give it another time, or cancel that one first"
        faults.append(Fault(("campaign",), f"{second_variant(draft, there)}, {fix}"))
    limits = list(_of_limits(draft, rules))
    faults += [fault for fault in limits if fault is not None]
    return faults or Read(draft=draft, note=instant.note, unchecked=None in limits)


def _if_passed(record: Record, instant: Instant, rules: Rules) -> list[Fault]:
    passed = record_times.passed(instant, record.at, rules.now)
    return [] if passed is None else [Fault(("at",), passed)]


def _parts(record: Record, rules: Rules) -> tuple[list[Part], list[Fault]]:
    """The parts as they are to be published, and the files that cannot be."""
    faults: list[Fault] = []
    found: list[Part] = []
    for path, text, files in _texts(record):
        media = []
        for place, one in enumerate(files):
            file = record_files.resolve(one, rules)
            if isinstance(file, str):
                key = "path" if one.path is not None else "sha256" if one.sha256 is not None else "media"
                faults.append(Fault((*path, "media", place, key), file))
            else:
                media.append(file)
        shown = {"warning": record.warning or None, "language": record.language, "visibility": record.visibility}
        found.append(Part(text=text, media=tuple(media), **shown, follows=bool(found)))
    return found, faults


def _texts(record: Record) -> Iterator[tuple[Path, str, list[FileRecord]]]:
    if record.parts is None:
        yield (), record.text or "", record.media
        return
    for number, part in enumerate(record.parts):
        yield ("parts", number), part.text, part.media


def _of_limits(draft: Draft, rules: Rules) -> Iterator[Fault | None]:
    """What the platform would refuse; None when it has not said what it accepts."""
    said = set()
    for number, part in enumerate((draft.part, *draft.tail)):
        problems = rules.problems(draft.account, part)
        if problems is None:
            yield None
            return
        for problem in problems:
            key, rest = record_files.key_of(problem.field)
            of_part = bool(draft.tail) and key in ("text", "media")
            path: Path = ("parts", number, key, *rest) if of_part else (key, *rest)
            if (path, problem.message) not in said:
                yield Fault(path, f"cannot use {named(path)}, because {problem.message}")
            said.add((path, problem.message))


def _of_the_whole(raw: dict[str, Any], wrong: set[str | int]) -> Iterator[Fault]:
    """What no single key can tell: text or parts, and something to say in each."""
    text, parts = raw.get("text"), raw.get("parts")
    if parts is None and text is None and not {"text", "parts"} & wrong:
        yield Fault((), "cannot read the record, because 'text' is missing, do add it, or 'parts' for a thread")
    if parts is not None and "parts" not in wrong:
        for key in ("text", "media"):
            if raw.get(key):
                yield Fault((key,), f"cannot use {key!r} beside 'parts', because {A_THREAD}")
        for number, part in enumerate(parts):
            if not part.get("text", "").strip() and not part.get("media"):
                path = ("parts", number, "text")
                yield Fault(path, f"cannot use {named(path)}, because it is empty, do {SAY_SOMETHING}")
    if parts is None and isinstance(text, str) and "text" not in wrong and not text.strip() and not raw.get("media"):
        yield Fault(("text",), f"cannot use 'text', because it is empty, do {SAY_SOMETHING}")


def _of_the_account(raw: dict[str, Any], wrong: set[str | int], rules: Rules) -> Iterator[Fault]:
    name = raw.get("account")
    if "account" in wrong or not isinstance(name, str):
        return
    if name not in rules.accounts:
        yield Fault(("account",), no_account(name, rules.accounts))
        return
    why = rules.refused(name)
    if why is not None:
        fix = "do put a valid token into its file, or correct its identity, then reload"
        yield Unwelcome(("account",), f"cannot post as {name!r}, because its platform has refused us: {why}, {fix}")


def _of_its_time(raw: dict[str, Any], wrong: set[str | int], rules: Rules) -> Iterator[Fault]:
    at, zone = raw.get("at"), raw.get("zone")
    if {"at", "zone"} & wrong or not isinstance(at, str):
        return
    instant = record_times.instant(at, zone, rules.now, rules.zone)
    why = instant if isinstance(instant, str) else record_times.passed(instant, at, rules.now)
    if why is not None:
        yield Fault(("at",), why)
