"""What is fuzzed over the real control socket of a real daemon: raw bytes, and requests that are nearly right."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hypothesis import strategies as st

from tests.fuzz import inputs
from tests.fuzz.inside import ERROR, OK, Accident, Target
from tests.torture.daemon import ROOT
from tests.torture.house import TorturedHouse

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

ANSWER_WITHIN = 8.0
MOST_MEMORY = 400 << 20
MOST_LOG = 8 << 20
WHOLLY = 0.1
CODES = (0, 2, 10, 11, 13, 14)
DOUBTS = (503, 504)
OF_METRICS = 200
POST_ = b'{"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "words", "ref": "r", "tags": ["a"]}'
LINES = json.dumps({"text": POST_.decode() + "\n{}\n", "format": "jsonl"}).encode()
RIGHT = (  # what each route takes
    ("freeze", b'{"reason": "why", "scopes": ["all"], "wait": 0}'),
    ("freeze", b'{"scopes": ["account:north-a", "brand:north"], "drain": 0.1, "wait": 0.1, "told": true, "by": "x"}'),
    ("thaw", b'{"reason": "enough", "scopes": ["all"], "freezes": ["f-x"]}'),
    ("thaw", b'{"reason": "enough"}'),
    ("posts", POST_),
    ("posts/import", LINES),
    ("posts/release", b'{"ids": null, "gap": "30s"}'),
    ("posts/release", b'{"ids": ["p-aaaaaaaaaaaaaaaa"], "gap": "0s"}'),
    ("posts/ID/reschedule", b'{"at": "2099-01-01T00:00:00", "zone": "Europe/Stockholm"}'),
    ("posts/ID/cancel", b""),
    ("posts/ID/release", b"{}"),
)
BODIES = (b'{"reason": "\\ud800", "\\ud800": 1}', *(body for _, body in RIGHT))
HEADERS = (
    b"",
    b"",
    b"Connection: close\r\n",
    b"Content-Type: text/plain\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"X: \xff\r\n",
)
QUERIES = (
    b"",
    b"?limit=3",
    b"?after=99999999999999999999",
    b"?cursor=1.2",
    b"?account=north-a&state=queued",
    b"?state=%00",
    b"?limit=-1&after=-1",
)


def _paths(ids: list[str]) -> list[bytes]:
    known = ["status", "freeze", "thaw", "posts", "posts/import", "posts/release", "journal", "posts/", "nothing"]
    known += ["media", "media/" + "0" * 64, "media/..%2f..%2fguardian.db"]
    known += [
        f"posts/{one}{end}"
        for one in [*ids, "p-none", "%00", "..%2f", "%ff"]
        for end in ("", "/release", "/reschedule", "/cancel")
    ]
    return [f"/v1/{one}".encode() for one in known] + [b"/openapi.json", b"/metrics", b"/", b"*", b"//v1/status"]


def framed(method: bytes, target: bytes, body: bytes, more: bytes = b"") -> bytes:
    """A whole request."""
    return b"%s %s HTTP/1.1\r\nHost: g\r\n%sContent-Length: %d\r\n\r\n%s" % (method, target, more, len(body), body)


def requests_to(ids: list[str]) -> st.SearchStrategy[bytes]:
    """Requests to these posts and to everything else, well framed for the most part."""
    method = st.sampled_from([b"GET", b"POST", b"POST", b"POST", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT", b"X"])
    target = st.tuples(st.sampled_from(_paths(ids)), st.sampled_from(QUERIES)).map(b"".join)
    body = st.sampled_from(BODIES) | inputs.record | inputs.nested | inputs.deep | inputs.soup
    return st.builds(framed, method, target, body, st.sampled_from(HEADERS))


def mutated_request(dice: random.Random, pool: Sequence[bytes]) -> bytes:
    """Mostly another body under the same head, framed rightly; sometimes another target; seldom another everything."""
    head, _, body = dice.choice(pool).partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    way = dice.random()
    if len(words) < 3 or way < WHOLLY:
        return inputs.mutated(dice, pool)
    bodies = [body, dice.choice(BODIES)]
    if way < 3 * WHOLLY:
        return framed(words[0], inputs.mutated(dice, [words[1]]).replace(b" ", b"%20"), body)
    return framed(words[0], words[1], body if way > 1 - WHOLLY else inputs.mutated(dice, bodies))


class FuzzedHouse(TorturedHouse):
    """A house whose socket is fuzzed; it knows some posts that are there."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.start()
        self.ids = self.feed(6, at=datetime.now(UTC) + timedelta(days=3000))
        return self

    def target(self, share: int = 0) -> Target:
        """The raw socket as a target."""
        near = requests_to(self.ids)
        strategy = st.one_of(*[near] * 12, inputs.soup)
        return Target("control socket", strategy, tuple(self._seeds()), share, self.judge_raw, mutated_request)

    def command(self, share: int = 0) -> Target:
        """The command as a target; each input is a process."""
        seeds = (b"--scope\nall\nwhy", b"--json\n--scope=account:north-a\n--drain\n0", b"--takedown\nx\n--\n--why")
        return Target("freeze process", inputs.words, seeds, share, self.judge_command)

    def _seeds(self) -> Iterator[bytes]:
        for path, body in RIGHT:
            for one in self.ids:
                yield framed(b"POST", f"/v1/{path.replace('ID', one)}".encode(), body)
        yield framed(b"POST", b"/v1/media", b"OggS\0\2 the smallest sound that is taken")
        for path in ("status", "posts", "journal?after=0&limit=10", *(f"posts/{one}" for one in self.ids)):
            yield framed(b"GET", f"/v1/{path}".encode(), b"")

    def judge_raw(self, given: bytes) -> str:
        """One connection: these bytes, then nothing more. Whatever comes back is whole, and an error has its form."""
        raw = self._exchange(given)
        statuses = [_judged(status, body, given) for status, body in _answers(raw, given)]
        return OK if statuses and max(statuses) < 400 else ERROR

    def judge_command(self, given: bytes) -> str:
        """`guardian freeze` as a process, with any words: one of its exit codes and words, never a traceback."""
        words = given.replace(b"\0", b"").split(b"\n")
        done = subprocess.run(
            [sys.executable, "-m", "guardian", "freeze", *words, "--wait=0"],
            capture_output=True, timeout=ANSWER_WITHIN, check=False, cwd=ROOT,
            env={**os.environ, "GUARDIAN_CONFIG": str(self.config)},
        )  # fmt: skip
        said = done.stdout + done.stderr
        if done.returncode not in CODES or b"Traceback" in said or not said.strip():
            raise Accident(f"exit {done.returncode} for {words}: {said[-1500:]!r}")
        return ERROR if done.returncode else OK

    def settle(self) -> list[str]:
        """After it all: what is wrong with the daemon itself."""
        assert self.daemon is not None
        if self.daemon.process.poll() is not None:
            return [f"the daemon ended: {self.daemon.tail()}"]
        log = self.daemon.log.read_text("utf-8", "replace")
        wrong = [
            f"in the log: {log[log.index(word) - 300 :][:1500]}" for word in ("Traceback", "Exception") if word in log
        ]
        text = Path(f"/proc/{self.daemon.pid}/status").read_text("utf-8")
        memory = int(text.partition("VmHWM:")[2].split()[0]) * 1024
        wrong += [f"{memory >> 20} MiB of memory"] if memory > MOST_MEMORY else []
        wrong += [f"{len(log) >> 20} MiB of log"] if len(log) > MOST_LOG else []
        stop = self.client.post("/v1/freeze", {"reason": "the end", "wait": 0})
        return wrong if stop["confirmed"] else [*wrong, f"not confirmed: {stop}"]

    def _exchange(self, given: bytes) -> bytes:
        found = b""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(ANSWER_WITHIN)
            sock.connect(self.house.socket)
            try:
                sock.sendall(given)
                sock.shutdown(socket.SHUT_WR)
                while chunk := sock.recv(1 << 16):
                    found += chunk
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has said no, and hung up
        return found


