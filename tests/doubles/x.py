"""A double of X on loopback, written from its documented answers: it logs what arrives, and is as awkward as X is.

Standard library only, and nothing of ours: it is the witness. Signatures are checked by its own reading of RFC 5849.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.doubles.x_links import shortened
from tests.doubles.x_refusals import (
    DUPLICATE,
    OUT_OF_BOUNDS,
    PROBLEM,
    READ_ONLY,
    SUSPENDED,
    UNAUTHORISED,
    UNPAID,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
SETTINGS = ("following", "mentionedUsers", "subscribers", "verified")


@dataclass
class XAccount:
    """Somebody on X, with the four keys of an app for it."""

    name: str
    id: str
    keys: dict[str, str]
    credit: bool = True
    suspended: bool = False
    may_write: bool = True
    revoked: bool = False


@dataclass
class Fault:
    """What goes wrong with the next request like this."""

    kind: str  # answer, answer_after (it was done all the same), slow, lose
    method: str
    path: str
    said: Json
    times: int = 1


@dataclass
class Asked:
    """One request as it arrived."""

    n: int
    method: str
    path: str
    query: dict[str, str]
    host: str
    signed: bool
    body: Any
    status: int = 0


class XDouble:
    """X on loopback. Use it as a context."""

    def __init__(self, *names: str) -> None:
        self.accounts = {
            name: XAccount(
                name=name,
                id=str(7_000_000_001 + nr),
                keys={
                    "consumer_key": f"ck-{name}-0123456789",
                    "consumer_secret": f"cs/{name}+0123456789&=",
                    "access_token": f"{7_000_000_001 + nr}-at{name}0123456789",
                    "access_token_secret": f"as-{name}-9876543210",
                },
            )
            for nr, name in enumerate(names or ("acme",))
        }
        self.posts: dict[str, Json] = {}
        self.media: dict[str, Json] = {}
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.lag = 0  # how many times its list is read before a new post is on it
        self.level = ""  # what it says beside its answers of what the keys may do
        self.ahead = 0.0  # seconds by which its clock is ahead of ours
        self._id = 1_990_000_000_000_000_000
        self._nonces: set[str] = set()
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _Visit)
        self._server.daemon_threads = True
        self._server.double = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nobody answers there any more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(5)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fault(self, kind: str, *, method: str = "POST", path: str = "/2/tweets", times: int = 1, **said: Any) -> None:  # noqa: ANN401 (JSON)
        """The next requests like this go wrong."""
        self.faults.append(Fault(kind, method, path, said, times))

    def creates(self) -> list[Asked]:
        """Every create that has arrived, however it ended."""
        return [one for one in self.asked if (one.method, one.path) == ("POST", "/2/tweets")]

    def changes(self) -> list[tuple[str, str]]:
        """Everything that arrived and was no reading."""
        return [(one.method, one.path) for one in self.asked if one.method not in ("GET", "HEAD")]

    def live(self) -> list[str]:
        """What it shows, the texts as they were sent, oldest first."""
        return [post["sent"] for post in self.posts.values()]

    def post_past_us(self, text: str, name: str = "acme") -> None:
        """As somebody with keys of their own would do it."""
        with self._lock:
            status, _ = self._create({"text": text}, self.accounts[name])
        assert status == 201, "the double has refused it"

    def _time(self) -> str:
        moment = datetime.fromtimestamp(time.time() + self.ahead, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def next_id(self) -> str:
        """One more than all before it."""
        with self._lock:
            self._id += 1_000_003
            return str(self._id)

    def answer(self, asked: Asked, account: XAccount | None, failed: tuple[int, Json] | None) -> tuple[int, Json]:
        """What X says. Everything but what is for embedding needs a signature."""
        if asked.path == "/oembed":
            return self._oembed(asked)
        if failed is not None or account is None:
            return failed or UNAUTHORISED
        if not account.credit:
            return UNPAID
        if account.suspended:
            return SUSPENDED
        if asked.method != "GET" and not account.may_write:
            return READ_ONLY
        with self._lock:
            return self._routed(asked, account)

    def _routed(self, asked: Asked, account: XAccount) -> tuple[int, Json]:
        post = re.fullmatch(r"/2/tweets/(\d+)", asked.path)
        if post:
            return self._delete(post[1], account) if asked.method == "DELETE" else self._show(post[1])
        routes: dict[tuple[str, str], Callable[[], tuple[int, Json]]] = {
            ("POST", "/2/tweets"): lambda: self._create(asked.body, account),
            ("POST", "/2/media/upload"): lambda: self._upload(asked.body),
            ("POST", "/2/media/metadata"): lambda: self._describe(asked.body),
            ("GET", "/2/users/me"): lambda: (
                200,
                {"data": {"id": account.id, "name": "Acme", "username": account.name}},
            ),
            ("GET", f"/2/users/{account.id}/tweets"): lambda: self._list(asked.query, account),
            ("GET", "/2/tweets/search/recent"): lambda: (200, {"meta": {"result_count": 0}}),
        }
        missing = 404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"}
        found = routes.get((asked.method, asked.path))
        return missing if found is None else found()

    def _create(self, body: Json, account: XAccount) -> tuple[int, Json]:
        text, keys = body.get("text", ""), (body.get("media") or {}).get("media_ids", [])
        parent = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        wrong = [key for key in keys if key not in self.media] or (parent and parent not in self.posts)
        if wrong or body.get("reply_settings") not in (None, *SETTINGS) or not (text or keys):
            return 400, {"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "One or more "
                         "parameters to your request was invalid.", "errors": [{"message": "invalid"}]}  # fmt: skip
        if any(one["sent"] == text and one["author_id"] == account.id for one in self.posts.values()):
            return DUPLICATE
        platform_id = self.next_id()
        shown, links = shortened(text, platform_id)
        if keys:
            links.append({"url": f"https://t.co/m{platform_id[-9:]}", "media_key": f"3_{keys[0]}",
                          "expanded_url": f"https://x.com/{account.name}/status/{platform_id}/photo/1"})  # fmt: skip
            shown = f"{shown} {links[-1]['url']}".strip()
        self.posts[platform_id] = {
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

    def _upload(self, body: Json) -> tuple[int, Json]:
        data = base64.b64decode(body["media"], validate=True)
        if body.get("media_category") != "tweet_image" or not body.get("media_type", "").startswith("image/"):
            return 400, {"title": "Invalid Request", "type": PROBLEM + "invalid-request", "detail": "media"}
        key = self.next_id()
        self.media[key] = {
            "media_key": f"3_{key}",
            "type": "photo",
            "url": f"{self.url}/media/{key}",
            "size": len(data),
        }
        return 200, {"data": {"id": key, "media_key": f"3_{key}", "size": len(data), "expires_after_secs": 86400}}

    def _describe(self, body: Json) -> tuple[int, Json]:
        self.media[body["id"]]["alt_text"] = body["metadata"]["alt_text"]["text"]
        return 200, {"data": {"id": body["id"], "associated_metadata": {}}}

    def _delete(self, platform_id: str, account: XAccount) -> tuple[int, Json]:
        post = self.posts.get(platform_id)
        if post is not None and post["author_id"] != account.id:
            return 403, {"detail": "You are not authorized to delete this Tweet.", "type": "about:blank",
                         "title": "Forbidden", "status": 403}  # fmt: skip
        return 200, {"data": {"deleted": self.posts.pop(platform_id, None) is not None}}

    def _show(self, platform_id: str) -> tuple[int, Json]:
        post = self.posts.get(platform_id)
        if post is None:
            return 200, {"errors": [{"value": platform_id, "detail": f"Could not find tweet with id: [{platform_id}].",
                         "title": "Not Found Error", "resource_type": "tweet", "parameter": "id",
                         "resource_id": platform_id, "type": PROBLEM + "resource-not-found"}]}  # fmt: skip
        keys = (post.get("attachments") or {}).get("media_keys", [])
        media = [one for one in self.media.values() if one["media_key"] in keys]
        return 200, {"data": _public(post), **({"includes": {"media": media}} if media else {})}

    def _list(self, query: dict[str, str], account: XAccount) -> tuple[int, Json]:
        found = []
        for post in reversed(self.posts.values()):
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

    def _oembed(self, asked: Asked) -> tuple[int, Json]:
        platform_id = asked.query.get("url", "").rpartition("/")[2]
        post = self.posts.get(platform_id)
        if asked.host != "publish.x.com" or post is None:
            return 404, {}
        return 200, {"url": asked.query["url"], "html": f"<blockquote>{post['text']}</blockquote>"}

    def signed_by(self, visit: _Visit) -> tuple[XAccount | None, tuple[int, Json] | None]:
        """Who has signed the request, or what is wrong with that."""
        head = visit.headers.get("Authorization", "")
        if not head.startswith("OAuth "):
            return None, UNAUTHORISED
        said = {key: unquote(value) for key, value in re.findall(r'(\w+)="([^"]*)"', head)}
        account = next(
            (one for one in self.accounts.values() if one.keys["access_token"] == said.get("oauth_token")), None
        )
        if account is None or account.revoked or said.get("oauth_consumer_key") != account.keys["consumer_key"]:
            return None, UNAUTHORISED
        if abs(int(said["oauth_timestamp"]) - (time.time() + self.ahead)) > 300:  # X's five minutes
            return None, OUT_OF_BOUNDS if visit.path.startswith("/2/tweets") else UNAUTHORISED
        if said["oauth_nonce"] in self._nonces or said["oauth_signature"] != self._signature(visit, said, account):
            return None, UNAUTHORISED
        self._nonces.add(said["oauth_nonce"])
        return account, None

    def _signature(self, visit: _Visit, said: dict[str, str], account: XAccount) -> str:
        parts = urlsplit(visit.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        pairs += [(key, value) for key, value in said.items() if key != "oauth_signature"]
        coded = sorted((quote(key, safe="~"), quote(value, safe="~")) for key, value in pairs)
        base = "&".join(
            quote(one, safe="~")
            for one in (visit.command, f"{self.url}{parts.path}", "&".join(f"{key}={value}" for key, value in coded))
        )
        secret = "&".join(quote(account.keys[name], safe="~") for name in ("consumer_secret", "access_token_secret"))
        return base64.b64encode(hmac.digest(secret.encode(), base.encode(), hashlib.sha1)).decode()

    def arrived(self, visit: _Visit, body: Any) -> Asked:  # noqa: ANN401 (JSON)
        """Write it down before anything is done about it."""
        parts = urlsplit(visit.path)
        with self._lock:
            asked = Asked(
                n=len(self.asked) + 1,
                method=visit.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                host=visit.headers.get("Host", ""),
                signed="Authorization" in visit.headers,
                body=body,
            )
            self.asked.append(asked)
        return asked

    def fault_for(self, asked: Asked) -> Fault | None:
        """What is to go wrong with it."""
        with self._lock:
            for fault in self.faults:
                if fault.method == asked.method and re.fullmatch(fault.path, asked.path) and fault.times:
                    fault.times -= 1
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Whoever asked has gone: that is what the tests are about."""


