"""The platform as a process of its own: found by its first line, gone with its parent, and over TLS."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.outsider

_NEW_CERTIFICATE = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"),
    *("-subj", "/CN=rehearsal", "-addext", "subjectAltName=IP:127.0.0.1"),
)
COMMAND = (sys.executable, "-m", "guardian.rehearsal")


@contextmanager
def _running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            assert said["pid"] == process.pid
            yield process, said["url"]
        finally:
            process.kill()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly_when_told(end: signal.Signals) -> None:
    with _running("--account", "gamma") as (process, url):
        with urllib.request.urlopen(  # noqa: S310  # our own address
            f"{url}/api/v1/accounts/lookup?acct=gamma", timeout=10
        ) as answer:
            assert json.load(answer)["acct"] == "gamma"
        process.send_signal(end)
        assert process.wait(10) == 0


def test_a_limit_of_deletions_is_given_on_the_command_line_and_nonsense_is_refused() -> None:
    with _running("--delete-limit", "1/60") as (_, url):
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        found = []
        for number in (1, 2):
            connection.request(
                "DELETE", f"/api/v1/statuses/{number}", headers={"Authorization": "Bearer rehearsal-acme"}
            )
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)
        connection.close()
        assert found == [404, 429]
    told = subprocess.run([*COMMAND, "--delete-limit", "many"], capture_output=True, text=True, timeout=30, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("cannot limit deletions to many, because")


def test_its_help_tells_the_token_and_the_identity_that_nobody_could_guess() -> None:
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=30, check=True).stdout
    assert "rehearsal-NAME" in told
    assert "@NAME@HOST:PORT" in told


def test_it_does_not_outlive_a_parent_that_was_killed() -> None:
    program = f"import subprocess, time; subprocess.Popen({[*COMMAND, '--with-parent']!r}); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())["pid"]
        parent.kill()
        deadline = time.monotonic() + 10
        while _alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
        return ") Z " not in stat.read()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_over_tls_it_answers_and_says_that_the_instants_are_its_own(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [*_NEW_CERTIFICATE, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(cafile=certificate)
    with RehearsalPlatform(certfile=certificate, keyfile=key) as platform:
        place = urlsplit(platform.url)
        assert place.scheme == "https"
        connection = http.client.HTTPSConnection("127.0.0.1", place.port, timeout=10, context=context)
        for text in ("one", "two"):
            body = json.dumps({"status": text})
            headers = {"Authorization": f"Bearer {platform.token('acme')}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/statuses", body, headers)
            assert connection.getresponse().read().startswith(b'{"id"')
        assert [entry["clock"] for entry in platform.log()] == ["user", "user"]
        connection.close()
