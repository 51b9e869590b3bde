"""The machine: what may happen to a house, in any order, one thing in the middle of the other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from guardian.errors import GuardianError, Mistake
from guardian.fence import permits, reading
from guardian.fence.arming import Armed, Kept
from guardian.fence.stopping import Order, Stopping
from tests.machine.memory_fate import die
from tests.machine.memory_household import ACCOUNTS
from tests.machine.memory_invariants import SCOPES, Invariants
from tests.machine.memory_model import Promise

if TYPE_CHECKING:
    from collections.abc import Callable

PASSED = "has passed"
MINUTE, HOUR, YEAR = 60_000, 3_600_000, 365 * 86_400_000
FAULTS = ("lost answer", "lost request", "late 20000", "late 100000", "422", "429", "401", "503", "502 made")
JUMPS = (HOUR, -HOUR, 5 * YEAR, -5 * YEAR, 20_000, -20_000)
PASSES = (0, 1_000, 31_000, 61_000, 5 * MINUTE, 16 * MINUTE, 2 * HOUR)
PLACES = ("lane.claimed", "lane.intended", "gate.checked", "gate.written", "gate.acknowledged", "lane.sent")
WORDS = ("good morning", "we are hiring")

faults = st.none() | st.none() | st.sampled_from(FAULTS)
accounts = st.sampled_from(ACCOUNTS)
some_scopes = st.lists(st.sampled_from(SCOPES), min_size=1, max_size=2, unique=True).map(sorted).map(tuple)
when = st.sampled_from((0, 0, 0, -MINUTE // 2, 20_000, 2 * MINUTE, 14 * MINUTE, HOUR))
places = st.integers(1, 45) | st.sampled_from(PLACES)
twists = st.none() | st.tuples(st.sampled_from(("die", "freeze", "jump")), places, some_scopes)
Twist = tuple[str, int | str, tuple[str, ...]] | None


STEPS = 40


def how_hard(houses: int) -> settings:
    """So many houses, of up to forty steps each."""
    unhurried = list(HealthCheck)
    return settings(
        max_examples=houses,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=unhurried,
        print_blob=True,
    )


class House(Invariants):
    """One house, one platform, and whatever comes to anybody's mind."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._last_import = ""
        self._shown: list[str] = []

    # ---- the daemon's life

    @initialize()
    def begin(self) -> None:
        self.home.start()

    @rule(twist=twists, reboot=st.booleans())
    @precondition(lambda self: self.home.daemon is None)
    def restart(self, *, twist: Twist, reboot: bool) -> None:
        if reboot:
            self._reboot()
        if self._act(self.home.start, twist):
            booked = {scope for _, scope, _ in self.home.in_force()}
            forgotten = set(self.model.promises) - booked
            if forgotten and not twist:
                self.model.complain("I8", f"the books do not know that {forgotten} is frozen")

    def _reboot(self) -> None:
        """A freeze that said *not durable* promised nothing beyond this, unless the books have it."""
        booked = {row["mark"] for row in self.home.rows("select mark from freezes where lifted_at is null")}
        for scope, promise in list(self.model.promises.items()):
            if not promise.durable and promise.mark not in booked:
                del self.model.promises[scope]
        if abs(self.home.time.off) == HOUR:
            self.home.time.off = 0  # an hour after a reboot is what nobody can tell from an hour without power
        self.home.reboot()

    @rule()
    @precondition(lambda self: self.home.daemon is not None)
    def crash(self) -> None:
        self.home.drop()
        self.home.start()

    @rule(passes=st.sampled_from(PASSES), watch_first=st.booleans(), twist=twists)
    def tick(self, *, passes: int, watch_first: bool, twist: Twist) -> None:
        self.home.time.boot += passes
        if self.home.daemon is not None:
            self._act(lambda: self.home.poll(watch_first=watch_first), twist)

    @rule(by=st.sampled_from(JUMPS))
    def jump(self, *, by: int) -> None:
        self._jump(by)

    def _jump(self, by: int) -> None:
        """The kernel knows that a clock which was just set is not synchronised."""
        self.home.time.off, self.home.time.synchronised = by, False
        self.jumped = True

    @rule()
    def synchronise(self) -> None:
        """NTP comes to itself."""
        self.home.time.off, self.home.time.synchronised = 0, True

    @rule(posts=st.integers(1, 3), passes=st.sampled_from(PASSES), twist=twists, fault=faults)
    @precondition(lambda self: self.home.daemon is not None)
    def busy(self, *, posts: int, passes: int, twist: Twist, fault: str | None) -> None:
        """Posts fall due, on a platform that may misbehave, and time passes: something in the middle of the sending."""
        for place in range(posts):
            self.enter(account=ACCOUNTS[place % len(ACCOUNTS)], due=0, twin=None, twist=None)
        self.home.platform.faults += [fault] if fault else []
        self._act(lambda: self.home.poll(watch_first=True), twist)
        self.tick(passes=passes, watch_first=False, twist=None)

    @rule(lost=st.sampled_from(("lost answer", "lost request", "late 20000", "late 100000", "502 made")), twist=twists)
    @precondition(lambda self: self.home.daemon is not None)
    def reconcile(self, *, lost: str, twist: Twist) -> None:
        """An answer is lost, and the platform is asked until it is known; something happens in the middle of that."""
        self.busy(posts=1, passes=1_000, twist=None, fault=lost)
        for _ in range(4):
            self.tick(passes=61_000, watch_first=True, twist=twist)
            twist = None

    @rule(twist=twists)
    def cut_the_network(self, *, twist: Twist) -> None:
        """For as long as everybody has tried once."""
        self.home.platform.unreadable = True
        self.tick(passes=1_000, watch_first=True, twist=twist)
        self.home.platform.unreadable = False

    @rule()
    def put_right(self) -> None:
        """The daemon runs, nothing is frozen, the platform behaves, the clock is right."""
        self.home.time.off, self.home.platform.faults = 0, []
        if self.home.daemon is None:
            self.home.start()
        self.thaw(scopes=SCOPES, shown="blind", twist=None)
        self.tick(passes=1_000, watch_first=True, twist=None)

    @rule(place=st.sampled_from(PLACES), kind=st.sampled_from(("freeze", "die", "jump")))
    def in_the_middle_of_a_send(self, *, place: str, kind: str) -> None:
        """All is well, and a post is on its way: the few lines that the promise rests on."""
        self.put_right()
        self.busy(posts=1, passes=0, twist=(kind, place, ("all",)), fault=None)

    # ---- the queue

    @rule(account=accounts, due=when, twin=st.none() | st.sampled_from(WORDS), twist=twists)
    @precondition(lambda self: self.home.daemon is not None)
    def enter(self, *, account: str, due: int, twin: str | None, twist: Twist) -> None:
        text = twin or self._text()
        record = {"account": account, "at": self._at(due), "text": text}

        def add() -> None:
            try:
                found, _ = self.home.queue.add(record, who="a test")
            except Mistake as error:
                if PASSED not in str(error):
                    raise
                return  # the clock jumped while it was on its way
            self.model.entered[found.post.id] = text

        if not self._act(add, twist):
            self.model.unanswered.append((text,))

    @rule(due=st.lists(when, min_size=1, max_size=4), wrong=st.booleans(), twist=twists)
    @precondition(lambda self: self.home.daemon is not None)
    def take_in(self, *, due: list[int], wrong: bool, twist: Twist) -> None:
        texts = [self._text() for _ in due]
        accounts_ = ACCOUNTS * len(due)
        records: list[dict[str, Any]] = [
            {"account": account, "at": self._at(at), "text": text, "ref": text}
            for account, at, text in zip(accounts_, due, texts, strict=False)
        ]
        if wrong:
            records.append({"account": "nobody", "at": "now", "text": "x"})
        self._last_import = "\n".join(json.dumps(one) for one in records)
        done: list[int] = []

        def add() -> None:
            found = self.home.queue.take_in(self._last_import, who="a test")
            done.append(len(found.entered))
            if found.wrong and not wrong and all(PASSED in one.message for one in found.wrong):
                done[-1] = len(texts)  # the clock jumped while it was on its way
            self.model.entered |= dict(zip(found.entered, texts, strict=False))

        if not self._act(add, twist):
            self.model.unanswered.append(tuple(texts))
        elif done != [0 if wrong else len(texts)]:
            self.model.complain("I5", f"{done} of {len(texts)} entered, wrong: {wrong}")

    @rule()
    @precondition(lambda self: self.home.daemon is not None and bool(self._last_import))
    def take_in_again(self) -> None:
        found = self.home.queue.take_in(self._last_import, who="a test")
        texts = [json.loads(line)["text"] for line in self._last_import.splitlines()]
        self.model.entered |= dict(zip(found.entered, texts, strict=False))  # the daemon died before it had them

    @rule(gap=st.sampled_from((0, None)), twist=twists)
    @precondition(lambda self: self.home.daemon is not None)
    def release(self, *, gap: int | None, twist: Twist) -> None:
        self._act(lambda: self.home.queue.release(None, gap=gap, who="a test"), twist)

    @rule(place=st.integers(0, 1000), due=when, cancel=st.booleans(), twist=twists)
    @precondition(lambda self: self.home.daemon is not None and bool(self.model.entered))
    def change(self, *, place: int, due: int, cancel: bool, twist: Twist) -> None:
        post = list(self.model.entered)[place % len(self.model.entered)]

        def by_a_person() -> None:
            try:
                if cancel:
                    self.home.queue.cancel(post, who="a test")
                else:
                    self.home.queue.reschedule(post, at=self._at(due), zone=None, who="a test")
            except GuardianError as error:
                event(f"refused: {type(error).__name__}")

        self._act(by_a_person, twist)

    # ---- the fence

    @rule(scopes=some_scopes, told=st.booleans(), twist=twists)
    def freeze_from_outside(self, *, scopes: tuple[str, ...], told: bool, twist: Twist) -> None:
        """As the command does: stop, then tell the daemon. A death in the middle is the command's."""
        if not self._survives(lambda: self._stop(scopes), twist) or not told or self.home.daemon is None:
            return
        self.home.lives(lambda: self._freeze_inside(scopes, told=True))

    @rule(scopes=some_scopes, twist=twists)
    @precondition(lambda self: self.home.daemon is not None)
    def freeze(self, *, scopes: tuple[str, ...], twist: Twist) -> None:
        self._act(lambda: self._freeze_inside(scopes, told=False), twist)

    def _freeze_inside(self, scopes: tuple[str, ...], *, told: bool) -> None:
        document = self.home.freezing.freeze(Order(scopes, "a bad joke", "a test", 0.0), wait=0.0, told=told)
        if not document["confirmed"]:
            self.model.complain("I3", f"not confirmed: {document['unconfirmed']}")
            return
        for scope in scopes:
            mark = reading.read_scope(self.home.house, scope).mark
            self._confirmed(scope, Promise(mark, bool(document["durable"])))
        if document["epoch"] is None:
            self.model.complain("I4", "frozen, and the books could not be written")
        self._check_flight(document["in_flight"])

    def _check_flight(self, flight: Any) -> None:  # noqa: ANN401 (a part of the document)
        live = {status.key for status in self.home.platform.statuses}
        for one in flight or ():
            there = any(key.startswith(one["post"]) for key in live)
            if one["state"] == "published" and not one["url"]:
                self.model.complain("I4", f"said to be published, nobody knows where: {one}")
            if one["state"] in ("unsent", "refused") and there and one["post"] not in self._published():
                self.model.complain("I4", f"said not to be there, and it is: {one}")

    def _published(self) -> set[str]:
        return {row["id"] for row in self.home.rows("select id from posts where state = 'published'")}

    def _stop(self, scopes: tuple[str, ...]) -> None:
        """The stop itself, by nothing but the fence."""
        asked = self.home.fate.store_edges
        with Stopping(self.home.house, Order(scopes, "a bad joke", "the night shift", 0.0), may_kill=False) as stop:
            confirmed = stop.confirm()
            promises = {scope: Promise(stop.marker.mark, durable=False) for scope in scopes}
            if confirmed:
                for scope, promise in promises.items():
                    self._confirmed(scope, promise)
            if self.home.fate.store_edges != asked:
                self.model.complain("I3", "the stop asked the store")
            if not confirmed:
                self.model.complain("I3", f"not confirmed: {stop.unconfirmed}")
            durable = stop.settle(lambda action, _: action())
        for scope, promise in promises.items():
            promise.durable = promise.durable or durable
            self._check_durable(scope, said=durable)

    def _confirmed(self, scope: str, promise: Promise) -> None:
        self.model.confirm(scope, promise)
        if isinstance(permits.read_volatile(self.home.house, scope), permits.Permit):
            self.model.complain("I4", f"CONFIRMED, and the permit of {scope} is there")
        self._check_durable(scope, said=promise.durable)

    def _check_durable(self, scope: str, *, said: bool) -> None:
        if said and isinstance(permits.read_durable(self.home.house, scope), permits.Permit):
            self.model.complain("I4", f"said to be durable, and the durable permit of {scope} is there")

    @rule()
    @precondition(lambda self: self.home.daemon is not None)
    def look_at_the_freezes(self) -> None:
        """A person is shown what is frozen; what they thaw later by name may be old news."""
        self._shown = [freeze for freeze, _, _ in self.home.in_force()]

    @rule(scopes=some_scopes, shown=st.sampled_from(("blind", "now", "then")), twist=twists)
    @precondition(lambda self: self.home.daemon is not None)
    def thaw(self, *, scopes: tuple[str, ...], shown: str, twist: Twist) -> None:
        standing = self.home.in_force()
        names = {"blind": None, "now": [freeze for freeze, _, _ in standing], "then": self._shown}[shown]
        marks = {mark for freeze, _, mark in standing if names is None or freeze in names}
        asked = {
            scope: promise
            for scope, promise in self.model.promises.items()
            if scope in scopes and (names is None or promise.mark in marks)
        }
        for scope in asked:
            del self.model.promises[scope]
        if twist is not None and twist[0] == "jump":
            twist = None  # whoever thaws says that the clock is right, so it must not jump just then
        self.home.time.off = 0
        began = self.home.time.wall()
        done: list[Armed | Kept] = []

        def by_a_person() -> None:
            done.extend(self.home.daemon.books.thaw(scopes, reason="over", by="a test", shown=names)[0])  # type: ignore[union-attr]

        self._act(by_a_person, twist)
        for one in done:
            if isinstance(one, Armed) and names is None:
                self.model.promises.pop(one.scope, None)  # a blind thaw may come after a freeze that it overlaps with
            if isinstance(one, Armed) and one.scope in asked:
                self.model.lifted[one.scope] = began
            if not isinstance(one, Armed) and one.scope in asked:
                self.model.promises.setdefault(one.scope, asked[one.scope])

    @rule(scope=st.sampled_from(SCOPES), how=st.sampled_from(("empty", "epoch", "scope", "gone", "writable")))
    def spoil(self, *, scope: str, how: str) -> None:
        """Something happens to a permit; I2 is that nothing passes on it."""
        path = self.home.house.permit(scope)
        found = permits.read_volatile(self.home.house, scope)
        if not isinstance(found, permits.Permit):
            return
        if how == "gone":
            permits.remove(path)
        elif how == "writable":
            Path(path).chmod(0o666)
        else:
            old = Path(path).read_text("ascii")
            epoch = old.replace(f"epoch={found.epoch}\n", f"epoch={found.epoch + 1}\n")
            text = {"empty": "", "epoch": epoch, "scope": old.replace(f"scope={scope}\n", "scope=brand:other\n")}[how]
            Path(path).write_text(text, "ascii")

    # ---- one thing in the middle of the other

    def _act(self, action: Callable[[], object], twist: Twist) -> bool:
        """Do it to the daemon, with the twist in its middle; whether the daemon survived it."""
        self._plan(twist)
        alive = self.home.lives(action)
        self._over(twist)
        return alive

    def _survives(self, action: Callable[[], object], twist: Twist) -> bool:
        """The same for a process of its own, which may die without the daemon."""
        daemon, self.home.daemon = self.home.daemon, None
        lock, self.home.lock = self.home.lock, -1
        self._plan(twist)
        alive = self.home.lives(action)
        self._over(twist)
        self.home.daemon, self.home.lock = daemon, lock
        return alive

    def _plan(self, twist: Twist) -> None:
        self.jumped = False
        if twist is None:
            return
        kind, where, scopes = twist
        deeds = {"die": die, "freeze": lambda: self._stop_if_free(scopes), "jump": lambda: self._jump_within(scopes)}
        self.home.fate.plan(where, deeds[kind])

    def _jump_within(self, scopes: tuple[str, ...]) -> bool:
        self._jump(JUMPS[SCOPES.index(scopes[0]) % len(JUMPS)])
        return True

    def _stop_if_free(self, scopes: tuple[str, ...]) -> bool:
        """A stop waits for whoever is inside; with one thread that would be for ever, so it comes a little later.

        A gate that is not there yet would have to vouch for a daemon that runs, and that is us.
        """
        if not self.home.gates_free(scopes) or (self.home.lock >= 0 and not self.home.gates_there(scopes)):
            return False
        self._stop(scopes)
        return True

    def _over(self, twist: Twist) -> None:
        if twist is not None and self.home.fate.happened:
            event(f"{twist[0]} at {self.home.fate.happened}")
        self.home.fate.forget()

    def _text(self) -> str:
        self._count += 1
        return f"post {self._count}"

    def _at(self, due: int) -> str:
        if due == 0:
            return "now"
        moment = datetime.fromtimestamp((self.home.time.wall() + due) / 1000, UTC)
        return moment.isoformat(timespec="milliseconds")
