"""The stop: take the permits away, wait until nobody is inside, end whoever is hung, and only then say CONFIRMED.

    1  lay the marker, remove the volatile permits             from here no new send passes a gate
    2  poll for every exclusive lock until the drain deadline  normally one round trip; note every holder's pidfd
    3  ask for a reset (0.3 s), then SIGKILL the holders       a stopped or hung process; the whole daemon, even for a
                                                               narrow scope: systemd starts it again, frozen
    4  holding the locks: is it the same gate, is nobody half dead, are the permits still gone?          CONFIRMED
    5  still holding them: remove the durable permits          a reboot stays frozen
    6  let go

Nothing here needs the daemon, a database, free disk space, the network or a writable root (invariant I3), and no disk
is touched before CONFIRMED. One `Stopping` is used by one thread; any number of processes may run one at the same
time.
"""

from __future__ import annotations

import errno
import os
import time

from guardian.fence import gates, limited, marker, permits, scopes
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.processes import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.fence.house import House
    from guardian.fence.marker import Marker

    Limited = Callable[[Callable[[], str], float], str]

DRAIN = 5.0
RESET_ASKED = 0.3
AFTER_KILL = 1.0
OTHERS_PATIENCE = 3.0
DURABLE_LIMIT = 2.0
NOTE_EVERY = 0.02
OWNER_LIMIT = 1.0
IN_THE_WAY = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.ENXIO})


class Unconfirmed(NamedTuple):
    """A scope that could not be proven stopped, who is in the way, and what to do."""

    scope: str
    pid: int | None
    why: str
    fix: str


class Order(NamedTuple):
    """What was asked: stop these scopes, for this reason, on behalf of this person."""

    scopes: tuple[str, ...]
    reason: str
    by: str
    drain: float = DRAIN


