"""Entering posts: one record, or a whole file of them, all or nothing. Called by API threads.

A file is read once, to check everything and to lay the posts ready (`store/prepared.py`); then one transaction enters
them, and does nothing but insert. Memory stays flat, whatever the file's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from guardian.duties.import_check import Checking, shown
from guardian.duties.import_lines import Wrong
from guardian.duties.records import AccountRefused, Rules, Twin, read_record
from guardian.store import journal, media, posts
from guardian.store.posts import Entered, Known
from guardian.store.prepared import Prepared
from guardian.store.queries import Q

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from guardian.duties.import_check import Plan, Progress
    from guardian.model import Media, Part, Problem
    from guardian.store.database import Database, Tx
    from guardian.store.posts import Draft

MOST_NAMED = 500
AT_ONCE = 2000  # posts between two reports of how far it is


class Platforms(Protocol):
    """What the accounts' lanes know of their platforms. Any thread may ask."""

    def problems(self, account: str, part: Part) -> Sequence[Problem] | None:
        """What the platform would refuse; None while it has not said what it accepts."""
        ...

    def refused(self, account: str) -> str | None:
        """Why the platform does not let us post there; None when it does, or has not been asked."""
        ...


class Unasked:
    """Platforms that nobody knows anything of."""

    def problems(self, account: str, part: Part) -> Sequence[Problem] | None:  # noqa: ARG002 (the protocol's)
        """Nothing."""
        return ()

    def refused(self, account: str) -> str | None:  # noqa: ARG002 (the protocol's)
        """Nobody."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import: all or nothing, so with `wrong` nothing was entered. `entered` are the first 500 ids."""

    entered: Sequence[str] = ()
    count: int = 0
    known: int = 0
    notes: Sequence[tuple[int, str]] = ()
    notes_in_all: int = 0
    wrong: Sequence[Wrong] = ()


class Importing:
    """The way in."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: Callable[[], Collection[str]],
        zone: Callable[[], str],
        platforms: Platforms,
        clock: Callable[[], int],
    ) -> None:
        self.database = database
        self.accounts = accounts
        self.zone = zone
        self.platforms = platforms
        self.clock = clock

    def add(self, raw: object, *, who: str) -> tuple[Entered | Known, str | None]:
        """Enter one record; with it what a person should know. Raises Mistake, AccountRefused."""
        now = self.clock()
        read = read_record(raw, self._rules(now, None))
        with self.database.transaction() as tx:
            for sha256 in shown(read):
                media.get(tx, sha256)  # still there, and from here on kept for the post
            found = posts.enter(tx, read.draft, now=now, who=who)
            if isinstance(found, Entered):
                journal.append(tx, "entered", who=who, now=now, post=found.post.id, account=found.post.account)
        return found, "; ".join(read.notes()) or None

    def take_in(self, plan: Plan, *, who: str) -> Imported:
        """Import a file: one wrong line and nothing is entered. Raises AccountRefused if that is all that is wrong."""
        now = self.clock()
        with self.database.reading() as tx:
            since = media.last_post(tx)
        with Prepared() as prepared:
            checking = Checking(prepared, now=now, who=who)
            checking.run(plan, self._rules(now, plan.files, plan.zone))
            if checking.wrong:
                return _refused(checking)
            return self._enter(plan.progress, checking, since=since, who=who)

    def _enter(self, progress: Progress, checking: Checking, *, since: int, who: str) -> Imported:
        prepared = checking.prepared
        progress.phase, progress.done, progress.of = "entering", 0, prepared.count
        named: list[str] = []
        try:
            with self.database.transaction() as tx:
                late, last = _entered_meanwhile(tx, prepared, since), media.last_post(tx)
                _must_still_lie(tx, checking.shown)
                skipped: set[object] = set()
                posts.enter_prepared(
                    tx,
                    _watched(prepared.rows(), late.known, named, progress, skipped),
                    (tag for tag in prepared.tags() if tag["post"] not in skipped),
                )
                count = prepared.count - len(late.known)
                if count:
                    told = journal.append(tx, "imported", who=who, now=self.clock(), count=count, posts=named)
                    Q.note_entered(tx, line=told.seq, after=last)
        except _Overtaken as error:
            return Imported(wrong=error.wrong)
        return Imported(
            entered=named,
            count=count,
            known=checking.known + len(late.known),
            notes=checking.notes,
            notes_in_all=checking.notes_in_all,
        )

    def _rules(self, now: int, files: Mapping[str, str] | None, zone: str | None = None) -> Rules:
        return Rules(
            accounts=self.accounts(),
            zone=zone or self.zone(),
            now=now,
            files=files,
            media=self._media,
            problems=self.platforms.problems,
            refused=self.platforms.refused,
            twin=self._twin,
            variant=self._variant,
        )

    def _media(self, sha256: str) -> Media | None:
        with self.database.reading() as tx:
            return media.find(tx, sha256)

    def _twin(self, account: str, ref: str) -> Twin | None:
        with self.database.reading() as tx:
            row = Q.twin(tx, account=account, ref=ref)
        return None if row is None else Twin(row["id"], row["digest"])

    def _variant(self, draft: Draft) -> str | None:
        with self.database.reading() as tx:
            return posts.variant(tx, draft)


class _Overtaken(Exception):
    """Somebody entered one of these refs with other content since they were checked."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        self.wrong = wrong
        super().__init__()


