"""The fence's self-test: the real stop, in the real directories, on private scopes that no send belongs to.

A child plays the sender: it passes the private scope's gate as a lane does and writes a byte while it is inside. The
stop comes (the function behind all three doors); after CONFIRMED no byte may come any more. Then the same with a child
that is stopped inside, which the stop must end, and once more through the fence agent. This stop ends nobody but its
own children, touches no list and no other scope's files, and takes everything away again; the child does so if we die.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

from guardian.cli.proving_sender import HELD, SENT, STOPPED, WENT
from guardian.errors import GuardianError, Taken
from guardian.fence import arming, gates, limited, reading, scopes, telling
from guardian.fence.arming import Armed
from guardian.fence.house import House
from guardian.fence.stopping import Order, Stopping

WHO, REASON = "guardian doctor", "a self-test on a scope of its own"
READY_WITHIN, CHILD_WITHIN = 20.0, 3.0
SOME = 0.05  # seconds of sending before the stop
DRAIN, SHORT_DRAIN = 2.0, 0.05
AGENT_WITHIN = 10.0
CODES_OK = 200
PATIENCE = 3.0


@dataclass(slots=True)
class Proof:
    """What came of it: `why` is empty where all of it held. Times in ms, None where it did not come to that."""

    why: str = ""
    fix: str = ""
    sent: int = 0
    stop_ms: float | None = None
    hung_ms: float | None = None
    agent_ms: float | None = None
    agent_why: str = ""
    agent_fix: str = ""
    left: list[str] = field(default_factory=list)  # files of an earlier self-test that was killed


class Unproven(GuardianError):
    """cannot rely on the fence, because its self-test failed"""


def prove(house: House, *, agent: bool = False) -> Proof:
    """Run it; whatever is wrong is in the answer. Raises Taken while another one runs, OSError where we may not."""
    with alone(house) as lock:
        return prove_under(house, lock, agent=agent)


def prove_under(house: House, lock: int, *, agent: bool = False) -> Proof:
    """The same for whoever holds the lock already."""
    proof = Proof(left=clear(house))
    try:
        with _sender(house, lock) as sender:
            _stop_a_busy_one(house, sender, proof)
            _stop_a_hung_one(house, proof)
            if agent:
                _try_the_agent(house, proof)
    except Unproven as error:
        proof.why, proof.fix = error.message, error.fix
    finally:
        clear(house)
    return proof


@contextmanager
def alone(house: House) -> Iterator[int]:
    """Be the only self-test of this house; the lock's descriptor. Another self-test is waited for. Raises Taken."""
    path, until = f"{house.runtime_dir}/drill.lock", time.monotonic() + PATIENCE
    lock = gates.lock_for_life(path)
    while lock is None and time.monotonic() < until:
        time.sleep(SOME)
        lock = gates.lock_for_life(path)
    if lock is None:
        pid = gates.locker(path)
        raise Taken(f"cannot try the fence, because process {pid} does so just now: a drill", fix="wait for its end")
    try:
        yield lock
    finally:
        os.close(lock)


def clear(house: House) -> list[str]:
    """Take away every file of a private scope; which there were. Only under the lock, or as the child of who had it."""
    found = []
    for directory in (house.gates, house.permits):
        for name in os.listdir(directory):  # noqa: PTH208 (the fence speaks in plain paths)
            if name.lstrip(".").startswith(f"{scopes.PRIVATE}:"):
                with suppress(FileNotFoundError):
                    os.unlink(f"{directory}/{name}")  # noqa: PTH108 (as above)
                    found.append(name)
    return found


class _OursAlone(Stopping):
    """The stop, but that it ends nobody except the child that it was told of: the daemon goes on."""

    ours: frozenset[int] = frozenset()

    def _end(self, scope: str, pid: int) -> None:
        if pid in self.ours:
            super()._end(scope, pid)
        else:
            self._add(scope, pid, "somebody who is not of the self-test is in its way", "try again in a minute")


def _armed(house: House) -> str:
    """A fresh private scope, armed as a new one is."""
    scope = f"{scopes.PRIVATE}:{os.urandom(8).hex()}"
    done = arming.arm_new(house, scope)
    if not isinstance(done, Armed):
        raise Unproven(f"no scope can be armed here: {done.why}", fix=f"mend {house.gates} and {house.permits}")
    return scope


def _stop(house: House, scope: str, *, drain: float, ours: frozenset[int] = frozenset()) -> float:
    """The stop; how long it took until CONFIRMED, in ms. Raises Unproven unless it is confirmed, durable and seen."""
    stop = _OursAlone(house, Order((scope,), REASON, WHO, drain))
    stop.ours = ours
    with stop:
        if not stop.confirm():
            named = stop.unconfirmed[0] if stop.unconfirmed else None
            why = named.why if named else "nobody knows why"
            raise Unproven(f"the stop was NOT CONFIRMED: {why}", fix=named.fix if named else "guardian freeze")
        if not stop.settle(limited.within):
            raise Unproven(f"a freeze would not survive a reboot: {stop.not_durable}", fix="mend that disk")
        elapsed = stop.elapsed
    if reading.read_scope(house, scope).state != reading.FROZEN:
        raise Unproven("the scope was stopped, and does not look frozen", fix=f"look into {house.gates}")
    return round(elapsed * 1000, 1)


