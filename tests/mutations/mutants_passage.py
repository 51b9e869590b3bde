"""Mutants of looking and locking: what stands between a send and its first byte."""

from __future__ import annotations

from tests.mutations.mutant import mutant

PASSAGE = "guardian/fence/passage.py"
GATES = "guardian/fence/gates.py"
PERMITS = "guardian/fence/permits.py"

LOOK_LOCK_LOOK = """\
        self.check()
        try:
            self.check([self._lock(scope) for scope, _ in self.ticket.epochs])
"""

SENDING = (
    mutant(
        "lock and check swapped",
        "fence/test_fence_passage.py::test_a_permit_removed_between_lock_and_check_stops_the_crossing",
        (
            PASSAGE,
            LOOK_LOCK_LOOK,
            """\
        try:
            self.check()
            for scope, _ in self.ticket.epochs:
                self._lock(scope)
""",
        ),
    ),
    mutant(
        "no second look under the locks",
        "fence/test_fence_passage.py::test_a_gate_that_was_replaced_stops_the_send",
        (
            PASSAGE,
            "            self.check([self._lock(scope) for scope, _ in self.ticket.epochs])\n",
            "            _ = [self._lock(scope) for scope, _ in self.ticket.epochs]\n",
        ),
    ),
    mutant(
        "no look before the locks",
        "fence/test_fence_locks.py::test_a_send_that_sees_the_house_closed_takes_no_lock_at_all",
        (PASSAGE, "        self.check()\n        try:\n", "        try:\n"),
    ),
    mutant(
        "only the first gate is locked",
        "fence/test_fence_passage.py::test_a_crossing_holds_every_gate_shared_and_lets_go_of_all",
        (
            PASSAGE,
            "            self.check([self._lock(scope) for scope, _ in self.ticket.epochs])\n",
            "            self._lock(self.ticket.epochs[0][0])\n            self.check()\n",
        ),
    ),
    mutant(
        "the gate's number is not compared",
        "fence/test_fence_passage.py::test_a_gate_that_was_replaced_stops_the_send",
        (PASSAGE, "if identities is not None and permit.gate != identities[place]:", "if identities == []:"),
    ),
    mutant(
        "the epoch of a permit is not compared",
        "fence/test_fence_passage.py::test_a_freeze_and_thaw_between_look_and_crossing_stop_the_send",
        (PASSAGE, "if permit.epoch != epoch:", "if permit.epoch < epoch:"),
    ),
    mutant(
        "a send does not look at the marker",
        "fence/test_fence_permits.py::test_a_marker_beside_a_permit_stops_the_send",
        (PASSAGE, "if os.path.lexists(house.marker(scope)):", "if not scope:"),
    ),
    mutant(
        "a gate that is locked is waited for",
        "fence/test_fence_passage.py::test_a_send_never_waits_for_a_freeze_that_holds_the_gate",
        (PASSAGE, "        if not free:\n", "        if free is None:\n"),
    ),
    mutant(
        "the boot of a permit is not compared",
        "fence/test_fence_arming.py::test_a_permit_of_the_last_boot_is_no_permit",
        (PERMITS, "found.boot != boot_id()", 'found.boot == ""'),
    ),
    mutant(
        "the owner of a permit does not matter",
        "fence/test_fence_permits.py::test_a_permit_that_others_could_have_written_is_refused",
        (PERMITS, "    if found.st_mode & 0o022:\n", "    if found.st_mode == 0:\n"),
    ),
    mutant(
        "POSIX locks for sends",
        "fence/test_fence_locks.py::test_a_send_that_ends_takes_no_other_sends_lock_with_it",
        (GATES, "fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)", "fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)"),
        (GATES, "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)", "fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)"),
    ),
    mutant(
        "POSIX locks for freezes",
        "fence/test_fence_locks.py::test_two_freezes_in_one_process_exclude_each_other",
        (GATES, "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)", "fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)"),
    ),
)
