"""A loop that takes another's place begins when that one has ended, and not a moment before."""

from __future__ import annotations

import threading

from guardian.daemon.loops import Loop


class Held:
    """A poll that lasts until it is let go."""

    def __init__(self) -> None:
        self.polls = 0
        self.inside = threading.Event()
        self.go = threading.Event()

    def poll(self, now: int) -> int | None:
        self.polls += 1
        self.inside.set()
        self.go.wait(10)
        return now + 60_000


def test_two_loops_of_one_account_never_poll_at_the_same_time() -> None:
    first, second = Held(), Held()
    old, new = Loop("lane acme", first, lambda: 0), Loop("lane acme", second, lambda: 0)
    old.start()
    assert first.inside.wait(10)
    old.end()
    new.start(after=old)
    assert not second.inside.wait(0.2)
    first.go.set()
    assert second.inside.wait(10)
    assert old.join(10)
    second.go.set()
    new.end()
    assert new.join(10)
    assert first.polls == 1


def test_a_loop_that_was_never_started_has_ended() -> None:
    assert Loop("lane acme", Held(), lambda: 0).join(0)
