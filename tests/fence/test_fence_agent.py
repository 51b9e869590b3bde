"""The fence agent behind a socket pair: what it hears, what it refuses, what it never does."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.fence import agent, hearing, peers
from guardian.fence.hearing import Unheard, depth, document_in, hear
from guardian.fence.peers import NOBODY, Peer, Right, peer_of
from guardian.fence.rights import rights_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guardian.fence.house import House

UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
HEAVY = ("typer", "pydantic", "requests", "urllib3", "structlog", "sqlite3", "http", "email", "asyncio", "ssl")


@pytest.fixture
def config(house: House, tmp_path: Path) -> str:
    path = tmp_path / "guardian.toml"
    path.write_text(f'state_dir = "{house.state_dir}"\nruntime_dir = "{house.runtime_dir}"\n')
    return str(path)


@pytest.fixture
def ask(config: str) -> Callable[[bytes], tuple[int, Any]]:
    """Serve one raw request as the process does, in this thread, because a stop forks; status and document."""

    def exchange(raw: bytes) -> tuple[int, Any]:
        near, far = socket.socketpair()
        with near:
            near.settimeout(20)
            near.sendall(raw)  # fits the kernel's buffer
            near.shutdown(socket.SHUT_WR)
            _serve(far, config)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := near.recv(65536):
                    answer += chunk
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    return exchange


def _serve(sock: socket.socket, config: str) -> None:
    with sock:
        agent.serve(sock, config)


def post(body: bytes, path: str = "/v1/freeze", method: str = "POST") -> bytes:
    return b"%s %s HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n%s" % (
        method.encode(),
        path.encode(),
        len(body),
        body,
    )


def test_an_empty_body_stops_everything_and_is_answered_with_the_contracts_document(
    ask: Callable[..., tuple[int, Any]], house: House
) -> None:
    status, document = ask(post(b""))
    assert status == 200
    assert (document["confirmed"], document["durable"], document["door"]) == (True, True, "agent")
    assert document["scopes"] == ["all"]
    assert (document["held"], document["in_flight"], document["epoch"]) == (None, None, None)
    assert not os.path.exists(house.permit("all"))
    assert not os.path.exists(house.durable("all"))


def test_the_marker_names_the_caller_by_the_kernels_word_and_not_by_the_bodys(
    ask: Callable[..., tuple[int, Any]], house: House
) -> None:
    from guardian.fence import marker

    assert ask(post(b'{"reason": "x", "by": "the boss"}'))[0] == 422
    assert ask(post(b'{"reason": "a bad joke", "scopes": ["brand:acme"], "drain": 1, "wait": 3}'))[0] == 200
    found = marker.read(house.marker("brand:acme"))
    assert found is not None
    assert found.by == Peer(os.getuid()).name
    assert found.reason == "a bad joke"
    assert os.path.exists(house.permit("all"))


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"nonsense", b'{"scopes": []}', b'{"scopes": "all"}', b'{"scopes": ["brand:nobody"]}',
        b'{"scopes": [3]}',
        b'{"scopes": ["../all"]}', b'{"reason": 3}', b'{"drain": -1}', b'{"drain": true}', b'{"drain": "5"}',
        b'{"drain": 1e9}', b'{"told": true}', b"\xff\xfe", b'{"drain": NaN}',
        b'{"reason": ' + b"[" * 9 + b"]" * 9 + b"}", b'{"reason": "' + b"x" * 2000 + b'"}',
    ],
)  # fmt: skip
def test_a_body_that_is_not_understood_stops_nothing_and_says_what_to_do(
    ask: Callable[..., tuple[int, Any]], house: House, body: bytes
) -> None:
    status, document = ask(post(body))
    assert status == 422, document
    assert set(document["error"]) == {"code", "message", "fix"}
    assert document["error"]["message"].startswith("cannot")
    assert os.path.exists(house.permit("all"))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (post(b"", "/v1/thaw"), 404),
        (post(b"", "/v1/posts"), 404),
        (post(b"", "/v1/freeze", "GET"), 405),
        (post(b"", "/v1/fence", "POST"), 405),
        (b"nonsense\r\n\r\n", 400),
        (b"POST /v1/freeze HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /v1/freeze HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        (b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 70000\r\n\r\n", 413),
        (b"x" * 40000, 431),
    ],
)
def test_what_is_no_freeze_and_no_look_is_refused_in_the_houses_form(
    ask: Callable[..., tuple[int, Any]], house: House, raw: bytes, status: int
) -> None:
    found, document = ask(raw)
    assert found == status
    assert document["error"]["message"].startswith("cannot")
    assert os.path.exists(house.permit("all"))


def test_a_look_shows_the_fence_and_changes_nothing(ask: Callable[..., tuple[int, Any]], house: House) -> None:
    status, document = ask(post(b"", "/v1/fence?x=1", "GET"))
    assert (status, document["state"], document["daemon"]) == (200, "open", "absent")
    assert {one["scope"] for one in document["scopes"]} >= {"all", "brand:acme"}
    assert os.path.exists(house.permit("all"))


def test_a_caller_who_leaves_in_the_middle_stops_nothing(
    ask: Callable[..., tuple[int, Any]], house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    status, _ = ask(b"POST /v1/freeze HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    assert status == 400
    assert os.path.exists(house.permit("all"))
    assert json.loads(capfd.readouterr().err)["why"].startswith("the caller left")


@pytest.mark.parametrize(
    "begun", [b"", b"POST /v1/freeze HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
)
def test_who_is_slow_is_told_and_never_waited_for(begun: bytes) -> None:
    near, far = socket.socketpair()
    with near, far:
        near.sendall(begun)
        began = time.monotonic()
        with pytest.raises(Unheard) as refused:
            hear(far, first=0.1, whole=0.2)
        assert refused.value.status == 408
        assert time.monotonic() - began < 5
        with pytest.raises(Unheard):
            hear(far, first=-1)


def test_a_trickle_does_not_stretch_the_limit() -> None:
    near, far = socket.socketpair()

    def drip() -> None:
        with contextlib.suppress(OSError):
            for byte in b"POST /v1/freeze HTTP/1.1\r\nX: " + b"y" * 100:
                near.send(bytes([byte]))
                time.sleep(0.02)

    thread = threading.Thread(target=drip)
    thread.start()
    with far, pytest.raises(Unheard, match="does not come"):
        hear(far, first=1, whole=0.3)
    thread.join(10)
    near.close()


def test_one_uid_has_four_places_and_a_full_memory_refuses_nobody(house: House) -> None:
    me = Peer(os.getuid())
    taken = [agent.take_slot(house, me) for _ in range(agent.AT_ONCE)]
    with pytest.raises(Unheard, match="under way"):
        agent.take_slot(house, me)
    other = agent.take_slot(house, Peer(12345))
    assert other is not None
    for fd in [*taken, other]:
        os.close(fd or 0)
    again = agent.take_slot(house, me)
    assert again is not None
    os.close(again)
    for name in os.listdir(house.gates):
        os.unlink(f"{house.gates}/{name}")
    os.rmdir(house.gates)
    assert agent.take_slot(house, me) is None  # no room for its number is no reason to refuse a stop


def test_a_house_that_was_never_set_up_is_never_confirmed(tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text(f'state_dir = "{tmp_path}/s"\nruntime_dir = "{tmp_path}/r"\n')
    near, far = socket.socketpair()
    with near:
        near.sendall(post(b""))
        _serve(far, str(config))
        answer = near.recv(65536)
    assert b" 503 " in answer
    assert b"no guardian was ever set up" in answer


def test_a_fence_that_cannot_be_used_is_an_answer_and_no_traceback(
    ask: Callable[..., tuple[int, Any]], house: House
) -> None:
    os.rename(house.permits, f"{house.permits}.away")
    os.symlink("/proc/1/environ", house.permits)  # no directory at all
    os.unlink(house.gate("brand:acme"))
    status, document = ask(post(b'{"scopes": ["brand:acme"]}'))
    assert status == 503
    assert document["error"]["fix"] == "run as root: guardian freeze"


def test_without_a_connection_of_systemd_it_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    assert agent.main([]) == 2
    assert "systemd handed over no connection" in capfd.readouterr().err
    assert agent.main(["--colour"]) == 2
    assert "cannot understand" in capfd.readouterr().err
    assert agent.main(["--help"]) == 0
    assert "Example:" in capfd.readouterr().out


@pytest.mark.parametrize(("how", "words"), [("file", "is no socket"), ("listener", "no connection on a Unix socket")])
def test_a_descriptor_that_is_no_connection_is_refused(config: str, tmp_path: Path, how: str, words: str) -> None:
    given = socket.socket(socket.AF_UNIX)
    given.bind(str(tmp_path / "s"))
    given.listen()
    with given, open(config) as file:
        fd = file.fileno() if how == "file" else given.fileno()
        done = run_agent(fd, config)
    assert done.returncode == 2
    assert words in done.stderr


def run_agent(fd: int, config: str) -> subprocess.CompletedProcess[str]:
    """The program itself, with the descriptor where systemd puts it."""
    program = f"exec 3<&0; LISTEN_FDS=1 LISTEN_PID=$$ exec {sys.executable} -m guardian.fence.agent --config {config}"
    return subprocess.run(["sh", "-c", program], stdin=fd, capture_output=True, text=True, timeout=30, check=False)


def test_the_process_serves_one_request_and_ends(config: str, house: House) -> None:
    near, far = socket.socketpair()
    with near, far:
        near.sendall(post(b'{"reason": "why"}'))
        done = run_agent(far.fileno(), config)
        assert b'"confirmed": true' in near.recv(65536)
    assert done.returncode == 0
    line = json.loads(done.stderr)
    assert (line["status"], line["scopes"]) == (200, ["all"])
    assert not os.path.exists(house.permit("all"))


def test_the_agent_imports_the_standard_library_alone_and_nothing_that_opens_a_network() -> None:
    code = f"import sys, guardian.fence.agent; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout.strip() == "[]"


# -- who may


def test_nobody_the_overflow_uid_and_strangers_have_no_right() -> None:
    rights = {Right.FREEZE: ("root",)}
    assert not NOBODY.may(Right.FREEZE, rights)
    assert NOBODY.name == "nobody"
    assert not Peer(65534, frozenset({0})).may(Right.FREEZE, rights)
    assert not Peer(4242, frozenset({4242})).may(Right.FREEZE, rights)
    assert not Peer(4242, frozenset({0})).may(Right.OPERATE, rights)
    assert not Peer(4242, frozenset({0})).may(Right.FREEZE, {Right.FREEZE: ("no-such-group",)})
    assert Peer(4242, frozenset({0})).may(Right.FREEZE, rights)
    assert Peer(4242).name == "uid 4242"


def test_a_peer_that_cannot_be_read_is_nobody() -> None:
    with socket.socket(socket.AF_INET) as other:
        other.close()
        assert peer_of(other) == NOBODY
        assert peers.pid_of(other) is None
    near, far = socket.socketpair()
    with near, far:
        assert peer_of(near).uid == os.getuid()
        assert peers.pid_of(near) == os.getpid()


def test_a_stranger_is_refused_before_a_byte_is_read(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "peer_of", lambda _: Peer(4242))
    near, far = socket.socketpair()
    with near:
        _serve(far, config)
        answer = near.recv(65536)
    assert b" 403 " in answer
    assert b"ask one of: guardian" in answer


def test_who_may_only_look_cannot_stop(
    config: str, house: House, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., tuple[int, Any]]
) -> None:
    with open(config, "a") as file:
        file.write('[rights]\nread = ["root"]\nfreeze = []\n')
    monkeypatch.setattr(agent, "peer_of", lambda _: Peer(4242, frozenset({0})))
    assert ask(post(b"", "/v1/fence", "GET"))[0] == 200
    assert ask(post(b""))[0] == 403
    assert os.path.exists(house.permit("all"))


def test_a_mistake_elsewhere_in_the_file_takes_nobodys_right_away(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    usual = {Right.READ: ("guardian",), Right.FREEZE: ("guardian",)}
    assert rights_in(None) == usual
    path.write_text('state_dir = "/x"\n')
    assert rights_in(str(path)) == usual
    good = '[rights]  # who may\nfreeze = [\n  "on-call",\n]\n'
    path.write_text(f"this is = no TOML ]]]\n[queue]\nx = 1\n{good}[accounts.a]\nb = \n")
    assert rights_in(str(path)) == {Right.READ: ("guardian",), Right.FREEZE: ("on-call",)}


@pytest.mark.parametrize(
    "text",
    ['[rights]\nfreeze = "guardian"\n', "[rights]\nfreeze = [3]\n", "rights = 3\n", "[rights]\nfreeze = [\n", "\xff"],
)
def test_a_table_that_cannot_be_understood_gives_nobody_the_right_to_stop(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.toml"
    path.write_bytes(text.encode("latin-1"))
    assert not rights_in(str(path)).get(Right.FREEZE)
    assert rights_in(str(tmp_path / "absent")) == {}


# -- anything at all


@given(st.binary(max_size=300))
def test_no_body_makes_it_fall_over(raw: bytes) -> None:
    with contextlib.suppress(Unheard):
        assert isinstance(document_in(raw), dict)


@given(st.recursive(st.text(max_size=5), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner)))
def test_depth_is_that_of_the_brackets_outside_of_strings(value: object) -> None:
    def real(one: object) -> int:
        if isinstance(one, dict):
            return 1 + max((real(inner) for inner in one.values()), default=0)
        return 1 + max((real(inner) for inner in one), default=0) if isinstance(one, list) else 0

    assert depth(json.dumps(value).encode()) == real(value)


@settings(suppress_health_check=UNHURRIED, max_examples=60, deadline=None)
@given(raw=st.binary(max_size=200) | st.binary(max_size=80).map(lambda tail: b"POST /v1/freeze HTTP/1.1\r\n" + tail))
def test_any_bytes_get_an_answer_in_form_or_a_closed_door(ask: Callable[..., tuple[int, Any]], raw: bytes) -> None:
    status, document = ask(raw)
    assert status in hearing.REASONS
    assert status == 200 or document == {} or document["error"]["message"].startswith("cannot")
