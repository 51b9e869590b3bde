"""What every test gets: the tripwires are stretched, unless the test plays an outsider on purpose.

CI runs as root on a machine where everything can be installed: there a test of the marker `root` that is skipped is a
test that was not run, and fails.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from guardian.gate import tripwire
from tests.canaries import Canaries

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LONGEST = ("test_torture", "test_mutations", "test_four", "test_fuzz", "test_machine")  # files that take minutes
# Other files run beside, so how long one example takes says nothing of it.
settings.register_profile("beside", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside")
IN_CI = os.environ.get("CI") == "true" and os.geteuid() == 0


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so a shell starts what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # our programs, started by tests, must hear Ctrl-C


def pytest_configure(config: pytest.Config) -> None:
    """Whatever is written and started from now on is searched for the secrets of the tests."""
    config.pluginmanager.register(Canaries(config), "canaries")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files run side by side, the longest first: one that began last would be waited for alone."""
    items.sort(key=lambda item: not item.path.name.startswith(LONGEST))


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
