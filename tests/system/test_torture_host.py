"""A short slice of the torture by a failing host: disks, files, descriptors, memory, control groups."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.torture.catalogue import ROWS
from tests.torture.results import Options
from tests.torture.rows_host import GROUPS, unified

pytestmark = [
    pytest.mark.outsider,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount, give files away and make control groups"),
]

OPTIONS = Options(seed=1, short=True)
NEEDS_MOUNTS = pytest.mark.skipif(
    shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists(), reason="needs ext4 on a loop device"
)
NEEDS_FUSE = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="needs FUSE for a disk that hangs")
NEEDS_OLD_GROUPS = pytest.mark.skipif(
    not all((GROUPS / kind / "cgroup.procs").exists() for kind in ("freezer", "memory", "pids")),
    reason="needs the control groups of version 1",
)


def _holds(name: str) -> None:
    result = ROWS[name](OPTIONS)
    assert result.holds, result.line()


@NEEDS_MOUNTS
def test_a_full_disk_delays_no_freeze_and_loses_no_post() -> None:
    _holds("disk-full")


@NEEDS_MOUNTS
def test_on_a_read_only_disk_the_freeze_says_that_a_reboot_undoes_it() -> None:
    _holds("disk-read-only")


@NEEDS_FUSE
def test_a_disk_that_fails_to_sync_sends_nothing_and_never_counts_as_durable() -> None:
    _holds("disk-no-sync")


@NEEDS_FUSE
def test_a_disk_that_hangs_does_not_hang_the_freeze() -> None:
    _holds("disk-hangs")


def test_files_of_the_fence_that_were_tampered_with_send_nothing() -> None:
    _holds("files-tampered")


def test_a_gate_replaced_while_a_send_is_inside_is_not_taken_for_empty() -> None:
    _holds("gate-replaced-inside")


@NEEDS_OLD_GROUPS
def test_a_daemon_without_descriptors_threads_or_memory_is_frozen_and_recovers() -> None:
    _holds("host-exhausted")


@NEEDS_OLD_GROUPS
def test_a_daemon_that_the_kernel_ended_for_its_memory_is_frozen_and_comes_back_frozen() -> None:
    _holds("host-out-of-memory")


@NEEDS_OLD_GROUPS
@pytest.mark.skipif(unified() is None, reason="needs the control groups of version 2")
def test_a_paused_container_is_never_confirmed_while_it_could_resume_and_send() -> None:
    _holds("host-frozen-group")


def test_a_crowd_of_posts_due_at_once_is_frozen_within_the_drain() -> None:
    _holds("crowded")
