"""Every row by its name, in the order in which they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.torture import (
    rows_agent,
    rows_answers,
    rows_broken,
    rows_clock,
    rows_crash,
    rows_cut,
    rows_disk,
    rows_doors,
    rows_files,
    rows_host,
    rows_machine,
    rows_net,
    rows_sockets,
    rows_stopped,
    rows_store,
    rows_threads,
    rows_wall,
    rows_wire,
)
from tests.torture.rows_random import random_freezes

if TYPE_CHECKING:
    from tests.torture.results import Row

ROWS: dict[str, Row] = {
    "random": random_freezes,
    "stopped-cont": rows_stopped.then_continued,
    "stopped-kill": rows_stopped.then_killed,
    "stopped-term-cont": rows_stopped.then_ended,
    "dead": rows_doors.dead,
    "never-started": rows_doors.never_started,
    "five-at-once": rows_doors.five_at_once,
    "freeze-during-thaw": rows_doors.freeze_during_thaw,
    "fifty-restarts": rows_doors.fifty_restarts,
    "kill-at-failpoints": rows_crash.killed_at_failpoints,
    "lost-answers": rows_crash.lost_answers,
    "threads": rows_threads.threads,
    "down-three-hours": rows_clock.down_three_hours,
    "broken-check-before-lock": rows_broken.check_before_lock,
    "broken-check-before-publish": rows_broken.check_before_publish,
    "broken-no-linger": rows_broken.no_linger,
    "broken-no-wait": rows_broken.no_wait,
    "unacknowledged": rows_wire.unacknowledged,
    "tls": rows_wire.tls,
    "agent-stopped": rows_agent.stopped,
    "agent-attacked": rows_agent.attacked,
    "store-locked": rows_store.locked,
    "store-damaged": rows_store.damaged,
    "store-flipped": rows_store.flipped,
    "net-cut": rows_net.cut_and_healed,
    "net-cut-tls": rows_net.cut_and_healed_tls,
    "net-timed-out": rows_net.timed_out,
    "broken-net-no-linger": rows_net.broken_no_linger,
    "broken-net-no-wait": rows_net.broken_no_wait,
    "cut-at-every-byte": rows_cut.at_every_byte,
    "mad-answers": rows_answers.mad_answers,
    "absurd-waits": rows_answers.absurd_waits,
    "storm-of-5xx": rows_answers.storms,
    "wall-clock": rows_wall.wall_clock,
    "machine": rows_machine.machine,
    "disk-full": rows_disk.full,
    "disk-read-only": rows_disk.read_only,
    "disk-no-sync": rows_disk.no_sync,
    "disk-hangs": rows_disk.hangs,
    "files-tampered": rows_files.tampered,
    "gate-replaced-inside": rows_files.replaced_inside,
    "host-exhausted": rows_host.exhausted,
    "host-out-of-memory": rows_host.killed_for_memory,
    "host-frozen-group": rows_host.frozen_group,
    "crowded": rows_host.crowded,
    "control-attacked": rows_sockets.control_attacked,
}
