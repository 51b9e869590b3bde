"""Who may what on the control socket, with real users and real groups: stopping is easy, starting is hard."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardian.daemon.peers import NOBODY, Peer, Right, peer_of
from guardian.fence import reading
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
pytestmark = [pytest.mark.outsider]
GAMES, MAIL, TAPE = 60, 8, 26  # groups that every Debian has
SOMEBODY, NOBODYS_UID = 12345, 65534
RIGHTS = """
[rights]
read = ["games"]
freeze = ["games"]
operate = ["mail"]
takedown = []
"""
AS_SOMEBODY = """
import json, os, sys
from guardian.fence.telling import ask
path, uid, gid, groups, calls = json.loads(sys.argv[1])
os.setgroups(groups); os.setgid(gid); os.setuid(uid)
found = []
for method, target, body in calls:
    try:
        found.append(ask(path, method, target, body, within=20))
    except OSError as error:
        found.append([0, type(error).__name__])
print(json.dumps(found))
"""
AND_CLOSE_EARLY = """
import json, os, socket, sys
path, uid, gid, groups = json.loads(sys.argv[1])
os.setgroups(groups); os.setgid(gid); os.setuid(uid)
body = b'{"reason": "quick"}'
whole = b"POST /v1/thaw HTTP/1.1\\r\\nHost: g\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body
for end in (0, 1, len(whole) - 1, len(whole), len(whole)):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    sock.sendall(whole[:end])
    sock.close()
