"""The answers about what people decide: hold, unhold, release, reschedule, cancel. Called by the server's threads.

Every answer is bounded: it names the first posts, and says how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.daemon import documents
from guardian.duties import choosing
from guardian.errors import Mistake
from guardian.model import State
from guardian.rules import timing
from guardian.rules.shifting import By, To, read_shift
from guardian.store import listing
from guardian.store.listing import Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardian.daemon.bodies import (
        CancelBody,
        HoldBody,
        ReleaseBody,
        RescheduleBody,
        RescheduleOneBody,
        Select,
        UnholdBody,
        Which,
    )
    from guardian.daemon.peers import Peer
    from guardian.duties.choosing import Act
    from guardian.duties.deciding import Decided, Deciding
    from guardian.duties.holding import Held, Keeping, Lifted
    from guardian.model import Post
    from guardian.store.database import Database

MOST_SHOWN = 500
FIRST = 20


class Decisions:
    """The part of the answers that changes posts that are there."""

    database: Database
    deciding: Deciding
    keeping: Keeping
    ring: Callable[[], None]

    def hold(self, body: HoldBody, peer: Peer) -> documents.Document:
        """Keep posts back, or a tag."""
        if body.tag is not None:
            _must_be_alone(body)
            return self._held(self.keeping.hold_tag(body.tag, reason=body.reason, who=peer.name))
        which = self._which(body)
        if body.preview:
            return self._preview(choosing.HOLD, which)
        return self._held(self.keeping.hold(which, reason=body.reason, who=peer.name, shown=body.shown))

    def unhold(self, body: UnholdBody, peer: Peer) -> documents.Document:
        """Let posts go again, or a tag."""
        if body.tag is not None:
            _must_be_alone(body)
            found = self.keeping.unhold_tag(body.tag, who=peer.name)
        elif body.restored:
            _must_be_alone(body)
            found = self.keeping.unhold_restored(who=peer.name)
        else:
            which = self._which(body)
            if body.preview:
                return self._preview(choosing.UNHOLD, which)
            tags = isinstance(which, Filter) and which.is_any
            found = self.keeping.unhold(which, who=peer.name, shown=body.shown, tags=tags)
        self.ring()
        return _lifted(found)

    def release(self, body: ReleaseBody, peer: Peer) -> documents.Document:
        """Send missed posts after all."""
        which = self._which(body)
        if body.preview:
            return self._preview(choosing.RELEASE, which)
        done = self.deciding.release(which, gap=body.gap_ms(), who=peer.name, shown=body.shown)
        self.ring()
        return self._decided(done)

    def reschedule(self, body: RescheduleBody, peer: Peer) -> documents.Document:
        """Give posts a new time."""
        which, move = self._which(body), _move(body)
        if body.preview:
            return self._preview(choosing.RESCHEDULE, which)
        done = self.deciding.reschedule(which, move, who=peer.name, shown=body.shown)
        self.ring()
        return self._decided(done)

    def reschedule_one(self, post_id: str, body: RescheduleOneBody, peer: Peer) -> documents.Document:
        """Give a post a new time."""
        done = self.deciding.reschedule([post_id], _move(body), who=peer.name)
        self.ring()
        return {"post": self._shown(done.posts[0]), "note": done.notes[0][1] if done.notes else None}

    def cancel(self, body: CancelBody, peer: Peer) -> documents.Document:
        """Posts that are never sent."""
        which = self._which(body)
        if body.preview:
            return self._preview(choosing.CANCEL, which)
        return self._decided(self.deciding.cancel(which, who=peer.name, shown=body.shown))

    def cancel_one(self, post_id: str, peer: Peer) -> documents.Document:
        """A post that is never sent."""
        done = self.deciding.cancel([post_id], who=peer.name)
        for _, error in done.refused:
            raise error
        return {"post": self._shown(done.posts[0])}

    def _which(self, body: Which) -> Sequence[str] | Filter:
        if (body.ids is None) is (body.select is None):
            raise Mistake(
                "cannot tell which posts are meant, because neither or both are given", fix="give ids, or select"
            )
        if body.select is None:
            return body.ids or []
        found = self.filter(body.select)
        if found.is_any and not body.select.all:
            raise Mistake("cannot tell which posts are meant, because the filter is empty", fix='say "all": true')
        return found

    def filter(self, given: Select) -> Filter:
        """A filter as it is given over the socket. Raises Mistake."""
        return Filter(
            account=given.account,
            brand=given.brand,
            tag=given.tag,
            campaign=given.campaign,
            states=tuple(dict.fromkeys(_state(one) for one in given.states)),
            after=self._moment(given.after),
            before=self._moment(given.before),
            held=given.held,
        )

    def _moment(self, text: str | None) -> int | None:
        if text is None:
            return None
        return timing.resolve(text, None, now=self.deciding.clock(), default_zone=self.deciding.zone).at

    def _preview(self, act: Act, which: Sequence[str] | Filter) -> documents.Document:
        with self.database.reading() as tx:
            choice = choosing.choose(tx, act, which)
        return {
            "preview": True,
            "count": len(choice.posts),
            "left": len(choice.left),
            "mark": choice.mark,
            "posts": self._all_shown(choice.posts[:FIRST]),
        }

    def _decided(self, done: Decided) -> documents.Document:
        return {
            "posts": self._all_shown(done.posts[:MOST_SHOWN]),
            "count": len(done.posts),
            "left": [post.id for post in done.left[:MOST_SHOWN]],
            "left_in_all": len(done.left),
            "notes": [{"post": post, "note": note} for post, note in done.notes[:MOST_SHOWN]],
            "errors": [
                {"post": post, "code": error.code, "message": error.message, "fix": error.fix}
                for post, error in done.refused[:MOST_SHOWN]
            ],
        }

    def _held(self, found: Held) -> documents.Document:
        return {
            "holds": [documents.hold(one) for one in found.placed[:MOST_SHOWN]],
            "placed": len(found.placed),
            "joined": [documents.hold(one) for one in found.joined[:MOST_SHOWN]],
            "joined_in_all": len(found.joined),
            "too_late": [
                {"post": post.id, "state": post.state, "live": post.live, "parts": len(post.parts)}
                for post in found.too_late[:MOST_SHOWN]
            ],
            "waiting": found.waiting,
        }

    def _shown(self, post: Post) -> documents.Document:
        return self._all_shown([post])[0]

    def _all_shown(self, found: Sequence[Post]) -> list[documents.Document]:
        with self.database.reading() as tx:
            return [
                documents.post(post, listing.held_by(tx, post.id)) | self._strayed(post.account, post.state)
                for post in found
            ]

    def _strayed(self, account: str, state: str) -> documents.Document:
        """What is to be said of a post whose account is gone."""
        raise NotImplementedError


def _lifted(found: Lifted) -> documents.Document:
    return {
        "lifted": [documents.hold(one) for one in found.lifted[:MOST_SHOWN]],
        "count": len(found.lifted),
        "not_held": found.not_held[:MOST_SHOWN],
        "still": [documents.hold(one) for one in found.still[:MOST_SHOWN]],
        "missed": found.missed[:MOST_SHOWN],
        "missed_in_all": len(found.missed),
    }


def _must_be_alone(body: HoldBody | UnholdBody) -> None:
    if body.tag is not None and getattr(body, "restored", False):
        raise Mistake("cannot tell what is meant, because a tag and restored are given", fix="give one of them")
    if body.ids is not None or body.select is not None or body.preview:
        raise Mistake("cannot tell what is meant, because a tag and posts are given", fix="give the tag alone")


def _move(body: RescheduleBody | RescheduleOneBody) -> To | By:
    if (body.at is None) is (body.by is None):
        raise Mistake(
            "cannot tell the new time, because neither or both of at and by are given", fix="give one of them"
        )
    if body.by is not None and body.zone is not None:
        raise Mistake(
            "cannot shift to another zone, because a shift keeps each post's own", fix="give at with the zone"
        )
    return To(body.at, body.zone) if body.at is not None else read_shift(body.by or "")


def _state(name: str) -> State:
    try:
        return State(name)
    except ValueError:
        raise Mistake(
            f"cannot find posts that are {name!r}, because no state is called so", fix=f"use: {', '.join(State)}"
        ) from None
