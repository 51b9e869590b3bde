"""What a person can do about a post that does not go out by itself. Pure; times in ms UTC.

Each piece of advice says what is the matter, and where there is one, the next command, as it can be copied.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.model import Freeze, Hold, Post

LONG = 60_000
DAY = 86_400_000
OVER = (State.PUBLISHED, State.CANCELLED, State.RETRACTING, State.RETRACTED)
NOT_YET = "not asked yet"


@dataclass(frozen=True, slots=True)
class Advice:
    """What is the matter, and the next command."""

    text: str
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that matters about a post: what covers it, what troubles its account, since when it is where it is."""

    post: Post
    freezes: Sequence[Freeze] = ()
    holds: Sequence[Hold] = ()
    trouble: str | None = None
    doubt: str = ""
    since: int
    now: int


def advise(seen: Seen) -> list[Advice]:
    """What to do, the most pressing first; nothing for a post that is over, or that only waits for its time."""
    if seen.post.state in OVER:
        return []
    return [*_of_the_house(seen), *_of_holds(seen), *BY_STATE[seen.post.state](seen)]


def _of_the_house(seen: Seen) -> Iterator[Advice]:
    if seen.doubt:
        why = f"the clock is in doubt ({seen.doubt}): nothing is sent or missed. If it is right as it is"
        yield Advice(why, 'guardian thaw --reason "the clock is right"')
    for freeze in seen.freezes:
        why = f"a freeze of {freeze.scope} covers it, by {freeze.by}: {freeze.reason or 'no reason given'}. To lift it"
        yield Advice(why, f"guardian thaw --scope {freeze.scope} --reason TEXT")
    if seen.trouble and seen.trouble != NOT_YET:
        yield Advice(f"its account {seen.post.account} is in trouble: {seen.trouble}. Is it over?", "guardian status")


def _of_holds(seen: Seen) -> Iterator[Advice]:
    for hold in seen.holds:
        what = "it" if hold.tag is None else f"its tag {hold.tag}"
        why = f"{what} is on hold ({hold.id}), by {hold.by}: {hold.reason or 'no reason given'}. To let it go"
        yield Advice(why, f"guardian queue unhold {lifting(hold)}")


def lifting(hold: Hold) -> str:
    """What to write after `unhold`, to lift it."""
    return str(hold.post) if hold.tag is None else f"--tag {shlex.quote(hold.tag)}"


def _queued(seen: Seen) -> Iterator[Advice]:
    if seen.now - seen.post.at > LONG and not seen.freezes and not seen.holds and not seen.trouble:
        yield Advice("it is due, and waits for its turn or its pictures. Who is in front of it", "guardian status")


def _claimed(seen: Seen) -> Iterator[Advice]:
    if seen.now - seen.since > LONG:
        yield Advice(
            "a lane has had it for long, nothing has left. Its pictures may be on their way; if it stays so, stop the "
            "daemon and start it again: it goes back into the queue. How it stands",
            "guardian status",
        )


def _sending(seen: Seen) -> Iterator[Advice]:
    if seen.now - seen.since > LONG:
        yield Advice("it is being sent, and the platform takes long. What is in flight", "guardian status")


def _blocked(seen: Seen) -> Iterator[Advice]:
    yield Advice("it cannot go out like this. Never send it (and add it anew)", f"guardian queue cancel {seen.post.id}")
    yield Advice("or try the same once more", f"guardian queue reschedule {seen.post.id} --at now")


def _refused(seen: Seen) -> Iterator[Advice]:
    yield Advice("the platform said no. To try again", f"guardian queue reschedule {seen.post.id} --at now")


def _missed(seen: Seen) -> Iterator[Advice]:
    post = seen.post
    if not seen.holds:
        rest = f"its other {len(post.parts) - post.live} parts" if post.live else "it"
        yield Advice(f"to send {rest} now", f"guardian queue release {post.id}")
    yield Advice("to send it later", f"guardian queue reschedule {post.id} --at {_next(post.at, seen.now)}")
    yield Advice("to send it never", f"guardian queue cancel {post.id}")


def _unknown(seen: Seen) -> Iterator[Advice]:
    yield Advice("it may be live; the platform is being asked. How far that is", f"guardian queue show {seen.post.id}")
    yield Advice("to end the asking, and never send it", f"guardian queue cancel {seen.post.id}")


def _next(at: int, now: int) -> str:
    """The same time of day, the next time that it comes."""
    ahead = at + max(0, -((at - now) // DAY)) * DAY
    return datetime.fromtimestamp(ahead / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


BY_STATE = {
    State.QUEUED: _queued,
    State.CLAIMED: _claimed,
    State.SENDING: _sending,
    State.BLOCKED: _blocked,
    State.REFUSED: _refused,
    State.MISSED: _missed,
    State.UNKNOWN: _unknown,
}
