"""Mutants of the stop and of arming: what CONFIRMED rests on, and who may write a permit."""

from __future__ import annotations

from tests.mutations.mutant import mutant

GATES = "guardian/fence/gates.py"
STOPPING = "guardian/fence/stopping.py"
ARMING = "guardian/fence/arming.py"
LIMITED = "guardian/fence/limited.py"
MARKER = "guardian/fence/marker.py"
TRANSPORT = "guardian/gate/transport.py"

STOPPING_AND_ARMING = (
    mutant(
        "the permits are not removed again under the lock",
        "fence/test_fence_stopping.py::test_a_permit_written_by_an_arming_that_slipped_in_is_removed_again",
        (
            STOPPING,
            "        permits.remove(self.house.permit(scope))\n        clean = ",
            "        clean = ",
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
        (STOPPING, "gate.fresh or bool(named and gates.identity(gate.fd) != named)", "gate.fresh"),
    ),
    mutant(
        "a gate with another number vouches for the daemon",
        "fence/test_fence_host.py::test_a_gate_that_was_replaced_before_the_freeze_came_vouches_for_nobody",
        (STOPPING, "gate.fresh or bool(named and gates.identity(gate.fd) != named)", "gate.fresh"),
    ),
    mutant(
        "the durable permit is not removed",
        "fence/test_fence_stopping.py::test_an_idle_house_is_stopped_durably_and_the_reason_is_kept",
        (STOPPING, "                permits.remove(self.house.durable(scope))\n", ""),
    ),
    mutant(
        "a marker that a thaw removed is not laid again",
        "fence/test_fence_arming.py::test_a_freeze_whose_marker_a_thaw_removed_unseen_lays_it_down_again",
        (STOPPING, "(strange and clean) or not os.path.lexists(self.house.marker(scope))", "strange and clean"),
    ),
    mutant(
        "an older marker stays where there is no room",
        "fence/test_fence_marker.py"
        "::test_a_freeze_without_room_for_its_marker_is_not_lifted_by_a_thaw_that_was_shown_the_freeze_before",
        (MARKER, "        os.ftruncate(fd, len(raw) if whole else 0)\n", "        pass\n"),
    ),
    mutant(
        "a child on a hung disk keeps the gates",
        "fence/test_fence_stopping.py::test_a_child_on_a_hung_disk_does_not_keep_the_gates_locked",
        (LIMITED, "            os.close(fd)\n", "            pass\n"),
        (LIMITED, "        os.kill(child, SIGKILL)\n", "        pass\n"),
        (LIMITED, "        os.closerange(0, writer)\n", ""),
        (LIMITED, "        os.closerange(writer + 1, MOST_DESCRIPTORS)\n", ""),
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


REST = (
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
        ("guardian/gate/verdicts.py", "*range(400, 500)}", "*range(400, 600)}"),
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
