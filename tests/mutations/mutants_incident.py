"""Mutants of what an incident needs of the gate: what a takedown may say, what is kept, and what is read in public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mutations.mutant import mutant

if TYPE_CHECKING:
    from tests.mutations.mutant import Mutant

TRANSPORT = "guardian/gate/transport.py"
RULE = "guardian/gate/retracting.py"
TESTS = "gate/test_gate_retracting.py"
SMUGGLING = f"{TESTS}::test_nothing_is_smuggled_out_under_a_takedown"


def smuggles(name: str, what: str, old: str, new: str) -> Mutant:
    """A rule of a retracting request that is left out, and what passes then."""
    return mutant(name, f"{SMUGGLING}[{what}]", (RULE, old, new))


RETRACTING = (
    mutant(
        "a takedown is not looked into",
        f"{SMUGGLING}[another-target-in-the-path]",
        (TRANSPORT, "                retracting.check(request, route, intent)\n", "                pass\n"),
    ),
    mutant(
        "an intent to take down is good for any request",
        f"{SMUGGLING}[a-post]",
        (TRANSPORT, " or trace.kind not in ALLOWS[intent.kind]:", ":"),
    ),
    mutant(
        "an intent to publish is good for a takedown",
        f"{TESTS}::test_a_takedown_under_another_intent_is_refused[publish]",
        (
            TRANSPORT,
            "    Kind.PUBLISH: frozenset({Kind.PUBLISH,",
            "    Kind.PUBLISH: frozenset({Kind.RETRACT, Kind.PUBLISH,",
        ),
    ),
    mutant(
        "an intent to take down may be used twice",
        f"{TESTS}::test_an_intent_is_good_for_one_takedown[/api/v1/statuses/110]",
        (
            TRANSPORT,
            "SINGLE_USE = frozenset({Kind.PUBLISH, Kind.MANAGE, Kind.RETRACT})",
            "SINGLE_USE = frozenset({Kind.PUBLISH, Kind.MANAGE})",
        ),
    ),
    mutant(
        "a takedown is sent on to another address",
        f"{TESTS}::test_a_takedown_is_never_sent_on_to_another_address[302]",
        (TRANSPORT, '            response.headers.pop("location", None)', "            pass"),
    ),
    mutant(
        "an edit that hides is taken for one that undoes",
        f"{SMUGGLING}[new-words-in-a-form]",
        (TRANSPORT, "key=lambda one: one.kind not in allowed", "key=lambda one: one.kind is Kind.RETRACT"),
    ),
    mutant(
        "an upload needs no pass",
        "gate/test_gate_corners.py::test_a_post_without_its_tls_or_without_its_pass_never_leaves[pass-upload]",
        (
            "guardian/gate/connection.py",
            '            raise Stopped("an upload has no pass of the fence")\n',
            "            return\n",
        ),
    ),
    smuggles(
        "the path may name another post",
        "another-target-in-the-path",
        'if in_path is not None and in_path not in (target, quote(target, safe="")):',
        "if in_path is not None and not target:",
    ),
    smuggles(
        "the body may name another post",
        "another-target-in-a-form",
        "        if _named(route.target, fields, body) != target:\n",
        "        if _named(route.target, fields, body) is None:\n",
    ),
    smuggles(
        "the body may name another post beside the target",
        "two-targets-in-a-form",
        "        if _named(route.target, fields, body) != target:\n",
        "        if (route.target, target) not in body:\n",
    ),
    mutant(
        "a route may leave open where the post is named",
        f"{SMUGGLING}[a-route-that-names-no-target]",
        (RULE, "    if in_path is None and not route.announced:\n", "    if in_path is None and not target:\n"),
        (RULE, "    if in_path is None and path not in intent.says:\n", "    if in_path is None and not target:\n"),
    ),
    smuggles(
        "an address that names the post by another name need not be announced",
        "an-address-that-was-not-announced",
        "    if in_path is None and path not in intent.says:\n",
        "    if in_path is None and not target:\n",
    ),
    mutant(
        "a takedown needs no target",
        f"{TESTS}::test_a_takedown_without_a_target_is_refused",
        (RULE, "    if not target or len(url)", "    if target is not None and len(url)"),
        (RULE, "(target, quote(target, safe=", "(target, in_path, quote(target or '', safe="),
    ),
    smuggles("an address may be of any length", "an-address-without-an-end", " or len(url) > MAX_ADDRESS:", ":"),
    smuggles(
        "a takedown may carry any header",
        "another-method-in-a-header",
        "        if name.lower() not in HEADERS:\n",
        "        if not name:\n",
    ),
    smuggles(
        "a takedown may say what was not announced",
        "new-words-in-a-form",
        "        if value not in says and value not in INERT:\n",
        "        if value is None:\n",
    ),
    smuggles(
        "the query is not looked at",
        "new-words-in-the-query",
        "    _only_what_was_announced([*said, *body], intent.says)\n",
        "    _only_what_was_announced(body, intent.says)\n",
    ),
    smuggles(
        "a name may be a sentence",
        "words-for-a-name",
        "        if not NAME.fullmatch(name):\n",
        "        if name is None:\n",
    ),
    smuggles(
        "names of what holds more are not looked at",
        "words-for-a-name-in-json",
        "            if isinstance(one, tuple | list):\n",
        "            if one is None:\n",
    ),
    smuggles(
        "a body may be of any length",
        "a-body-without-an-end",
        "    if len(data) > MAX_BODY:\n",
        "    if len(data) < 0:\n",
    ),
    smuggles(
        "a body that is not there yet counts as none",
        "a-body-that-cannot-be-read-first",
        '        raise Stopped("the body of a retracting request is not there to be read")\n',
        "        return []\n",
    ),
    smuggles(
        "a body of parts counts as a form",
        "a-form-of-parts",
        "    if read is None:\n",
        "    read = read or (lambda _: [])\n    if read is None:\n",
    ),
    smuggles(
        "a separator of some servers is none",
        "a-separator-of-some-servers",
        '    if ";" in text:  #',
        '    if text == ";":  #',
    ),
    smuggles(
        "of a name that is there twice the last one counts",
        "new-words-in-a-name-that-is-there-twice",
        "object_pairs_hook=tuple",
        "object_pairs_hook=lambda pairs: tuple(dict(pairs).items())",
    ),
    smuggles(
        "lists are not looked into",
        "new-words-deep-in-json",
        "        for one in value:\n            yield from _leaves(name, one)\n",
        "        return\n",
    ),
    smuggles("numbers say nothing", "a-number-in-json", "parse_int=str, ", ""),
)

RECORDING = "guardian/gate/recording.py"
BLANKS = "guardian/gate/blanks.py"
SPELLINGS = "guardian/rules/spellings.py"
PUBLIC = "guardian/gate/public.py"
ADDRESSES = "guardian/gate/addresses.py"
VERDICTS = "guardian/gate/verdicts.py"
CANARY = "gate/test_gate_recording.py::test_no_canary_is_in_any_record_whatever_its_spelling_and_place"
READ = "gate/test_gate_public.py"

READING = (
    mutant(
        "the end of a block does not end an exchange",
        "gate/test_gate_recording.py::test_a_takedown_that_runs_out_of_the_time_of_its_block_is_uncertain",
        (RECORDING, "    return min(seconds, recording.until - time.monotonic())\n", "    return seconds\n"),
    ),
    mutant(
        "a block inside another has its own time",
        "gate/test_gate_recording.py::test_a_block_inside_another_has_no_more_time_than_that",
        (RECORDING, "    if outer is not None and outer.until is not None:\n", "    if outer is sink:\n"),
    ),
    mutant(
        "a sink that fails is silent",
        "gate/test_gate_recording.py::test_a_sink_on_a_full_disk_stops_no_takedown_and_does_not_stay_silent",
        (RECORDING, "            recording.lost.append(", "            str("),
    ),
    mutant(
        "the token is kept",
        "gate/test_gate_recording.py::test_an_exchange_is_kept_as_it_was_in_its_own_spelling_and_order",
        (
            BLANKS,
            "        if name.lower() in SECRET_HEADERS or SECRET_IN_NAME.search(name):\n",
            "        if not name:\n",
        ),
        (BLANKS, "        return any(spelling in value for spelling in self._spellings)\n", "        return False\n"),
    ),
    mutant(
        "a secret in a body is kept",
        CANARY,
        (BLANKS, "            if spelling in body:\n", "            if spelling == body:\n"),
    ),
    mutant(
        "a secret that is base64 is kept",
        CANARY,
        (SPELLINGS, "            found |= {whole} if len(whole) >= SHORTEST else set()\n", ""),
    ),
    mutant(
        "a secret in a failure is kept",
        "gate/test_gate_recording.py::test_a_failure_that_names_a_secret_does_not_tell_it",
        (RECORDING, "            why=blanks.text(why),\n", "            why=why,\n"),
    ),
    mutant(
        "a signed address is kept",
        f"{READ}::test_what_is_recorded_holds_no_signature_of_an_address_and_no_secret_of_the_account",
        (RECORDING, "            url=blanks.url(self._url),\n", "            url=self._url,\n"),
    ),
    mutant(
        "our own network is public",
        f"{READ}::test_nothing_of_our_own_network_is_asked[127.0.0.1]",
        (PUBLIC, "self._trusts(question.host, question.port) else public_only\n", "question.host else public_only\n"),
    ),
    mutant(
        "only the first address of a name is looked at",
        f"{READ}::test_a_name_with_one_private_address_is_refused_whichever_comes_first[found1]",
        (ADDRESSES, "    for *_, address in found:\n", "    for *_, address in found[:1]:\n"),
    ),
    mutant(
        "an address inside another is not looked at",
        f"{READ}::test_only_what_anybody_could_reach_is_public",
        (ADDRESSES, " or address.sixtofour or ", " or "),
    ),
    mutant(
        "a translated address is public",
        f"{READ}::test_only_what_anybody_could_reach_is_public",
        (
            ADDRESSES,
            "            return is_public(last)\n",
            "            return True\n",
        ),
    ),
    mutant(
        "what was never given out is public",
        f"{READ}::test_only_what_anybody_could_reach_is_public",
        (ADDRESSES, "        if address not in UNICAST or address.ipv4_mapped", "        if address.ipv4_mapped"),
    ),
    mutant(
        "a browser is sent into our own network",
        "duties/test_duties_picturing.py"
        "::test_no_browser_is_started_for_a_page_in_our_own_network_or_house[http://localhost/-NotPublic]",
        (
            PUBLIC,
            "            found = self._look_up(question)(question.host",
            "            found = wire.of_anybody(question.host",
        ),
    ),
    mutant(
        "any port may be asked",
        f"{READ}::test_a_trusted_host_is_trusted_at_its_own_port_alone",
        (
            PUBLIC,
            "        if port != SCHEMES[parts.scheme] and not self._trusts(host, port):\n",
            "        if not port:\n",
        ),
    ),
    mutant(
        "a login page is taken for the post",
        f"{READ}::test_a_redirect_to_a_login_page_is_a_redirect_and_no_content[/auth/sign_in]",
        (PUBLIC, "            if target is None or _is_login(target):\n", "            if target is None:\n"),
    ),
    mutant(
        "redirects are followed on and on",
        f"{READ}::test_a_fourth_redirect_is_not_followed",
        (PUBLIC, "            if len(hops) > MAX_HOPS:\n", "            if len(hops) > MAX_HOPS + 3:\n"),
    ),
    mutant(
        "a redirect leads back into the clear",
        f"{READ}::test_over_tls_the_certificate_must_be_good_and_the_way_never_leads_back_into_the_clear",
        (PUBLIC, 'if urlsplit(question.url).scheme == "https" and ', 'if urlsplit(question.url).scheme == "" and '),
    ),
    mutant(
        "each hop has a deadline of its own",
        f"{READ}::test_one_deadline_covers_all_hops",
        (
            PUBLIC,
            "            raw, body = self._ask(question, deadline, most)\n",
            "            raw, body = self._ask(question, Deadline(self._answer_within), most)\n",
        ),
    ),
    mutant(
        "a file of any length is read",
        f"{READ}::test_an_answer_that_is_too_long_is_refused_and_one_that_just_fits_is_not",
        ("guardian/gate/exchange.py", "        if len(found) > most:\n", "        if len(found) < 0:\n"),
    ),
    mutant(
        "what was not there counts as refused",
        f"{TESTS}::test_what_is_taken_down_twice_was_not_there",
        (VERDICTS, "    if trace.status in GONE and not trace.reading:\n", "    if trace.status in ():\n"),
    ),
    mutant(
        "a login page counts as taken down",
        "gate/test_gate_verdicts.py"
        "::test_a_takedown_is_believed_only_where_the_platform_plainly_says_so[200-text/html-Uncertain]",
        (VERDICTS, "(trace.status < BAD_REQUEST and trace.type in PAGES)", 'trace.type == "nothing"'),
    ),
    mutant(
        "an emergency waits behind the lanes",
        "gate/test_gate_emergency.py::test_an_emergency_waits_behind_no_name_server_of_a_lane",
        ("guardian/gate/accounts.py", "on_refusal, wire.of_an_incident, ", "on_refusal, wire.of_the_lanes, "),
    ),
)
