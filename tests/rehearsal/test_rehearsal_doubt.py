"""Faults around a takedown: a yes that did nothing, a read that says nothing, an answer that never ends."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Any

import pytest
from mastodon import Mastodon, MastodonNotFoundError

if TYPE_CHECKING:
    import socket

    from guardian.rehearsal import RehearsalPlatform
    from tests.rehearsal.conftest import Plain

pytestmark = pytest.mark.outsider
PNG = b"\x89PNG"
ANY_POST = "/api/v1/statuses/[^/]+"


def read(plain: Plain, status: str) -> int:
    return plain.ask("GET", f"/api/v1/statuses/{status}", **plain.as_account("acme")).status


def raw(plain: Plain, path: str, seconds: float) -> bytes:
    """What comes within so long of an answer that may never end."""
    connection = plain.connect()
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    until, data = time.monotonic() + seconds, b""
    while (left := until - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            break
        if not piece:
            break
        data += piece
    return data


def illustrated(plain: Plain, acme: Mastodon) -> tuple[Any, str]:
    picture = acme.media_post(PNG, "image/png")
    made = acme.status_post("bread", media_ids=[picture.id])
    return made, picture.url.removeprefix(plain.platform.url)


def test_a_deletion_that_was_said_and_not_done_leaves_all_of_it_for_so_many_looks(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    platform.fault("lingers", reads=2)
    made, file = illustrated(plain, acme)
    assert acme.status_delete(made.id, delete_media=True).text == "bread"
    assert acme.status(made.id).media_attachments[0].url
    assert plain.ask("GET", f"/@acme/{made.id}").status == 200
    assert [read(plain, made.id), read(plain, made.id)] == [404, 404]
    assert [plain.ask("GET", file).status for _ in range(3)] == [200, 200, 404]
    assert plain.ask("GET", f"/@acme/{made.id}").status == 410


def test_a_deletion_that_was_never_done_is_done_by_the_next_one(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    platform.fault("lingers")
    made = acme.status_post("bread")
    acme.status_delete(made.id)
    assert {read(plain, made.id) for _ in range(5)} == {200}
    assert [post.id for post in acme.account_statuses(acme.me().id)] == [made.id]
    assert "still served" in plain.ask("GET", "/").body.decode()
    assert acme.status_delete(made.id).text == "bread"
    assert read(plain, made.id) == 404


@pytest.mark.parametrize(("options", "served"), [({"reads": 2}, [200, 200, 404]), ({}, [200, 200, 200])])
def test_files_linger_although_they_were_deleted_with_the_post(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon, options: dict[str, int], served: list[int]
) -> None:
    platform.fault("media_lingers", **options)
    made, file = illustrated(plain, acme)
    acme.status_delete(made.id, delete_media=True)
    assert read(plain, made.id) == 404
    assert [plain.ask("GET", file).status for _ in range(3)] == served


def test_a_deletion_that_failed_leaves_nothing_lingering(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("lingers")
    made = plain.post("x").json["id"]
    assert plain.ask("DELETE", f"/api/v1/statuses/{made}", **plain.as_account("beta")).status == 403
    assert plain.ask("DELETE", f"/api/v1/statuses/{made}", **plain.as_account("acme")).status == 200
    assert read(plain, made) == 404


@pytest.mark.parametrize("status", [401, 403, 410, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_any_status_can_be_wished_for_one_method_on_one_path(
    platform: RehearsalPlatform, plain: Plain, method: str, status: int
) -> None:
    made = plain.post("x").json["id"]
    if status == 429:
        platform.fault("429", method=method, path=ANY_POST, retry_after=9)
    else:
        platform.fault("status", status=status, method=method, path=ANY_POST)
    other = {"GET": "DELETE", "DELETE": "GET"}[method]
    reply = plain.ask(method, f"/api/v1/statuses/{made}", **plain.as_account("acme"))
    assert (reply.status, reply.headers.get("Retry-After")) == (status, "9" if status == 429 else None)
    assert plain.ask(other, f"/api/v1/statuses/{made}", **plain.as_account("acme")).status == 200


def test_a_deletion_that_was_done_can_be_answered_with_an_error(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("status_after", status=504, method="DELETE", path=ANY_POST)
    made = plain.post("x").json["id"]
    assert plain.ask("DELETE", f"/api/v1/statuses/{made}", **plain.as_account("acme")).status == 504
    assert read(plain, made) == 404


def test_a_login_page_is_a_yes_that_says_nothing_of_the_post(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("login", method="GET", path=ANY_POST)
    made = plain.post("x").json["id"]
    reply = plain.ask("GET", f"/api/v1/statuses/{made}", **plain.as_account("acme"))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"password" in reply.body


def test_a_way_to_the_login_page_can_be_answered_and_it_is_there(platform: RehearsalPlatform, plain: Plain) -> None:
    platform.fault("redirect", status=302, location="/auth/sign_in", method="GET", path=ANY_POST)
    reply = plain.ask("GET", "/api/v1/statuses/1")
    assert (reply.status, reply.headers["Location"]) == (302, "/auth/sign_in")
    assert b"password" in plain.ask("GET", reply.headers["Location"]).body


@pytest.mark.parametrize("kind", ["status", "lose_before", "reset_early"])
def test_while_nothing_can_be_read_a_post_can_still_be_deleted(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon, kind: str
) -> None:
    made = acme.status_post("bread")
    platform.fault(kind, method="GET", path=".*", times=None, status=503)
    for path in (f"/api/v1/statuses/{made.id}", f"/@acme/{made.id}", "/system/media_attachments/1"):
        if kind == "status":
            assert plain.ask("GET", path).status == 503
        else:
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                plain.ask("GET", path)
    assert acme.status_delete(made.id).text == "bread"
    platform.clear_faults()
    with pytest.raises(MastodonNotFoundError):
        acme.status(made.id)


def test_a_body_that_trickles_comes_after_a_whole_head(platform: RehearsalPlatform, plain: Plain) -> None:
    made = plain.post("x").json["id"]
    platform.fault("trickle_body", method="GET", path=ANY_POST, seconds=0.05)
    head, _, body = raw(plain, f"/api/v1/statuses/{made}", 0.5).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert 1 <= len(body) < 30


def test_an_answer_that_stalls_in_the_middle_never_ends(platform: RehearsalPlatform, plain: Plain) -> None:
    made = plain.post("x").json["id"]
    platform.fault("stall_body", method="GET", path=ANY_POST)
    head, _, body = raw(plain, f"/api/v1/statuses/{made}", 0.6).partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    assert length // 2 <= len(body) < length
    entry = plain.last()
    assert (entry["status"], entry["answered"], entry["fault"]) == (200, None, "stall_body")


def test_an_answer_that_is_cut_is_shorter_than_it_says(
    platform: RehearsalPlatform, plain: Plain, acme: Mastodon
) -> None:
    _, file = illustrated(plain, acme)
    platform.fault("cut", method="GET", path="/system/.*")
    with pytest.raises(http.client.IncompleteRead) as cut:
        plain.ask("GET", file)
    assert cut.value.partial == PNG[:2]
    assert plain.ask("GET", file).body == PNG


def test_one_path_can_be_slow_and_another_is_not(platform: RehearsalPlatform, plain: Plain) -> None:
    made = plain.post("x").json["id"]
    platform.fault("delay", method="GET", path=ANY_POST + "/context", account="acme", seconds=30)
    with pytest.raises(TimeoutError):
        slow(plain, f"/api/v1/statuses/{made}/context")
    assert read(plain, made) == 200
    assert plain.ask("GET", f"/api/v1/statuses/{made}/context").status == 200  # the rule names an account


def slow(plain: Plain, path: str) -> None:
    """Ask for it with the patience of a quarter of a second."""
    connection: socket.socket = plain.connect()
    connection.settimeout(0.25)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer rehearsal-acme\r\n\r\n".encode())
    connection.recv(1)
