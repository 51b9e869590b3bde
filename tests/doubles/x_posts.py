"""The posts on the double of X: made, shown, listed and deleted as its documented answers have it. Standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.x_links import shortened
from tests.doubles.x_refusals import DUPLICATE, PROBLEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doubles.x_asked import XAccount
    from tests.doubles.x_media import Media

Json = dict[str, Any]
SETTINGS = ("following", "mentionedUsers", "subscribers", "verified")


class Posts:
    """Everything that is live."""

    def __init__(self, uploads: Media, next_id: Callable[[], str], time: Callable[[], str]) -> None:
        self.live: dict[str, Json] = {}
        self.lag = 0  # how many times a list is read before a new post is on it
        self._uploads = uploads
        self._next_id = next_id
        self._time = time

    def create(self, body: Json, account: XAccount) -> tuple[int, Json]:
        text, keys = body.get("text", ""), (body.get("media") or {}).get("media_ids", [])
        parent = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        wrong = [key for key in keys if not self._uploads.shown(key)] or (parent and parent not in self.live)
        if wrong or body.get("reply_settings") not in (None, *SETTINGS) or not (text or keys):
            return 400, {"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "One or more "
                         "parameters to your request was invalid.", "errors": [{"message": "invalid"}]}  # fmt: skip
        if any(one["sent"] == text and one["author_id"] == account.id for one in self.live.values()):
            return DUPLICATE
        platform_id = self._next_id()
        shown, links = shortened(text, platform_id)
        if keys:
            links.append({"url": f"https://t.co/m{platform_id[-9:]}", "media_key": f"3_{keys[0]}",
                          "expanded_url": f"https://x.com/{account.name}/status/{platform_id}/photo/1"})  # fmt: skip
            shown = f"{shown} {links[-1]['url']}".strip()
        self.live[platform_id] = {
            "id": platform_id,
            "text": shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "author_id": account.id,
            "created_at": self._time(),
            "edit_history_tweet_ids": [platform_id],
            "conversation_id": parent or platform_id,
            "reply_settings": body.get("reply_settings", "everyone"),
            **({"entities": {"urls": links}} if links else {}),
            **({"attachments": {"media_keys": [f"3_{key}" for key in keys]}} if keys else {}),
            **({"referenced_tweets": [{"type": "replied_to", "id": parent}]} if parent else {}),
            "sent": text,
            "unlisted": self.lag,
        }  # fmt: skip
        return 201, {"data": {"id": platform_id, "text": shown, "edit_history_tweet_ids": [platform_id]}}

    def delete(self, platform_id: str, account: XAccount) -> tuple[int, Json]:
        post = self.live.get(platform_id)
        if post is not None and post["author_id"] != account.id:
            return 403, {"detail": "You are not authorized to delete this Tweet.", "type": "about:blank",
                         "title": "Forbidden", "status": 403}  # fmt: skip
        return 200, {"data": {"deleted": self.live.pop(platform_id, None) is not None}}

    def show(self, platform_id: str) -> tuple[int, Json]:
        post = self.live.get(platform_id)
        if post is None:
            return 200, {"errors": [{"value": platform_id, "detail": f"Could not find tweet with id: [{platform_id}].",
                         "title": "Not Found Error", "resource_type": "tweet", "parameter": "id",
                         "resource_id": platform_id, "type": PROBLEM + "resource-not-found"}]}  # fmt: skip
        keys = (post.get("attachments") or {}).get("media_keys", [])
        media = [one for one in self._uploads.files.values() if one["media_key"] in keys]
        return 200, {"data": _public(post), **({"includes": {"media": media}} if media else {})}

    def listed(self, query: dict[str, str], account: XAccount) -> tuple[int, Json]:
        found = []
        for post in reversed(self.live.values()):
            if post["author_id"] != account.id or post["created_at"] < query.get("start_time", ""):
                continue
            if post["unlisted"]:
                post["unlisted"] -= 1
                continue
            found.append(_public(post))
        size = int(query.get("max_results", "10"))
        start = int(query.get("pagination_token", "0"))
        page = found[start : start + size]
        meta: Json = {"result_count": len(page)}
        if start + size < len(found):
            meta["next_token"] = str(start + size)
        return 200, {**({"data": page} if page else {}), "meta": meta}


def _public(post: Json) -> Json:
    return {key: value for key, value in post.items() if key not in ("sent", "unlisted")}
