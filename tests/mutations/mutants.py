"""The mutants: each leaves out or exchanges one thing that the promise rests on, and names the test that must fail."""

from __future__ import annotations

from typing import NamedTuple

from tests.mutations.workshop import Change

PASSAGE = "guardian/fence/passage.py"
GATES = "guardian/fence/gates.py"
STOPPING = "guardian/fence/stopping.py"
ARMING = "guardian/fence/arming.py"
PERMITS = "guardian/fence/permits.py"
MARKER = "guardian/fence/marker.py"
WIRE = "guardian/gate/wire.py"
CONNECTION = "guardian/gate/connection.py"
TRANSPORT = "guardian/gate/transport.py"


class Mutant(NamedTuple):
    """What is wrong with it, the changes that make it, and the id of the test that must fail."""

    name: str
    test: str
    changes: tuple[Change, ...]


def mutant(name: str, test: str, *changes: tuple[str, str, str]) -> Mutant:
    """One mutant; each change is (file, old, new)."""
    return Mutant(name, f"tests/{test}", tuple(Change(*one) for one in changes))


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

LEAVING = (
    mutant(
        "no linger",
        "gate/test_gate_linger.py"
        "::test_of_a_send_that_was_stopped_and_killed_the_kernel_delivers_nothing_after_confirmed",
        (WIRE, '    (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),\n', ""),
    ),
    mutant(
        "unlocks before the send queue is empty",
        "gate/test_gate_linger.py"
        "::test_at_the_instant_when_the_gates_are_let_go_nothing_of_the_request_can_leave_any_more[deaf]",
        (CONNECTION, "            _wait_until_it_has_left(errand, crossing)\n", ""),
    ),
    mutant(
        "lets go of a failed send without cutting it",
        "gate/test_gate_linger.py"
        "::test_at_the_instant_when_the_gates_are_let_go_nothing_of_the_request_can_leave_any_more[deaf]",
        (CONNECTION, "            errand.handle.cut()\n", ""),
    ),
    mutant(
        "cuts without disconnecting",
        "gate/test_gate_linger.py::test_a_send_that_is_asked_to_stop_cuts_its_connection_and_its_process_lives",
        (WIRE, "        _libc.connect(self._dup.fileno(), AF_UNSPEC_ADDRESS, len(AF_UNSPEC_ADDRESS))\n", ""),
    ),
    mutant(
        "believes that it has cut",
        "gate/test_gate_linger.py"
        "::test_where_the_kernel_refuses_to_cut_the_process_ends_itself_and_nothing_more_leaves",
        (WIRE, "        if not self.closed():\n", "        if False:\n"),
    ),
    mutant(
        "does not hear when it is asked for a reset",
        "gate/test_gate_connection.py::test_what_the_far_end_has_not_acknowledged_never_leaves_after_confirmed",
        (CONNECTION, "        if crossing.reset_asked():\n", "        if False:\n"),
    ),
    mutant(
        "holds the gates until the answer is there",
        "gate/test_gate_connection.py::test_a_slow_platform_does_not_hold_up_the_freeze_and_its_answer_still_counts",
        (
            CONNECTION,
            '        failpoint("gate.acknowledged")\n',
            '        failpoint("gate.acknowledged")\n        time.sleep(1.5)\n',
        ),
    ),
    mutant(
        "the passing of the gates comes before the connection",
        "gate/test_gate_connection.py::test_a_permit_removed_after_the_connection_was_made_sends_no_byte",
        (
            CONNECTION,
            "    with Crossing(errand.ticket) as crossing:\n",
            "    if crossing := Crossing(errand.ticket):\n",
        ),
    ),
    mutant(
        "a letter of any size is begun",
        "gate/test_gate_transport.py::test_a_letter_that_does_not_fit_the_send_buffer_is_not_begun",
        (CONNECTION, "    if len(letter) > MAX_LETTER:\n", "    if len(letter) < 0:\n"),
    ),
    mutant(
        "uploads do not look",
        "gate/test_gate_uploads.py::test_an_upload_under_a_freeze_sends_no_byte",
        (CONNECTION, "LOOKING = frozenset({Kind.UPLOAD})", "LOOKING: frozenset[Kind] = frozenset()"),
    ),
    mutant(
        "what may have been sent is called unsent",
        "gate/test_gate_transport.py::test_the_receipt_alone_decides_what_happened[fault0-Uncertain]",
        (
            CONNECTION,
            '        failpoint("gate.checked")\n        errand.trace.fate = Fate.MAYBE\n',
            '        failpoint("gate.checked")\n',
        ),
    ),
    mutant(
        "an intent may be used twice",
        "gate/test_gate_transport.py::test_one_intent_is_good_for_one_publishing_request",
        (TRANSPORT, "            intent.spent = True\n", ""),
    ),
    mutant(
        "a post needs no intent",
        "gate/test_gate_transport.py::test_an_intent_of_another_account_is_worth_nothing",
        (TRANSPORT, "intent.account != self._account.name or ", ""),
    ),
    mutant(
        "a request that no table knows passes as a look",
        "gate/test_gate_transport.py::test_a_changing_request_that_no_table_knows_is_refused_even_under_an_intent",
        (TRANSPORT, "        if method in SAFE:\n", "        if method:\n"),
    ),
    mutant(
        "another host will do",
        "gate/test_gate_hosts.py::test_the_token_never_reaches_another_host_not_even_one_of_the_same_platform[GET]",
        (TRANSPORT, '        if _origin(request.url or "") != self._origin:\n', "        if not self._origin:\n"),
    ),
    mutant(
        "a post is sent on to another address",
        "gate/test_gate_transport.py::test_a_redirect_never_carries_a_post_to_another_address",
        (TRANSPORT, '            response.headers.pop("location", None)', "            pass"),
    ),
)

