"""Mutants of the gate's other dialect, and of how a body tells one thing from another."""

from __future__ import annotations

from tests.mutations.mutant import mutant

ADAPTER = "guardian/adapter.py"
BODIES = "guardian/gate/bodies.py"
DIALECT = "guardian/gate/dialect.py"
RETRACTING = "guardian/gate/retracting.py"
TRIPWIRE = "guardian/gate/tripwire.py"
TWO_WAYS = "gate/test_gate_bodies.py::test_a_body_that_can_be_read_in_two_ways_or_in_none_leaves_for_nowhere[twice]"

TELLING = (
    mutant(
        "the body of a request tells nothing",
        "gate/test_gate_bodies.py::test_a_post_cannot_be_written_under_a_takedown",
        (
            ADAPTER,
            "        return all(said.get(name) == value for name, value in self.where)\n",
            "        return True\n",
        ),
    ),
    mutant(
        "a name that stands there twice is read once",
        TWO_WAYS,
        (BODIES, "    if len(found) != len(pairs):\n", "    if False:\n"),
    ),
    mutant(
        "a body of any kind is read as JSON",
        "gate/test_gate_bodies.py::test_a_body_that_does_not_say_that_it_is_json_says_nothing[text/plain]",
        (
            BODIES,
            '    if media_type.strip() != JSON or parameter.strip() not in ("", "charset=utf-8"):\n',
            "    if False:\n",
        ),
    ),
    mutant(
        "a takedown may name two posts",
        "gate/test_gate_bodies.py::test_a_takedown_names_its_post_and_it_alone[twice]",
        (
            RETRACTING,
            "    if any(len(values) != 1 for values in found.values()):\n",
            "    if not all(found.values()):\n",
        ),
    ),
    mutant(
        "the other dialect names another host",
        "gate/test_gate_dialect.py::test_what_the_gate_writes_itself_httpx_cannot_write",
        (DIALECT, "request.headers.multi_items() if name.lower() not in OURS", "request.headers.multi_items()"),
    ),
    mutant(
        "the other dialect unpacks what it is sent",
        "gate/test_gate_dialect.py::test_an_answer_is_not_unpacked_and_leaves_no_cookie",
        (DIALECT, '"content-encoding", ', ""),
    ),
    mutant(
        "the lower tripwire hangs slack",
        "gate/test_gate_dialect.py::test_the_tripwire_catches_who_goes_around_the_gate_with_httpx",
        (
            TRIPWIRE,
            "    _look(request)\n    answer: httpcore.Response = _lower[httpcore.ConnectionPool]",
            "    answer: httpcore.Response = _lower[httpcore.ConnectionPool]",
        ),
    ),
)
