"""How the golden stores were made: by each released version itself, from the history, at a platform of its own.

    python tests/store/golden/make.py [STEP...]        needs the repository's whole history; minutes

A store of each released schema, as text: posts in many states, one left in the middle of a send by a crash, a freeze in
force, a journal. Never run by the tests, which read what it wrote once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RELEASED = {
    1: "0ed440f24800cd541e9f42522d65d18b4f82c72b",
    2: "1a1ddf2e2bef89dee875c66b5201ab499aeecde2",
    3: "7c0f8a5b91637f4d61c9f517957ff6b4457ed7df",
    5: "7462949b7123238a13d055bc4a52595f3d662f3a",  # 4 came with it: its store is made of the third one's
    6: "f63556d93bfc8a94e1513b07c2e457116b1ee31c",
    7: "4f38dd04862aa2ef8d02ce13f12284a26a886291",
}
PORT = 18473
CONFIG = """\
state_dir = "{base}/state"
runtime_dir = "{base}/run"
[reconcile]
over = "1s"
"""
ACCOUNT = """
[accounts.{name}]
platform = "mastodon"
brand = "{name}"
base_url = "http://127.0.0.1:{port}"
identity = "@{name}@127.0.0.1:{port}"
[accounts.{name}.secrets]
token = "file:{base}/{name}.token"
"""
THREADS, HOLDS, CAMPAIGNS = 3, 5, 7


def main() -> None:
    """Make those that are asked for, or all."""
    wanted = [int(word) for word in sys.argv[1:]] or list(RELEASED)
    for step in wanted:
        with tempfile.TemporaryDirectory(prefix="golden-") as base:
            tree = Path(base, "tree")
            subprocess.run(["git", "worktree", "add", "--detach", str(tree), RELEASED[step]], check=True, cwd=ROOT)
            try:
                make(step, tree, Path(base))
            finally:
                subprocess.run(["git", "worktree", "remove", "--force", str(tree)], check=True, cwd=ROOT)
    if 3 in wanted:
        fourth()


def make(step: int, tree: Path, base: Path) -> None:
    """One life of that version's daemon, ended by a crash in the middle of a send."""
    only = base / "only" / "post_guardian-0.1.0.dist-info"  # that version had no other adapters
    only.mkdir(parents=True)
    (only / "METADATA").write_text("Metadata-Version: 2.1\nName: post-guardian\nVersion: 0.1.0\n")
    (only / "entry_points.txt").write_text("[guardian.adapters]\nmastodon = adapters.mastodon:MAKER\n")
    environment = {**os.environ, "PYTHONPATH": f"{tree}:{only.parent}", "GUARDIAN_CONFIG": f"{base}/guardian.toml"}
    text = CONFIG.format(base=base)
    for name in ("acme", "beta"):
        text += ACCOUNT.format(name=name, base=base, port=PORT)
        token = base / f"{name}.token"
        token.touch(0o600)
        token.write_text(f"rehearsal-{name}")
    (base / "guardian.toml").write_text(text)

    def start(*words: str, **more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", *words], cwd=tree, env={**environment, **more})

    def run(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "guardian", *words], cwd=tree, env=environment, check=True, timeout=60)

    def runs() -> bool:
        words = [sys.executable, "-m", "guardian", "status", "--json"]
        said = subprocess.run(words, cwd=tree, env=environment, check=False, timeout=60, capture_output=True).stdout
        return bool(said) and json.loads(said)["daemon"] == "running" and json.loads(said)["counts"] is not None

    platform = start("guardian.rehearsal", "--port", str(PORT))
    daemon = None
    try:
        run("init")
        daemon = start("guardian", "run")
        until(runs)
        story(step, run)
        daemon.terminate()
        daemon.wait(30)
        daemon = start("guardian", "run", GUARDIAN_FAILPOINTS="gate.written=crash@1")
        until(runs)
        with contextlib.suppress(subprocess.CalledProcessError):
            run("queue", "add", "--account", "beta", "--at", "now", "in the middle of a send")
        daemon.wait(30)
    finally:
        for process in (daemon, platform):
            if process is not None:
                process.kill()
                process.wait()
    dump(base / "state" / "guardian.db", HERE / f"{step:04}.sql")


def story(step: int, run: object) -> None:
    """What people did with it."""
    assert callable(run)
    for name in ("acme", "beta"):
        run("queue", "add", "--account", name, "--at", "now", f"published by {name} \u00e5\u00e4\u00f6 \U0001f600")
    plan = ("--at", "2031-01-04T09:00:00", "--zone", "Europe/Stockholm", "--tag", "launch")
    for number in range(4):
        run("queue", "add", "--account", "acme", *plan, "--ref", f"plan-{number}", f"planned {number}")
    if step >= THREADS:
        run("queue", "add", "--account", "beta", *plan, "--part", "one", "--part", "two")
    if step >= HOLDS:
        run("queue", "hold", "--tag", "launch", "--reason", "the date moves")
    if step >= CAMPAIGNS:
        run("queue", "add", "--account", "beta", *plan, "--campaign", "spring", "of a campaign")
    time.sleep(2)
    run("freeze", "--scope", "brand:acme", "a golden freeze")
    run("queue", "add", "--account", "acme", "--at", "now", "missed under the freeze")
    time.sleep(2)


def fourth() -> None:
    """Nobody ran the fourth schema alone: the third one's store with that version's own step."""
    words = (HERE / "0003.sql").read_text("utf-8")
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(words)
        folder = ROOT / "guardian" / "store" / "migrations"
        connection.executescript((folder / "0004_speed.sql").read_text("utf-8"))
        connection.execute("insert into migrations values (4, '0004_speed.sql', 1764099760000)")
        (HERE / "0004.sql").write_text("\n".join(connection.iterdump()) + "\n", "utf-8")


def dump(store: Path, to: Path) -> None:
    """As text, what stands in its log as well."""
    copy = store.with_name("copy")
    copy.mkdir()
    for file in store.parent.glob("guardian.db*"):
        shutil.copy(file, copy)
    with contextlib.closing(sqlite3.connect(copy / store.name)) as connection:
        to.write_text("\n".join(connection.iterdump()) + "\n", "utf-8")


def until(come: object) -> None:
    """For half a minute."""
    assert callable(come)
    end = time.monotonic() + 30
    while not come():
        assert time.monotonic() < end
        time.sleep(0.05)


if __name__ == "__main__":
    main()
