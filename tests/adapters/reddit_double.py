"""A double of Reddit on loopback, written from its documented answers and from recorded ones; it logs what reaches it.

It plays every host of Reddit's and its storage (the house sends them all here, with their names in `Host`). What it is
told to do next to a path it does once: answer late, with another status, with words of another language.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = b"<html><body><h1>whoa there, pardner!</h1></body></html>"
TOKEN = "hush-access-of-two-hours"
BAD_REQUEST = 400
ABOUT: dict[str, Any] = {
    "subreddit_type": "public", "restrict_posting": True, "submission_type": "any", "allow_images": True,
    "allow_galleries": True, "allow_videos": True, "user_is_banned": False, "user_is_contributor": False,
}  # fmt: skip
REQUIRED: dict[str, Any] = {  # as documented, where moderators have changed nothing
    "title_regexes": [], "body_blacklisted_strings": [], "title_blacklisted_strings": [], "body_text_max_length": None,
    "title_required_strings": [], "guidelines_text": None, "gallery_min_items": None, "domain_blacklist": [],
    "domain_whitelist": [], "title_text_max_length": None, "body_restriction_policy": "none",
    "link_restriction_policy": "none", "guidelines_display_policy": None, "body_required_strings": [],
    "title_text_min_length": None, "gallery_captions_requirement": "none", "is_flair_required": False,
    "gallery_max_items": None, "gallery_urls_requirement": "none", "body_regexes": [], "link_repost_age": None,
    "body_text_min_length": None,
}  # fmt: skip
STORAGE = "reddit-uploaded-media.s3-accelerate.amazonaws.com"
FILMS = "reddit-uploaded-video.s3-accelerate.amazonaws.com"


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    said: dict[str, Any]
    login: str
    agent: str


@dataclass
class Next:
    """What is to happen to the next request of a path. `made`: it is done all the same, and the answer is another."""

    after: float = 0.0
    status: int | None = None
    body: bytes | dict[str, Any] = b""
    type: str = "application/json; charset=UTF-8"
    made: bool = True
    headers: dict[str, str] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the library's)
        """The house breaks off what takes too long; everything else is a mistake in here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class RedditDouble:
    """One subreddit that is moderated by `acme_brand`, one that is not, and the account itself."""

    def __init__(self) -> None:
        self.log: list[Asked] = []
        self.things: dict[str, dict[str, Any]] = {}
        self.pending: list[dict[str, Any]] = []  # posts of pictures, which Reddit makes a moment later
        self.moderated = {"acme"}
        self.about: dict[str, dict[str, Any]] = {}  # of a subreddit, what differs from the usual
        self.required: dict[str, dict[str, Any]] = {}
        self.me: dict[str, Any] = {"name": "acme_brand", "id": "9zzz", "is_suspended": False}
        self.token = TOKEN
        self.scope = "*"  # what the token may do
        self.logins = 0
        self.refresh: str | None = None  # the one refresh token that is good, for one use; None: any is, for ever
        self.unlisted: set[str] = set()  # made, and not in the account's list yet
        self.limits = {"x-ratelimit-remaining": "594.0", "x-ratelimit-used": "6", "x-ratelimit-reset": "66"}
        self._next: dict[str, deque[Next]] = defaultdict(deque)
        self._count = 0
        self._lock = threading.Lock()
        self.counting = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next(self, path: str, what: Next) -> None:
        """Do this to the next request of a path (without the slash at its end)."""
        self._next[path].append(what)

    def told(self, path: str) -> Next:
        """What is to happen to this one."""
        with self._lock:
            waiting = self._next[path]
            return waiting.popleft() if waiting else Next()

    def asked(self, path: str) -> list[Asked]:
        """Every request of a path."""
        return [one for one in self.log if one.path == path]

    @property
    def creates(self) -> list[Asked]:
        """Every request that would make a post, however it ended: the witness."""
        paths = ("/api/submit", "/api/comment", "/api/submit_gallery_post.json")
        return [one for one in self.log if one.path in paths]

    def settle(self) -> None:
        """Reddit has made the posts of the pictures that it took."""
        while self.pending:
            self.add(self.pending.pop(0))

    def add(self, thing: dict[str, Any]) -> dict[str, Any]:
        """A post or comment is there."""
        with self._lock:
            self._count += 1
            bare = f"1abc{self._count:02}"
            kind = "t1" if "body" in thing else "t3"
            below = thing.get("link_id", "t3_0")[3:]
            path = f"{below}/comment/{bare}" if kind == "t1" else f"{bare}/a_title"
            common = {
                "id": bare,
                "name": f"{kind}_{bare}",
                "author": self.me["name"],
                "author_fullname": f"t2_{self.me['id']}",
                "created_utc": time.time(),
                "permalink": f"/r/{thing['subreddit']}/comments/{path}/",
                "removed_by_category": None,
                "banned_by": None,
                "num_reports": None,
                "can_mod_post": thing["subreddit"] in self.moderated,
                "locked": False,
            }
            self.things[common["name"]] = {**common, **thing}
            return self.things[common["name"]]