"""
FREEZE = ("POST", "/v1/freeze", {"reason": "by somebody"})
THAW = ("POST", "/v1/thaw", {"reason": "by somebody"})
ADD = ("POST", "/v1/posts", {"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "x"})
STARTS: tuple[tuple[str, str, object], ...] = (
    THAW,
    ADD,
    ("POST", "/v1/posts/import", {"text": ""}),
    ("POST", "/v1/posts/release", {}),
    ("POST", "/v1/posts/hold", {"tag": "t"}),
    ("POST", "/v1/posts/unhold", {"tag": "t"}),
    ("POST", "/v1/posts/reschedule", {"ids": ["p-x"], "at": "now"}),
    ("POST", "/v1/posts/cancel", {"ids": ["p-x"]}),
    ("POST", "/v1/posts/p-x/hold", {}),
    ("POST", "/v1/posts/p-x/unhold", {}),
    ("POST", "/v1/posts/p-x/release", {}),
    ("POST", "/v1/posts/p-x/reschedule", {"at": "now"}),
    ("POST", "/v1/posts/p-x/cancel", {}),
    ("POST", "/v1/media", "x"),
    ("POST", "/v1/imports", "x"),
    ("GET", "/v1/evidence/ev-x/export", None),
    ("POST", "/v1/evidence/ev-x/verify", {}),
    ("POST", "/v1/evidence/ev-x/erase", {"ground": "x"}),
    ("POST", "/v1/evidence/ev-x/hold", {"reason": "x"}),
    ("POST", "/v1/evidence/ev-x/unhold", {"reason": "x"}),
    ("POST", "/v1/evidence/key/rotate", {}),
    ("POST", "/v1/natives/n-x/restore", {}),
)
LOOKS = (
    ("GET", "/v1/status", None),
    ("GET", "/v1/posts", None),
    ("GET", "/v1/journal", None),
    ("GET", "/v1/evidence", None),
    ("GET", "/v1/evidence/key", None),
    ("GET", "/v1/natives", None),
)


@pytest.fixture(scope="module")
def house() -> Iterator[TorturedHouse]:
    with TorturedHouse(config=RIGHTS) as found:
        found.start()
        for place in (found.directory, Path(found.house.runtime_dir).parent, Path(found.house.runtime_dir)):
            place.chmod(0o755)  # as /run/guardian is: groups reach the socket
        yield found


@NEEDS_ROOT
def test_whoever_may_only_freeze_does_not_touch_what_the_platform_would_publish(house: TorturedHouse) -> None:
    house.witness._ask("POST", "scheduled", {"account": "north-a", "text": "buy now", "seconds": 3600})
    calls = [("POST", "/v1/freeze", {"reason": "by somebody", "native": "delete", "wait": 20})]
    given = json.dumps([house.house.socket, SOMEBODY, SOMEBODY, [GAMES], calls])
    words = [sys.executable, "-c", AS_SOMEBODY, given]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    ((status, document),) = json.loads(done.stdout)
    assert (status, document["confirmed"]) == (200, True)
    assert [row["state"] for row in document["native"]] == ["listed"]
    assert "listed and not touched, because uid 12345 may not take posts down" in document["notes"][0]
    assert [one["method"] for one in house.witness.creates() if "scheduled_statuses" in one["path"]] == []


def statuses(
    house: TorturedHouse, calls: Sequence[object], *, uid: int = SOMEBODY, gid: int = SOMEBODY, groups: Sequence[int]
) -> list[int]:
    """What each call is answered with to this person; 0 where there was not even a connection."""
    given = json.dumps([house.house.socket, uid, gid, list(groups), list(calls)])
    words = [sys.executable, "-c", AS_SOMEBODY, given]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    answered: list[tuple[int, Any]] = json.loads(done.stdout)
    for status, document in answered:
        assert status != 403 or document["error"]["code"] == "not_allowed"
    return [status for status, _ in answered]


@pytest.mark.root
@NEEDS_ROOT
@pytest.mark.parametrize(("gid", "groups"), [(GAMES, []), (SOMEBODY, [GAMES]), (SOMEBODY, [TAPE, GAMES])])
def test_a_member_of_the_freeze_group_stops_and_looks_and_starts_nothing(
    house: TorturedHouse, gid: int, groups: list[int]
) -> None:
    assert statuses(house, [FREEZE], gid=gid, groups=groups) == [200]
    assert statuses(house, STARTS, gid=gid, groups=groups) == [403] * len(STARTS)
    assert statuses(house, LOOKS, gid=gid, groups=groups) == [200] * len(LOOKS)
    assert reading.read_scope(house.house, "all").state == reading.FROZEN
    assert house.thaw()["state"] == "open"


@pytest.mark.root
@NEEDS_ROOT
def test_a_member_of_the_operate_group_thaws_and_queues(house: TorturedHouse) -> None:
    house.freeze()
    house.standing()
    assert statuses(house, [THAW, ADD], groups=[GAMES, MAIL]) == [200, 200]
    assert house.client.get("/v1/status")["state"] == "open"


@pytest.mark.root
@NEEDS_ROOT
@pytest.mark.parametrize("groups", [[], [TAPE], [MAIL]])
def test_a_stranger_does_not_even_get_a_connection(house: TorturedHouse, groups: list[int]) -> None:
    asked = [*LOOKS, FREEZE, *STARTS]
    assert statuses(house, asked, groups=groups) == [0] * len(asked)


@pytest.mark.root
@NEEDS_ROOT
def test_who_is_in_more_groups_than_the_kernel_tells_has_no_rights(house: TorturedHouse) -> None:
    crowd = [*range(20_000, 20_298), GAMES, MAIL]
    assert statuses(house, [FREEZE, THAW, *LOOKS], groups=crowd) == [403] * (2 + len(LOOKS))
    assert statuses(house, [FREEZE, THAW], groups=crowd[-200:]) == [200, 200]


@pytest.mark.root
@NEEDS_ROOT
def test_the_user_that_stands_for_unknown_ones_has_no_rights_whatever_its_groups(house: TorturedHouse) -> None:
    assert statuses(house, [FREEZE, THAW, *LOOKS], uid=NOBODYS_UID, groups=[GAMES, MAIL]) == [403] * (2 + len(LOOKS))


@pytest.mark.root
@NEEDS_ROOT
def test_a_member_who_is_gone_before_the_answer_has_no_other_rights_than_before(house: TorturedHouse) -> None:
    house.freeze()
    given = json.dumps([house.house.socket, SOMEBODY, SOMEBODY, [GAMES]])
    subprocess.run([sys.executable, "-c", AND_CLOSE_EARLY, given], check=True, timeout=30, cwd=ROOT)
    assert house.client.get("/v1/status")["state"] == "frozen"
    assert not [one for one in house.client.get("/v1/journal")["entries"] if one["who"] == f"uid {SOMEBODY}"
                and one["kind"] == "thawed" and one["data"]["reason"] == "quick"]  # fmt: skip
    assert house.thaw()["state"] == "open"


@pytest.mark.root
@NEEDS_ROOT
def test_a_refusal_is_written_into_the_log_with_who_wanted_what(house: TorturedHouse) -> None:
    assert house.daemon is not None
    statuses(house, [THAW], groups=[GAMES])
    last = next(line for line in reversed(house.daemon.tail().splitlines()) if "not allowed" in line)
    noted = json.loads(last)
    assert (noted["right"], noted["who"], noted["path"]) == ("operate", f"uid {SOMEBODY}", "/v1/thaw")


def test_what_is_no_connected_local_socket_is_nobody() -> None:
    rights = dict.fromkeys(Right, ("games",))
    with socket.socket(socket.AF_UNIX) as unconnected, socket.socket(socket.AF_INET) as elsewhere:
        found = [peer_of(unconnected), peer_of(elsewhere)]
    closed = socket.socket(socket.AF_UNIX)
    closed.close()
    for peer in (*found, peer_of(closed), NOBODY):
        assert not any(peer.may(right, rights) for right in Right)


def test_a_peer_that_closed_at_once_is_still_who_it_was_and_nobody_better() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    theirs.close()
    with ours:
        assert peer_of(ours).uid in (os.getuid(), None)


def test_no_uid_but_roots_and_our_own_has_rights_without_a_group() -> None:
    rights: dict[Right, tuple[str, ...]] = dict.fromkeys(Right, ())
    for uid in (-1, 4294967295, NOBODYS_UID, None, os.geteuid() + 1):
        assert not any(Peer(uid, frozenset({0, GAMES})).may(right, rights) for right in Right)
    assert all(Peer(0).may(right, rights) for right in Right)
    assert not any(Peer(7, frozenset({7})).may(right, dict.fromkeys(Right, ("no-such-group",))) for right in Right)
