"""The posts on the double of X: made, shown, listed and deleted as its documented answers have it. Standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.x_links import shortened
from tests.doubles.x_refusals import DUPLICATE, NOT_PERMITTED, PROBLEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.doubles.x_asked import XAccount
    from tests.doubles.x_media import Media

SHORT = 280  # letters; it does not count as X does: what is longer is surely a long post
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
        shows = [self._uploads.files[key]["media_key"] for key in keys]
        if keys:
            links.append({"url": f"https://t.co/m{platform_id[-9:]}", "media_key": shows[0],
                          "expanded_url": f"https://x.com/{account.name}/status/{platform_id}/photo/1"})  # fmt: skip
            shown = f"{shown} {links[-1]['url']}".strip()
        long = len(text) > SHORT
        if long and account.subscription == "None" and account.verified == "none":
            return 403, NOT_PERMITTED
        if long:
            note = {"text": _escaped(shown), **({"entities": {"urls": links}} if links else {})}
            shown, links = f"{shown[: SHORT - 5]}… https://t.co/n{platform_id[-9:]}", links[:1]
        self.live[platform_id] = {
            "id": platform_id,
            **({"note_tweet": note} if long else {}),
            "text": _escaped(shown),
            "author_id": account.id,
            "created_at": self._time(),
            "edit_history_tweet_ids": [platform_id],
            "conversation_id": self.live[parent]["conversation_id"] if parent else platform_id,
            "reply_settings": body.get("reply_settings", "everyone"),
            **({"entities": {"urls": links}} if links else {}),
            **({"attachments": {"media_keys": shows}} if keys else {}),
            **({"referenced_tweets": [{"type": "replied_to", "id": parent}]} if parent else {}),
            "sent": text,
            "unlisted": self.lag,
            "hidden": False,
        }  # fmt: skip
        return 201, {"data": {"id": platform_id, "text": shown, "edit_history_tweet_ids": [platform_id]}}

    def delete(self, platform_id: str, account: XAccount) -> tuple[int, Json]:
        """By its own id; what that does to a repost, nobody says: here nothing."""
        post = self.live.get(platform_id)
        if post is not None and post["author_id"] != account.id:
            return 403, {"detail": "You are not authorized to delete this Tweet.", "type": "about:blank",
                         "title": "Forbidden", "status": 403}  # fmt: skip
        if post is not None and _reposted(post):
            return 200, {"data": {"deleted": False}}
        return 200, {"data": {"deleted": self.live.pop(platform_id, None) is not None}}

    def repost(self, platform_id: str, account: XAccount) -> str:
        """As somebody does it in the app; its own id."""
        new = self._next_id()
        source = self.live[platform_id]
        self.live[new] = {
            "id": new, "text": f"RT @somebody: {source['text']}", "author_id": account.id, "created_at": self._time(),
            "edit_history_tweet_ids": [new], "conversation_id": new, "sent": f"RT {source['sent']}", "unlisted": 0,
            "hidden": False, "referenced_tweets": [{"type": "retweeted", "id": platform_id}],
        }  # fmt: skip
        return new

    def take_back(self, who: str, platform_id: str, account: XAccount) -> tuple[int, Json]:
        """A repost, by the id of the post that it shows. To take back what is none succeeds, too."""
        if who != account.id:
            return 403, NOT_PERMITTED
        ours = [key for key, one in self.live.items() if one["author_id"] == who and _reposted(one) == platform_id]
        for key in ours:
            del self.live[key]
        return 200, {"data": {"retweeted": False}}

    def hide(self, platform_id: str, body: Json, account: XAccount) -> tuple[int, Json]:
        """A reply of somebody else, in a conversation that the account has begun."""
        post = self.live.get(platform_id)
        root = self.live.get(post["conversation_id"]) if post is not None else None
        if post is None or not isinstance(body.get("hidden"), bool):
            return 400, {"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "id"}
        if root is None or root["author_id"] != account.id or post["author_id"] == account.id:
            return 403, NOT_PERMITTED
        post["hidden"] = body["hidden"]
        return 200, {"data": {"hidden": post["hidden"]}}

    def show(self, platform_id: str, expansions: str = "") -> tuple[int, Json]:
        """One post, and those that it refers to. Nothing in it says whether it is hidden."""
        post = self.live.get(platform_id)
        if post is None:
            return 200, {"errors": [{"value": platform_id, "detail": f"Could not find tweet with id: [{platform_id}].",
                         "title": "Not Found Error", "resource_type": "tweet", "parameter": "id",
                         "resource_id": platform_id, "type": PROBLEM + "resource-not-found"}]}  # fmt: skip
        keys = (post.get("attachments") or {}).get("media_keys", [])
        found: Json = {"media": [one for one in self._uploads.files.values() if one["media_key"] in keys]}
        if "referenced_tweets.id" in expansions.split(","):
            others = [self.live.get(one["id"]) for one in post.get("referenced_tweets", ())]
            found["tweets"] = [_public(one) for one in others if one is not None]
        includes = {name: said for name, said in found.items() if said}
        return 200, {"data": _public(post), **({"includes": includes} if includes else {})}

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


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _reposted(post: Json) -> str | None:
    return next((one["id"] for one in post.get("referenced_tweets", ()) if one["type"] == "retweeted"), None)


def _public(post: Json) -> Json:
    return {key: value for key, value in post.items() if key not in ("sent", "unlisted", "hidden")}