def _submitted(double: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
    thing = {
        "subreddit": said["sr"],
        "title": said["title"],
        "is_self": said.get("kind") == "self",
        "selftext": said.get("text", ""),
        "url": said.get("url", ""),
        "over_18": str(said.get("nsfw")) == "True",
        "spoiler": str(said.get("spoiler")) == "True",
        "link_flair_template_id": said.get("flair_id"),
    }
    if said.get("kind") == "video":
        if not said.get("video_poster_url"):
            return {"json": {"errors": [["NO_VIDEO_POSTER", "a poster is wanted", "video_poster_url"]]}}
        film = {"reddit_video": {"fallback_url": f"{double.url}/siiiyua50x261/DASH_240.mp4"}}
        double.pending.append({**thing, "url": f"{double.url}/siiiyua50x261", "is_video": True, "media": film})
        return {"json": {"errors": [], "data": {"websocket_url": "wss://ws-0c2fc51946b39365a.wss.redditmedia.com/x"}}}
    if said.get("kind") == "image":
        double.pending.append({**thing, "url": f"{double.url}/oxwf261u2x261.png", "post_hint": "image"})
        data = {
            "user_submitted_page": f"https://www.reddit.com/user/{double.me['name']}/submitted/",
            "websocket_url": "wss://ws-0c2fc51946b39365a.wss.redditmedia.com/rte_images/oxwf261u2x261?m=AQAAJInI",
        }
        return {"json": {"errors": [], "data": data}}
    if "items" in said:
        thing |= {"is_gallery": True, "gallery_data": {"items": said["items"]}, "is_self": False}
    made = double.add(thing)
    name = {"id": made["name"]} if "items" in said else {"id": made["id"], "name": made["name"]}
    return {"json": {"errors": [], "data": {"url": f"https://www.reddit.com{made['permalink']}", **name}}}


def _commented(double: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
    parent = double.things[said["thing_id"]]
    link = parent["name"] if parent["name"].startswith("t3_") else parent["link_id"]
    thing = {"subreddit": parent["subreddit"], "body": said["text"], "parent_id": parent["name"], "link_id": link}
    return {"json": {"errors": [], "data": {"things": [{"kind": "t1", "data": double.add(thing)}]}}}


def _lease(_: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
    film = said["mimetype"].startswith("video/")
    key = "siiiyua50x261" if film else "rte_images/oxwf261u2x261"
    fields = [{"name": "acl", "value": "public-read"}, {"name": "key", "value": key}]
    lease = {
        "action": f"//{FILMS if film else STORAGE}",
        "fields": [*fields, {"name": "content-type", "value": said["mimetype"]}],
    }
    return {"args": lease, "asset": {"asset_id": "oxwf261u2x261", "websocket_url": "wss://ws.example/"}}


def _changed(**change: Any) -> Callable[[RedditDouble, dict[str, Any]], dict[str, Any]]:  # noqa: ANN401 (fields)
    def change_it(double: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
        if said["id"] in double.things:
            double.things[said["id"]].update(change)
        return {}

    return change_it


def _deleted(double: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
    thing = double.things.get(said["id"])
    if thing is not None:
        words = {"body": "[deleted]"} if "body" in thing else {"selftext": "[deleted]"} if thing["is_self"] else {}
        thing.update(author="[deleted]", removed_by_category=None if "body" in thing else "deleted", **words)
        thing.pop("author_fullname", None)
    return {}


def _edited(double: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
    thing = double.things[said["thing_id"]]
    if "body" not in thing and not thing["is_self"]:
        return {"json": {"errors": [["NOT_AUTHOR", "you can't do that", "thing_id"]]}}
    thing["body" if "body" in thing else "selftext"] = said["text"]
    thing["edited"] = time.time()
    return {"json": {"errors": [], "data": {"things": [{"kind": thing["name"][:2], "data": thing}]}}}


def _token(double: RedditDouble, said: dict[str, Any]) -> dict[str, Any]:
    with double.counting:
        double.logins += 1
        told = {"access_token": double.token, "token_type": "bearer", "expires_in": 86400, "scope": double.scope}
        if double.refresh is None:
            return told
        if said.get("refresh_token") != double.refresh:
            return {"message": "Bad Request", "error": BAD_REQUEST}
        double.refresh = f"hush-rotated-{double.logins}"
        return {**told, "refresh_token": double.refresh}


POSTS: dict[str, Callable[[RedditDouble, dict[str, Any]], dict[str, Any]]] = {
    "/api/v1/access_token": _token,
    "/api/submit": _submitted,
    "/api/submit_gallery_post.json": _submitted,
    "/api/comment": _commented,
    "/api/media/asset.json": _lease,
    "/api/del": _deleted,
    "/api/editusertext": _edited,
    "/api/remove": _changed(removed_by_category="moderator", banned_by="acme_brand"),
    "/api/approve": _changed(removed_by_category=None, banned_by=None, approved_by="acme_brand"),
    "/api/lock": _changed(locked=True),
    "/api/unlock": _changed(locked=False),
    "/api/spoiler": _changed(spoiler=True),
    "/api/unspoiler": _changed(spoiler=False),
}


def _listing(things: list[dict[str, Any]]) -> dict[str, Any]:
    children = [{"kind": thing["name"][:2], "data": thing} for thing in things]
    return {"kind": "Listing", "data": {"after": None, "dist": len(things), "children": children}}


def _rules(double: RedditDouble, path: str) -> dict[str, Any]:
    """What is told of a subreddit."""
    if path.endswith("/post_requirements"):
        return {**REQUIRED, **double.required.get(path.split("/")[3], {})}
    name = path.split("/")[2]
    ours = {"user_is_moderator": name in double.moderated}
    return {"kind": "t5", "data": {**ABOUT, **ours, **double.about.get(name, {})}}


def _told(double: RedditDouble, path: str, query: dict[str, str]) -> dict[str, Any] | list[dict[str, Any]] | None:
    """What a reading request is told."""
    own = f"/user/{double.me['name']}/"
    if path == "/api/v1/me":
        return double.me
    if path == "/api/info":
        return _listing([one for name, one in double.things.items() if name in query.get("id", "").split(",")])
    if path in (own + "submitted", own + "comments"):
        kind = "t3_" if path.endswith("submitted") else "t1_"
        ours = [one for name, one in double.things.items() if name.startswith(kind) and name not in double.unlisted]
        return _listing(sorted(ours, key=lambda one: -one["created_utc"]))
    if path.endswith(("/about", "/post_requirements")):
        return _rules(double, path)
    if path.startswith("/comments/"):
        name = f"t3_{path.split('/')[2]}"
        below = [one for one in double.things.values() if one.get("link_id") == name]
        return [_listing([double.things[name]]), _listing(below)] if name in double.things else None
    return None


def _handler(double: RedditDouble) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"double": double})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double: RedditDouble

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        asked = self._note({})
        what = self.double.told(asked.path)
        if not asked.login and not asked.path.startswith("/api/"):
            self._say(what.status or 200, what.body or PAGE, "text/html", what.headers)
        elif not self._knows(asked):
            self._say(401, {"message": "Unauthorized", "error": 401}, what.type, {})
        else:
            found = _told(self.double, asked.path, asked.query)
            status = 200 if found is not None else 404
            missing = {"message": "Not Found", "error": 404}
            body = what.body or (missing if found is None else found)
            self._say(what.status or status, body, what.type, what.headers)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = self._note(_said(data, self.headers.get("Content-Type", "")))
        what = self.double.told(asked.path)
        if asked.host in (STORAGE, FILMS):
            self._say(what.status or 201, what.body or b"<PostResponse/>", "application/xml", what.headers)
        elif not self._knows(asked):
            self._say(401, {"message": "Unauthorized", "error": 401}, what.type, {})
        else:
            does = what.made and asked.path in POSTS
            answer = POSTS[asked.path](self.double, asked.said) if does else {}
            time.sleep(what.after)
            status = BAD_REQUEST if answer.get("error") == BAD_REQUEST else 200
            self._say(what.status or status, what.body or answer, what.type, what.headers)

    def _knows(self, asked: Asked) -> bool:
        return asked.login == f"bearer {self.double.token}" or asked.path == "/api/v1/access_token"

    def _note(self, said: dict[str, Any]) -> Asked:
        parts = urlsplit(self.path)
        asked = Asked(
            self.command,
            self.headers.get("Host", ""),
            parts.path.rstrip("/") or "/",
            dict(parse_qsl(parts.query)),
            said,
            self.headers.get("Authorization", ""),
            self.headers.get("User-Agent", ""),
        )
        self.double.log.append(asked)
        return asked

    def _say(self, status: int, body: Any, media_type: str, headers: dict[str, str]) -> None:  # noqa: ANN401 (JSON)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Type": media_type, **self.double.limits, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the house did not wait
            self.close_connection = True


def _said(data: bytes, media_type: str) -> dict[str, Any]:
    if media_type.startswith("application/json"):
        found: dict[str, Any] = json.loads(data)
        return found
    if media_type.startswith("multipart/"):
        return {"": data}
    return dict(parse_qsl(data.decode(), keep_blank_values=True))
