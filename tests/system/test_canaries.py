"""The search for secrets in what a test run writes finds them: a search that cannot fail would prove nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries import found_in, note, packed

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = """
from tests.canaries import Canaries
def pytest_configure(config):
    config.addinivalue_line("markers", "plants_canaries: x")
    config.pluginmanager.register(Canaries(config), "canaries")
"""
WORD = "'rehearsal-' + 'acme'"
PLANTS = f"""
import base64, gzip, os, sqlite3, subprocess, sys, time, zipfile
WORD = {WORD}
def test_file(tmp_path): (tmp_path / "daemon.log").write_text("x" * 100 + WORD)
def test_gzip(tmp_path): (tmp_path / "post-1.warc.gz").write_bytes(gzip.compress(WORD.encode()))
def test_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "post.wacz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.warc.gz", gzip.compress(WORD.encode()))
def test_store(tmp_path):
    with sqlite3.connect(tmp_path / "guardian.db") as store:
        store.execute("create table t (x)")
        store.execute("insert into t values (?)", [WORD])
    store.close()
def test_basic(tmp_path): (tmp_path / "core").write_bytes(base64.b64encode(b"me:" + WORD.encode() + b"-and-more"))
def test_exempt(tmp_path): (tmp_path / "acme.token").write_text(WORD)
def test_clean(tmp_path): (tmp_path / "fine").write_text("rehearsal-accept")
"""  # noqa: S608 (a test's own store)
SHOWS = f"""
import os, subprocess, sys, time
WORD = {WORD}
def test_printed(): print("the token is", WORD)
def test_argv(): subprocess.run([sys.executable, "-c", "pass", WORD], check=True)
def test_environment(): subprocess.run([sys.executable, "-c", "pass"], env={{**os.environ, "T": WORD}}, check=True)
def test_below():
    code = "import os, sys, time; os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(2)', "
    subprocess.run([sys.executable, "-c", code + "'rehearsal-' + 'acme'])"], check=True)
def test_clean(): subprocess.run([sys.executable, "-c", "pass"], check=True)
"""


def run(tmp_path: Path, tests: str) -> subprocess.CompletedProcess[str]:
    place = tmp_path / "planted"
    place.mkdir()
    (place / "conftest.py").write_text(CONFTEST)
    (place / "test_planted.py").write_text(tests)
    base = Path(os.environ.get("TMPDIR", "/tmp")) / f"canaries-{os.getpid()}"  # noqa: S108 (outside of what is searched)
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--basetemp={base}",
        "--rootdir",
        str(place),
    ]
    try:
        return subprocess.run(
            [*words, str(place)], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    finally:
        subprocess.run(["rm", "-rf", str(base)], check=True)


def test_what_a_run_has_written_is_searched_to_the_last_packed_member(tmp_path: Path) -> None:
    done = run(tmp_path, PLANTS)
    assert done.returncode == 1, done.stdout
    section = done.stdout.partition("canaries: secrets of tests")[2]
    for name in ("daemon.log", "post-1.warc.gz", "post.wacz", "guardian.db", "core"):
        assert f"/{name}: " in section, done.stdout
    assert "acme.token" not in section
    assert "/fine" not in section


@pytest.mark.plants_canaries
def test_what_a_test_prints_and_starts_belongs_to_it(tmp_path: Path) -> None:
    done = run(tmp_path, SHOWS)
    assert done.returncode == 1, done.stdout
    for name in ("printed", "argv", "environment", "below"):
        assert f"test_{name}" in done.stdout.partition("short test summary")[2], done.stdout
    assert "4 failed, 1 passed" in done.stdout


def test_a_run_without_a_canary_is_good(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_clean(tmp_path): (tmp_path / 'x').write_text('nothing')\n")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "text",
    [
        b"rehearsal-acme", b"rehearsal-north-a", b"memory-beta", b"hush-secret-4711", b"cs/acme+0123456789&=",
        b"cs%2Facme%2B0123456789%26%3D", b"7000000001-atacme0123456789", b"as-acme-9876543210",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkaWQ6cGxjIn0.abcdefghijklmnopqrstuvwx", packed(b"rehearsal-acme")[1],
    ],
)  # fmt: skip
def test_every_double_has_secrets_that_are_known(text: bytes) -> None:
    assert found_in(b"before " + text + b" after")


def test_a_secret_that_is_made_on_the_way_is_known_once_it_was_said() -> None:
    made = "abcd-" + "efgh-ijkl"
    assert not found_in(made.encode())
    assert note(made) == made
    assert found_in(b"x" + made.encode())
