"""The suite is worth something: an adapter that breaks a promise fails the case that is about it.

Each of these is the worked example with one thing wrong, as somebody might write it on a Friday.
"""

from __future__ import annotations

import http.client
import json
import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from guardian.adapter import Files, Kind, Proof, Route
from guardian.conformance import CASES, Broken, NotOffered, NotPlayed, check, run
from guardian.conformance.__main__ import main
from guardian.errors import Doubt
from guardian.model import Decision, Identity, PostRef, Presence, Seen
from tests.conformance.example.bench import TidingsBench
from tests.conformance.example.double import TidingsDouble
from tests.conformance.example.tidings import MAKER, Tidings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.adapter import Abilities, Answer, Look, Maker, Network, Undoing
    from guardian.model import Account, Limits, Media, Part, Problem

BY_NAME = {case.name: case for case in CASES}
REF = PostRef(id="1", url="http://127.0.0.1/notes/1")


class NamesWhatNobodyNamed(Tidings):
    def publish(self, part: Part, key: str, **how: Any) -> PostRef:
        try:
            return super().publish(part, key, **how)
        except Doubt:
            return REF


class Doubles(Tidings):
    def publish(self, part: Part, key: str, **how: Any) -> PostRef:
        super().publish(part, key, **how)
        return super().publish(part, key, **how)


class GoesAround(Tidings):
    def publish(self, part: Part, key: str, **how: Any) -> PostRef:
        line = http.client.HTTPConnection(urlsplit(self._base).netloc, timeout=5)
        line.request("POST", "/notes", json.dumps({"text": part.text, "files": [], "below": None}), self._token)
        note = json.loads(line.getresponse().read())
        return PostRef(id=note["id"], url=note["url"])


class IsFlat(Tidings):
    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:
        return super().publish(part, key, uploads=uploads)


class LosesAltText(Tidings):
    def upload(self, data: bytes, media: Media) -> str:
        return super().upload(data, replace(media, alt=None))


class ShowsNoFiles(Tidings):
    def files(self, status: bytes) -> Sequence[Any]:
        return ()


class BelievesNothingIsThere(Tidings):
    def _own(self, since: int) -> list[dict[str, Any]]:
        try:
            return super()._own(since)
        except Exception:
            return []


class FindsTheFirstBest(Tidings):
    def find(self, part: Part, *, known: frozenset[str], **how: Any) -> PostRef | None:
        return super().find(part, known=frozenset(), **how)


class NeverFinds(Tidings):
    def find(self, part: Part, **how: Any) -> PostRef | None:
        return None


class FindsWhateverThereIs(Tidings):
    def find(self, part: Part, *, since: int, **how: Any) -> PostRef | None:
        notes = self._own(since - 300_000)
        return PostRef(id=notes[0]["id"], url=notes[0]["url"]) if notes else None


class CallsAnyErrorGone(Tidings):
    def presence(self, ref: PostRef) -> Presence:
        try:
            return Presence.THERE if self.fetch(self.looks(ref)[0]).status == 200 else Presence.GONE
        except Exception:
            return Presence.UNKNOWN


class AsksTwice(Tidings):
    def presence(self, ref: PostRef) -> Presence:
        super().presence(ref)
        return super().presence(ref)


class SaysThere(Tidings):
    def presence(self, ref: PostRef) -> Presence:
        return Presence.THERE


class FollowsAnyAddress(Tidings):
    def resolve(self, url: str) -> PostRef | None:
        if url.startswith("http") and len(url) < 1000:
            requests.get(url, headers=self._token, timeout=2)
        return super().resolve(url)


class ResolvesAnything(Tidings):
    def resolve(self, url: str) -> PostRef | None:
        return PostRef(id=url.rpartition("/")[2], url=url)


class LogsItsToken(Tidings):
    def _ask(self, method: str, path: str, **said: Any) -> requests.Response:
        logging.getLogger("tidings").warning("asks %s with %s", path, self._token)
        return super()._ask(method, path, **said)


class SaysItsTokenInErrors(Tidings):
    def _ask(self, method: str, path: str, **said: Any) -> requests.Response:
        answer = super()._ask(method, path, **said)
        if not answer.ok:
            raise Doubt(f"{answer.status_code} for {self._token}")
        return answer


