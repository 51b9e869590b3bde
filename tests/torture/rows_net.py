"""Rows `net-…`: the network is cut in the middle of a send, a freeze is CONFIRMED, and the network heals.

The kernel would send again what was not acknowledged; none of it may arrive. What the gate unlocked because everything
was acknowledged must have nothing left to send again, in the clear and over TLS. Without a freeze, an attempt that was
given up is never delivered afterwards either.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.torture import doors
from tests.torture.daemon import RUN
from tests.torture.house import ACCOUNTS, SCOPES, TorturedHouse, soon
from tests.torture.link import FAR, Link, why_not
from tests.torture.oracle import Findings
from tests.torture.relay import Relay
from tests.torture.results import Result
from tests.torture.rows_random import Feeder
from tests.torture.rows_stopped import publish_all
from tests.torture.rows_wire import NEW_CERTIFICATE, TlsHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.torture.daemon import DaemonProcess
    from tests.torture.history import Stop
    from tests.torture.results import Options

    Make = Callable[[], TorturedHouse]
    Trial = Callable[["NetHouse | CableHouse", float], str]

ANSWER_WITHIN = 4.0
CONFIG = f'[gate]\nanswer_within = "{ANSWER_WITHIN:.0f}s"\n[reconcile]\nlooks = 2\nover = "1s"'
MORE = " " + "\N{SNOWMAN}" * 60  # nine bytes each on the wire: larger than any request but a post, and one packet
LARGE = 800
DRAIN = 0.5
CONFIRMED_WITHIN = 1200.0
SENDS_AGAIN_WITHIN = 9.0  # the kernel's next try, after so short a cut
WHO = "north-a"
LANES = len(ACCOUNTS)


class NetHouse(TorturedHouse):
    """A house whose loopback can be cut: daemon and platform share a namespace of their own."""

    def __init__(self) -> None:
        self.link = Link(cable=False).__enter__()
        try:
            super().__init__(config=CONFIG)
        except BaseException:
            self.link.__exit__()
            raise
        self.link.ports = {int(self.witness.place.partition(":")[2])}

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            super().__exit__(kind, *rest)
        finally:
            self.link.__exit__()


class CableHouse(TlsHouse):
    """A house with a cable to its platform, over TLS: two namespaces, and relays at the far end that note arrivals."""

    def __init__(self) -> None:
        self._certificates = Path(tempfile.mkdtemp(prefix="torture-tls-"))
        certificate = _certificate(self._certificates)
        self.link = Link(cable=True).__enter__()
        try:
            super().__init__(certificate)
        except BaseException:
            self.link.__exit__()
            raise
        self.more = ""

    def _write(self, more: str) -> None:
        super()._write(more or CONFIG)

    def base_url(self, name: str) -> str:
        """The relay's address, at the other end of the cable."""
        self._relays[name] = Relay(self.witness.place, at=FAR)
        self.link.ports.add(int(self._relays[name].place.partition(":")[2]))
        return f"https://{self._relays[name].place}"

    def start(self, **options: Any) -> DaemonProcess:  # noqa: ANN401 (the house's own)
        """The daemon's next life, at the house's end."""
        with self.link.at_the_house():
            return super().start(**options)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            super().__exit__(kind, *rest)
        finally:
            self.link.__exit__()
            shutil.rmtree(self._certificates, ignore_errors=True)


