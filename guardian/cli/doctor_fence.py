"""What the doctor sees of the fence: its directories, permits and gates as files, and what its self-test shows."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardian.cli import proving, render
from guardian.cli.findings import Finding, unchecked, warning, well, wrong
from guardian.cli.proving import Proof
from guardian.errors import Taken
from guardian.fence import gates, marker, permits, reading, scopes
from guardian.fence.house import House
from guardian.fence.permits import Permit

WRITABLE = 0o022
AS_ROOT = "run it as root or as the service user"
OF_ITS_DIRECTORY = "its directory"


@dataclass(frozen=True, slots=True)
class Seen:
    """A directory of the house, and what is wrong with it."""

    path: str
    why: str
    fix: str


def directories(house: House) -> list[Finding]:
    """Owner and mode of the four directories that everything rests on."""
    places = (house.state_dir, house.permits, house.runtime_dir, house.gates)
    try:
        bad = [one for path in places if (one := _of(house, path))]
    except PermissionError as error:
        return [unchecked("directories", "it is closed to you", AS_ROOT, str(error.filename))]
    if bad:
        return [wrong("directories", one.why, one.fix, one.path) for one in bad]
    return [well("directories", "four, and nobody else may write into them")]


def _of(house: House, path: str) -> Seen | None:
    try:
        found, owner = os.lstat(path), os.stat(house.state_dir).st_uid  # noqa: PTH116 (the fence speaks in plain paths)
    except FileNotFoundError:
        return Seen(path, "it is not there", "guardian init, or after a boot: systemd-tmpfiles --create")
    if not stat.S_ISDIR(found.st_mode):
        return Seen(path, "it is no directory of its own", "move it away, then guardian init")
    if found.st_uid not in (0, owner):
        why = f"it belongs to uid {found.st_uid}, and the house to uid {owner}: nothing is sent"
        return Seen(path, why, f"chown {owner} {path}, after finding out who did that")
    if found.st_mode & WRITABLE:
        why = f"others may write into it (mode {stat.S_IMODE(found.st_mode):04o}), and could open the fence"
        return Seen(path, why, f"chmod go-w {path}, find out who did that, then thaw what is frozen")
    return None


def permits_and_gates(house: House, wanted: Sequence[str], *, daemon_runs: bool) -> Iterator[Finding]:
    """Every scope's files. Raises OSError where they are closed to us."""
    listed = scopes.listed(house)
    found = [one for scope in listed for one in _scope(house, scope, daemon_runs=daemon_runs)]
    missing = [scope for scope in wanted if scope not in listed]
    if missing:
        fix = "reload the daemon (systemctl reload guardian), or guardian init"
        found.append(warning("permits", "it was never armed: nothing is sent under it", fix, ", ".join(missing)))
    yield from found
    for check, words in (("permits", "as they were written"), ("gates", "the ones that the permits name")):
        if not any(one.check == check for one in found):
            yield well(check, f"{render.count(len(listed), 'scope')}, {words}")
    if not any(one.check == "frozen" for one in found):
        yield well("frozen", "nothing")


def _scope(house: House, scope: str, *, daemon_runs: bool) -> Iterator[Finding]:
    seen, found = reading.read_scope(house, scope), permits.read_volatile(house, scope)
    if seen.state == reading.FROZEN:
        yield from _frozen(house, scope, seen, found)
    elif seen.state == reading.UNARMED and daemon_runs:
        yield wrong("permits", "no daemon has armed it since the boot", "restart the daemon", scope)
    elif isinstance(found, Permit):
        yield from _durable(house, scope, found)
    if isinstance(found, Permit):
        yield from _gate(house, scope, found)


def _frozen(house: House, scope: str, seen: reading.Seen, found: Permit | permits.Flaw) -> Iterator[Finding]:
    """A freeze that somebody ordered is worth a line; one that nobody ordered is a fault."""
    lift = f"guardian thaw --scope {scope} --reason WHY"
    if marker.of(house, scope) is not None:
        since = render.local(seen.at) if seen.at else "nobody knows when"
        words = f"since {since} by {seen.by or 'nobody knows whom'}: {seen.reason or 'no reason given'}"
        yield warning("frozen", words, lift, scope)
    elif isinstance(found, Permit) or not found.why.startswith(OF_ITS_DIRECTORY):
        why = "its permit is right, and it is frozen" if isinstance(found, Permit) else found.why
        yield wrong("permits", f"frozen, and nobody ordered it: {why}", f"find out who did that, then {lift}", scope)


def _durable(house: House, scope: str, volatile: Permit) -> Iterator[Finding]:
    durable = permits.read_durable(house, scope)
    mend = f"guardian freeze --scope {scope} to mend, then guardian thaw --scope {scope} --reason mended"
    if not isinstance(durable, Permit):
        if not durable.why.startswith(OF_ITS_DIRECTORY):
            why = durable.why.replace("permit", "durable permit")
            yield wrong("permits", f"{why}: after a restart it would be frozen", mend, scope)
    elif durable.epoch != volatile.epoch:
        why = f"its permits disagree (epoch {volatile.epoch} in memory, {durable.epoch} on disk)"
        yield wrong("permits", f"{why}: after a restart it would be frozen", mend, scope)


def _gate(house: House, scope: str, permit: Permit) -> Iterator[Finding]:
    """The gate must be the one that the permit names: nobody passes another, and a freeze ends the daemon over it."""
    try:
        fd = gates.open_shared(house, scope)
        try:
            named = gates.identity(fd)
        finally:
            os.close(fd)
    except OSError as error:
        named, why = "", f"its gate cannot be used ({error.strerror})"
    else:
        why = "its gate was replaced"
    if named != permit.gate:
        fix = f"guardian freeze --scope {scope} (it ends the daemon, which starts anew), then guardian thaw"
        yield wrong("gates", f"{why}: nothing is sent under it", fix, scope)


def self_test(house: House, *, agent: bool) -> tuple[list[Finding], Proof | None]:
    """The real stop on a private scope."""
    try:
        proof = proving.prove(house, agent=agent)
    except Taken as error:
        return [warning("self-test", error.message.partition("because ")[2], error.fix)], None
    except OSError as error:
        return [unchecked("self-test", f"{error.filename or house.gates}: {error.strerror}", AS_ROOT)], None
    if proof.why:
        return [wrong("self-test", proof.why, proof.fix)], proof
    words = (
        f"CONFIRMED in {proof.stop_ms} ms, {proof.sent} sends before and none after;"
        f" a hung sender was ended in {proof.hung_ms} ms"
    )
    return [well("self-test", words)], proof
