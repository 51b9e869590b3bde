"""Mutants of takedowns: proof before the act, whose post it is, what a look means, and nothing done twice."""

from __future__ import annotations

from tests.mutations.mutant import mutant

ACTING = "guardian/duties/acting.py"
RETRACTING = "guardian/duties/retracting.py"
TAKEDOWN = "guardian/duties/takedown.py"
FATE = "guardian/duties/fate.py"
LAW = "guardian/rules/takedown.py"
OWNERSHIP = "guardian/rules/ownership.py"
TESTS = "duties/test_duties_takedown.py"
CAPTURE = "duties/test_duties_takedown_capture.py"
WHOSE = "duties/test_duties_takedown_whose.py"
ORDERS = "duties/test_duties_takedown_orders.py"
THREADS = "duties/test_duties_takedown_threads.py"
UNDO = "duties/test_duties_takedown_undo.py"
OF_X = "duties/test_duties_x.py"
LATER = "duties/test_duties_takedown_later.py"
REDDIT = "duties/test_duties_reddit_takedown.py"

EARLY = """\
        if order.decision is Decision.DELETE:
            return self._decide(order, target, None)
        snapshot = self._snapshots[target.id].result()
        if target.state"""
BELIEVED = """\
        if isinstance(verdict, Accepted):
            step = Step.FOUND_GONE
        if step in (Step.FOUND_GONE, Step.FOUND_HIDDEN):
"""
HELD_UP = """\
        if "NOT" in self._notes[target.id]:
            return
        target, verdict = self._request(order, target, undoing, snapshot)
"""
AT_ONCE = """\
        self._verdicts[target.id] = verdict
        if not isinstance(verdict, Accepted | Throttled):
            self.attempt(order, target, snapshot)
            return
"""

