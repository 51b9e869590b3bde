"""The takedown that is asked for beside the stop: by a child, so that the way to CONFIRMED neither waits nor imports.

The child is made as soon as the stop is over, or when it takes longer than a moment, whichever comes first; so where
nothing is on the wire it costs the stop nothing at all, and a drain never holds it up. It keeps no gate, and is bounded
in time. It tells the daemon, and hands the answer back through a pipe that is read at the end. Whatever becomes of it
changes nothing of the stop.
"""

from __future__ import annotations

import os
import select
import time

from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.limited import MOST_DESCRIPTORS, reap
from guardian.fence.processes import SIGKILL

if TYPE_CHECKING:
    from guardian.fence.command import Wish
    from guardian.fence.house import House

BEYOND_THE_WAIT = 2.0  # the daemon answers when the wait is over: its answer has this long to come
LONGEST_WAIT = 60.0  # what the daemon takes
SCOPES_WITHIN = 1.0
MOST_ANSWER = 1 << 20
CHUNK = 64 * 1024
MOST_REASON = 1000
MOST_NAME = 200


class Reply(NamedTuple):
    """What came of asking. `status` 0: no answer; then `reached` says whether the order may have been heard."""

    status: int
    document: object
    why: str
    reached: bool


class Beside:
    """One order that is under way. `collect` its answer once."""

    def __init__(self, house: House, wish: Wish, *, ask_for_scopes: bool = False) -> None:
        """Begin. With `ask_for_scopes`, only if the house knows the scopes: where this user cannot look for himself."""
        self.key = os.urandom(16).hex()
        self.house = house
        self.wish = wish
        self._scopes = wish.scopes if ask_for_scopes and wish.scopes != ("all",) else ()
        self._within = min(wish.patience, LONGEST_WAIT)
        self._until = time.monotonic() + self._within + BEYOND_THE_WAIT
        self._child, self._reader, self._trouble = self._begin()

    def body(self) -> dict[str, object]:
        """What the daemon is asked for; without a policy of its own the house's is in force."""
        policy = {"capture": self.wish.capture} if self.wish.capture else {}
        return {
            **policy,
            "refs": list(self.wish.takedown),
            "decision": self.wish.decision,
            "severity": "critical",
            "reason": self.wish.reason[:MOST_REASON],
            "wait": self._within,
            "with_freeze": True,
            "key": self.key,
        }

    def collect(self) -> Reply:
        """The answer, for which the child's own deadline is waited and no longer; the child is gone afterwards."""
        if self._reader is None:
            return Reply(0, None, self._trouble, reached=False)
        found = bytearray()
        try:
            whole = self._read(self._reader, found)
        finally:
            os.close(self._reader)
            self._reader = None
        if not whole:
            _kill(self._child)
        reap(self._child, 1.0)
        return _understood(bytes(found)) if whole else Reply(0, None, "no answer came in time", reached=True)

    def _begin(self) -> tuple[int, int | None, str]:
        ends: tuple[int, ...] = ()
        try:
            ends = os.pipe()
            child = os.fork()
        except OSError as error:
            for fd in ends:
                os.close(fd)
            return 0, None, f"nobody could be started to ask for it ({error.strerror})"
        reader, writer = ends
        if child == 0:
            self._be_the_child(writer)
        os.close(writer)
        return child, reader, ""

    def _be_the_child(self, writer: int) -> None:
        """Never returns: what follows a fork must not run the parent's clean-up. First of all it lets the gates go."""
        code = 1
        try:
            os.closerange(writer + 1, MOST_DESCRIPTORS)
            caller = _caller()
            os.closerange(0, writer)
            raw = _ask(self.house, {**self.body(), "caller": caller}, self._scopes, self._until)
            while raw:
                raw = raw[os.write(writer, raw) :]
            code = 0
        finally:
            os._exit(code)

    def _read(self, reader: int, found: bytearray) -> bool:
        """Whether the answer came to its end in time."""
        until = self._until + SCOPES_WITHIN
        while len(found) <= MOST_ANSWER:
            if not select.select([reader], [], [], max(until - time.monotonic(), 0))[0]:
                return False
            chunk = os.read(reader, CHUNK)
            if not chunk:
                return True
            found += chunk
        return False


def _caller() -> dict[str, str]:
    """Where the person sits, for the record; who they are, the kernel tells the daemon."""
    found = {"login": "", "tty": "", "host": os.uname().nodename[:MOST_NAME]}
    for key, look in (("login", os.getlogin), ("tty", lambda: os.ttyname(0))):
        try:
            found[key] = look().encode("utf-8", "replace").decode()[:MOST_NAME]
        except OSError:
            continue  # no terminal, as in a script
    return found


def _ask(house: House, body: dict[str, object], scopes: tuple[str, ...], until: float) -> bytes:
    """In the child: the daemon's answer, or why there is none, as JSON."""
    import json  # on the way to CONFIRMED nobody imports these: we are beside it

    from guardian.fence import telling

    status, document, why, reached = 0, None, "", False
    unknown = _unknown(house, scopes)
    if unknown:
        return json.dumps([422, None, f"the freeze was refused: there is no scope {unknown!r}", False]).encode()
    try:
        within = until - time.monotonic()
        status, document = telling.ask(
            house.socket, "POST", "/v1/takedowns", body, within=within, most=MOST_ANSWER // 2
        )
    except (FileNotFoundError, ConnectionRefusedError):
        why = "the daemon does not run"
    except PermissionError:
        why = f"you may not open {house.socket}"
    except telling.Deaf as error:
        why = f"the daemon does not answer: {error}"
    except OSError as error:
        why, reached = f"the daemon gave no answer: {error}", True
    return json.dumps([status, document, why, reached]).encode()


def _unknown(house: House, scopes: tuple[str, ...]) -> str:
    """The first of these scopes that the fence's agent does not know; nobody's word is awaited for long."""
    if not scopes:
        return ""
    from guardian.fence import telling

    try:
        _, document = telling.ask(house.fence_socket, "GET", "/v1/fence", within=SCOPES_WITHIN)
    except OSError:
        return ""
    rows = document.get("scopes") if isinstance(document, dict) else None
    known = {one.get("scope") for one in rows if isinstance(one, dict)} if isinstance(rows, list) else set()
    return next((one for one in scopes if known and one not in known), "")


def _understood(raw: bytes) -> Reply:
    import json

    try:
        status, document, why, reached = json.loads(raw)
    except ValueError:
        return Reply(0, None, "the child that asked for it died", reached=True)
    return Reply(status, document, why, reached)


def _kill(child: int) -> None:
    try:
        os.kill(child, SIGKILL)
    except ProcessLookupError:
        return  # it has ended, and somebody who ignores his children's ends has left it to the kernel
