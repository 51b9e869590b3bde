"""Mastodon's JSON shapes, made from the memory; holds no state, so any thread may use it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.rehearsal.crowd import Favourites
    from guardian.rehearsal.media import Attachment, Shelf
    from guardian.rehearsal.messages import Json
    from guardian.rehearsal.posts import Edition, Person, Poll, Status
    from guardian.rehearsal.statuses import Memory

_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


def iso(ms: int) -> str:
    """Mastodon's time format."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def as_html(text: str) -> str:
    """A post's text as Mastodon renders it: escaped, paragraphs, line breaks, links."""
    if not text:
        return ""
    linked = _ADDRESS.sub(
        lambda found: f'<a href="{found[0]}" target="_blank" rel="nofollow noopener">{found[0]}</a>',
        escape(text.replace("\r\n", "\n"), quote=False),
    )
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in re.split(r"\n{2,}", linked))


def poll_shape(poll: Poll | None) -> Json | None:
    """A poll, its numbers hidden until it is over where that is wished."""
    if poll is None:
        return None
    over = poll.expires_ms <= time.time_ns() // 1_000_000
    shown = over or not poll.hide_totals
    options = [
        {"title": title, "votes_count": votes if shown else None}
        for title, votes in zip(poll.options, poll.votes, strict=True)
    ]
    return {
        "id": str(poll.id), "expires_at": iso(poll.expires_ms), "expired": over, "multiple": poll.multiple,
        "votes_count": sum(poll.votes), "voters_count": None if poll.multiple else sum(poll.votes),
        "options": options, "emojis": [], "voted": False, "own_votes": [],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shapes:
    """Knows the public address and where the facts are."""

    url: str
    memory: Memory
    shelf: Shelf
    favourites: Favourites

    def account(self, person: Person) -> Json:
        """An account."""
        page = f"{self.url}/@{person.name}"
        picture = f"{self.url}/rehearsal/picture.svg"
        return {
            "id": str(person.id), "username": person.name, "acct": person.name,
            "display_name": person.name if person.display is None else person.display,
            "locked": False, "bot": False, "discoverable": False, "indexable": False, "group": False,
            "created_at": iso(person.created_ms)[:10] + "T00:00:00.000Z", "note": "", "url": page,
            "uri": f"{self.url}/users/{person.name}", "avatar": picture, "avatar_static": picture, "header": picture,
            "header_static": picture, "followers_count": 0, "following_count": 0,
            "statuses_count": self.memory.count_of(person), "last_status_at": None, "hide_collections": None,
            "noindex": True, "emojis": [], "roles": [], "fields": [],
        }  # fmt: skip

    def own_account(self, person: Person) -> Json:
        """An account as its owner sees it."""
        source = {
            "privacy": "public", "sensitive": False, "language": None, "note": "", "fields": [],
            "follow_requests_count": 0, "hide_collections": None, "discoverable": False, "indexable": False,
        }  # fmt: skip
        role = {"id": "-99", "name": "", "permissions": "0", "color": "", "highlighted": False}
        return self.account(person) | {"source": source, "role": role}

    def status(self, status: Status, viewer: Person | None = None) -> Json:
        """A post as this viewer sees it, or a boost with the post in it."""
        edition, draft = status.now, status.draft
        boosted = None if draft.boost_of is None else self.memory.any_status(draft.boost_of)
        parent = None if draft.reply_to is None else self.memory.any_status(draft.reply_to)
        return {
            "id": str(status.id), "created_at": iso(status.editions[0].at_ms),
            "edited_at": iso(edition.at_ms) if len(status.editions) > 1 else None,
            "in_reply_to_id": None if draft.reply_to is None else str(draft.reply_to),
            "in_reply_to_account_id": None if parent is None else str(parent.person.id),
            "sensitive": edition.sensitive, "spoiler_text": edition.spoiler, "visibility": status.visibility,
            "language": edition.language, "uri": self.uri(status), "url": self.permalink(status),
            "content": as_html(edition.text), "filtered": [], "muted": False, "bookmarked": False, "pinned": False,
            "reblog": None if boosted is None else self.status(boosted, viewer),
            "application": {"name": draft.client, "website": None},
            "account": self.account(status.person), "media_attachments": self.attachments(edition), "mentions": [],
            "tags": [], "emojis": [], "card": None, "poll": poll_shape(edition.poll),
            "quote": self._quote(status, viewer),
        } | self._echo(status if boosted is None else boosted, viewer)  # fmt: skip

    def _echo(self, status: Status, viewer: Person | None) -> Json:
        """How many answered, boosted, liked and quoted it, and whether the viewer did."""
        mine = () if viewer is None else (one.person.id for one in self.memory.tied("boost", status.id))
        return {
            "replies_count": self.memory.count_tied("reply", status.id),
            "reblogs_count": self.memory.count_tied("boost", status.id),
            "favourites_count": self.favourites.count(status.id),
            "quotes_count": self.memory.count_tied("quote", status.id),
            "favourited": viewer is not None and self.favourites.has(status.id, viewer),
            "reblogged": viewer is not None and viewer.id in mine,
        }

    def _quote(self, status: Status, viewer: Person | None) -> Json | None:
        if status.draft.quote_of is None:
            return None
        quoted = self.memory.any_status(status.draft.quote_of)
        if quoted is None or not quoted.visible_to(viewer):
            return {"state": "deleted", "quoted_status": None}
        if quoted.draft.quote_of is not None:  # Mastodon shows no quotes inside of quotes
            return {"state": "accepted", "quoted_status_id": str(quoted.id)}
        return {"state": "accepted", "quoted_status": self.status(quoted, viewer)}

    def uri(self, status: Status) -> str:
        """The post's name on the federation."""
        return f"{self.url}/users/{status.person.name}/statuses/{status.id}"

    def permalink(self, status: Status) -> str:
        """The post's public page."""
        return f"{self.url}/@{status.person.name}/{status.id}"

    def source(self, status: Status) -> Json:
        """What a post was made from."""
        return {"id": str(status.id), "text": status.now.text, "spoiler_text": status.now.spoiler}

    def deleted(self, status: Status) -> Json:
        """A post that was just taken down: with what is needed to write it again.

        Its files have other addresses than before, which lead nowhere, as Mastodon's do.
        """
        lost = f"{self.url}/system/cache/media_attachments"
        files = [
            file | {"url": f"{lost}/{file['id']}", "preview_url": f"{lost}/{file['id']}"}
            for file in self.attachments(status.now)
        ]
        return self.status(status, status.person) | {"text": status.now.text, "media_attachments": files}

    def history(self, status: Status) -> list[Json]:
        """Every edition, oldest first."""
        account = self.account(status.person)
        return [
            {
                "content": as_html(edition.text), "spoiler_text": edition.spoiler, "sensitive": edition.sensitive,
                "created_at": iso(edition.at_ms), "account": account, "quote": None, "emojis": [],
                "media_attachments": self.attachments(edition, described=edition.descriptions),
                "poll": None if edition.poll is None else {"options": [{"title": one} for one in edition.poll.options]},
            }
            for edition in status.editions
        ]  # fmt: skip

    def attachments(self, edition: Edition, *, described: Sequence[str | None] | None = None) -> list[Json]:
        """The files of an edition that are still here, described as now or as it is said."""
        then = {} if described is None else dict(zip(edition.media, described, strict=True))
        return [
            self.attachment(item) | ({"description": then[item.id]} if item.id in then else {})
            for item in self.shelf.several(edition.media)
        ]

    def attachment(self, item: Attachment) -> Json:
        """An uploaded file."""
        url = f"{self.url}/system/media_attachments/{item.id}"
        return {
            "id": str(item.id), "type": item.file.kind.partition("/")[0],
            "url": url if item.is_processed else None, "preview_url": url if item.is_processed else None,
            "remote_url": None, "preview_remote_url": None, "text_url": None, "meta": {},
            "description": item.description, "blurhash": None,
        }  # fmt: skip

    def note(self, status: Status) -> Json:
        """A post as ActivityPub says it, for who asks its `uri`."""
        public = "https://www.w3.org/ns/activitystreams#Public"
        return {
            "@context": "https://www.w3.org/ns/activitystreams", "id": self.uri(status), "type": "Note",
            "summary": status.now.spoiler or None, "published": iso(status.editions[0].at_ms),
            "url": self.permalink(status), "attributedTo": f"{self.url}/users/{status.person.name}",
            "to": [public], "sensitive": status.now.sensitive, "content": as_html(status.now.text),
        }  # fmt: skip