class TakesOurWordForIt(Tidings):
    def __init__(self, account: Account, network: Network) -> None:
        super().__init__(account, network)
        self._name = account.identity

    def whoami(self) -> Identity:
        return replace(super().whoami(), handle=self._name)


class TakesAnyToken(Tidings):
    def whoami(self) -> Identity:
        return Identity(id="u-acme", handle="@acme")


class AsksAtOnce(Tidings):
    def __init__(self, account: Account, network: Network) -> None:
        super().__init__(account, network)
        self.whoami()


class AsksToCheck(Tidings):
    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        self.whoami()
        return super().check(part, limits)


class LetsAnythingPass(Tidings):
    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        return ()


class HidesByDeleting(Tidings):
    def prepare(self, decision: Decision, ref: PostRef, answers: Any) -> Undoing:
        return super().prepare(Decision.DELETE, ref, answers)


class DeletesWhatIsKept(Tidings):
    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        super().retract(Decision.DELETE, ref, undoing)


class LimitsByDeleting(Tidings):
    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        super().retract(Decision.DELETE if decision.is_limit else decision, ref, undoing)


class DeletesNothing(Tidings):
    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        self._ask("GET", f"/notes/{ref.id}")


class LooksTwice(Tidings):
    def fetch(self, look: Look) -> Answer:
        super().fetch(look)
        return super().fetch(look)


class KnowsNoAuthor(Tidings):
    def author(self, status: bytes) -> str | None:
        return "u-acme"


class ListsTheOldestFirst(Tidings):
    def recent(self, *, since: int) -> Sequence[Seen]:
        return super().recent(since=since)[::-1]


class HasAnEmptyQueue(Tidings):
    def natives(self) -> Any:
        return ()


WRONG = {
    NamesWhatNobodyNamed: "a_503_sends_nothing_again",
    Doubles: "a_post_is_published_by_one_request_and_named",
    GoesAround: "a_post_is_published_by_one_request_and_named",
    IsFlat: "the_parts_of_a_thread_hang_together",
    LosesAltText: "a_file_is_shown_with_what_is_said_of_it",
    ShowsNoFiles: "every_file_is_in_the_proof",
    BelievesNothingIsThere: "a_platform_that_cannot_be_asked_says_nothing_about_a_lost_post",
    FindsTheFirstBest: "a_post_that_is_known_is_not_found_again_for_another",
    NeverFinds: "a_lost_post_is_found",
    FindsWhateverThereIs: "a_post_that_never_arrived_is_said_not_to_be_there",
    CallsAnyErrorGone: "only_the_platforms_own_word_says_that_a_post_is_gone",
    AsksTwice: "presence_asks_once",
    SaysThere: "a_post_is_deleted_by_one_request_and_gone",
    FollowsAnyAddress: "an_address_elsewhere_is_never_asked_with_our_token",
    ResolvesAnything: "what_is_no_address_of_a_post_names_none",
    LogsItsToken: "a_post_is_published_by_one_request_and_named",
    SaysItsTokenInErrors: "a_platform_that_fails_makes_nobody_say_a_secret",
    TakesOurWordForIt: "the_token_of_somebody_else_is_found_out",
    TakesAnyToken: "a_token_that_is_good_no_more_is_said_as_that",
    AsksAtOnce: "it_opens_no_connection_before_it_is_asked",
    AsksToCheck: "what_is_too_long_is_known_without_asking",
    LetsAnythingPass: "what_is_too_long_is_known_without_asking",
    HidesByDeleting: "what_is_not_offered_is_refused_before_anything_leaves",
    DeletesWhatIsKept: "to_keep_a_post_is_no_act",
    LimitsByDeleting: "a_limit_that_is_not_declared_is_not_laid",
    DeletesNothing: "a_post_is_deleted_by_one_request_and_gone",
    LooksTwice: "the_proof_is_whole_and_as_it_came",
    KnowsNoAuthor: "what_is_no_post_has_no_author_and_no_files",
    ListsTheOldestFirst: "what_was_published_lately_is_listed_newest_first",
    HasAnEmptyQueue: "a_queue_that_nobody_can_list_is_not_called_empty",
}


def declaring(**more: Any) -> Abilities:
    return replace(MAKER.abilities, **more)