def _stop_a_busy_one(house: House, sender: "_Sender", proof: Proof) -> None:
    scope = _armed(house)
    sender.tell(scope)
    time.sleep(SOME)
    proof.stop_ms = _stop(house, scope, drain=DRAIN)
    before = sender.drain()
    proof.sent = before.count(SENT)
    rest = before if STOPPED in before else before + sender.until(STOPPED)
    if not proof.sent:
        raise Unproven("the child could not send through an open gate", fix=f"look into {house.gates}")
    late = rest[len(before) :].count(SENT)
    if late:
        raise Unproven(f"{late} sends came after CONFIRMED: this kernel's locks do not hold", fix="use another host")


def _stop_a_hung_one(house: House, proof: Proof) -> None:
    scope = _armed(house)
    child = _start(house, "--hold", scope)
    try:
        _expect(child, HELD)
        proof.hung_ms = _stop(house, scope, drain=SHORT_DRAIN, ours=frozenset((child.pid,)))
        if child.wait(CHILD_WITHIN) >= 0:
            raise Unproven("a hung sender was not ended by the stop", fix="look at who may end processes here")
    finally:
        _gone(child)


def _try_the_agent(house: House, proof: Proof) -> None:
    try:
        proof.agent_ms = _stop_by_the_agent(house)
    except Unproven as error:
        proof.agent_why, proof.agent_fix = error.message, error.fix


def _stop_by_the_agent(house: House) -> float:
    """The same order as anybody on call gives it, to fence.sock; in ms."""
    scope = _armed(house)
    body = {"reason": REASON, "scopes": [scope], "drain": DRAIN}
    try:
        status, said = telling.ask(house.fence_socket, "POST", "/v1/freeze", body, within=AGENT_WITHIN)
    except OSError as error:
        raise Unproven(f"the agent did not stop: {error}", fix="look at: journalctl -u 'guardian-fence@*'") from error
    document = said if isinstance(said, dict) else {}
    stopped = reading.read_scope(house, scope).state == reading.FROZEN
    if status != CODES_OK or document.get("confirmed") is not True or not stopped:
        told = document.get("error") or document.get("unconfirmed") or f"it answered {status}"
        raise Unproven(f"the agent could not stop: {str(told)[:500]}", fix="look at the unit guardian-fence@.service")
    if document.get("durable") is not True:
        raise Unproven("a freeze by the agent would not survive a reboot", fix="let the unit write STATE_DIR/fence")
    return float(document.get("elapsed_ms") or 0.0)


@dataclass(slots=True)
class _Sender:
    """The child that sends, and what it wrote."""

    child: "subprocess.Popen[bytes]"

    def tell(self, scope: str) -> None:
        """Have it send under this scope."""
        _pipe(self.child.stdin).write(f"{scope}\n".encode())
        _pipe(self.child.stdin).flush()

    def drain(self) -> bytes:
        """Whatever it has written so far."""
        found, fd = b"", _pipe(self.child.stdout).fileno()
        while select.select([fd], [], [], 0)[0]:
            chunk = os.read(fd, 1 << 16)
            if not chunk:
                break
            found += chunk
        return found

    def until(self, sign: bytes) -> bytes:
        """Read on until it says so. Raises Unproven when it does not in time."""
        found, fd, end = b"", _pipe(self.child.stdout).fileno(), time.monotonic() + CHILD_WITHIN
        while sign not in found:
            if not select.select([fd], [], [], max(end - time.monotonic(), 0))[0]:
                raise Unproven("the child that sends did not see the closed gate", fix="look at the log of the system")
            chunk = os.read(fd, 1 << 16)
            if not chunk:
                raise Unproven("the child that sends has died", fix="try again")
            found += chunk
        return found


@contextmanager
def _sender(house: House, lock: int) -> Iterator[_Sender]:
    child = _start(house, "--send", keeps=(lock,))  # whoever comes next waits until it has cleared, even if we die
    try:
        _expect(child, WENT)
        yield _Sender(child)
    finally:
        _gone(child)  # it hears that we have gone, and clears what we may have left


def _start(house: House, *words: str, keeps: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 (our own program)
        [sys.executable, "-m", "guardian.cli.proving_sender", *house, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        pass_fds=keeps,
    )


def _expect(child: "subprocess.Popen[bytes]", sign: bytes) -> None:
    out = _pipe(child.stdout)
    if not select.select([out], [], [], READY_WITHIN)[0] or out.read(1) != sign:
        raise Unproven("the child that plays the sender could not be started", fix="look at memory and processes")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise Unproven
    return pipe


def _gone(child: "subprocess.Popen[bytes]") -> None:
    """End it, and take it off the list of processes."""
    _pipe(child.stdin).close()
    try:
        child.wait(CHILD_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    _pipe(child.stdout).close()
