"""`guardian capabilities`: what can honestly be done, for every account, as its platform's adapter says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardian.adapter import Abilities, Act, Budget, Certainty, Files, Finding, Maker, Proof
from guardian.cli import capabilities as face
from guardian.config import read
from guardian.config.in_force import InForce
from guardian.config.settings import Settings
from guardian.daemon.capabilities import Capabilities
from guardian.gate.accounts import known_secrets, makers
from guardian.model import Decision, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardian.adapter import Adapter, Network
    from guardian.model import Account

    from .conftest import Place


def connect(account: Account, network: Network) -> Adapter:
    raise NotImplementedError


def of(place: Place, abilities: Abilities | None) -> list[dict[str, Any]]:
    """What the daemon would say, if this were the adapter of the platform that the accounts are on."""
    settings = read(place.config, known=known_secrets(makers()))
    assert isinstance(settings, Settings)
    plugged = {}
    if abilities is not None:
        plugged["mastodon"] = Maker(connect=connect, routes=(), secrets=(), abilities=abilities)
    found: list[dict[str, Any]] = Capabilities(InForce(settings, at=0), plugged).document()["accounts"]
    return found


@pytest.mark.usefixtures("place")
def test_every_account_is_named_with_what_can_be_done_and_what_no_freeze_reaches(guardian: Callable[..., Any]) -> None:
    ran = guardian("capabilities")
    assert ran.code == 0
    assert ran.out.startswith("acme  on mastodon, brand acme\n")
    assert "\nbeta  on mastodon, brand beta\n" in ran.out
    said = " ".join(ran.out.split())
    assert "lost answer yes or no, as the platform lists it." in said
    assert "thread Each part replies to the one before it." in said
    assert "delete CANNOT be undone. The post, its files and its boosts are gone from this server" in said
    assert "hide can be undone. The post is edited to say" in said
    assert "stay in the edit history, which anybody can read" in said
    assert "at most 30 in any 30 minutes" in said
    assert "can be listed, put off and deleted from here" in said
    assert said.count("NOT frozen copies on other servers") == 2
    assert max(map(len, ran.out.splitlines())) <= 100


def test_programs_read_the_same_in_one_document(guardian: Callable[..., Any], place: Place) -> None:
    place.wait(lambda: all(one["server"] for one in place.get("/v1/capabilities")["accounts"]))  # asked at the start
    document = guardian("capabilities", "--json").json
    assert document == place.get("/v1/capabilities")
    acme = document["accounts"][0]
    assert set(acme) == {
        "account", "platform", "brand", "server", "publish", "media", "thread", "sent_twice", "lost_answer",
        "delete", "hide", "limits", "overwrite", "budget", "scheduled_there", "proof", "not_covered",
    }  # fmt: skip
    assert (acme["account"], acme["platform"], acme["brand"]) == ("acme", "mastodon", "acme")
    assert (acme["delete"]["reversible"], acme["hide"]["reversible"]) == (False, True)
    assert acme["server"] == {"name": "Mastodon 4.5.4", "characters": 500, "files": 4, "remarks": []}
    assert acme["budget"] == {"count": 30, "window_ms": 1_800_000}
    assert acme["scheduled_there"] == {"listed": True, "deferred": True}
    assert len(acme["not_covered"]) == 4


def test_a_plug_in_that_says_nothing_is_not_credited_with_anything(place: Place) -> None:
    (acme, _) = of(place, Abilities())
    assert (acme["delete"], acme["hide"]) == (None, None)
    assert acme["not_covered"] == ["what is scheduled at the platform itself: this platform cannot be asked"]
    shown = "\n".join(face._lines([acme]))
    assert [acme[one] for one in ("publish", "media", "thread", "sent_twice", "lost_answer", "proof")] == [None] * 6
    assert shown.count("not possible there") == 5
    assert "would make two posts of it" in shown
    assert "cannot be asked for: a person decides" in shown
    assert "the platform itself signs nothing" in " ".join(shown.split())
    assert "at most" not in shown
    assert "cannot be seen from here" in shown


def test_what_a_server_has_said_of_itself_is_told_and_cannot_steer_the_terminal(place: Place) -> None:
    settings = read(place.config, known=known_secrets(makers()))
    assert isinstance(settings, Settings)
    said = Limits(characters=5000, server="Akkoma 3\x1b[2J", remarks=("late\u202e at times",))
    told = Capabilities(InForce(settings, at=0), {}, {"acme": said}.get).document()["accounts"]
    assert told[0]["server"] == {
        "name": "Akkoma 3\x1b[2J", "characters": 5000, "files": 4, "remarks": ["late\u202e at times"],
    }  # fmt: skip
    assert told[1]["server"] is None
    shown = "\n".join(face._lines(told))
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "5000 characters, 4 files in a post" in shown
    assert "not asked yet" in shown


def test_an_account_without_an_adapter_is_not_left_out(place: Place) -> None:
    (acme, _) = of(place, None)
    assert acme["not_covered"][-1].startswith("everything there")
    assert acme["delete"] is None


def test_what_a_plug_in_says_cannot_steer_the_terminal(place: Place) -> None:
    act = Act(decision=Decision.DELETE, name="\x1b[2J", reversible=True, words="gone\x1b[2J\u202e\nfor good")
    budget = Budget(count=1, window=90_000)
    (acme, _) = of(place, Abilities(acts=(act,), budget=budget, lists_natives=True, unseen=("\x07bell",)))
    shown = "\n".join(face._lines([acme]))
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "1 in any 1.5 minutes" in shown
    assert "but not put off" in " ".join(shown.split())


def test_what_nobody_can_say_no_to_and_what_reaches_nobody_is_said_loudly(place: Place) -> None:
    finds = Finding(certainty=Certainty.ONE_SIDED, words="The list is late.")
    proof = Proof(look="proof", words="The account's own key signed it.")
    files = Files(words="One picture.", alt=False)
    (acme, _) = of(place, Abilities(publishes="Words.", media=files, finds=finds, proof=proof, idempotent="One."))
    assert acme["lost_answer"] == {"certainty": "one-sided", "words": "The list is late."}
    shown = " ".join("\n".join(face._lines([acme])).split())
    assert "yes for certain, and NEVER no: a person decides. The list is late." in shown
    assert "One picture. ALT TEXT reaches nobody there." in shown
    assert "proof The account's own key signed it." in shown
    assert "sent twice One." in shown


def test_no_account_is_said_so() -> None:
    assert list(face._lines([])) == ["No account is configured"]


@pytest.mark.usefixtures("place")
def test_words_that_it_does_not_take_are_wrong_use(guardian: Callable[..., Any]) -> None:
    assert guardian("capabilities", "acme").code == 2
