"""Closing a post's replies and detaching its quotes: one record beside the post, laid and lifted. The post stays.

A gate is written only over what was read before: the PDS is told what must be there, and refuses if it is not. Asking
is for any number of threads at once; the acts for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters import bluesky_answers as answers_
from adapters import bluesky_gates as gates
from adapters import bluesky_names as names
from adapters.bluesky_gates import QUOTES, REPLIES
from adapters.bluesky_incident import BlueskyIncident, name_of, now_written
from adapters.bluesky_session import bearing
from guardian.adapter import Look, Undoing
from guardian.errors import Doubt, Refusal
from guardian.model import Decision, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from adapters.bluesky_answers import Json
    from adapters.bluesky_names import Name
    from adapters.bluesky_session import Session
    from guardian.adapter import Answer
    from guardian.model import PostRef

GATE, BEFORE, RECORD, SWAP = "gate", "before", "record", "swap"
LOOKED = {REPLIES: "threadgate", QUOTES: "postgate"}


class BlueskyLimiting(BlueskyIncident):
    """Limits on what is live."""

    def looks_before(self, decision: Decision, ref: PostRef) -> Sequence[Look]:
        """The gate that is there already; of quotes, who quotes it."""
        gate = gates.GATES.get(decision)
        if gate is None:
            return ()
        usual = {look.name: look for look in self.looks(ref)}
        there = Look(name=LOOKED[gate], url=self._where(_beside(name_of(ref), gate)), may_be_missing=True)
        return (there, usual["status"] if gate == REPLIES else usual["quotes"])

    def limited(self, decision: Decision, ref: PostRef) -> Presence:
        """Whether the post is there, and then what its gate says, both by its own PDS."""
        presence, gate = self.presence(ref), gates.GATES.get(decision)
        if presence is not Presence.THERE or gate is None:
            return presence
        name = _beside(name_of(ref), gate)
        try:
            answer = self._record(name)
        except Exception:  # noqa: BLE001 (no answer, whatever the reason: the receipt has it)
            return Presence.UNKNOWN
        there = answers_.presence(answer.status_code, answer.content, name.uri)
        if there is Presence.UNKNOWN:
            return there
        found = answers_.stored(answer.content) if there is Presence.THERE else None
        return Presence.LIMITED if found is not None and gates.in_force(gate, found.value) else Presence.THERE

    def prepare(self, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """What the gate will say. Where nobody could read the one that is there, none must be there."""
        gate = gates.GATES.get(decision)
        if gate is None:
            return super().prepare(decision, ref, answers)
        name = name_of(ref)
        if gate == REPLIES:
            _must_begin_a_thread(answers)
        there = _stored(answers.get(LOOKED[gate]), _beside(name, gate))
        before = None if there is None else there.value
        quotes = _quotes(answers.get("quotes")) if gate == QUOTES else []
        record = gates.laid(gate, name.uri, before=before, made=now_written(), quotes=quotes)
        swap = None if there is None else there.cid
        undo = {GATE: gate, BEFORE: before, RECORD: record, SWAP: swap}
        return Undoing(says=gates.says(record, gate, swap), undo=undo)

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        """One putRecord of the gate; a deletion as ever."""
        gate, undo = gates.GATES.get(decision), undoing.undo or {}
        if gate is None:
            super().retract(decision, ref, undoing)
            return
        if undo.get(GATE) != gate:
            raise Refusal("cannot limit that post, because nothing says what its gate is to say", fix="order it anew")
        self._write(_beside(name_of(ref), gate), undo[RECORD], undo[SWAP])

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:
        """One request: the gate goes, or says again what it said; what people have written into it since stays."""
        gate, before = undo.get(GATE), undo.get(BEFORE)
        if gate not in LOOKED:
            super().undo(ref, undo)
            return
        name = _beside(name_of(ref), str(gate))
        answer = self._record(name)
        there = answers_.stored(answer.content) if answer.status_code == answers_.OK else None
        if there is None:
            raise Doubt(f"cannot lift that limit, because the PDS answered {answer.status_code} for its gate")
        left = gates.lifted(str(gate), there.value, before=before if isinstance(before, dict) else None)
        if left.record is None:
            said = {"repo": name.repo, "collection": name.collection, "rkey": name.rkey, "swapRecord": there.cid}
            self._done("com.atproto.repo.deleteRecord", said, self._believed())
        else:
            self._write(name, left.record, there.cid)

    def _write(self, name: Name, record: object, swap: object) -> None:
        said = {"repo": name.repo, "collection": name.collection, "rkey": name.rkey, "record": record}
        self._done("com.atproto.repo.putRecord", {**said, "swapRecord": swap}, self._believed())

    def _done(self, method: str, said: Json, session: Session) -> httpx.Response:
        """One write. What came of it stands in the receipt."""
        answer = self._http.post(self._at(method), json=said, headers=bearing(session))
        if answers_.is_stale(answer.status_code, answer.content):
            self._login.distrust()
        return answer


def _beside(post: Name, gate: str) -> Name:
    return names.Name(post.repo, gate, post.rkey)


def _stored(answer: Answer | None, name: Name) -> answers_.Stored | None:
    found = answers_.stored(answer.body) if answer is not None and answer.status == answers_.OK else None
    return found if found is not None and found.uri == name.uri else None


def _must_begin_a_thread(answers: Mapping[str, Answer]) -> None:
    """Replies are closed for a thread, at its first post: a gate beside a reply says nothing to anybody."""
    status = answers.get("status")
    found = answers_.stored(status.body) if status is not None and status.status == answers_.OK else None
    if found is not None and "reply" in found.value:
        reply = found.value["reply"]
        root = reply.get("root", {}).get("uri") if isinstance(reply, dict) else None
        raise Refusal(
            "cannot close its replies, because it is a reply itself, and only a whole thread can be closed",
            fix=f"name the first post of the thread: {root or 'see the post'}",
        )


def _quotes(answer: Answer | None) -> list[str]:
    """Who quotes it, as far as bsky.app could be asked."""
    found: Any = answers_.document(answer.body) if answer is not None and answer.status == answers_.OK else None
    posts = found.get("posts") if isinstance(found, dict) else None
    uris = [one.get("uri") for one in posts if isinstance(one, dict)] if isinstance(posts, list) else []
    return [uri for uri in uris if isinstance(uri, str) and names.name_in(uri) is not None]