class _Visit(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        double: XDouble = self.server.double  # type: ignore[attr-defined]
        size = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(size)
        asked = double.arrived(self, json.loads(raw) if raw else None)
        fault = double.fault_for(asked)
        if fault is not None and fault.kind == "answer":
            self._say(asked, fault.said["status"], fault.said.get("body", {}), fault.said.get("headers", {}))
            return
        status, body = double.answer(asked, *double.signed_by(self))
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.said["seconds"])
        if fault is not None and fault.kind == "lose":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if fault is not None and fault.kind == "answer_after":
            status, body = fault.said["status"], fault.said.get("body", {})
        with suppress(OSError):  # whoever asked has gone
            self._say(asked, status, body, {})

    do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815 (the names of the standard library)

    def _say(self, asked: Asked, status: int, body: Any, headers: dict[str, str]) -> None:  # noqa: ANN401 (JSON, or text)
        double: XDouble = self.server.double  # type: ignore[attr-defined]
        asked.status = status
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Date", format_datetime(datetime.fromtimestamp(time.time() + double.ahead, UTC), usegmt=True))
        usual = {"Content-Type": "application/json; charset=utf-8", "x-rate-limit-limit": "100",
                 "x-rate-limit-remaining": "99", "x-rate-limit-reset": str(int(time.time()) + 900)}  # fmt: skip
        usual |= {"x-access-level": double.level} if double.level else {}
        for name, value in {**usual, **headers, "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _public(post: Json) -> Json:
    return {key: value for key, value in post.items() if key not in ("sent", "unlisted")}
