"""What may not bring the platform down: large, broken, idle and hostile input, and its own end."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from guardian.rehearsal import RehearsalPlatform
from guardian.rehearsal.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from mastodon import Mastodon

    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider


def form_of(plain: Plain) -> dict[str, str]:
    return {"Content_Type": "application/x-www-form-urlencoded", **plain.as_account("acme")}


def _read_all(connection: socket.socket) -> bytes:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def test_a_head_without_end_is_cut_off(plain: Plain) -> None:
    connection = plain.connect()
    connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
    assert _read_all(connection).startswith(b"HTTP/1.1 431")


def test_a_body_that_is_too_long_is_refused_with_an_answer(platform: RehearsalPlatform, plain: Plain) -> None:
    reply = plain.ask("POST", "/api/v1/statuses", b"status=" + b"x" * 1_100_000, **plain.as_account("acme"))
    assert reply.status == 413
    assert platform.posts() == []
    assert not plain.last()["complete"]


def test_media_may_be_larger_than_a_post(acme: Mastodon) -> None:
    assert acme.media_post(b"\0" * 3_000_000, "image/png").id


@pytest.mark.parametrize("request_", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_gets_400_and_the_platform_lives(plain: Plain, request_: bytes) -> None:
    connection = plain.connect()
    connection.sendall(request_)
    assert _read_all(connection).startswith(b"HTTP/1.1 400")
    assert plain.post("x").status == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"[" * 100_000, b'{"status": "\xff"}'])
def test_a_body_that_is_no_json_is_a_bad_request(platform: RehearsalPlatform, plain: Plain, body: bytes) -> None:
    headers = {"Content_Type": "application/json", **plain.as_account("acme")}
    assert plain.ask("POST", "/api/v1/statuses", body, **headers).status == 400
    assert platform.posts() == []


def test_json_is_as_good_as_a_form(platform: RehearsalPlatform, plain: Plain) -> None:
    body = json.dumps({"status": "hej då", "sensitive": True, "media_ids": [], "language": None})
    reply = plain.ask("POST", "/api/v1/statuses", body, Content_Type="application/json", **plain.as_account("acme"))
    assert reply.json["sensitive"] is True
    assert platform.posts()[0]["text"] == "hej då"


def test_an_idle_connection_is_closed() -> None:
    near, far = socket.socketpair()
    with near, socket.create_server(("127.0.0.1", 0)) as listener:
        far.close()
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            wire = Wire(accepted, kernel=True, idle=0.05)
            assert wire.first() == b""
            wire.close()


def test_a_head_request_has_no_body(plain: Plain) -> None:
    reply = plain.ask("HEAD", "/")
    assert (reply.status, reply.body) == (200, b"")
    assert "Date" in reply.headers


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(platform: RehearsalPlatform, plain: Plain) -> None:
    connection = plain.connect()
    connection.sendall(
        b"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer rehearsal-acme\r\n"
        b"Expect: 100-continue\r\nContent-Length: 8\r\n\r\n"
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    connection.sendall(b"status=x")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert len(platform.posts()) == 1


def test_hostile_text_stays_text_on_the_page(plain: Plain) -> None:
    plain.post("<script>alert(1)</script> $place ${heading}")
    made = plain.post('"><img src=x onerror=alert(1)> https://a.example/"onmouseover="x').json["id"]
    plain.ask("GET", "/api/v1/<script>x")
    plain.ask("DELETE", f"/api/v1/statuses/{made}", **plain.as_account("acme"))
    page = plain.ask("GET", "/")
    text = page.body.decode()
    assert text.count("<script>") == 1
    assert "<img" not in text
    assert "$place ${heading}" in text
    assert 'class="gone"' in text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_permalink_shows_the_post_until_it_is_taken_down(platform: RehearsalPlatform, plain: Plain) -> None:
    status = plain.post("look").json
    path, uri = status["url"].removeprefix(platform.url), status["uri"].removeprefix(platform.url)
    assert b"look" in plain.ask("GET", path).body
    assert plain.ask("GET", uri, Accept="application/activity+json").json["content"] == "<p>look</p>"
    assert b"look" in plain.ask("GET", "/@acme").body
    plain.ask("DELETE", f"/api/v1/statuses/{status['id']}", **plain.as_account("acme"))
    gone = plain.ask("GET", path)
    assert (gone.status, gone.headers["Content-Type"]) == (410, "text/html; charset=utf-8")
    assert b"look" not in gone.body
    assert plain.ask("GET", uri).status == plain.ask("GET", uri, Accept="application/activity+json").status == 410
    hidden = plain.ask("POST", "/api/v1/statuses", "status=x&visibility=private", **form_of(plain)).json
    plain.ask("DELETE", f"/api/v1/statuses/{hidden['id']}", **plain.as_account("acme"))
    assert plain.ask("GET", hidden["url"].removeprefix(platform.url)).status == 404  # nobody is told that it was there


def test_accounts_and_faults_can_be_made_over_http(platform: RehearsalPlatform, plain: Plain) -> None:
    assert plain.ask("POST", "/rehearsal/accounts", '{"name": "gamma"}').status == 200
    assert plain.post("x", account="gamma").status == 200
    assert plain.ask("POST", "/rehearsal/accounts", '{"name": "../x"}').status == 422
    assert plain.ask("POST", "/rehearsal/faults", '{"kind": "status", "status": 500, "times": null}').status == 200
    assert plain.post("x").status == 500
    assert plain.ask("DELETE", "/rehearsal/faults").status == 200
    assert plain.post("y").status == 200
    assert plain.ask("POST", "/rehearsal/faults", '{"kind": "nap"}').status == 422
    posts = plain.ask("GET", "/rehearsal/posts").json
    assert [(post["account"], post["text"], post["deleted"]) for post in posts] == [
        ("gamma", "x", False),
        ("acme", "y", False),
    ]
    assert platform.posts() == posts


def test_the_limit_is_enforced_when_asked_for(client_of: Callable[[RehearsalPlatform], Plain]) -> None:
    with RehearsalPlatform(enforce_rate_limit=True) as platform:
        client = client_of(platform)
        assert client.post("x").status == 200
        platform._stage.world.rates._counts["acme"] = 299
        assert [client.post("x").status for _ in range(2)] == [200, 429]


def test_it_listens_nowhere_but_on_loopback() -> None:
    with pytest.raises(ValueError, match="loopback"):
        RehearsalPlatform(host="0.0.0.0")  # noqa: S104


def test_stopping_leaves_no_thread_and_no_socket_behind(
    plain: Plain, client_of: Callable[[RehearsalPlatform], Plain]
) -> None:
    before = set(threading.enumerate())
    platform = RehearsalPlatform().start()
    client = client_of(platform)
    kept = [client.connect() for _ in range(5)]
    client.post("x")
    platform.stop()
    platform.stop()
    assert set(threading.enumerate()) <= before
    assert all(connection.recv(1) == b"" for connection in kept)
    assert plain.post("the other lives").status == 200
