"""`guardian run`: start, serve, stop cleanly. The main thread waits for signals.

Everything else has a thread of its own.

SIGHUP has the configuration read again (`reload.py`); from the first line of the program on it ends nothing.

Start: own the house, open the store, sort out what a crash left, open the fence as far as it may be opened, then let
the lanes run. With a damaged store it stands in hold instead (`hold.py`). Stop (SIGTERM, SIGINT): no new send begins,
the one that runs is finished, then exit.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from guardian.backup import placing
from guardian.config import load
from guardian.daemon import cores, hold
from guardian.daemon import log as logging_
from guardian.daemon.build import build, reader
from guardian.daemon.clocks import wall_clock
from guardian.daemon.feeding import Standing, Store, who_is_stuck
from guardian.daemon.loops import run_beside
from guardian.daemon.notifying import taken_from
from guardian.daemon.peers import Peer
from guardian.daemon.reload import RELOADS
from guardian.daemon.server import listen, server
from guardian.duties.recover import recover
from guardian.errors import Broken, ConfigMistake, Doubt, GuardianError, Taken
from guardian.fence import gates
from guardian.fence.house import FenceError, config_path
from guardian.fence.scopes import make_passable, make_private
from guardian.gate import accounts, tripwire
from guardian.store import journal

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from guardian.adapter import Maker
    from guardian.config import Settings
    from guardian.daemon.build import Daemon
    from guardian.daemon.notifying import Notifying
    from guardian.fence.house import House

OK, FAILED, WRONG_USE = 0, 1, 2
LANES_END_WITHIN = 15.0
LAST_WORD_WITHIN = 5.0
LISTENS_WITHIN = 15.0
FROM_A_PROCESS, KERNEL = 0, "the kernel"  # a terminal that is closed hangs up without anybody's name
GLANCE = 0.05
log = structlog.get_logger()


def main(words: list[str]) -> int:
    """Run until told to stop; the exit code."""
    cores.off()  # before the first secret is read
    notifying = taken_from(os.environ)
    makers = accounts.makers()
    try:
        return run(_settings(words, makers), makers, notifying)
    except (GuardianError, FenceError) as error:
        said = logging_.without_secrets(error)
        notifying.status(f"not started: {said}")
        print(said, file=sys.stderr)  # noqa: T201 (the daemon has no log yet, or no more)
        return WRONG_USE if isinstance(error, ConfigMistake) else FAILED


def run(settings: Settings, makers: Mapping[str, Maker], notifying: Notifying) -> int:
    """The daemon's life."""
    logging_.set_up([secret for account in settings.accounts for secret in account.secrets.values()])
    tripwire.stretch()
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, {*ends, RELOADS})  # before any thread exists: they all inherit it
    lock = own(settings.house)
    moved = placing.finish(settings.state_dir)  # before anything of the house is opened
    if moved is not None:
        log.warning("finished a restore", moved_aside=moved)
    try:
        _live(settings, makers, ends, notifying)
    except Broken as broken:
        hold.stand(settings, broken, until=ends, read=reader(makers), notifying=notifying)
    os.close(lock)
    return OK


def _live(settings: Settings, makers: Mapping[str, Maker], ends: set[signal.Signals], notifying: Notifying) -> None:
    """A life with a whole store. Raises Broken, with no lane running, when it is not."""
    breakage, before = hold.Breakage(), hold.found_before(settings.state_dir)
    if before is not None:
        raise before
    signal.pthread_sigmask(signal.SIG_BLOCK, {breakage.WAKES})
    daemon = build(settings, makers, notifying=notifying)
    daemon.database.on_damage = breakage.note
    serving = server(daemon.app)
    sock = listen(settings.house.socket, next(iter(settings.rights.read), None))  # before anything is armed
    try:
        found = recover(daemon.database, now=wall_clock())
        daemon.books.open_the_house()
        daemon.zones.follow()  # before the sweep: what moved may be due, or not any more
        daemon.books.sweep()
        daemon.shelf.open()
        daemon.urgent.finishing.recover()
    except Broken as broken:  # past the check at the opening: the file is open, and closing it would write to it
        hold.begin_anew(settings.house, broken, notifying)
    daemon.database.settle()
    thread = run_beside("control", lambda: serving.run(sockets=[sock]))
    for loop in daemon.loops:
        loop.start()
    daemon.listener.start(settings.metrics.listen)  # whether it can or not: the daemon runs
    if not serving.listens.wait(LISTENS_WITHIN):
        raise GuardianError("cannot serve the control socket, because its server did not begin to listen")
    standing = _standing(daemon, notifying, thread)
    standing.begin()
    log.info("runs", pid=os.getpid(), accounts=len(settings.accounts), socket=settings.house.socket, **found)
    asked = _serve_signals(daemon, breakage, ends, notifying)
    log.info("stops", signal=signal.Signals(asked).name)
    standing.stop()
    daemon.listener.stop()
    serving.should_exit = True
    thread.join(LANES_END_WITHIN)
    _end(daemon, standing)
    daemon.listener.stop()  # once more: a reload that was under way may have begun it again


