"""What every test gets: the tripwires are stretched, unless the test plays an outsider on purpose.

CI runs as root on a machine where everything can be installed: there a test of the marker `root` that is skipped is a
test that was not run, and fails.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from guardian.gate import tripwire
from tests.canaries import Canaries

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

PROOFS = ("test_torture", "test_four", "test_fuzz")  # files whose every test is long, and needs no fixture of the file
IN_CI = os.environ.get("CI") == "true" and os.geteuid() == 0


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell starts what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # our programs, started by tests, must hear Ctrl-C


def pytest_configure(config: pytest.Config) -> None:
    """Whatever is written and started from now on is searched for the secrets of the tests."""
    config.pluginmanager.register(Canaries(config), "canaries")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What runs side by side: files, each in one process as its fixtures want it; each long proof by itself, and first.

    A proof that began last would be waited for alone. One process has what needs a PDS: starting one costs ten seconds.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    items.sort(key=lambda item: not item.path.name.startswith(PROOFS))
    for item in items:
        whole = item.nodeid if item.path.name.startswith(PROOFS) else str(item.path)
        item.add_marker(pytest.mark.xdist_group("pds" if "bluesky" in item.path.name else whole))


@pytest.fixture(autouse=True)
def _tripwire(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.node.get_closest_marker("outsider"):
        yield
        return
    tripwire.stretch()
    tripwire.stretch_lower()
    yield
    tripwire.slacken()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, what needs root and is skipped has failed: nobody else runs it."""
    report = yield
    if IN_CI and report.skipped and item.get_closest_marker("root") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report
