"""The places at the control socket: one user never has them all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from guardian.daemon import limits
from guardian.daemon.limits import Place, Places
from guardian.daemon.peers import NOBODY, Peer
from tests.torture.house import TorturedHouse

pytestmark = pytest.mark.outsider
STRANGER, OTHER = Peer(12345), Peer(12346)


BUSY_AS = """
import os, socket, sys, time
os.setgroups([]); os.setgid(60); os.setuid(int(sys.argv[2]))
socks, refused = [], 0
for _ in range(90):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(5)
    sock.connect(sys.argv[1])
    sock.sendall(b"G")
    socks.append(sock)
time.sleep(0.5)
for sock in socks:
    sock.settimeout(0.01)
    try:
        refused += sock.recv(12) == b"HTTP/1.1 503"
    except OSError:
        pass
print(refused, flush=True)
sys.stdin.read()
"""
RIGHTS = '[rights]\nread = ["games"]\nfreeze = ["games"]\noperate = []\ntakedown = []\n'


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_one_user_cannot_take_every_place() -> None:
    with TorturedHouse(config=RIGHTS) as house:
        house.start()
        for place in (house.directory, Path(house.house.runtime_dir).parent, Path(house.house.runtime_dir)):
            place.chmod(0o755)
        words = [sys.executable, "-c", BUSY_AS, house.house.socket, "12345"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            refused = int(other.stdout.readline())
            assert refused >= 90 - limits.PLACES_OF_ONE - limits.STANDING_OF_ONE
            assert house.client.get("/v1/status")["daemon"] == "running"  # others still have places
            other.stdin.close()


def test_places_are_counted_for_each_user_and_given_back_once() -> None:
    places = Places()
    assert [places.take(Place.ANY, STRANGER) for _ in range(limits.PLACES_OF_ONE + 1)].count(
        True
    ) == limits.PLACES_OF_ONE
    assert places.take(Place.ANY, OTHER)
    places.give_back(Place.ANY, STRANGER)
    assert places.take(Place.ANY, STRANGER)
    assert not places.take(Place.ANY, STRANGER)


def test_all_users_together_never_have_more_places_than_there_are() -> None:
    places = Places()
    taken = [places.take(Place.KEPT, Peer(uid)) for uid in range(12000, 12100) for _ in range(3)]
    assert taken.count(True) == limits.KEPT


def test_who_cannot_be_named_has_few_places_and_none_that_is_kept() -> None:
    places = Places()
    assert [places.take(Place.ANY, NOBODY) for _ in range(9)].count(True) == limits.KEPT_OF_ONE
    assert not places.take(Place.KEPT, NOBODY)
    assert not places.take(Place.STANDING, NOBODY)