def _standing(daemon: Daemon, notifying: Notifying, control: threading.Thread) -> Standing:
    """What the supervisor is told from now on, reloads included."""
    store = Store(
        daemon.database,
        stuck=lambda: who_is_stuck(daemon.loops, watch=daemon.watch, control=control),
        watchdog=notifying.watchdog,
    )
    standing = Standing(daemon.settings.house, notifying, daemon.books.in_force, store)
    daemon.reload.on_begin, daemon.reload.on_end = notifying.reloading, standing.ready
    return standing


def _serve_signals(daemon: Daemon, breakage: hold.Breakage, ends: set[signal.Signals], notifying: Notifying) -> int:
    """Wait for the signal that ends it, and follow the others; which it was."""
    while True:
        told = signal.sigwaitinfo({*ends, breakage.WAKES, RELOADS})
        if breakage.why is not None:
            if told.si_signo in ends:  # told to end just as it broke: the hold hears that, too, and ends by it
                os.kill(os.getpid(), told.si_signo)
            hold.begin_anew(daemon.settings.house, breakage.why, notifying)
        if told.si_signo in ends:
            return told.si_signo
        if told.si_signo == RELOADS:  # one of the other number that means nothing is somebody else's
            daemon.ask_to_reload(Peer(told.si_uid).name if told.si_code <= FROM_A_PROCESS else KERNEL)


def own(house: House) -> int:
    """Be the one process that may send from this house; the lock's descriptor.

    Raises Taken with the other one's pid.
    """
    try:
        make_private(house.state_dir)
        make_private(house.permits)
        make_passable(house.runtime_dir)
        make_private(house.gates)
        lock = gates.lock_for_life(house.daemon_lock)
    except OSError as error:
        raise GuardianError(
            f"cannot use {error.filename or house.runtime_dir}, because {error.strerror}",
            fix="run `guardian init`, or mend the directory (/run/user/... is there only while its user is logged in)",
        ) from error
    if lock is None:
        pid = gates.locker(house.daemon_lock)
        raise Taken(f"cannot start, because the guardian with pid {pid} runs this house", fix="stop that one first")
    return lock


def _settings(words: list[str], makers: Mapping[str, Maker]) -> Settings:
    given = None
    rest = list(words)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        if word != "--config" or not (equals or rest):
            raise ConfigMistake(f"cannot understand {word!r}, because run takes --config FILE only")
        given = value if equals else rest.pop(0)
    path = config_path(given)
    if path is None:
        raise ConfigMistake("cannot run, because there is no configuration", fix="make one: guardian init")
    return load(Path(path), known=accounts.known_secrets(makers))


def _end(daemon: Daemon, standing: Standing) -> None:
    """Let every loop finish what it does, then close the store."""
    until = time.monotonic() + LANES_END_WITHIN
    late = [daemon.reloading.name]
    while late and time.monotonic() < until:
        for loop in daemon.loops:  # looked up again and again: a reload that is under way may begin new ones
            loop.end()
        daemon.bell.halt()  # again and again: a lane clears its halt before it sends
        reloads = not daemon.reloading.join(GLANCE)  # first: once it has ended, nobody comes to the others any more
        late = [loop.name for loop in daemon.loops if reloads or not loop.join(GLANCE)]
    if late:
        log.error("did not end", loops=late)
        return  # what is still sending is found as unknown at the next start
    if not daemon.urgent.close(max(until - time.monotonic(), 1.0)):
        log.error("a takedown did not end")
        return  # it is found where it is at the next start
    try:
        with daemon.database.transaction(within=LAST_WORD_WITHIN) as tx:
            journal.append(tx, "stopped", who="guardian", now=wall_clock())
    except Doubt as error:
        log.warning("not written down", why=str(error))
    except Broken as error:
        log.error("the store broke", why=error.message)  # noqa: TRY400 (its words say it all)
        return  # closing it would write to it; the next start looks at it, and goes on hold
    standing.end(LAST_WORD_WITHIN)
    daemon.database.close()