class Stopping:
    """One stop in progress; use it in a `with`, call `confirm`, then `settle`."""

    def __init__(
        self, house: House, order: Order, *, may_kill: bool = True, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """`meanwhile` is called once, if and when this takes longer than a moment; it must not wait for anything."""
        self.house = house
        self.order = order
        self.may_kill = may_kill
        self.marker: Marker = marker.compose(reason=order.reason, by=order.by)
        self.begun = time.monotonic()
        self.elapsed = 0.0
        self.killed: list[int] = []
        self.denied = False
        self.unconfirmed: list[Unconfirmed] = []
        self.not_durable = ""
        self._meanwhile = meanwhile
        self._watch = Watch()
        self._held: dict[str, int] = {}
        self._gate_of: dict[str, str] = {}

    def __enter__(self) -> Stopping:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def confirmed(self) -> bool:
        """Whether every scope asked for is proven stopped."""
        return not self.unconfirmed and len(self._held) == len(self.order.scopes)

    def confirm(self) -> bool:
        """Steps 1 to 4. When it returns True, no byte of a covered publishing request leaves this host any more."""
        daemon = gates.pid_in(self.house.daemon_lock)
        if daemon is not None:
            self._watch.add(daemon)  # even one that has let go of its lock may be only half dead
        wanted = [scope for scope in sorted(self.order.scopes) if self._close(scope)]
        until = self.begun + self.order.drain
        for scope in wanted:
            self._drain(scope, until)
        self.elapsed = time.monotonic() - self.begun
        return self.confirmed

    def settle(self, limited: Limited) -> bool:
        """Step 5: remove the durable permits, within a time limit that `limited` enforces, because disks can hang."""
        self.not_durable = limited(self._remove_durable, DURABLE_LIMIT) if self._held else "nothing was confirmed"
        return not self.not_durable

    def release(self) -> None:
        """Step 6: let go of every gate and of every process watched."""
        for scope, fd in self._held.items():
            _quietly(self.house.reset(scope))
            os.close(fd)
        self._held.clear()
        self._watch.close()

    def locks(self) -> list[int]:
        """The descriptors that hold the gates: a child that outlives us must close them first."""
        return list(self._held.values())

    def _close(self, scope: str) -> bool:
        """Step 1 for one scope."""
        try:
            scopes.make_passable(self.house.runtime_dir)
            scopes.make_private(self.house.gates)
            self._gate_of[scope] = self._gate_named(scope)
            laid = self._lay(scope)
            permits.remove(self.house.permit(scope))
            if not laid:
                self._lay(scope)  # the permit has made room
        except OSError as error:
            _quietly(self.house.permit(scope))  # as much as can be done
            self._fail(scope, error)
            return False
        return True

    def _lay(self, scope: str) -> bool:
        """The marker of this stop, beside the gate that it is about."""
        mine = self.marker._replace(gate=self._gate_of[scope])
        return marker.write(self.house.marker(scope), self.house.gates, mine)

    def _gate_named(self, scope: str) -> str:
        """The number of the gate that sends have been locking, by the permit, or by the marker of the freeze before."""
        try:
            found = permits.read_volatile(self.house, scope)
            if isinstance(found, permits.Permit):
                return found.gate
            before = marker.read(self.house.marker(scope))
        except OSError:
            return ""
        return before.gate if before else ""

    def _drain(self, scope: str, until: float) -> None:
        """Steps 2 to 4 for one scope; a gate that was exchanged under our hands is opened again."""
        fresh = False
        try:
            for _ in range(3):
                gate = gates.open_exclusive(self.house, scope)
                fresh = fresh or gate.fresh  # once it was missing or empty, what stands there now vouches for nobody
                if self._pass_through(scope, gate._replace(fresh=fresh), until):
                    self._held[scope] = gate.fd
                    return
                if any(one.scope == scope for one in self.unconfirmed):
                    return
        except OSError as error:
            self._fail(scope, error)
            return
        self._add(scope, None, "its gate file keeps being replaced", "find out who writes into " + self.house.gates)

    def _pass_through(self, scope: str, gate: gates.Gate, until: float) -> bool:
        """Lock and prove; a gate that is not proven is let go, whatever went wrong."""
        proven = False
        try:
            proven = self._lock(scope, gate, until) and self._prove(scope, gate)
        finally:
            if not proven:
                os.close(gate.fd)
        return proven

    def _lock(self, scope: str, gate: gates.Gate, until: float) -> bool:
        """Steps 2 and 3: the exclusive lock, by patience, then by asking, then by force."""
        note = self._noting(gate.fd)

        def wait(seconds: float) -> bool:
            return gates.wait_exclusive(gate.fd, time.monotonic() + seconds, note)

        if gates.wait_exclusive(gate.fd, until, note):
            return True
        _touch(self.house.reset(scope))
        if wait(RESET_ASKED):
            return True
        # another freeze, or an arming, deserves more patience than a send: it ends within its own limits
        if any(holder.exclusive for holder in gates.holders(gate.fd)) and wait(OTHERS_PATIENCE):
            return True
        for holder in gates.holders(gate.fd):
            self._end(scope, holder.pid)
        if wait(AFTER_KILL):
            return True
        self._blame(scope, gates.holders(gate.fd))
        return False

    def _noting(self, fd: int) -> Callable[[], None]:
        """What to do at a missed try: hold whoever is inside by a pidfd.

        Not at the first miss, and not at each: the daemon is held already, and asking the kernel costs 10 ms.
        """
        noted_at = time.monotonic()

        def note() -> None:
            nonlocal noted_at
            if time.monotonic() - noted_at >= NOTE_EVERY:
                self._takes_longer()
                for holder in gates.holders(fd):
                    self._watch.add(holder.pid)
                noted_at = time.monotonic()

        return note

    def _takes_longer(self) -> None:
        """Let begin what was to begin beside us. Whatever becomes of it changes nothing of the stop."""
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            try:
                meanwhile()
            except Exception:  # noqa: BLE001 (nothing beside the stop may end it)
                return

    def _prove(self, scope: str, gate: gates.Gate) -> bool:
        """Step 4. False without a complaint means: open the gate again."""
        if not gates.same_file(gate.fd, self.house.gate(scope)):
            return False
        named = self._gate_of[scope]
        strange = gate.fresh or bool(named and gates.identity(gate.fd) != named)
        if strange:
            self._takes_longer()
            self._end_whoever_ran_before(scope)
        dying = self._watch.wait_for_the_dying(time.monotonic() + AFTER_KILL)
        if dying:
            self._add(
                scope, dying[0], "a process that was sending is half dead", f"wait for the end of {dying[0]}, again"
            )
            return False
        if gate.fresh and not any(one.scope == scope for one in self.unconfirmed):
            _number(gate.fd)
        permits.remove(self.house.permit(scope))
        clean = not any(one.scope == scope for one in self.unconfirmed)
        if strange and clean:
            self._gate_of[scope] = gates.identity(gate.fd)  # from here on this one is the gate
        # a thaw that was just under way may have lifted our marker unseen
        if (strange and clean) or not os.path.lexists(self.house.marker(scope)):
            self._lay(scope)
        return clean

    def _end_whoever_ran_before(self, scope: str) -> None:
        """A gate that was missing or replaced vouches for nobody: a daemon may hold a lock on the lost one.

        Who owns the store is written on the disk, the only one that is looked at before CONFIRMED, and only here.
        """
        owners = {gates.owner(self.house.daemon_lock)}
        said = limited.within(self._store_owner, OWNER_LIMIT)
        if said.isdigit():
            owners.add(int(said))
        elif said:
            fix = "find it in the list of processes, end it, freeze again"
            self._add(
                scope, None, f"its gate was missing or replaced, and who owns the store is not known: {said}", fix
            )
        for pid in owners - {None}:
            self._end(scope, int(pid or 0))

    def _store_owner(self) -> str:
        try:
            pid = gates.owner(self.house.store_lock)
        except OSError as error:
            return f"{error.filename or self.house.store_lock}: {error.strerror}"
        return "" if pid is None else str(pid)

    def _end(self, scope: str, pid: int) -> None:
        if pid == 0:  # in another pid namespace: it can be neither seen nor ended from here
            self._add(scope, None, "somebody outside of this container holds it", "freeze on the host itself")
            return
        if pid == os.getpid() or not self.may_kill:
            self._add(scope, pid, "the daemon holds the gate and this door may not end it", "run: guardian freeze")
            return
        self._watch.add(pid)
        refusal = self._watch.kill(pid)
        if refusal:
            self.denied = True
            self._add(scope, pid, refusal, f"as root: kill -9 {pid}, then guardian freeze again")
        elif self._watch.wait_gone(pid, time.monotonic() + AFTER_KILL):
            self.killed.append(pid)
        else:
            self._add(
                scope, pid, "it was killed and does not end (uninterruptible)", f"ss -K as root, then wait for {pid}"
            )

    def _blame(self, scope: str, holders: tuple[gates.Holder, ...]) -> None:
        if any(one.scope == scope for one in self.unconfirmed):
            return
        pid = holders[0].pid if holders else None
        self._add(scope, pid, "somebody still holds its gate", "find the process in /proc/locks, end it, freeze again")

    def _fail(self, scope: str, error: OSError) -> None:
        self.denied = self.denied or isinstance(error, PermissionError)
        where = error.filename or self.house.gates
        if isinstance(error, PermissionError):
            fix = "run it as root or as the service user"
        else:
            fix = f"remove {where} and freeze again" if error.errno in IN_THE_WAY else "stop the daemon: kill -9"
        self._add(scope, None, f"{where}: {error.strerror}", fix)

    def _add(self, scope: str, pid: int | None, why: str, fix: str) -> None:
        self.unconfirmed.append(Unconfirmed(scope, pid, why, fix))

    def _remove_durable(self) -> str:
        """Step 5 itself, run under a time limit; empty on success, else what a reboot would undo."""
        try:
            if not os.path.isdir(self.house.permits):
                return f"{self.house.permits} is not there"
            for scope in self._held:
                permits.remove(self.house.durable(scope))
                scopes.sync_directory(self.house.permits)
                marker.write(self.house.note(scope), self.house.permits, self.marker)
                scopes.enlist(self.house, scope)
        except OSError as error:
            return f"{error.filename or self.house.permits}: {error.strerror}"
        return ""


def _touch(path: str) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError:
        return  # no room for the question: the kill comes 0.3 s later all the same


def _number(fd: int) -> None:
    """Whoever ran before has ended, so from now on this gate vouches for whoever comes; else each freeze would kill."""
    try:
        gates.identify(fd)
    except OSError:
        return  # no room: the next freeze is as careful as this one


def _quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