STOPPING_AND_ARMING = (
    mutant(
        "the permits are not removed again under the lock",
        "fence/test_fence_stopping.py::test_a_permit_written_by_an_arming_that_slipped_in_is_removed_again",
        (
            STOPPING,
            "        permits.remove(self.house.permit(scope))\n        if not os.path.lexists",
            "        if not os.path.lexists",
        ),
    ),
    mutant(
        "the half dead are taken for dead",
        "fence/test_fence_locks.py::test_a_daemon_that_is_half_dead_is_not_taken_for_dead_though_nobody_holds_the_gate",
        (
            STOPPING,
            "        dying = self._watch.wait_for_the_dying(time.monotonic() + AFTER_KILL)\n",
            "        dying: list[int] = []\n",
        ),
    ),
    mutant(
        "the daemon is not watched unless it is inside",
        "fence/test_fence_locks.py::test_a_daemon_that_is_half_dead_is_not_taken_for_dead_though_nobody_holds_the_gate",
        (STOPPING, "        if daemon is not None:\n", "        if daemon == 0:\n"),
    ),
    mutant(
        "whoever is hung inside is not ended",
        "fence/test_fence_stopping.py::test_a_stopped_process_is_killed_and_cannot_resume",
        (STOPPING, "            self._end(scope, holder.pid)\n", "            self._watch.add(holder.pid)\n"),
    ),
    mutant(
        "CONFIRMED without the lock",
        "gate/test_gate_linger.py::test_a_send_that_was_stopped_before_its_first_byte_sends_none_after_confirmed",
        (STOPPING, "        if gates.wait_exclusive(gate.fd, until, note):\n", "        if note:\n"),
    ),
    mutant(
        "a gate that was replaced is believed",
        "fence/test_fence_stopping.py::test_a_gate_replaced_under_our_hands_is_not_trusted",
        (
            STOPPING,
            "        if not gates.same_file(gate.fd, self.house.gate(scope)):\n",
            "        if not gate.fd:\n",
        ),
    ),
    mutant(
        "a gate that had to be made vouches for the daemon",
        "fence/test_fence_gates.py"
        "::test_a_gate_deleted_or_replaced_by_an_empty_file_vouches_for_no_daemon_that_runs_already[deleted]",
        (STOPPING, "            self._end_whoever_ran_before(scope)\n", "            pass\n"),
    ),
    mutant(
        "an empty gate vouches for the daemon",
        "fence/test_fence_gates.py"
        "::test_a_gate_deleted_or_replaced_by_an_empty_file_vouches_for_no_daemon_that_runs_already[replaced]",
        (GATES, "fresh=not identity(fd)", "fresh=False"),
    ),
    mutant(
        "the durable permit is not removed",
        "fence/test_fence_stopping.py::test_an_idle_house_is_stopped_durably_and_the_reason_is_kept",
        (STOPPING, "                permits.remove(self.house.durable(scope))\n", ""),
    ),
    mutant(
        "a marker that a thaw removed is not laid again",
        "fence/test_fence_arming.py::test_a_freeze_whose_marker_a_thaw_removed_unseen_lays_it_down_again",
        (STOPPING, "        if not os.path.lexists(self.house.marker(scope)):", "        if not scope:"),
    ),
    mutant(
        "an older marker stays where there is no room",
        "fence/test_fence_marker.py"
        "::test_a_freeze_without_room_for_its_marker_is_not_lifted_by_a_thaw_that_was_shown_the_freeze_before",
        (MARKER, "os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC", "os.O_CREAT | os.O_CLOEXEC"),
    ),
    mutant(
        "a child on a hung disk keeps the gates",
        "fence/test_fence_stopping.py::test_a_child_on_a_hung_disk_does_not_keep_the_gates_locked",
        ("guardian/fence/limited.py", "            os.close(fd)\n", "            pass\n"),
    ),
    mutant(
        "arms outside the exclusive lock",
        "fence/test_fence_arming.py::test_arming_waits_for_nobody_who_is_inside_and_gives_up_in_time",
        (
            ARMING,
            "        if not gates.wait_exclusive(gate.fd, time.monotonic() + PATIENCE, _nothing):\n",
            "        if gate.fd < 0:\n",
        ),
    ),
    mutant(
        "arms a gate that was replaced",
        "fence/test_fence_locks.py::test_an_arming_never_trusts_a_gate_that_was_replaced_while_it_waited",
        (ARMING, "        if not gates.same_file(gate.fd, house.gate(scope)):\n", "        if gate.fd < 0:\n"),
    ),
    mutant(
        "a start arms over a marker",
        "fence/test_fence_arming.py"
        "::test_a_restart_in_the_middle_of_a_freeze_does_not_arm_from_a_permit_about_to_be_removed",
        (ARMING, "        if marker.read(house.marker(scope)) is not None:\n", "        if not scope:\n"),
    ),
    mutant(
        "a new scope is armed over a marker",
        "fence/test_fence_arming.py::test_a_new_scope_that_was_frozen_before_it_was_ever_armed_stays_frozen",
        (ARMING, "        if marker.of(house, scope) is not None:\n", "        if not scope:\n"),
    ),
    mutant(
        "what was ever armed is armed again as new",
        "fence/test_fence_arming.py::test_init_twice_never_arms_what_is_frozen",
        (ARMING, "        if scope in scopes.listed(house):\n", "        if not scope:\n"),
        (ARMING, "        if marker.of(house, scope) is not None:\n", "        if not scope:\n"),
    ),
    mutant(
        "a start does not compare epochs",
        "fence/test_fence_arming.py::test_a_start_arms_only_with_the_durable_permit_of_the_epoch_that_the_store_knows",
        (ARMING, "        if durable.epoch != epoch:\n", "        if durable.epoch < 0:\n"),
    ),
    mutant(
        "a thaw lifts whatever marker is there",
        "fence/test_fence_arming.py::test_a_freeze_that_comes_after_the_thaw_began_wins",
        (ARMING, "        if found is not None and found.mark != mark:\n", "        if not scope:\n"),
    ),
    mutant(
        "a thaw lifts freezes that nobody was shown",
        "duties/test_duties_books.py::test_a_freeze_that_the_person_was_not_shown_is_not_lifted",
        (
            "guardian/duties/books.py",
            "if shown is not None and not {freeze.id for freeze in mine} <= set(shown):",
            "if shown is not None and not mine:",
        ),
    ),
    mutant(
        "what a crash left on the wire goes back into the queue",
        "duties/test_duties_reconcile.py"
        "::test_after_a_crash_what_may_have_left_is_asked_for_and_what_had_not_goes_back",
        (
            "guardian/duties/recover.py",
            "        posts.move(tx, post.id, Event.LOSE, now=now, why=why)\n",
            "        posts.move(tx, post.id, Event.UNSENT, now=now, why=why)\n",
        ),
    ),
)

