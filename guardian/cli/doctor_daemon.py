"""What the doctor hears from the daemon, or why it hears nothing; and what it makes of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guardian.cli import render
from guardian.cli.findings import Finding, unchecked, warning, well, wrong
from guardian.cli.journal import PAGE
from guardian.client import Client
from guardian.errors import Broken, GuardianError, NotAllowed, Unfound
from guardian.fence import gates, reading
from guardian.fence.house import House
from guardian.model import Entry
from guardian.rules.chain import START, Torn, Whole, verify
from guardian.rules.readiness import Verdict, of_skew, of_sqlite

ANSWER_WITHIN = 15.0
JOURNAL_PAGES = 100  # of a thousand lines: some seconds
START_IT = "systemctl start guardian, or guardian run"
ONLY_IT_KNOWS = ("token", "identity", "delete", "skew", "cores", "watchdog", "sqlite", "store", "journal")
PROVEN_FOR_MS = 90 * 86_400_000

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """The daemon's document, or None; then `found` says why."""

    document: Document | None
    found: list[Finding]


def hear(house: House) -> Heard:
    """Ask it, if there is one that can answer; never for longer than its platforms may take."""
    state, pid = reading.daemon_state(house)
    second = list(_second(house, pid))
    if state == "absent":
        return Heard(None, [*second, wrong("daemon", "no daemon runs: nothing is sent", START_IT)])
    if state == "hung":
        fix = f"systemctl restart guardian, or kill -CONT {pid}; a freeze works all the same"
        return Heard(None, [*second, wrong("daemon", f"process {pid} is stopped and answers nobody", fix)])
    try:
        return Heard(Client(house, within=ANSWER_WITHIN).get("/v1/doctor"), second)
    except GuardianError as error:
        return Heard(None, [*second, _unheard(error)])


def _unheard(error: GuardianError) -> Finding:
    """Why there is no answer from a daemon that runs."""
    because = error.message.partition("because ")[2] or error.message
    if isinstance(error, NotAllowed):
        return unchecked("daemon", because, error.fix)
    if isinstance(error, Unfound):
        return unchecked("daemon", "it is older than this command", "systemctl restart guardian")
    if error.code == Broken.code:
        return wrong("store", f"nothing is sent: {because}", error.fix)
    fix = "systemctl restart guardian; a freeze works all the same"
    return wrong("daemon", f"it does not answer: {because}", fix)


def _second(house: House, pid: int | None) -> Iterator[Finding]:
    """Whether the store belongs to another process than the house."""
    try:
        owner = gates.locker(house.store_lock)
    except PermissionError:
        return
    if owner is not None and owner != pid:
        runs = f"process {pid} runs the house" if pid is not None else "no daemon runs the house"
        why = f"{runs}, and process {owner} has its store"
        yield wrong("daemon", why, f"find out what {owner} is, and end it")


def of_the_house(told: Document) -> Iterator[Finding]:
    """Cores, watchdog, library, store, clock."""
    yield well("daemon", f"runs (pid {told['pid']}) and answers")
    if told["cores"]["soft"] == 0:
        yield well("cores", "off")
    else:
        why = "a crash would write the daemon's memory, tokens and all, to the disk"
        yield wrong("cores", why, "LimitCORE=0 in guardian.service (or ulimit -c 0), then restart")
    if told["watchdog_ms"]:
        yield well("watchdog", f"a daemon that hangs for {told['watchdog_ms'] / 1000:g} s is started again")
    else:
        fix = "run it as guardian.service (WatchdogSec=)"
        yield warning("watchdog", "nobody starts the daemon again when it hangs", fix)
    yield _sqlite(str(told["sqlite"]))
    yield _store(told["store"])
    if told["clock"]["why"]:
        fix = 'set it right (timedatectl), or guardian thaw --reason "the clock is right"'
        yield wrong("clock", f"the daemon doubts it, and sends nothing: {told['clock']['why']}", fix)


