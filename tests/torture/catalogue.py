"""Every row by its name, in the order in which they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.torture import rows_broken, rows_clock, rows_crash, rows_doors, rows_sockets, rows_stopped, rows_wire
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
    "down-three-hours": rows_clock.down_three_hours,
    "broken-check-before-lock": rows_broken.check_before_lock,
    "broken-check-before-publish": rows_broken.check_before_publish,
    "broken-no-linger": rows_broken.no_linger,
    "broken-no-wait": rows_broken.no_wait,
    "unacknowledged": rows_wire.unacknowledged,
    "tls": rows_wire.tls,
    "control-attacked": rows_sockets.control_attacked,
}
