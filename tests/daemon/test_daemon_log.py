"""The log is never in the way of what it tells of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAY = """
import os
from guardian.daemon import log
log.set_up([])
import structlog
for _ in range(3):
    structlog.get_logger().error("a loop failed", exc_info=ValueError("why"))
os._exit(7)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_log_on_a_full_disk_ends_nobody() -> None:
    """A loop that logs its error would end with another error, and its account would fall silent for good."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([sys.executable, "-c", SAY], stderr=full, check=False, timeout=20)
    assert done.returncode == 7


def test_a_log_whose_reader_has_gone_ends_nobody() -> None:
    with subprocess.Popen([sys.executable, "-c", SAY], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(20) == 7


def test_a_secret_that_comes_with_a_reload_is_hidden_and_an_old_one_stays_hidden() -> None:
    """Loggers that were used before the reload keep their processors: the new secret must reach those, too."""
    said = [
        "from guardian.daemon import log",
        "from guardian.model import Secret",
        "import structlog",
        "log.set_up([Secret('the-old-token')])",
        "logger = structlog.get_logger()",
        "logger.info('before', text='the-old-token')",
        "log.keep_secret([Secret('the-new-token')])",
        "logger.info('after', text='the-new-token and the-old-token')",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(said)], capture_output=True, text=True, check=True, timeout=20
    )
    assert "-token" not in done.stderr
    assert '"text": "*** and ***"' in done.stderr