def _sqlite(version: str) -> Finding:
    verdict = of_sqlite(version)
    if verdict is Verdict.WELL:
        return well("sqlite", version)
    words = f"{version} has a known bug that can, very rarely, damage a store (mended in 3.51.3)"
    return Finding(
        check="sqlite",
        verdict=verdict,
        words=words,
        fix="install a newer libsqlite3 when there is one, and have backups",
    )


def _store(seen: Document) -> Finding:
    if seen["state"] == "whole":
        return well("store", "whole")
    if seen["state"] == "unseen":
        return well("store", f"{seen['why']}; the daemon looks at it bit by bit")
    return wrong("store", f"damaged: {seen['why']}", "guardian restore BACKUP --replace: docs/damaged-store.md")


def of_the_accounts(told: Sequence[Document], *, now: int) -> Iterator[Finding]:
    """One line for each cause; a token that is not taken tells nothing about its rights."""
    found = [one for account in told for one in _account(account, now=now)]
    yield from found
    for check, words in (
        ("token", "each platform takes it"),
        ("identity", "each is the one that is configured"),
        ("delete", "each token may"),
        ("skew", "no platform's clock is far from ours"),
    ):
        if told and not any(one.check == check for one in found):
            yield well(check, words)


def _account(one: Document, *, now: int) -> Iterator[Finding]:
    name = str(one["account"])
    why, fix = str(one["why"]), str(one["fix"])
    plain = why.partition("because ")[2] or why
    if one["token"] == "refused":  # noqa: S105 (a word of the document)
        mend = fix or "put a valid token into its file, then systemctl reload guardian"
        yield wrong("token", plain, mend, name)
    elif one["token"] == "other":  # noqa: S105 (the same)
        mend = "are the files of two accounts swapped? correct identity or token, then systemctl reload guardian"
        yield wrong("identity", f"the token belongs to {one['handle']}, and not to {one['identity']}", mend, name)
    elif one["token"] == "silent":  # noqa: S105 (the same)
        mend = fix or "look at the network and at the platform's own page of incidents"
        yield unchecked("token", plain, mend, name)
    else:
        yield from _delete(one, name, now=now)
    skew = one["skew_ms"]
    if skew is not None and of_skew(skew) is not Verdict.WELL:
        side = "ahead of" if skew > 0 else "behind"
        words = f"our clock is {abs(skew) / 1000:.0f} s {side} the platform's"
        yield Finding(check="skew", verdict=of_skew(skew), words=words, fix="timedatectl set-ntp true", about=name)


def _delete(one: Document, name: str, *, now: int) -> Iterator[Finding]:
    if one["may_delete"] is False:
        yield wrong("delete", str(one["delete_why"]), str(one["delete_fix"]), name)
    elif one["may_delete"] is None:
        at = one["deleted_at"]
        if at is None or now - datetime.fromisoformat(at).timestamp() * 1000 > PROVEN_FOR_MS:
            last = f"last proven {render.local(at)}" if at else "never proven here"
            words = f"{one['delete_why']}; {last}"
            yield warning("delete", words, "delete a test post: guardian takedown URL --delete", name)


def journal(house: House) -> Finding:
    """Follow the chain from its first line, for some seconds, without taking the daemon's word for it."""
    client, found = Client(house), Whole(lines=0, head=START)
    for _ in range(JOURNAL_PAGES):
        try:
            page = client.get("/v1/journal", after=found.lines, limit=PAGE)["entries"]
        except GuardianError as error:
            return unchecked("journal", error.message, error.fix)
        if not page:
            return well("journal", f"{render.count(found.lines, 'line')}, whole")
        following = verify((Entry(**one) for one in page), head=found.head, seq=found.lines)
        if isinstance(following, Torn):
            fix = "keep a copy of the store, find out who changed it; thaw and release wait for that"
            return wrong("journal", f"it breaks at line {following.seq}: {following.why}", fix)
        found = following
    return well("journal", f"the first {found.lines} lines are whole; guardian journal verify follows it to its end")
