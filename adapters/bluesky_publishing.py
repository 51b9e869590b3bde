"""Bluesky, through atproto: who we are, a post under a name that is fixed before it leaves, and whether it is there.

What an incident needs is next door, in `bluesky_incident`. Only one thread at a time uses what is here. Facts are from
the lexicons and the source of the PDS. A post's name follows from its idempotency key, so a replay writes the same
record to the same place, of which a PDS makes nothing; and whether a lost one arrived is asked by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atproto_client.exceptions import BadRequestError, UnauthorizedError

from adapters import bluesky_answers as answers_
from adapters import bluesky_gates as gates
from adapters import bluesky_names as names
from adapters import bluesky_record as record_
from adapters.bluesky_gates import REPLIES
from adapters.bluesky_incident import now_written
from adapters.bluesky_limiting import BlueskyLimiting
from adapters.bluesky_names import POST
from adapters.bluesky_session import bearing, is_stale
from guardian.adapter import Readiness
from guardian.beyond import Entitlement
from guardian.errors import ConfigMistake, Doubt, TokenRefused
from guardian.model import Identity, PostRef, Presence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.bluesky_answers import Json, Stored
    from adapters.bluesky_names import Name
    from adapters.bluesky_session import Session
    from guardian.model import Limits, Media, Part, Problem

CREATE = "com.atproto.repo.applyWrites#create"


class BlueskyAdapter(BlueskyLimiting):
    """One account on one PDS."""

    def whoami(self) -> Identity:
        """The DID, and the handle that it has now; written as the configuration writes it, which may be the DID."""
        try:
            me = self._login.proven(anew=True)
        except UnauthorizedError:
            raise TokenRefused from None
        if names.lives_elsewhere(self._account.base_url, me.pds):
            raise ConfigMistake(
                f"cannot use {self._account.base_url}, because @{me.handle} lives at {me.pds}, and only that PDS says"
                " surely what is there",
                fix=f'write base_url = "{me.pds}"',
            )
        wanted = self._account.identity
        handle = me.did if wanted.startswith("did:") else f"@{me.handle}" if wanted.startswith("@") else me.handle
        return Identity(id=me.did, handle=handle)

    def may_delete(self) -> Entitlement:
        """It has no smaller rights that could be given; only messages are apart."""
        return Entitlement(may=True, why="an app password may always delete posts")

    def limits(self) -> Limits:
        """The network's own, the same on every PDS; nobody can be asked for them."""
        return record_.LIMITS

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        """Counted as the lexicon counts: letters as people see them, and bytes."""
        return record_.check(part, limits)

    def upload(self, data: bytes, media: Media) -> str:
        """One uploadBlob. Nobody sees it before a record names it, and the PDS throws it away after some hours.

        Without the library, which hands bytes to httpx in a way that httpx is about to give up.
        """
        headers = {**bearing(self._login.proven()), "Content-Type": media.type}
        answer = self._http.post(self._at("com.atproto.repo.uploadBlob"), content=data, headers=headers)
        if answers_.is_stale(answer.status_code, answer.content):
            self._login.distrust()
        blob = answers_.blob_in(answer.content) if answer.status_code == answers_.OK else None
        if blob is None:
            raise Doubt(f"cannot show that file, because the PDS answered {answer.status_code} and no blob")
        return record_.upload_of(*blob)

    def ready(self, upload: str) -> Readiness:  # noqa: ARG002 (a blob is there, or its upload was refused)
        """A PDS works on nothing after it has taken it."""
        return Readiness.READY

    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:
        """One putRecord under the name that belongs to `key`, after a look at what is there.

        What is there already is put back as it is: the PDS makes no commit of that. Other words under that name are
        somebody's, and are not written over: Doubt. Who is mentioned, and the parent, are asked for before that. A post
        that is to have gates is written together with them: nobody answers in the moment between.
        """
        me = self._login.proven()
        name = names.Name(me.did, POST, names.rkey_of(key))
        there = self._stored(name)
        if there is not None and not record_.is_part(there.value, part, reply_to):
            raise Doubt(f"cannot write {name.uri}, because another post is there")
        wanted = [one for one in gates.asked_for(part.visibility) or () if one != REPLIES or reply_to is None]
        if there is None and wanted:
            return self._write_together(me, name, self._composed(part, uploads, reply_to), wanted)
        record = there.value if there is not None else self._composed(part, uploads, reply_to)
        said = {"repo": me.did, "collection": POST, "rkey": name.rkey, "record": record}
        try:
            made = self._client.com.atproto.repo.put_record(said, headers=bearing(me))
        except (BadRequestError, UnauthorizedError) as error:
            if is_stale(error):
                self._login.distrust()
            raise
        if made.uri != name.uri:
            raise Doubt("cannot believe the answer, because it names another post")
        return PostRef(id=name.uri, url=name.url)

    def _write_together(self, me: Session, name: Name, record: Json, wanted: Sequence[str]) -> PostRef:
        """One applyWrites: the post and its gates are one commit, or none of them is there."""
        beside = {gate: gates.laid(gate, name.uri, before=None, made=record["createdAt"]) for gate in wanted}
        writes = [
            {"$type": CREATE, "collection": collection, "rkey": name.rkey, "value": value}
            for collection, value in {POST: record, **beside}.items()
        ]
        answer = self._done("com.atproto.repo.applyWrites", {"repo": me.did, "writes": writes}, me)
        if answer.status_code != answers_.OK:
            raise Doubt(f"cannot say that {name.uri} was written, because the PDS answered {answer.status_code}")
        return PostRef(id=name.uri, url=name.url)

    def find(
        self, part: Part, *, since: int, known: frozenset[str], reply_to: str | None = None, key: str = ""
    ) -> PostRef | None:
        """Ask the PDS for the one name that it would have. Exact: no list, no likeness, no time."""
        del since  # a name needs none
        if not key:
            raise Doubt("cannot ask for a post, because nobody says by which key it was sent")
        name = names.Name(self._login.proven().did, POST, names.rkey_of(key))
        there = self._stored(name)
        if there is None or name.uri in known:
            return None
        if not record_.is_part(there.value, part, reply_to):
            raise Doubt(f"cannot say whether {name.uri} is the post, because it says something else")
        return PostRef(id=name.uri, url=name.url)

    def _composed(self, part: Part, uploads: Sequence[str], reply_to: str | None) -> Json:
        dids = {one.handle.lower(): self._did_of(one.handle.lower()) for one in record_.mentioned(part.text)}
        reply = self._reply(reply_to) if reply_to is not None else None
        marked = record_.facets(part.text, dids)
        return record_.compose(part, made=now_written(), marked=marked, uploads=uploads, reply=reply)

    def _reply(self, parent: str) -> Json:
        """The parent, by what it says now, and the root that it names; the parent itself, where it is none's reply."""
        name = names.name_in(parent)
        there = self._stored(name) if name is not None else None
        if there is None:
            raise Doubt(f"cannot reply to {parent[:200]}, because it is not there")
        above = {"uri": there.uri, "cid": there.cid}
        said = there.value.get("reply")
        root = said.get("root") if isinstance(said, dict) else None
        return {"root": root if isinstance(root, dict) else above, "parent": above}

    def _stored(self, name: Name) -> Stored | None:
        """The record of that name; None: surely not there. Raises Doubt when the PDS does not say."""
        answer = self._record(name)
        presence = answers_.presence(answer.status_code, answer.content, name.uri)
        if presence is Presence.GONE:
            return None
        if presence is Presence.UNKNOWN:
            raise Doubt(f"cannot say whether {name.uri} is there, because the PDS answered {answer.status_code}")
        return answers_.stored(answer.content)
