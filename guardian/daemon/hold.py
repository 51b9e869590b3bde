"""The hold: what the daemon is with a damaged store. The fence is closed, no lane runs, three questions are answered.

`GET /v1/status`, `GET /metrics` and `POST /v1/freeze` need nothing but the fence and work as ever, with the same
rights; every other route answers 503 and says how to restore. No file of the store is touched. Freezing `all` (and not
only refusing to send) makes sure that the house comes up frozen after the restore: a backup knows nothing of what was
sent since it was made, so a person looks before anything leaves again.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn, cast

import structlog

from guardian import __version__
from guardian.config.in_force import InForce
from guardian.daemon import documents
from guardian.daemon.api import application
from guardian.daemon.clocks import wall_clock
from guardian.daemon.feeding import Standing
from guardian.daemon.listener import Listener
from guardian.daemon.loops import run_beside
from guardian.daemon.metrics import Metrics
from guardian.daemon.peers import RightsInForce
from guardian.daemon.present import Fence, OnHold
from guardian.daemon.reload import RELOADED, RELOADS, examine, refuse
from guardian.daemon.server import give_to_group, listen, server
from guardian.duties.freeze import close
from guardian.errors import Broken, GuardianError, Mistake
from guardian.fence import limited, marker, reading, scopes
from guardian.fence.stopping import Order, Stopping
from guardian.store import check
from guardian.store.database import STORE

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.config import Settings
    from guardian.daemon.answers import Answers
    from guardian.daemon.bodies import FreezeBody
    from guardian.daemon.notifying import Notifying
    from guardian.daemon.peers import Peer
    from guardian.daemon.reload import Read
    from guardian.fence.house import House

WHO, ALL = "guardian", "all"
FOUND_DAMAGED = "GUARDIAN_FOUND_DAMAGED"
END_WITHIN = 10.0
log = structlog.get_logger()


class Refused:
    """An answer that is none, however deep it lies: `answers.evidence.page()` is refused as `answers.posts()` is."""

    def __init__(self, why: Broken) -> None:
        self._why = why

    def __call__(self, *_: object, **__: object) -> Any:  # noqa: ANN401 (it never returns)
        """Raises Broken."""
        raise self._why

    def __getattr__(self, name: str) -> Refused:
        """What it has, it refuses as well."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self


class Holding:
    """The answers of a daemon in hold, in the place of `Answers`: what it does not name is refused."""

    def __init__(self, in_force: InForce, why: Broken) -> None:
        self.in_force = in_force
        self.house = in_force.settings.house
        self.why = why
        self.metrics = Metrics()
        settings = in_force.settings
        self.metrics.know([account.name for account in settings.accounts], settings.scopes)
        self.metrics.show(Fence(self.house, lambda: in_force.settings.scopes))
        self.metrics.show(OnHold())
        self.listener = Listener(self.metrics.text)

    def status(self) -> documents.Document:
        """The state by the fence's own word; what only the store knows is null."""
        fence = reading.read_fence(self.house)
        return {
            "state": fence.state,
            "daemon": "running",
            "version": __version__,
            "config": documents.config(self.in_force.verdict),
            "store": {"state": "damaged", "why": self.why.message, "fix": self.why.fix},
            "incident": None,
            "takedowns": None,
            "freezes": [_from_marker(one) for one in fence.scopes if one.state == reading.FROZEN],
            "counts": None,
            "held": None,
            "in_flight": None,
            "next": None,
            "accounts": [self._account(one) for one in self.in_force.settings.accounts],
            "without_account": None,
            "metrics": self.listener.state(),
        }

    def scrape(self) -> bytes:
        """The metrics: of the store only that it is damaged."""
        return self.metrics.text()

    def freeze(self, body: FreezeBody, peer: Peer) -> documents.Document:
        """Stop; the result document, whether confirmed or not. The books come with the restored store."""
        wanted = tuple(sorted(set(body.scopes)))
        for scope in wanted:
            if not (scopes.is_scope(scope) and scopes.exists(self.house, scope)):
                raise Mistake(f"cannot use the scope {scope!r}, because this house has no such scope")
        drain = self.in_force.settings.fence.drain / 1000 if body.drain is None else body.drain
        by = body.by if body.by and body.told else peer.name
        document = close(self.house, Order(wanted, body.reason, by, drain), told=body.told)
        self.metrics.froze(document)
        return document

    def __getattr__(self, name: str) -> Refused:
        """Every other answer there is, or ever will be."""
        if name.startswith("_"):
            raise AttributeError(name)
        return Refused(self.why)

    @staticmethod
    def _account(account: Any) -> documents.Document:  # noqa: ANN401 (an account of the settings)
        return {
            "name": account.name,
            "platform": account.platform,
            "brand": account.brand,
            "identity": account.identity,
            "trouble": "nothing is sent: the store is damaged",
            "held_by": None,
        }


