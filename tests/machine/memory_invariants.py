"""The invariants I1 to I9 and I14, each a method, checked after every step against the files, the store, the platform.

Two moments: `witness` looks when the first byte of a publishing request arrives, in the middle of a step, while the
gates are locked; the methods look when the step is over. Neither uses what the house says of itself where it can look
for itself: permits and gates are read as plain files, the store by a connection of its own.

**What a machine with one thread cannot show.** That two threads or processes keep out of each other's way between two
edges: a freeze that waits for a lock which a sender holds, a sender that is stopped under it, a kernel that
sends again what was written, a lock that dies with its process. There the real processes and signals of
`tests/torture` are the proof, and the models of the protocol the reason. A death here runs `finally` on its way
(`memory_fate`), and the disk forgets nothing that was committed.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from guardian.fence import passage, permits
from guardian.model import State
from tests.machine.memory_household import ACCOUNTS, LATE, Household
from tests.machine.memory_model import Model

if TYPE_CHECKING:
    from tests.machine.memory_platform import Arrival

SCOPES = ("all", "platform:mastodon", *(f"{kind}:{name}" for kind in ("account", "brand") for name in ACCOUNTS))
UNRESOLVED = (None, "unknown")
TOLERATED = 60_000


class Invariants(RuleBasedStateMachine):
    """What must be so after every step, whatever happened in it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.home = Household(self.witness)
        self.jumped = False

    def teardown(self) -> None:
        self.home.end()

    def witness(self, arrival: Arrival) -> None:
        """A publishing request arrives now."""
        account = next(one for one in self.home.accounts if one.name == arrival.account)
        covered = sorted(set(account.scopes) & set(self.model.promises))
        if covered:
            self.model.complain("I1", f"{arrival.text} was sent while {covered} was CONFIRMED")
        epochs = {row["scope"]: row["epoch"] for row in self.home.rows("select scope, epoch from scopes")}
        for scope in account.scopes:
            self._look_at_the_fence(scope, epochs.get(scope))
        posts = Counter(self.model.entered.values()) + Counter(sum(self.model.unanswered, ()))
        if self.home.platform.made(arrival.text) and posts[arrival.text] <= 1:
            self.model.complain("I6", f"{arrival.text} was sent again, and it is live")
        [post] = self.home.rows(f"select * from posts where id = '{'-'.join(arrival.key.split('-')[:2])}'")  # noqa: S608
        self._look_at_the_time(post, account.scopes)

    def _look_at_the_fence(self, scope: str, epoch: int | None) -> None:
        house = self.home.house
        if os.path.lexists(house.marker(scope)):
            self.model.complain("I2", f"sent with a marker on {scope}")
        lines = _lines(house.permit(scope))
        if lines.get("scope") != scope or lines.get("boot") != permits.boot_id():
            self.model.complain("I2", f"sent without the permit of {scope}: {lines}")
        if not lines.get("gate") or lines.get("gate") != _read(house.gate(scope)):
            self.model.complain("I2", f"sent through a gate of {scope} that the permit does not name")
        if self.home.gates_free([scope]):
            self.model.complain("I2", f"sent without holding the gate of {scope}")
        if lines.get("epoch") != str(epoch):
            self.model.complain("I9", f"sent in epoch {lines.get('epoch')} of {scope}, the store has {epoch}")

    def _look_at_the_time(self, post: dict[str, Any], scopes: tuple[str, ...]) -> None:
        wall = self.home.time.wall()
        for scope in scopes:
            lifted = self.model.lifted.get(scope, 0)
            if lifted <= wall and post["at"] < lifted and post["entered_at"] < lifted:
                self.model.complain("I8", f"{post['id']} was due before {scope} was thawed, and was sent")
        late = self.home.time.true() - post["at"]
        if not -TOLERATED <= late <= LATE + TOLERATED or not (self.jumped or 0 <= wall - post["at"] <= LATE):
            self.model.complain("I14", f"{post['id']} was sent {late} ms after its time")

    def _nothing_of(self, name: str) -> None:
        assert not [one for one in self.model.broken if one.startswith(f"{name}:")], self.model.broken

    @invariant()
    def fence(self) -> None:
        """I1: after CONFIRMED no byte of a covered publishing request, until a person thaws."""
        self._nothing_of("I1")

    @invariant()
    def fail_closed(self) -> None:
        """I2: bytes leave only while every gate is held and every permit is there, whole and of this gate."""
        self._nothing_of("I2")

    @invariant()
    def availability(self) -> None:
        """I3: a freeze from outside is CONFIRMED whatever the daemon is in the middle of, and asks no store."""
        self._nothing_of("I3")

    @invariant()
    def honest_report(self) -> None:
        """I4: CONFIRMED, durable and in flight are said only where they are so."""
        self._nothing_of("I4")

    @invariant()
    def no_loss(self) -> None:
        """I5: every acknowledged post is there once, with its words, in a state of the law; imports whole or not."""
        rows = self.home.rows("select id, text, state from posts order by seq")
        found = {row["id"]: row["text"] for row in rows}
        new = Counter(text for post, text in found.items() if post not in self.model.entered)
        for texts in self.model.unanswered:
            there = [text for text in texts if new[text]]
            assert len(there) in (0, len(texts)), f"half an import: {there} of {texts}"
            new -= Counter(there)
        assert not +new, f"posts that nobody entered: {new}"
        assert self.model.entered.items() <= found.items(), "a post is lost, or has other words"
        assert {row["state"] for row in rows} <= set(State)
        counted = {row["state"]: row["n"] for row in self.home.rows("select state, sum(n) as n from counts group by 1")}
        assert {state: n for state, n in counted.items() if n} == Counter(row["state"] for row in rows)
        if self.home.daemon is None:
            return
        self.model.entered, self.model.unanswered = found, []

    @invariant()
    def no_double(self) -> None:
        """I6: nothing is live twice, and nothing is sent again before the last try is resolved."""
        self._nothing_of("I6")
        posts = Counter(row["text"] for row in self.home.rows("select text from posts"))
        for text, live in Counter(status.text for status in self.home.platform.statuses).items():
            assert live <= posts[text], f"{text} is live {live} times, for {posts[text]} posts"
        tries = self.home.rows("select post, outcome from attempts")
        open_ones = Counter(row["post"] for row in tries if row["outcome"] in UNRESOLVED)
        assert max(open_ones.values(), default=0) <= 1, "two unresolved attempts of one post"

    @invariant()
    def no_false_success(self) -> None:
        """I7: *published* is a status that the platform has, of this account, with these words, of one post."""
        live = {status.id: (status.account, status.text) for status in self.home.platform.statuses}
        rows = self.home.rows("select account, text, platform_id from posts where state = 'published'")
        for row in rows:
            assert live.get(row["platform_id"]) == (row["account"], row["text"])
        assert len({row["platform_id"] for row in rows}) == len(rows)

    @invariant()
    def latch(self) -> None:
        """I8: what was frozen stays closed through crashes and reboots until a thaw; what it missed is missed."""
        self._nothing_of("I8")
        for scope in self.model.promises:
            try:
                passage.look(self.home.house, [scope])
            except passage.Stopped:
                continue
            raise AssertionError(f"{scope} was CONFIRMED and nobody thawed it, and it is open")

    @invariant()
    def monotone_epoch(self) -> None:
        """I9: the store's epochs never go back, and no send is of another epoch than the store's."""
        self._nothing_of("I9")
        for row in self.home.rows("select scope, epoch from scopes"):
            assert row["epoch"] >= self.model.epochs.get(row["scope"], 0)
            self.model.epochs[row["scope"]] = row["epoch"]

    @invariant()
    def time(self) -> None:
        """I14: no clock sends a post out of its turn, or misses one whose time is still to come."""
        self._nothing_of("I14")
        true = self.home.time.true()
        for row in self.home.rows("select id, at, state from posts"):
            if row["state"] == "missed" and self.model.states.get(row["id"]) != "missed":
                assert row["at"] <= true + TOLERATED, f"{row['id']} was missed {row['at'] - true} ms before its time"
            self.model.states[row["id"]] = row["state"]


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 (the fence speaks in plain paths)
            return file.read()
    except OSError:
        return ""


def _lines(path: str) -> dict[str, str]:
    """A permit as anybody would read it."""
    return dict(line.partition("=")[::2] for line in _read(path).splitlines())
