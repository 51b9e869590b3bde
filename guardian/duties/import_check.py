"""The first pass over an import: everything is checked, and what is right is laid ready. Called by API threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from guardian.duties import import_lines
from guardian.duties.import_lines import JSONL, Remark, Right, Wrong
from guardian.duties.records import unchecked
from guardian.store import posts
from guardian.store.prepared import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardian.duties.foreign import Choices
    from guardian.duties.records import Read, Rules
    from guardian.rules.lines import Readable
    from guardian.store.posts import Draft
    from guardian.store.prepared import Prepared

MOST_NOTES = 1000


@dataclass(slots=True)
class Progress:
    """How far an import is: bytes while it is checked, posts while they are entered."""

    phase: str = "waiting"
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A file to import. `files`: what came with it, path to hash, or to why there is none."""

    stream: Readable
    form: str = JSONL
    size: int = 0
    files: Mapping[str, str] | None = None
    choices: Choices | None = None
    zone: str | None = None  # for times without an offset, in place of the house's
    progress: Progress = field(default_factory=Progress)


class Checking:
    """The first pass over a file."""

    def __init__(self, prepared: Prepared, *, now: int, who: str) -> None:
        self.prepared = prepared
        self.now = now
        self.who = who
        self.known = 0
        self.notes: list[tuple[int, str]] = []
        self.notes_in_all = 0
        self.wrong: list[Wrong] = []
        self.shown: dict[str, int] = {}  # every file, with the line that shows it first
        self._unwelcome: set[str] = set()
        self._unchecked: set[str] = set()

    def run(self, plan: Plan, rules: Rules) -> None:
        """Read it all: lay ready what is right, as long as nothing is wrong."""
        plan.progress.phase, plan.progress.of = "checking", plan.size
        stream = _Counted(plan.stream, plan.progress)
        for found in import_lines.read(stream, plan.form, rules, plan.choices):
            if isinstance(found, Wrong):
                self._note_wrong(found)
            elif isinstance(found, Remark):
                self._note(found.line, found.note)
            else:
                self._take(found)

    def _take(self, found: Right) -> None:
        line, read, draft = found.line, found.read, found.read.draft
        if read.note:
            self._note(line, read.note)
        if read.unchecked and draft.account not in self._unchecked:
            self._unchecked.add(draft.account)
            self._note(line, unchecked(draft.account))
        if read.known:
            self.known += 1
            return
        if self._is_known_here(found, draft) or self._is_second(found, draft):
            return
        for sha256 in shown(read):
            self.shown.setdefault(sha256, line)
        if not self.wrong:
            row = posts.prepare(draft, now=self.now, who=self.who)
            self.prepared.add(row, posts.tags_of(row))

    def _is_known_here(self, found: Right, draft: Draft) -> bool:
        """Whether an earlier line has its ref: with the same content it is known, with another it is noted as wrong."""
        if draft.ref is None:
            return False
        here = Place(found.line, draft.digest())
        first = self.prepared.first_with(draft.account, draft.ref, here)
        if first is not None:
            self._twice(found, draft.ref, here, first)
        return first is not None

    def _twice(self, found: Right, ref: str, here: Place, first: Place) -> None:
        if here.digest == first.digest:
            self.known += 1
            return
        because = f"because line {first.line} has it with other content, do give it another"
        line, column = found.place(("ref",))
        self._note_wrong(Wrong(line=line, column=column, message=f"cannot enter ref {ref!r}, {because}"))

    def _is_second(self, found: Right, draft: Draft) -> bool:
        """Whether an earlier line has the same campaign for the same account and moment; that is noted as wrong."""
        if draft.campaign is None:
            return False
        first = self.prepared.first_variant(
            campaign=draft.campaign, account=draft.account, at=draft.at, line=found.line
        )
        if first is None:
            return False
        line, column = found.place(("campaign",))
        message = f"{posts.second_variant(draft, f'line {first}')}, do give it another time, or remove it"
        self._note_wrong(Wrong(line=line, column=column, message=message))
        return True

    def _note(self, line: int, note: str) -> None:
        self.notes_in_all += 1
        if len(self.notes) < MOST_NOTES:
            self.notes.append((line, note))

    def _note_wrong(self, wrong: Wrong) -> None:
        """Of an account that its platform has refused, the first line alone."""
        if wrong.unwelcome and wrong.message in self._unwelcome:
            return
        if wrong.unwelcome:
            self._unwelcome.add(wrong.message)
        self.wrong.append(wrong)


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, stream: Readable, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def readline(self, size: int = -1, /) -> bytes:
        found = self._stream.readline(size)
        self._progress.done += len(found)
        return found


def shown(read: Read) -> Iterator[str]:
    """The hashes of the files that a record shows."""
    draft = read.draft
    return (one.sha256 for part in (draft.part, *draft.tail) for one in part.media)
