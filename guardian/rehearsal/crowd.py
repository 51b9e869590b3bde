"""Strangers who answer, boost, favourite, quote and vote, as many as a test wants; any thread may call it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from guardian.rehearsal.posts import Draft, Edition, Person

if TYPE_CHECKING:
    from guardian.rehearsal.calls import World
    from guardian.rehearsal.messages import Json
    from guardian.rehearsal.posts import Status

MOST = 4096
_MOST_VOTES = 1_000_000
_TEXTS = ("Is this real?", "Please take this down.", "I have read it twice and still cannot believe it.")


class Favourites:
    """Who likes which post."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._likers: dict[int, dict[int, tuple[int, Person]]] = {}  # post -> person -> (id of the act, person)

    def add(self, status: int, person: Person, *, number: int) -> None:
        """Somebody likes a post; once is enough."""
        with self._lock:
            self._likers.setdefault(status, {}).setdefault(person.id, (number, person))

    def remove(self, status: int, person: Person) -> None:
        """Somebody likes it no more."""
        with self._lock:
            self._likers.get(status, {}).pop(person.id, None)

    def of(self, status: int) -> list[tuple[int, Person]]:
        """Who likes it, in the order in which they came to."""
        with self._lock:
            return list(self._likers.get(status, {}).values())

    def count(self, status: int) -> int:
        """How many like it."""
        with self._lock:
            return len(self._likers.get(status, ()))

    def has(self, status: int, person: Person) -> bool:
        """Whether this one does."""
        with self._lock:
            return person.id in self._likers.get(status, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Uproar:
    """What strangers do to one post. Texts and names are used in turn; in a `chain`, each reply answers the last."""

    status: int
    replies: int = 0
    texts: tuple[str, ...] = _TEXTS
    names: tuple[str, ...] = ()
    chain: bool = False
    boosts: int = 0
    favourites: int = 0
    quotes: int = 0
    votes: tuple[int, ...] = ()

    @classmethod
    def of(cls, options: object) -> Uproar:
        """What a JSON object describes; ValueError says what is wrong with it."""
        if not isinstance(options, dict):
            raise ValueError("cannot make an uproar, because it is an object")  # noqa: TRY004  # as any bad one is
        unknown = sorted(set(map(str, options)) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"cannot make an uproar, because it has no {', '.join(unknown)}")
        lists = {name: tuple(options[name]) for name in ("texts", "names", "votes") if name in options}
        return cls(**{**options, **lists, "status": int(options.get("status", 0))})

    def __post_init__(self) -> None:
        for name in ("replies", "boosts", "favourites", "quotes"):
            number = getattr(self, name)
            if type(number) is not int or not 0 <= number <= MOST:
                raise ValueError(f"cannot make an uproar, because its {name} are no number from 0 to {MOST}")
        if not self.texts or not all(isinstance(text, str) for text in (*self.texts, *self.names)):
            raise ValueError("cannot make an uproar, because texts and names are lists of texts")
        if not all(type(votes) is int and 0 <= votes <= _MOST_VOTES for votes in self.votes):
            raise ValueError("cannot make an uproar, because votes are one number for each option")


def stir(world: World, uproar: Uproar) -> Json:
    """Do all of it at once; answers the ids of the posts that were made. ValueError if the post is not there."""
    target = world.memory.any_status(uproar.status)
    if target is None or not target.is_there:
        raise ValueError("cannot make an uproar, because there is no such post")
    if uproar.votes:
        _vote(world, target, uproar.votes)
    return {
        "replies": _answer(world, uproar, target),
        "quotes": [str(_say(world, uproar, turn, Draft(quote_of=target.id)).id) for turn in range(uproar.quotes)],
        "boosts": _boost(world, uproar, target),
        "favourites": _like(world, uproar, target),
    }


def _answer(world: World, uproar: Uproar, target: Status) -> list[str]:
    made, parent = [], target.id
    for turn in range(uproar.replies):
        reply = _say(world, uproar, turn, Draft(reply_to=parent))
        made.append(str(reply.id))
        parent = reply.id if uproar.chain else parent
    return made


def _boost(world: World, uproar: Uproar, target: Status) -> list[str]:
    boosted = {boost.person.id for boost in world.memory.tied("boost", target.id)}
    people = [_stranger(world, uproar, turn) for turn in range(uproar.boosts)]
    draft = Draft(boost_of=target.id)
    made = [world.memory.publish(one, _nothing, draft=draft)[0] for one in people if one.id not in boosted]
    return [str(boost.id) for boost in made]


def _like(world: World, uproar: Uproar, target: Status) -> int:
    for turn in range(uproar.favourites):
        world.favourites.add(target.id, _stranger(world, uproar, turn), number=world.memory.next_id())
    return uproar.favourites


def _nothing() -> Edition:
    return Edition(text="")


def _say(world: World, uproar: Uproar, turn: int, draft: Draft) -> Status:
    text = uproar.texts[turn % len(uproar.texts)]
    edition = Edition(text=text, language="en")
    return world.memory.publish(_stranger(world, uproar, turn), lambda: edition, draft=draft)[0]


def _stranger(world: World, uproar: Uproar, turn: int) -> Person:
    display = uproar.names[turn % len(uproar.names)] if uproar.names else None
    return world.memory.add_person(f"stranger-{turn + 1:04d}", display=display)


def _vote(world: World, target: Status, votes: tuple[int, ...]) -> None:
    poll = target.now.poll
    if poll is None or len(votes) != len(poll.options):
        raise ValueError("cannot vote, because the post has no poll with as many options")
    summed = tuple(old + new for old, new in zip(poll.votes, votes, strict=True))
    world.memory.revise(target.id, replace(target.now, poll=replace(poll, votes=summed)))
