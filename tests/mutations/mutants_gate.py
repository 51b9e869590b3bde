"""Mutants of the gate: what leaves, when it may be believed to have left, and what is concluded from it."""

from __future__ import annotations

from tests.mutations.mutant import mutant

WIRE = "guardian/gate/wire.py"
CONNECTION = "guardian/gate/connection.py"
TRANSPORT = "guardian/gate/transport.py"
HOSTS = "guardian/gate/hosts.py"
VERDICTS = "guardian/gate/verdicts.py"
DECLARED = "gate/test_gate_hosts.py"

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
        (WIRE, "        if not self.closed():  #", "        if False:  #"),
    ),
    mutant(
        "does not hear when it is asked for a reset",
        "gate/test_gate_connection.py::test_what_the_far_end_has_not_acknowledged_never_leaves_after_confirmed",
        (CONNECTION, "        if crossing.reset_asked():\n", "        if False:\n"),
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
        "a token that an answer says back is handed on",
        "gate/test_gate_answers.py::test_a_token_that_an_answer_says_back_stands_in_no_error_and_no_receipt[401]",
        (
            TRANSPORT,
            "        return masking.blanked(self._echoes.body(content, ANY_TYPE))\n",
            "        return content\n",
        ),
    ),
    mutant(
        "a token that was handed out a moment ago is handed on",
        "gate/test_gate_answers.py::test_a_token_that_was_handed_out_a_moment_ago_stands_in_no_answer_that_says_it_back",
        (TRANSPORT, "            masking.keep_what_is_handed_out(content)\n", ""),
    ),
    mutant(
        "another host will do",
        "gate/test_gate_hosts.py::test_the_token_never_reaches_another_host_not_even_one_of_the_same_platform[GET]",
        (HOSTS, "        if asked == self._own:\n", "        if asked:\n"),
    ),
    mutant(
        "a host is good for everything",
        f"{DECLARED}::test_what_nobody_declared_is_refused[https://upload.example.com/x-publish]",
        (HOSTS, "        if kind not in host.kinds:\n", "        if not host.kinds:\n"),
    ),
    mutant(
        "a declared host is asked in the clear",
        f"{DECLARED}::test_what_nobody_declared_is_refused[http://www.example.com/x-read]",
        (HOSTS, '        if (asked.scheme, asked.port) != ("https", HTTPS):\n', "        if not asked.port:\n"),
    ),
    mutant(
        "a stranger's host gets the token",
        f"{DECLARED}::test_a_host_that_is_not_the_platforms_is_given_no_credential_in_any_form[more0]",
        (HOSTS, "        if not host.token:\n", "        if not host.name:\n"),
    ),
    mutant(
        "a name that ends alike will do",
        f"{DECLARED}::test_what_nobody_declared_is_refused[https://evilbucket.example.org/x-upload]",
        (HOSTS, "host.endswith(name[1:])", "host.endswith(name[2:])"),
    ),
    mutant(
        "a double's account reaches the world",
        f"{DECLARED}::test_with_a_platform_on_loopback_nothing_that_is_declared_leaves_this_machine",
        (HOSTS, "        return self._own if self._own.is_here else asked\n", "        return asked\n"),
    ),
    mutant(
        "an adapter's word makes certain what is not",
        "gate/test_gate_verdicts.py::test_what_proves_nothing_stays_uncertain_whatever_an_adapter_reads_in_it",
        (
            VERDICTS,
            "    if trace.reading is not None and (status in SAYS_NO or 200",
            "    if trace.reading is not None or (200",
        ),
        (
            VERDICTS,
            "status < 300):  # noqa: PLR2004 (HTTP's own classes)\n        return _as_read",
            "status < 0):\n        return _as_read",
        ),
    ),
    mutant(
        "an adapter that stumbles has refused the post",
        f"{DECLARED}::test_an_adapter_that_stumbles_over_an_answer_has_proven_nothing",
        (TRANSPORT, "Reading(meaning=Meaning.UNCERTAIN", "Reading(meaning=Meaning.REFUSED"),
    ),
    mutant(
        "a post is sent on to another address",
        "gate/test_gate_transport.py::test_a_redirect_never_carries_a_post_to_another_address",
        (TRANSPORT, '            response.headers.pop("location", None)', "            pass"),
    ),
    mutant(
        "an account without credit has its posts refused",
        "duties/test_duties_publish.py::test_an_account_without_credit_refuses_no_post_and_its_trouble_says_what_to_do",
        ("guardian/duties/publish.py", " and not isinstance(found, Shut):\n", ":\n"),
    ),
    mutant(
        "what a late list does not show is sent again",
        "duties/test_duties_reconcile.py"
        "::test_where_the_platform_lists_new_posts_late_a_person_decides_whether_it_is_sent_again",
        ("guardian/duties/reconcile.py", '"" if self.sure else UNSURE', '""'),
    ),
    mutant(
        "the clock is not asked for again at the intent",
        "duties/test_duties_timekeeping.py"
        "::test_a_clock_that_is_set_ahead_while_pictures_go_up_does_not_hide_what_was_sent",
        (
            "guardian/duties/publish.py",
            "        if not self.clock_is_right():\n            self._put_back",
            "        if not now:\n            self._put_back",
        ),
    ),
    mutant(
        "a lost post is looked for from a time to come",
        "duties/test_duties_timekeeping.py::test_what_was_sent_by_a_clock_that_was_ahead_is_found_when_it_is_set_right",
        ("guardian/rules/clock.py", "started <= now + TOLERANCE", "started"),
    ),
    mutant(
        "a token that a platform gave is no secret",
        "adapters/test_x_login_lost.py::test_no_token_is_in_a_log_an_error_a_receipt_or_the_evidence",
        (TRANSPORT, "        if secret not in self._given:\n", "        if not secret:\n"),
    ),
    mutant(
        "a token is a secret only if somebody says so",
        "gate/test_gate_answers.py"
        "::test_a_token_that_nobody_has_told_of_is_a_secret_from_the_moment_in_which_it_is_sent[DPoP]",
        (TRANSPORT, "        if scheme.lower() in BEARERS and", "        if scheme in self._given and"),
    ),
    mutant(
        "a new token stands in the evidence",
        "adapters/test_x_login_lost.py::test_of_a_good_answer_to_a_renewal_the_evidence_keeps_its_length_whatever_its_form",
        ("guardian/gate/recording.py", "trace.kind is Kind.AUTH and", "trace.kind is Kind.MANAGE and"),
    ),
)