@dataclass(frozen=True, slots=True)
class _Late:
    known: frozenset[tuple[str, str]]


def _entered_meanwhile(tx: Tx, prepared: Prepared, since: int) -> _Late:
    """Refs that were entered since the check, by somebody else: known by now, or in the way."""
    known, wrong = set(), []
    for account, ref, post, digest in posts.refs_since(tx, since):
        place = prepared.place_of(account, ref)
        if place is None:
            continue
        if place.digest == digest:
            known.add((account, ref))
            continue
        message = f"cannot enter ref {ref!r}, because {post} has it with other content, do give it another ref"
        wrong.append(Wrong(line=place.line, column=1, message=message))
    wrong += _variants_meanwhile(tx, prepared, since, known)
    if wrong:
        raise _Overtaken(sorted(wrong, key=lambda one: one.line))
    return _Late(frozenset(known))


def _variants_meanwhile(tx: Tx, prepared: Prepared, since: int, known: Collection[tuple[str, str]]) -> Iterator[Wrong]:
    """Variants of the same campaigns for the same moments, unless they are what is known by now."""
    for row in posts.variants_since(tx, since):
        place = {"campaign": row["campaign"], "account": row["account"], "at": row["at"]}
        line = prepared.variant_of(**place)
        if line is not None and (row["account"], row["ref"]) not in known:
            because = f"because {row['id']} is its variant for {row['account']} at the same time by now"
            message = f"cannot enter a second one of campaign {row['campaign']!r}, {because}, do look again"
            yield Wrong(line=line, column=1, message=message)


def _must_still_lie(tx: Tx, shown: Mapping[str, int]) -> None:
    """Nobody has tidied the files away since they were looked up; from here on they are kept for their posts."""
    gone = [(line, sha256) for sha256, line in shown.items() if media.find(tx, sha256) is None]
    if gone:
        because = "because it is not in the spool any more, do import again"
        raise _Overtaken(
            [Wrong(line=line, column=1, message=f"cannot use the file {sha256}, {because}") for line, sha256 in gone]
        )


def _watched(
    rows: Iterator[dict[str, object]],
    known: frozenset[tuple[str, str]],
    named: list[str],
    progress: Progress,
    skipped: set[object],
) -> Iterator[dict[str, object]]:
    """The rows that are entered; notes the first ids, and how far it is."""
    for number, row in enumerate(rows, start=1):
        if number % AT_ONCE == 0:
            progress.done = number
        if (row["account"], row["ref"]) in known:
            skipped.add(row["id"])
            continue
        if len(named) < MOST_NAMED:
            named.append(str(row["id"]))
        yield row
    progress.done = progress.of


def _refused(checking: Checking) -> Imported:
    wrong = sorted(checking.wrong, key=lambda one: (one.line, one.column))
    if all(one.unwelcome for one in wrong):
        raise AccountRefused(wrong[0].message)
    return Imported(wrong=wrong)
