"""Names of files that lead elsewhere: a pipe holds nobody up, a device is not read, a link leads no writer astray."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.duties.darkroom import picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Place, Ran

    Guardian = Callable[..., Ran]

SECRET_FILE = "what only its owner may read"


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, Path]:
    """What is no ordinary file, under ordinary names."""
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "link-to-fifo.png").symlink_to(tmp_path / "fifo.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    (tmp_path / "terminal.png").symlink_to("/dev/tty")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "not-there")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "words.png").write_text(SECRET_FILE)
    return {path.stem: path for path in tmp_path.iterdir()}


def test_what_is_no_file_is_refused_at_once_as_a_plan_a_picture_a_key_and_a_journal(
    guardian: Guardian, place: Place, odd: dict[str, Path], tmp_path: Path
) -> None:
    before = place.get("/v1/status")["counts"]
    for name, path in odd.items():
        for words in (
            ("queue", "import", path), ("queue", "add", "--account", "acme", "--at", "now", "x", "--media", path),
            ("journal", "verify", "--file", path), ("evidence", "verify", tmp_path / "nothing", "--allowed", path),
        ):  # fmt: skip
            if name == "words" and words[0] == "evidence":
                continue
            ran = guardian(*words)
            assert ran.code in (1, 2), (words, ran)
            assert "cannot " in ran.err, (words, ran)
            assert SECRET_FILE not in ran.out + ran.err, "what is no plan is not shown"
    plan = tmp_path / "plan.jsonl"
    records = [
        {"account": "acme", "at": "now", "text": "x", "media": [{"path": str(path)}]}
        for path in (*odd.values(), "../" * 30 + "etc/passwd", "/proc/self/environ", "a\0b")
    ]
    plan.write_text("\n".join(map(json.dumps, records)), "utf-8")
    ran = guardian("queue", "import", plan)
    assert ran.code == 2
    assert f"{len(records)} mistakes; nothing was imported" in ran.err
    assert SECRET_FILE not in ran.err
    assert place.get("/v1/status")["counts"] == before


@pytest.mark.usefixtures("place")
def test_an_export_replaces_what_was_laid_in_its_way_and_never_what_a_link_points_at(
    guardian: Guardian, tmp_path: Path
) -> None:
    """In a directory that others may write to, somebody lays another picture, or a link, under the name to come."""
    (tmp_path / "cat.png").write_bytes(picture("PNG", width=40, height=30))
    plan = tmp_path / "plan.jsonl"
    record = {
        "account": "beta", "at": "2031-02-03T04:05:06Z", "text": "x", "media": [{"path": "cat.png"}], "tags": ["paths"],
    }  # fmt: skip
    plan.write_text(json.dumps(record), "utf-8")
    assert guardian("queue", "import", plan).code == 0
    content = (tmp_path / "cat.png").read_bytes()
    name = f"{hashlib.sha256(content).hexdigest()}.png"
    mine = tmp_path / "mine.txt"
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    lays: list[Callable[[Path], object]] = [
        lambda path: path.symlink_to(mine),
        lambda path: path.write_bytes(b"another picture"),
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: os.link(mine, path),
    ]
    for number, lay in enumerate(lays):
        mine.write_text(SECRET_FILE)
        (pictures / name).unlink(missing_ok=True)
        lay(pictures / name)
        out = tmp_path / f"out-{number}.jsonl"
        out.symlink_to(mine)
        ran = guardian("queue", "export", out, "--tag", "paths", "--media", pictures)
        assert ran.code == 2, "a link is there already"
        assert guardian("queue", "export", out, "--tag", "paths", "--media", pictures, "--force").code == 0
        assert mine.read_text() == SECRET_FILE
        assert (out.is_symlink(), (pictures / name).is_symlink()) == (False, False)
        assert (pictures / name).read_bytes() == content
    first = (pictures / name).stat()
    assert guardian("queue", "export", tmp_path / "again.jsonl", "--tag", "paths", "--media", pictures).code == 0
    assert (pictures / name).stat().st_ino == first.st_ino, "what is right stays"