TELLING = (
    mutant(
        "a gate that a freeze has made never vouches",
        "fence/test_fence_gates.py::test_a_gate_that_a_freeze_has_made_vouches_for_whoever_comes_after",
        (STOPPING, "            _number(gate.fd)\n", "            pass\n"),
    ),
    mutant(
        "a reset that was left behind stays",
        "fence/test_fence_arming.py::test_a_reset_that_a_dead_freeze_left_behind_breaks_no_later_send",
        (ARMING, "        permits.remove(house.reset(scope))", "        pass"),
    ),
    mutant(
        "a server's error is taken for a no",
        "gate/test_gate_transport.py::test_the_receipt_alone_decides_what_happened[fault5-Uncertain]",
        ("guardian/gate/verdicts.py", "frozenset({408, *range(500, 600)})", "frozenset({408})"),
    ),
    mutant(
        "the tripwire hangs slack",
        "gate/test_gate_transport.py::test_the_tripwire_catches_who_goes_around_the_gate",
        ("guardian/gate/tripwire.py", "    if method.upper() not in SAFE and not ours:\n", "    if not method:\n"),
    ),
    mutant(
        "a proxy is let in between",
        "gate/test_gate_transport.py::test_proxies_and_the_netrc_are_never_asked",
        (TRANSPORT, "    session.trust_env = False\n", ""),
    ),
)

MUTANTS = SENDING + LEAVING + STOPPING_AND_ARMING + TELLING
