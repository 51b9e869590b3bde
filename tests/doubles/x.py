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
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.doubles.x_asked import Asked, Fault, XAccount
from tests.doubles.x_media import Media, fields
from tests.doubles.x_posts import Posts
from tests.doubles.x_refusals import (
    NO_RIGHT,
    OUT_OF_BOUNDS,
    UNAUTHORISED,
)
from tests.doubles.x_tokens import Tokens, rights_for

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


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
        self.uploads = Media(lambda: self.url, self.next_id)
        self.shelf = Posts(self.uploads, self.next_id, self._time)
        self.tokens = Tokens()
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
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

    @property
    def posts(self) -> dict[str, Json]:
        """Everything that is live, by its id."""
        return self.shelf.live

    @property
    def media(self) -> dict[str, Json]:
        """The files that were handed over."""
        return self.uploads.files

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

    def post_past_us(self, text: str, name: str = "acme", *, below: str | None = None) -> str:
        """As somebody with keys of their own would do it; its id."""
        reply = {"reply": {"in_reply_to_tweet_id": below}} if below else {}
        with self._lock:
            status, made = self.shelf.create({"text": text, **reply}, self.accounts[name])
        assert status == 201, "the double has refused it"
        return str(made["data"]["id"])

    def repost_past_us(self, platform_id: str, name: str = "acme") -> str:
        """As somebody does it in the app; the id of the repost."""
        with self._lock:
            return self.shelf.repost(platform_id, self.accounts[name])

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
        if (asked.method, asked.path) == ("POST", "/2/oauth2/token"):
            return self.tokens.answer(asked.body, asked.authorization)
        if failed is not None or account is None:
            return failed or UNAUTHORISED
        with self._lock:
            return account.refusal(asked.method) or self._routed(asked, account)

    def _routed(self, asked: Asked, account: XAccount) -> tuple[int, Json]:
        filed = self.uploads.answer(asked.method, asked.path, asked.query, asked.body)
        if filed is not None:
            return filed
        post = re.fullmatch(r"/2/tweets/(\d+)", asked.path)
        if post:
            if asked.method == "DELETE":
                return self.shelf.delete(post[1], account)
            return self.shelf.show(post[1], asked.query.get("expansions", ""))
        changed = self._changed(asked, account)
        if changed is not None:
            return changed
        routes: dict[tuple[str, str], Callable[[], tuple[int, Json]]] = {
            ("POST", "/2/tweets"): lambda: self.shelf.create(asked.body, account),
            ("GET", "/2/users/me"): lambda: (200, {"data": account.shown(asked.query.get("user.fields", ""))}),
            ("GET", f"/2/users/{account.id}/tweets"): lambda: self.shelf.listed(asked.query, account),
            ("GET", "/2/tweets/search/recent"): lambda: (200, {"meta": {"result_count": 0}}),
        }
        missing = 404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"}
        found = routes.get((asked.method, asked.path))
        return missing if found is None else found()

    def _changed(self, asked: Asked, account: XAccount) -> tuple[int, Json] | None:
        hidden = re.fullmatch(r"/2/tweets/(\d+)/hidden", asked.path)
        if hidden and asked.method == "PUT":
            return self.shelf.hide(hidden[1], asked.body, account)
        repost = re.fullmatch(r"/2/users/(\d+)/retweets/(\d+)", asked.path)
        return self.shelf.take_back(repost[1], repost[2], account) if repost and asked.method == "DELETE" else None

    def _oembed(self, asked: Asked) -> tuple[int, Json]:
        platform_id = asked.query.get("url", "").rpartition("/")[2]
        post = self.posts.get(platform_id)
        if asked.host != "publish.x.com" or post is None:
            return 404, {}
        return 200, {"url": asked.query["url"], "html": f"<blockquote>{post['text']}</blockquote>"}

    def signed_by(self, visit: _Visit) -> tuple[XAccount | None, tuple[int, Json] | None]:
        """Who has signed the request, or what is wrong with that."""
        head = visit.headers.get("Authorization", "")
        if head.startswith("Bearer "):
            return self._borne_by(head.removeprefix("Bearer "), visit)
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

    def _borne_by(self, token: str, visit: _Visit) -> tuple[XAccount | None, tuple[int, Json] | None]:
        found = self.tokens.whose(token)
        if found is None or self.accounts[found[0]].revoked:
            return None, UNAUTHORISED
        needed = rights_for(visit.command, urlsplit(visit.path).path)
        return self.accounts[found[0]], None if needed <= found[1] else NO_RIGHT

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
                authorization=visit.headers.get("Authorization", ""),
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
        asked = double.arrived(self, self._read(raw))
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

    def _read(self, raw: bytes) -> Any:  # noqa: ANN401 (JSON, or fields)
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/"):
            return fields(raw, kind)
        if kind.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(raw.decode()))
        return json.loads(raw) if raw else None

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
