"""What an adapter says of itself: its table of requests, its secrets, its abilities, and who it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.conformance.case import Cases
from guardian.conformance.stage import expect
from guardian.errors import TokenRefused
from guardian.model import Decision
from guardian.rules import secret_names

if TYPE_CHECKING:
    from guardian.conformance.stage import Stage

CASES = Cases()
METHODS = ("POST", "PUT", "PATCH", "DELETE")
NEVER = "/conformance/nobody/declares/this"


@CASES.add()
def the_table_takes_nothing_that_nobody_declared(stage: Stage) -> None:
    for route in stage.bench.maker.routes:
        expect(re.fullmatch(route.path, NEVER) is None, f"the route {route.path} takes any path")
        expect(route.method in METHODS, f"{route.method} {route.path} is no changing request")


@CASES.add()
def every_retracting_route_names_its_target(stage: Stage) -> None:
    for route in stage.bench.maker.routes:
        named = route.target is not None or route.announced or "target" in re.compile(route.path).groupindex
        expect(route.kind is not Kind.RETRACT or named, f"{route.path} does not say where it names the post")


@CASES.add()
def the_secrets_are_the_declared_ones(stage: Stage) -> None:
    declared, given = stage.bench.maker.secrets, set(stage.plain.account.secrets)
    wrong = secret_names.compare(declared, given)
    expect(not wrong.missing, f"the account has {sorted(given)}, and {declared} are declared")
    expect(not (wrong.twice or wrong.beside or wrong.unknown), f"{sorted(given)} are more than are declared")


@CASES.add()
def the_abilities_are_said_in_words(stage: Stage) -> None:
    said = stage.bench.maker.abilities
    expect(said.publishes, "nothing says what can be published")
    expect(said.finds, "nothing says what becomes of a post whose answer was lost")
    expect(said.act(Decision.DELETE), "nothing says what deleting does")
    expect(said.unseen, "nothing says what no freeze reaches: there is no such platform")
    words = [act.words for act in said.acts] + [one.words for one in (said.media, said.finds, said.proof) if one]
    expect(all(words), "an ability is declared without a word")
    expect(said.budget.count > 0 and said.budget.window > 0, "the budget of takedowns is none")
    expect(said.lists_natives or not said.defers_natives, "what cannot be listed cannot be put off")


@CASES.add()
def it_opens_no_connection_before_it_is_asked(stage: Stage) -> None:
    expect(stage.door.adapter is not None, "there is no adapter")
    expect(not stage.front.arrived(), "connecting alone has asked the platform something")


@CASES.add()
def it_says_who_we_are(stage: Stage) -> None:
    who = stage.plain.adapter.whoami()
    expect(isinstance(who.id, str) and who.id, "the platform's id of the account is no string")
    expect(
        who.handle.lower() == stage.plain.account.identity.lower(),
        f"it says {who.handle}, and the account is {stage.plain.account.identity}",
    )


@CASES.add()
def the_token_of_somebody_else_is_found_out(stage: Stage) -> None:
    door = stage.opened(stage.bench.impostor, stage.bench.url, 10.0)
    who = door.adapter.whoami()
    expect(who.handle.lower() != door.account.identity.lower(), "an impostor is taken for the account")
    expect(who.id != stage.plain.adapter.whoami().id, "two accounts have one id")


@CASES.add()
def a_token_that_is_good_no_more_is_said_as_that(stage: Stage) -> None:
    door = stage.opened(stage.bench.unknown, stage.bench.url, 10.0)
    try:
        who = door.adapter.whoami()
    except TokenRefused as error:
        stage.heard(error)
    else:
        expect(False, f"a token that nobody knows is {who.handle}")


@CASES.add()
def what_is_too_long_is_known_without_asking(stage: Stage) -> None:
    adapter = stage.plain.adapter
    limits, part = adapter.limits(), stage.part()
    before = len(stage.exchanges)
    expect(not adapter.check(part, limits), f"a usual part is refused: {adapter.check(part, limits)}")
    long = stage.bench.part("a" * (limits.characters + 1))
    expect(adapter.check(long, limits), f"{limits.characters + 1} characters are let pass")
    expect(len(stage.exchanges) == before, "check asked the platform")