def _certificate(directory: Path) -> Path:
    names = [word.replace("IP:127.0.0.1", f"IP:{FAR},IP:127.0.0.1") for word in NEW_CERTIFICATE]
    made = [*names, "-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    both = directory / "both.pem"
    both.write_text((directory / "certificate.pem").read_text() + (directory / "key.pem").read_text())
    return both


def cut_and_healed(options: Options) -> Result:
    """In the clear, on the loopback of a namespace."""
    return _row("net-cut", options, NetHouse, short=[request_lost, killed])


def cut_and_healed_tls(options: Options) -> Result:
    """Over TLS, on a cable between two namespaces."""
    return _row("net-cut-tls", options, CableHouse, short=[answer_lost])


def _row(name: str, options: Options, make: Callable[[], NetHouse | CableHouse], *, short: Sequence[Trial]) -> Result:
    if why_not():
        return Result.of(name, 0, Findings(), wrong=why_not())
    dice = options.dice(name)
    cuts = [1.0] if options.short else [dice.uniform(1, 3) for _ in range(3)] + [30.0]
    trials = short if options.short else (request_lost, acknowledgement_lost, answer_lost, killed)
    wrong, done = "", 0
    with make() as house:
        house.start()
        house.feed(LANES, more=MORE)
        house.wait_all()
        for down in cuts:
            for trial in trials:
                told = trial(house, down)
                wrong = wrong or (told and f"{trial.__name__}, {down:.1f} s: {told}")
                _put_right(house)
                done += 1
                options.progress(name, done, len(cuts) * len(trials))
        done += 0 if options.short else _at_random(house, options, name)
        found = house.judge()
    found.mismatched = []  # what a cut link hides from the house, the platform knows: that is no contradiction
    return Result.of(name, done, found, worst=house.history.worst, wrong=wrong)


def request_lost(house: NetHouse | CableHouse, down: float) -> str:
    """The request does not arrive; the lanes hold the gates, are asked to cut, and do."""
    house.link.lose_requests(larger_than=LARGE)
    _all_lanes_send(house)
    return _unacknowledged(_frozen(house, down), LANES)


def acknowledgement_lost(house: NetHouse | CableHouse, down: float) -> str:
    """The request arrives, and its acknowledgement does not: for the house it is the same."""
    daemon = _stopped_at(house, "gate.checked")
    house.link.lose_answers()
    daemon.send(signal.SIGCONT)
    time.sleep(0.2)
    return _unacknowledged(_frozen(house, down), 1)


def _unacknowledged(stop: Stop, lanes: int) -> str:
    if (stop.elapsed or 0.0) < DRAIN * 1000:
        return f"CONFIRMED after {stop.elapsed} ms: nothing was unacknowledged"
    return _judge(stop, {"unknown"}, lanes)


def answer_lost(house: NetHouse | CableHouse, down: float) -> str:
    """The request was acknowledged, the gates are open, the answer is lost with the link: nothing is sent again."""
    house.witness.fault("delay", times=LANES, seconds=3 * DRAIN)
    _all_lanes_send(house)
    house.link.cut()
    return _judge(_frozen(house, down), {"unknown", "awaiting", "published"}, LANES)


def _judge(stop: Stop, states: set[str], lanes: int) -> str:
    if stop.confirmed_at is None or stop.killed or (stop.elapsed or 0.0) > CONFIRMED_WITHIN:
        return f"not confirmed, late, or somebody was killed ({stop.elapsed} ms): {stop.said[:300]}"
    told = [state for _, state in stop.in_flight or ()]
    return "" if len(told) == lanes and set(told) <= states else f"what was in flight is told as {stop.in_flight}"


def killed(house: NetHouse | CableHouse, down: float) -> str:
    """The daemon is stopped with a request on a cut link: it is killed, and its kernel throws the request away."""
    stop = _kill_on_a_cut_link(house, down)
    return "" if stop.confirmed_at and stop.killed else f"not confirmed, or not killed: {stop.said[:300]}"


def _kill_on_a_cut_link(house: NetHouse | CableHouse, down: float, *, program: Sequence[str] = RUN) -> Stop:
    house.link.lose_requests(larger_than=LARGE)
    _stopped_at(house, "gate.written", program=program)
    time.sleep(0.2)
    return _frozen(house, down)


def _stopped_at(house: NetHouse | CableHouse, point: str, *, program: Sequence[str] = RUN) -> DaemonProcess:
    """A new life, stopped in the middle of a post."""
    if house.daemon is not None:
        house.daemon.terminate()
    daemon = house.start(failpoints=f"{point}=stop", program=program)
    house.feed(1, accounts=(WHO,), at=soon(), more=MORE)
    daemon.wait_stopped()
    return daemon


def _all_lanes_send(house: NetHouse | CableHouse) -> None:
    house.feed(LANES, more=MORE)
    house.wait(lambda counts: counts["sending"] == LANES, 10, "all lanes sending")
    time.sleep(0.2)


def _frozen(house: NetHouse | CableHouse, down: float) -> Stop:
    """A freeze, after which the link stays down for so long; a second later, what would come has come."""
    healing = threading.Timer(DRAIN + down, house.link.heal)
    healing.start()
    stop = house.freeze(door=doors.in_process, drain=DRAIN)
    healing.join()
    time.sleep(1.0)
    return stop


def _put_right(house: TorturedHouse) -> None:
    if house.daemon is None or house.daemon.state() in ("", "Z"):
        house.start()
    house.witness.clear_faults()
    house.thaw(*SCOPES)
    publish_all(house)


def _at_random(house: NetHouse | CableHouse, options: Options, name: str) -> int:
    """Busy lanes, the link cut at any moment, a freeze at any moment after, and the link healed."""
    dice, rounds = options.dice(f"{name} at random"), 12
    with Feeder(house, batch=24):
        for done in range(rounds):
            time.sleep(dice.uniform(0.1, 0.4))
            house.link.cut()
            time.sleep(dice.uniform(0, 0.1))
            _frozen(house, dice.uniform(0.5, 3))
            house.thaw(*SCOPES)
            house.release()
            options.progress(f"{name} at random", done + 1, rounds)
    _put_right(house)
    return rounds


def timed_out(options: Options) -> Result:
    """No freeze: the attempts time out on a cut link and are unknown; healed, not one of them arrives by itself.

    The platform honours no idempotency keys: whatever arrived twice would be there twice.
    """
    if why_not():
        return Result.of("net-timed-out", 0, Findings(), wrong=why_not())
    wrong, trials = "", options.times(4, 1)
    with NetHouse() as house:
        house.start()
        house.witness.fault("no_idempotency", times=None)
        for done in range(trials):
            house.feed(LANES, more=MORE)
            house.wait_all()
            before = len(house.witness.creates())
            house.link.lose_requests(larger_than=LARGE)
            _all_lanes_send(house)
            house.wait(lambda counts: counts["unknown"] == LANES, ANSWER_WITHIN + 5, "all unknown")
            house.link.heal()
            house.wait_all()
            time.sleep(1.0)
            came = len(house.witness.creates()) - before
            wrong = wrong or ("" if came == LANES else f"{came} requests arrived for {LANES} posts")
            options.progress("net-timed-out", done + 1, trials)
        found = house.judge()
    return Result.of("net-timed-out", trials * LANES, found, wrong=wrong)


def broken_no_linger(_: Options) -> Result:
    """The same kill without linger 0: the kernel delivers the dead daemon's request when the link heals."""
    return _caught("net-no-linger", "no-linger", _killed_and_late)


def broken_no_wait(_: Options) -> Result:
    """The same cut without the wait: the freeze finds nobody inside, and the kernel sends again."""
    return _caught("net-no-wait", "no-wait", _unlocked_and_late)


def _killed_and_late(house: NetHouse, program: Sequence[str]) -> None:
    _kill_on_a_cut_link(house, 0.5, program=program)


def _unlocked_and_late(house: NetHouse, program: Sequence[str]) -> None:
    house.start(program=program)
    house.feed(LANES, more=MORE)
    house.wait_all()
    house.link.lose_requests(larger_than=LARGE)
    _all_lanes_send(house)
    _frozen(house, 0.5)


def _caught(name: str, variant: str, trial: Callable[[NetHouse, Sequence[str]], None]) -> Result:
    if why_not():
        return Result.of(f"broken-{name}", 0, Findings(), wrong=why_not())
    with NetHouse() as house:
        trial(house, ("-m", "tests.torture.broken", variant))
        until = time.monotonic() + SENDS_AGAIN_WITHIN
        while not (found := house.late()).late and time.monotonic() < until:
            time.sleep(0.2)
    return Result(
        name=f"broken-{name}",
        trials=1,
        late=len(found.late),
        lost=0,
        double=0,
        worst=house.history.worst,
        holds=bool(found.late),
        note=f"caught: {found.late[0]}" if found.late else "NOT CAUGHT: the oracle is blind to it",
    )