def stand(settings: Settings, why: Broken, *, until: set[signal.Signals], read: Read, notifying: Notifying) -> None:
    """Close the house, say so, and answer until told to end. Called by the main thread, before any other exists.

    SIGHUP reads the configuration again here, too, by `read`: rights and drain take effect. Nothing is armed, no lane
    begins, and nothing is written down: there is no store to write into. A watchdog is fed by who reads the fence.
    """
    confirmed = shut(settings.house, why)
    in_force = InForce(settings, at=wall_clock())
    holding = Holding(in_force, why)
    answers = cast("Answers", holding)  # it answers, or refuses, everything that the table asks
    serving = server(application(answers, RightsInForce(in_force)))
    sock = listen(settings.house.socket, next(iter(settings.rights.read), None))
    thread = run_beside("control", lambda: serving.run(sockets=[sock]))
    serving.listens.wait(END_WITHIN)
    holding.listener.start(settings.metrics.listen)
    standing = Standing(settings.house, notifying, in_force, None)
    standing.begin()
    log.error("holds", why=why.message, fix=why.fix, frozen=confirmed, pid=os.getpid(), socket=settings.house.socket)
    asked = signal.sigwait({*until, RELOADS})
    while asked == RELOADS:
        notifying.reloading()
        _read_again(in_force, read)
        standing.ready()
        holding.listener.follow(in_force.settings.metrics.listen)
        asked = signal.sigwait({*until, RELOADS})
    log.info("stops", signal=signal.Signals(asked).name)
    standing.stop()
    holding.listener.stop()
    serving.should_exit = True
    thread.join(END_WITHIN)


def _read_again(in_force: InForce, read: Read) -> None:
    old = in_force.settings
    try:
        new, changes = examine(read, old)
    except GuardianError as error:
        refuse(in_force, error, now=wall_clock())
        return
    in_force.swap(new, at=wall_clock())
    if old.rights.read != new.rights.read:
        give_to_group(new.house.socket, next(iter(new.rights.read), None))
    log.info(RELOADED, **changes.facts())


def shut(house: House, why: Broken) -> bool:
    """Freeze everything; whether that is confirmed. A marker that lies there keeps its words: who stopped, and why."""
    order = Order((ALL,), f"the store: {why.message.partition('because ')[2] or why.message}", WHO)
    with Stopping(house, order, may_kill=False) as stop:
        lies_there = marker.of(house, ALL)
        if lies_there is not None and lies_there != marker.UNREADABLE:
            stop.marker = lies_there
        stop.confirm()
        stop.settle(limited.in_a_thread)
        for one in stop.unconfirmed:
            log.error("not confirmed", **one._asdict())
        if stop.not_durable:
            log.error("not durable", why=stop.not_durable)
        return stop.confirmed


class Breakage:
    """Hears from any thread that the store turned out to be damaged, and wakes the main thread."""

    WAKES = signal.SIGUSR1

    def __init__(self) -> None:
        self.why: Broken | None = None
        self._lock = threading.Lock()

    def note(self, why: Broken) -> None:
        """The first one counts."""
        with self._lock:
            first, self.why = self.why is None, self.why or why
        if first:
            os.kill(os.getpid(), self.WAKES)


def found_before(state_dir: Path) -> Broken | None:
    """Why the daemon's last image began anew as this one, if it did."""
    why = os.environ.pop(FOUND_DAMAGED, None)
    return None if why is None else Broken(why, fix=check.fix(state_dir / STORE))


def begin_anew(house: House, why: Broken, notifying: Notifying) -> NoReturn:
    """Become a daemon in hold from one whose store broke while it ran: close the house, then start over, empty-handed.

    A new program image has no lane, no connection and no file open; nothing of the store is closed in order, which
    would write to it. Does not return.
    """
    shut(house, why)
    os.environ[FOUND_DAMAGED] = why.message
    notifying.hand_on(os.environ)
    log.error("the store broke", why=why.message)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 (ourselves, with our own words)


def _from_marker(seen: reading.Seen) -> documents.Document:
    return {
        "id": None,
        "scope": seen.scope,
        "reason": seen.reason if seen.reason is not None else seen.why,
        "by": seen.by,
        "at": documents.utc(seen.at) if seen.at else None,
        "epoch": seen.epoch,
    }
