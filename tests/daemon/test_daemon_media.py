"""Handing files over to a real daemon: whole or not at all, never in memory, and never in the way of a freeze."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.daemon import limits
from guardian.errors import GuardianError, Mistake, Unfound
from guardian.fence.telling import ask
from guardian.handing import INSTEAD
from tests.daemon.talking import SLACK, call, freezes, hear, judged, resident, thaws
from tests.duties import darkroom
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.outsider
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else, or mount")
UPLOAD = b"POST /v1/media HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n"
HASTY = """
import sys
from guardian.daemon import limits, program
limits.UPLOAD_WITHIN = 3.0
sys.exit(program.main(sys.argv[1:3]))
"""


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse() as found:
        found.start()
        yield found


def laid(tmp_path: Path, data: bytes, name: str = "cat.jpg") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def lying(house: TorturedHouse) -> set[str]:
    """Every file in the spool, half ones too."""
    place = Path(house.house.state_dir) / "spool"
    return {path.name for path in place.rglob("*") if path.is_file()}


def gone(house: TorturedHouse, before: set[str]) -> None:
    """Wait until nothing lies there that did not before."""
    until = time.monotonic() + 10
    while lying(house) != before:
        assert time.monotonic() < until, lying(house) - before
        time.sleep(0.02)


def fetched(house: TorturedHouse, sha256: str) -> tuple[bytes, bytes]:
    with call(house) as sock:
        sock.sendall(f"GET /v1/media/{sha256} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n".encode())
        head, _, body = hear(sock).partition(b"\r\n\r\n")
    return head, body


def journal(house: TorturedHouse, kind: str) -> list[dict[str, Any]]:
    return [one for one in house.client.get("/v1/journal")["entries"] if one["kind"] == kind]


def test_a_picture_is_handed_over_kept_and_given_back(house: TorturedHouse, tmp_path: Path) -> None:
    data = darkroom.picture("JPEG", width=50)
    found = house.client.upload(laid(tmp_path, data))
    sha256 = hashlib.sha256(data).hexdigest()
    assert found == {
        "sha256": sha256, "type": "image/jpeg", "size": len(data), "width": 50, "height": 200, "frames": 1,
        "known": False, "notes": [],
    }  # fmt: skip
    head, body = fetched(house, sha256)
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-type: application/octet-stream" in head
    assert body == data
    noted = journal(house, "handed over")[-1]
    assert (noted["data"]["sha256"], noted["data"]["type"], noted["data"]["size"]) == (sha256, "image/jpeg", len(data))


def test_a_file_that_is_open_already_can_be_handed_over(house: TorturedHouse, tmp_path: Path) -> None:
    with laid(tmp_path, darkroom.picture("PNG", width=51)).open("rb") as file:
        file.read()
        assert house.client.upload(file)["type"] == "image/png"


def test_the_same_file_again_is_known_and_one_file(house: TorturedHouse, tmp_path: Path) -> None:
    path = laid(tmp_path, darkroom.picture("GIF", width=52))
    first = house.client.upload(path)
    before = lying(house)
    again = house.client.upload(laid(tmp_path, path.read_bytes(), "another name.txt"))
    assert (first["known"], again["known"]) == (False, True)
    assert lying(house) == before
    assert [one["data"]["sha256"] for one in journal(house, "handed over")].count(first["sha256"]) == 1


def test_the_same_file_by_two_at_once_is_one_file(house: TorturedHouse, tmp_path: Path) -> None:
    path = laid(tmp_path, darkroom.picture("WEBP", width=53))
    found: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: found.append(house.client.upload(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({one["sha256"] for one in found}) == 1
    assert sorted(one["known"] for one in found) == [False, True, True, True]
    assert found[0]["sha256"] in lying(house)


def test_what_comes_by_curl_in_chunks_with_any_content_type_is_taken(house: TorturedHouse) -> None:
    data = darkroom.picture("PNG", width=54)
    with call(house) as sock:
        sock.sendall(
            b"POST /v1/media HTTP/1.1\r\nHost: g\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for place in range(0, len(data), 1000):
            piece = data[place : place + 1000]
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n\r\n")
        answer = hear(sock)
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", darkroom.FORMATS)
def test_a_picture_cut_in_half_is_refused_and_nothing_is_kept(house: TorturedHouse, tmp_path: Path, name: str) -> None:
    data, before = darkroom.picture(name, width=55), lying(house)
    path = laid(tmp_path, data[: len(data) // 2])
    with pytest.raises(Mistake) as found:
        house.client.upload(path)
    assert found.value.message == f"cannot hand over {path}, because it is cut off or damaged"
    assert found.value.fix
    gone(house, before)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (darkroom.bomb(), "it has more than 40000000 pixels"),
        (b"<html><body>404", "it is no picture, film or sound: it looks like a web page"),
        (b"", "it is empty"),
    ],
)
def test_what_is_no_picture_is_refused_in_words_with_its_path(
    house: TorturedHouse, tmp_path: Path, data: bytes, why: str
) -> None:
    path, before = laid(tmp_path, data), lying(house)
    with pytest.raises(Mistake, match=why) as found:
        house.client.upload(path)
    assert str(found.value).startswith(f"cannot hand over {path}, because ")
    said = "send a picture, a film or a sound" if data else INSTEAD  # an empty one is not even handed over
    assert found.value.fix == said, "what the daemon said to do was dropped"
    gone(house, before)


def test_an_empty_body_is_refused_by_the_daemon_too(house: TorturedHouse) -> None:
    with call(house) as sock:
        sock.sendall(UPLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % 0)
        assert judged(hear(sock)) == (422, "bad_input")


def test_what_is_no_ordinary_file_is_refused_at_once(house: TorturedHouse, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        given = {
            tmp_path / "nothing.jpg": "it is not there",
            tmp_path: "it is a directory",
            tmp_path / "fifo": "it is a FIFO and no file",
            tmp_path / "socket": "No such device or address",
            Path("/dev/zero"): "it is a device and no file",
            Path("a\0b"): "that is no path",
            Path("n" * 300): "File name too long",
        }
        began = time.monotonic()
        for path, why in given.items():
            with pytest.raises(Mistake, match=why):
                house.client.upload(path)
        assert time.monotonic() - began < SLACK


def test_101_mebibytes_are_refused_by_the_client_and_by_the_daemon(house: TorturedHouse, tmp_path: Path) -> None:
    path, before = tmp_path / "film.mp4", lying(house)
    with path.open("wb") as file:
        file.write(darkroom.mp4())
        file.truncate(101 << 20)
    with pytest.raises(Mistake, match="it has 105906176 bytes, and 104857600 are allowed"):
        house.client.upload(path)
    with call(house) as sock:
        sock.sendall(UPLOAD % (101 << 20))
        assert judged(hear(sock)) == (413, "too_large")
    with call(house) as sock:  # one that does not say how large it is
        sock.sendall(b"POST /v1/media HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = bytes(1 << 20)
        with contextlib.suppress(OSError):
            for _ in range(120):
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert judged(hear(sock)) == (413, "too_large")
    gone(house, before)


@pytest.mark.parametrize("abruptly", [True, False])
def test_who_leaves_half_way_leaves_nothing_behind(house: TorturedHouse, abruptly: bool) -> None:
    data, before = darkroom.picture("PNG", width=600, height=600), lying(house)
    with call(house) as sock:
        sock.sendall(UPLOAD % len(data) + data[: len(data) // 2])
        until = time.monotonic() + 10
        while lying(house) == before:
            assert time.monotonic() < until
            time.sleep(0.01)
        if not abruptly:
            sock.shutdown(socket.SHUT_WR)
            assert hear(sock) == b""
    gone(house, before)
    assert hashlib.sha256(data).hexdigest() not in lying(house)
    assert house.daemon is not None
    assert "Traceback" not in house.daemon.tail()


def test_an_upload_that_drips_is_ended_and_one_that_flows_is_not() -> None:
    """The daemon's minute is three seconds here; a mebibyte earns one second more, as ever."""
    with TorturedHouse() as house:
        house.start(program=("-c", HASTY))
        flowing = darkroom.mp4(6 << 20)
        with call(house) as sock, call(house) as drips:
            drips.sendall(UPLOAD % 1000)
            sock.sendall(UPLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % len(flowing))
            began = time.monotonic()
            for place in range(0, len(flowing), 1 << 20):
                with contextlib.suppress(OSError):
                    drips.sendall(b"x")
                sock.sendall(flowing[place : place + (1 << 20)])
                time.sleep(0.75)
            assert time.monotonic() - began > 4
            assert hear(sock).startswith(b"HTTP/1.1 200")
            assert judged(hear(drips)) == (408, "too_slow")
        gone(house, {hashlib.sha256(flowing).hexdigest()})