def _answers(raw: bytes, given: bytes) -> Iterator[tuple[int, bytes]]:
    """The answers in what came back, each whole."""
    heads_only = given.startswith(b"HEAD ")
    while raw:
        head, blank, rest = raw.partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        if not blank or not words[0].startswith(b"HTTP/1.1") or len(words) < 2 or not words[1].isdigit():
            raise Accident(f"no HTTP came back: {raw[:300]!r}")
        status = int(words[1])
        if status < 200:
            raw = rest
            continue
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        body, raw = rest[:length], rest[length:]
        if heads_only or (b"HEAD " in given and len(body) < length):
            return
        if len(body) < length:
            raise Accident(f"half an answer to {given[:300]!r}: {head!r}")
        yield status, body


def _judged(status: int, body: bytes, given: bytes) -> int:
    if status >= 500 and status not in DOUBTS:
        raise Accident(f"{status} to {given[:600]!r}: {body[:600]!r}")
    try:
        judge_text(status, body)
    except ValueError:
        raise Accident(f"{status} without JSON to {given[:300]!r}: {body[:300]!r}") from None
    return status


def judge_text(status: int, body: bytes) -> None:
    """Every answer is JSON, but for the metrics."""
    if status != OF_METRICS or not body.startswith(b"# HELP guardian_"):
        judge_document(status, json.loads(body))


def judge_document(status: int, document: Any) -> None:  # noqa: ANN401 (a JSON document)
    """Every error has the contract's one form; a freeze that is not confirmed and an import have their own."""
    if status < 400 or (status == 504 and "confirmed" in document) or (status == 422 and "errors_in_all" in document):
        return
    error = document.get("error") if isinstance(document, dict) else None
    if (
        not isinstance(error, dict)
        or set(error) != {"code", "message", "fix"}
        or not error["message"].startswith("cannot")
    ):
        raise Accident(f"{status} in another form: {document}")