TAKING_DOWN = (
    mutant(
        "an act waits for no proof",
        f"{TESTS}::test_no_post_is_deleted_before_its_proof_is_sealed_on_the_disk",
        (
            LAW,
            "        Step.CAPTURE: TargetState.CAPTURED,",
            "        Step.ACT: TargetState.ACTING,\n        Step.CAPTURE: TargetState.CAPTURED,",
        ),
        (
            RETRACTING,
            "        snapshot = self._snapshots[target.id].result()\n        if target.state",
            EARLY,
        ),
    ),
    mutant(
        "a proof that is required may be half of one",
        f"{CAPTURE}::test_whoever_requires_the_proof_gets_no_deletion_without_it",
        (RETRACTING, "if order.capture is Capture.REQUIRE and grade is not Grade.COMPLETE:", "if grade is None:"),
    ),
    mutant(
        "a proof that fails in an unknown way keeps a post up",
        f"{CAPTURE}::test_a_damaged_record_of_ours_keeps_no_post_up",
        (
            RETRACTING,
            '    except GuardianError as error:\n        log.error("a record is',
            '    except KeyError as error:\n        log.error("a record is',
        ),
    ),
    mutant(
        "what waits for its turn has no time left for its proof",
        f"{CAPTURE}::test_what_waits_for_its_turn_still_has_its_whole_time_for_its_proof",
        (RETRACTING, "            self._free_since = time.monotonic()\n", "            pass\n"),
    ),
    mutant(
        "whose post it is is not asked",
        f"{WHOSE}::test_a_post_of_somebody_else_is_never_touched[False]",
        (OWNERSHIP, "and author is not None and author != identity.id:", "and author is not None and author == '':"),
    ),
    mutant(
        "whose token it is is not asked",
        f"{WHOSE}::test_a_token_of_another_account_takes_nothing_down[skip]",
        (
            OWNERSHIP,
            "if identity is not None and identity.handle.lower() != account.identity.lower():",
            "if identity is account:",
        ),
    ),
    mutant(
        "a post that nobody knows is ours",
        f"{WHOSE}::test_a_post_whose_author_nobody_can_read_is_not_touched_unless_our_books_say_that_it_is_ours",
        (OWNERSHIP, '    if ours:\n        return ""', '    if identity is not None:\n        return ""'),
    ),
    mutant(
        "what names nothing is not told",
        f"{WHOSE}::test_in_the_worst_minute_one_wrong_reference_does_not_keep_the_others_up",
        (TAKEDOWN, 'given={**wish.given, "lost": lost})', "given=dict(wish.given))"),
    ),
    mutant(
        "silence is gone",
        f"{TESTS}::test_whoever_cannot_read_back_does_not_know_and_never_says_gone[503]",
        (LAW, "    if presence is Presence.GONE:\n", "    if presence in (Presence.GONE, Presence.UNKNOWN):\n"),
    ),
    mutant(
        "a yes of the platform is believed",
        f"{TESTS}::test_a_yes_of_the_platform_is_no_deletion_as_long_as_the_post_is_served",
        (
            ACTING,
            "        if step in (Step.FOUND_GONE, Step.FOUND_HIDDEN):\n",
            BELIEVED,
        ),
    ),
    mutant(
        "a page of a proxy says gone",
        f"{TESTS}::test_a_proxy_that_finds_nothing_is_not_the_platform_that_has_it_no_more[404]",
        (
            "adapters/mastodon_answers.py",
            "return Presence.GONE if _is_error(document(answer.body)) else Presence.UNKNOWN",
            "return Presence.GONE",
        ),
    ),
    mutant(
        "a deletion that shows late is made again",
        f"{TESTS}::test_a_deletion_that_shows_late_is_waited_for",
        (
            ACTING,
            "        elif isinstance(verdict, Accepted | NotFound):\n            self._look",
            "        elif verdict is None:\n            self._look",
        ),
    ),
    mutant(
        "a plain no is asked again",
        f"{TESTS}::test_a_plain_no_ends_it_and_says_what_the_platform_said[403]",
        (ACTING, "        elif isinstance(verdict, Rejected):\n", "        elif verdict is Rejected:\n"),
    ),
    mutant(
        "another act needs no look",
        f"{TESTS}::test_an_act_without_a_plain_answer_is_looked_at_before_another_one[status]",
        (
            ACTING,
            "        self._verdicts[target.id] = verdict\n",
            AT_ONCE,
        ),
    ),
    mutant(
        "a platform that fails is asked for ever",
        f"{TESTS}::test_a_platform_that_fails_again_and_again_is_not_asked_for_ever",
        (ACTING, "        elif target.acts < MOST_ACTS or", "        elif target.acts < 9 or"),
    ),
    mutant(
        "two orders for one post act twice",
        f"{ORDERS}::test_two_orders_for_one_post_make_one_deletion",
        (RETRACTING, " or self._was_acted_on(target)\n", "\n"),
    ),
    mutant(
        "the same order at the same instant is two",
        f"{ORDERS}::test_an_order_that_comes_twenty_times_at_the_same_instant_is_one_order",
        (
            TAKEDOWN,
            "known = takedowns.by_key(tx, wish.key) if wish.key is not None else None",
            "known = None",
        ),
    ),
    mutant(
        "when the platform said not before is forgotten",
        f"{ORDERS}::test_a_platform_that_takes_fewer_than_we_thought_is_obeyed_and_everything_is_gone_in_the_end",
        (ACTING, "        return max(times[-1], self._rest_until)\n", "        return times[-1]\n"),
    ),
    mutant(
        "a budget is spent by each life anew",
        f"{ORDERS}::test_what_a_life_has_spent_of_the_budget_the_next_life_has_not",
        ("guardian/store/takedowns.py", "    count(tx, found.account, found.id, now=now)\n", ""),
    ),
    mutant(
        "the rest of a thread goes out after all",
        f"{THREADS}::test_the_rest_of_a_thread_that_is_taken_down_never_goes_out",
        (FATE, "        posts.move(tx, post.id, Event.CANCEL, now=now, why=TAKEN_DOWN)\n", "        pass\n"),
    ),
    mutant(
        "the rest of a thread that is being sent goes out after all",
        f"{THREADS}::test_a_part_that_is_on_its_way_is_the_last_that_goes_out",
        (FATE, "        holds.place(tx, post=post.id, reason=TAKEN_DOWN, by=by, now=now)\n", "        pass\n"),
    ),
    mutant(
        "whoever undoes at the same instant edits twice",
        f"{UNDO}::test_ten_people_who_undo_at_the_same_instant_make_one_edit",
        (
            "guardian/duties/undoing.py",
            "        with self._lock:\n            return self._undo",
            "        if self._lock:\n            return self._undo",
        ),
    ),
    mutant(
        "what nobody can see is called back",
        f"{OF_X}::test_a_reply_that_x_says_is_hidden_is_hidden_and_no_later_look_calls_it_back",
        (
            "guardian/duties/looking_again.py",
            "                presence = Presence.UNKNOWN  # it shows",
            "                presence = presence  # it shows",
        ),
    ),
    mutant(
        "what is for the words of others is done to our own",
        f"{OF_X}::test_what_is_not_for_such_a_post_is_not_attempted[hide]",
        ("guardian/rules/ownership.py", "    if ours or author == identity.id:\n", "    if not identity.id:\n"),
    ),
    mutant(
        "what nobody can see is shown again because it was there all the time",
        f"{OF_X}::test_what_x_does_not_show_again_is_not_called_shown",
        ("guardian/duties/undoing.py", " and told\n", "\n"),
    ),
    mutant(
        "a life without a snapshot deletes a repost as if it were a post",
        f"{OF_X}::test_a_repost_is_taken_back_and_never_what_it_shows_also_by_a_life_that_has_no_snapshot_of_it[True]",
        (ACTING, " else act.needs if act is not None else ()\n", " else ()\n"),
    ),
    mutant(
        "what came back is still called gone",
        f"{LATER}::test_a_post_that_came_back_is_said_to_be_back_and_is_not_deleted_behind_anybodys_back",
        ("guardian/duties/looking_again.py", "            self._move(tx, order, target, presence, now)\n", ""),
    ),
    mutant(
        "a post that is gone at last stays published in our books",
        f"{LATER}::test_what_nobody_knew_is_known_by_a_later_look_and_the_post_is_retracted_then",
        (FATE, "(State.PUBLISHED, State.RETRACTING) or", "(State.RETRACTING,) or"),
    ),
    mutant(
        "what another life sealed stays open",
        f"{LATER}::test_what_another_life_left_in_the_middle_is_sealed_when_it_ends",
        (
            "guardian/duties/finishing.py",
            "        elif snapshot is None and target.evidence is not None:",
            "        elif snapshot is target:",
        ),
    ),
    mutant(
        "after a crash nothing can be hidden",
        f"{LATER}::test_an_act_that_never_left_is_made_by_the_next_life[hide]",
        (
            ACTING,
            "decision is Decision.HIDE or order.overwrite\n",
            "order.overwrite\n",
        ),
    ),
    mutant(
        "words are overwritten unasked",
        f"{REDDIT}::test_nobody_overwrites_unless_somebody_asked_for_it_and_never_what_is_kept_or_hidden",
        (ACTING, "        if not order.overwrite:\n", "        if order.decision is not Decision.DELETE:\n"),
    ),
    mutant(
        "what went before an act keeps it up",
        f"{REDDIT}::test_words_that_cannot_be_overwritten_keep_nothing_up_and_it_is_said[refused]",
        (
            ACTING,
            "        target, verdict = self._request(order, target, undoing, snapshot)\n",
            HELD_UP,
        ),
    ),
    mutant(
        "a refresh token that was given is lost with the daemon",
        "adapters/test_adapter_reddit_rotation.py::"
        "test_a_token_that_is_good_once_is_followed_by_its_successor_over_restarts",
        ("adapters/reddit_client.py", "self._keeping.write(", "str("),
    ),
    mutant(
        "a limit is believed unseen",
        "rules/test_rules_takedown.py::test_a_limit_is_in_force_only_if_a_look_says_so_of_a_post_that_is_there[lock]",
        (LAW, "if presence is Presence.LIMITED else Step.FOUND_FREE", "if presence is not None else Step.FOUND_FREE"),
    ),
)