def test_eight_uploads_of_ninety_mebibytes_at_once_do_not_show_in_the_daemons_memory(house: TorturedHouse) -> None:
    assert house.daemon is not None
    Path(f"/proc/{house.daemon.pid}/clear_refs").write_text("5")
    before, size, piece = resident(house.daemon.pid), 90 << 20, bytes(1 << 20)
    answers: list[bytes] = []

    def sends(number: int) -> None:
        with call(house) as sock:
            sock.settimeout(120)
            sock.sendall(UPLOAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % size)
            sock.sendall(darkroom.mp4(1 << 20)[:-1] + bytes([number]))
            for _ in range(89):
                sock.sendall(piece)
            answers.append(hear(sock))

    threads = [threading.Thread(target=sends, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    assert freezes(house) < SLACK
    for thread in threads:
        thread.join(180)
    thaws(house)
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 8
    assert resident(house.daemon.pid) < before + (32 << 20)
    sha256 = json.loads(answers[0].partition(b"\r\n\r\n")[2])["sha256"]
    digest = hashlib.sha256()
    with call(house) as sock:  # and out again
        sock.settimeout(60)
        sock.sendall(f"GET /v1/media/{sha256} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n".encode())
        rest = b""
        while b"\r\n\r\n" not in rest:
            rest += sock.recv(65536)
        digest.update(rest.partition(b"\r\n\r\n")[2])
        while chunk := sock.recv(1 << 20):
            digest.update(chunk)
    assert digest.hexdigest() == sha256
    assert resident(house.daemon.pid) < before + (32 << 20)


def test_a_ninth_upload_is_told_to_come_again(house: TorturedHouse) -> None:
    before = lying(house)
    with contextlib.ExitStack() as open_:
        for _ in range(limits.UPLOADS):
            open_.enter_context(call(house)).sendall(UPLOAD % 1000 + b"\xff\xd8\xff")
        until = time.monotonic() + 10
        while len(lying(house) - before) < limits.UPLOADS:
            assert time.monotonic() < until
            time.sleep(0.01)
        with call(house) as ninth:
            ninth.sendall(UPLOAD % 1000 + b"x" * 10)
            assert judged(hear(ninth)) == (503, "busy")
        assert ask(house.house.socket, "GET", "/v1/status", within=10)[0] == 200
    gone(house, before)


def test_a_file_that_rotted_is_not_given_out_and_is_mended_by_the_same_file(
    house: TorturedHouse, tmp_path: Path
) -> None:
    path = laid(tmp_path, darkroom.picture("JPEG", width=56))
    sha256 = house.client.upload(path)["sha256"]
    kept = Path(house.house.state_dir) / "spool" / sha256[:2] / sha256
    with kept.open("r+b") as file:
        file.seek(2000)
        file.write(b"rot")
    with pytest.raises(GuardianError, match="it has rotted on the disk") as found:
        house.client.get(f"/v1/media/{sha256}")
    assert found.value.code == "media_rotten"
    assert house.client.get("/v1/status")["state"] == "open"  # one picture is no reason to hold the house
    house.client.upload(path)
    assert fetched(house, sha256)[1] == path.read_bytes()


@pytest.mark.parametrize("name", ["0" * 64, "nonsense", "..%2F..%2Fguardian.db"])
def test_what_is_not_in_the_spool_is_not_found(house: TorturedHouse, name: str) -> None:
    with pytest.raises(Unfound):
        house.client.get(f"/v1/media/{name}")
