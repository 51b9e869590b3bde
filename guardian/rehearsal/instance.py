"""What the platform says of itself, as Mastodon 4.5 does; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.rehearsal import polls
from guardian.rehearsal.messages import json_answer

if TYPE_CHECKING:
    from guardian.rehearsal.calls import Call
    from guardian.rehearsal.messages import Answer, Json

VERSION = "4.5.4"
API_VERSION = 7
MOST_CHARACTERS = 500
ADDRESS_CHARACTERS = 23
_TITLE = "Rehearsal"
_DESCRIPTION = "A local platform for rehearsals. Nothing here is published anywhere."


def instance_v2(call: Call) -> Answer:
    """`GET /api/v2/instance`."""
    url = call.world.url
    access = {"local": "public", "remote": "public"}
    return json_answer({
        "domain": urlsplit(url).netloc, "title": _TITLE, "version": VERSION, "source_url": "",
        "description": _DESCRIPTION, "usage": {"users": {"active_month": 0}},
        "thumbnail": {"url": f"{url}/rehearsal/picture.svg", "blurhash": None, "versions": {}}, "icon": [],
        "languages": ["en"],
        "configuration": _configuration(call) | {
            "urls": {"streaming": url.replace("http", "ws", 1), "status": None, "about": url},
            "vapid": {"public_key": ""}, "translation": {"enabled": False}, "limited_federation": True,
            "timelines_access": {"live_feeds": access, "hashtag_feeds": access, "trending_link_feeds": access},
        },
        "registrations": {
            "enabled": False, "approval_required": False, "reason_required": False, "message": None, "url": None,
            "min_age": None,
        },
        "api_versions": {"mastodon": API_VERSION}, "contact": {"email": "", "account": None}, "rules": [],
    })  # fmt: skip


def instance_v1(call: Call) -> Answer:
    """`GET /api/v1/instance`."""
    url = call.world.url
    posts = call.world.memory.everything()
    return json_answer({
        "uri": urlsplit(url).netloc, "title": _TITLE, "short_description": _DESCRIPTION, "description": _DESCRIPTION,
        "email": "", "version": VERSION, "urls": {"streaming_api": url.replace("http", "ws", 1)},
        "stats": {"user_count": 0, "status_count": len(posts), "domain_count": 0},
        "thumbnail": f"{url}/rehearsal/picture.svg", "languages": ["en"], "registrations": False,
        "approval_required": False, "invites_enabled": False, "configuration": _configuration(call),
        "contact_account": None, "rules": [],
    })  # fmt: skip


def _configuration(call: Call) -> Json:
    rules = call.world.shelf.rules
    return {
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": {
            "max_characters": MOST_CHARACTERS, "max_media_attachments": rules.count,
            "characters_reserved_per_url": ADDRESS_CHARACTERS,
        },
        "media_attachments": {
            "supported_mime_types": list(rules.types), "description_limit": rules.description,
            "image_size_limit": rules.image_bytes, "image_matrix_limit": rules.pixels,
            "video_size_limit": rules.video_bytes, "video_frame_rate_limit": 120, "video_matrix_limit": 8_294_400,
        },
        "polls": {
            "max_options": polls.MOST_OPTIONS, "max_characters_per_option": polls.MOST_CHARACTERS,
            "min_expiration": polls.SHORTEST, "max_expiration": polls.LONGEST,
        },
    }  # fmt: skip