TOO_MUCH = {
    "it is idempotent": (declaring(idempotent="One post."), "the_same_post_sent_twice_is_one_post"),
    "its queue can be listed": (declaring(lists_natives=True), "a_queue_that_cannot_be_asked_for_is_not_called_empty"),
    "it has a proof": (declaring(proof=Proof(look="proof", words="Signed.")), "what_others_vouch_for_is_in_the_proof"),
    "it hides": (
        declaring(acts=(replace(MAKER.abilities.acts[0], decision=Decision.HIDE, reversible=True),)),
        "a_hidden_post_shows_its_words_no_more",
    ),
    "it limits": (
        declaring(acts=(*MAKER.abilities.acts, replace(MAKER.abilities.acts[0], decision=Decision.LOCK))),
        "a_limit_is_laid_by_one_request_and_the_post_stays",
    ),
    "it overwrites": (
        declaring(overwrites="Its words are overwritten first."),
        "words_are_overwritten_by_one_request_and_deleted_by_another",
    ),
    "no word of what it deletes": (declaring(acts=()), "the_abilities_are_said_in_words"),
    "no word of its files": (declaring(media=Files(words="", alt=True)), "the_abilities_are_said_in_words"),
}
TABLES = {
    "a route takes anything": (Route(Kind.PUBLISH, "POST", ".*"), "the_table_takes_nothing_that_nobody_declared"),
    "a route takes down anything": (Route(Kind.RETRACT, "POST", "/del"), "every_retracting_route_names_its_target"),
}


class OtherBench(TidingsBench):
    def __init__(self, double: TidingsDouble, maker: Maker) -> None:
        super().__init__(double)
        self.maker = maker


@pytest.fixture
def double() -> Iterator[TidingsDouble]:
    with TidingsDouble() as found:
        yield found


@contextmanager
def wrong() -> Iterator[OtherBench]:
    with TidingsDouble() as found:
        yield OtherBench(found, replace(MAKER, connect=LetsAnythingPass))


def fails(double: TidingsDouble, maker: Maker, name: str) -> str:
    with pytest.raises(Broken) as broken:
        check(BY_NAME[name], OtherBench(double, maker))
    return str(broken.value)


@pytest.mark.parametrize("adapter", WRONG, ids=lambda one: one.__name__)
def test_an_adapter_that_breaks_a_promise_fails_the_case_that_is_about_it(
    double: TidingsDouble, adapter: type[Tidings]
) -> None:
    assert fails(double, replace(MAKER, connect=adapter), WRONG[adapter])


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_declaration_that_says_too_much_is_found_out(double: TidingsDouble, what: str) -> None:
    abilities, name = TOO_MUCH[what]
    assert fails(double, replace(MAKER, abilities=abilities), name)


@pytest.mark.parametrize("what", TABLES)
def test_a_table_that_is_too_wide_is_found_out(double: TidingsDouble, what: str) -> None:
    route, name = TABLES[what]
    assert fails(double, replace(MAKER, routes=(*MAKER.routes, route)), name)


def test_a_bench_that_cannot_play_and_does_not_say_so_is_no_pass(double: TidingsDouble) -> None:
    class Short(OtherBench):
        def impostor(self, base_url: str) -> Account:
            raise NotPlayed

    case = BY_NAME["the_token_of_somebody_else_is_found_out"]
    with pytest.raises(Broken, match="does not say so"):
        check(case, Short(double, MAKER))
    Short.cannot_play = {case.name: "there is one account"}
    with pytest.raises(NotPlayed, match="there is one account"):
        check(case, Short(double, MAKER))


def test_what_is_not_offered_is_counted_and_never_passed(double: TidingsDouble) -> None:
    case = BY_NAME["a_hidden_post_shows_its_words_no_more"]
    with pytest.raises(NotOffered, match="tidings declares nothing of the kind"):
        check(case, OtherBench(double, MAKER))
    assert [one.word for one in run([case], OtherBench(double, MAKER))] == ["not offered"]


def test_an_author_without_pytest_sees_the_table_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{__name__}:{wrong.__name__}"
    monkeypatch.setattr("guardian.conformance.__main__.CASES", CASES[:9])
    assert main([place]) == 1
    said = capsys.readouterr().out
    assert "held         it says who we are\n" in said
    assert said.endswith("8 held, 0 not offered, 0 not played, 1 broken\n")
    assert main([]) == 2
    assert "python -m guardian.conformance MODULE:BENCH" in capsys.readouterr().err


def test_every_case_is_named_once() -> None:
    assert len(BY_NAME) == len(CASES)
