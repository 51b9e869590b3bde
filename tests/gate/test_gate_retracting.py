"""A takedown passes while frozen, and nothing can be smuggled out under it: another target, new words, a second one."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from guardian.adapter import Kind
from guardian.fence import gates, passage
from guardian.fence.passage import Stopped
from guardian.fence.stopping import Order, Stopping
from guardian.gate import intents, retracting
from guardian.gate.intents import Fate, Intent, declare
from guardian.gate.verdicts import Accepted, NotFound, NotSent, verdict, verdict_of_retract
from guardian.gate.verdicts import Stopped as WasStopped
from tests.gate.gate_retract import live, retract, session_of
from tests.torture import front as fronts
from tests.torture.mad_answers import redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.gate.gate_door import Door

NOTICE = "[removed by the editors]"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def session(door: Door) -> requests.Session:
    return session_of(door.account)


@pytest.fixture
def frozen(door: Door) -> Iterator[Door]:
    """A house whose freeze is confirmed, while the freeze still holds every lock."""
    with Stopping(door.house, Order(("all", "account:acme"), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        yield door


def at(door: Door, path: str) -> str:
    return door.account.base_url + path


def changes(door: Door) -> list[tuple[str, str]]:
    """Every changing request that the platform saw, without the creates."""
    seen = [(str(entry["method"]), str(entry["path"])) for entry in door.platform.log() if entry["method"] != "GET"]
    return [one for one in seen if one != ("POST", "/api/v1/statuses")]


def test_a_takedown_passes_while_frozen_and_takes_no_gate(
    door: Door, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = live(door, "one"), live(door, "two")
    locked: list[int] = []
    monkeypatch.setattr(gates, "try_shared", locked.append)
    with Stopping(door.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        with declare(retract(door, first)) as receipt:
            assert session.delete(at(door, f"/api/v1/statuses/{first}")).ok
        assert verdict_of_retract(receipt) == Accepted(200)
    with declare(retract(door, second, "true")) as receipt:
        session.delete(at(door, f"/api/v1/statuses/{second}?delete_media=true"))
    assert verdict_of_retract(receipt) == Accepted(200)
    assert locked == []
    assert [post["deleted"] for post in door.platform.posts()] == [True, True]


def test_what_is_taken_down_twice_was_not_there(door: Door, session: requests.Session) -> None:
    target = live(door)
    for expected in (Accepted(200), NotFound(404)):
        with declare(retract(door, target)) as receipt:
            session.delete(at(door, f"/api/v1/statuses/{target}"))
        assert verdict_of_retract(receipt) == expected


def test_a_post_is_hidden_while_frozen_behind_the_words_that_were_announced(
    frozen: Door, session: requests.Session
) -> None:
    target = "110"
    with declare(retract(frozen, target, NOTICE, "sv")) as receipt:
        session.put(
            at(frozen, f"/api/v1/statuses/{target}"),
            data={"status": NOTICE, "sensitive": "true", "spoiler_text": NOTICE, "language": "sv", "poll": ""},
        )
    assert receipt.retracting is not None
    assert receipt.retracting.fate is Fate.ANSWERED
    assert changes(frozen) == [("PUT", f"/api/v1/statuses/{target}")]


def test_an_edit_that_undoes_needs_the_fence(door: Door, session: requests.Session) -> None:
    """The same request, under another intent: with a pass it goes through the gates, frozen it does not go."""
    target = live(door)
    ticket = passage.look(door.house, door.account.scopes)
    url = at(door, f"/api/v1/statuses/{target}")
    with declare(intents.managing(door.account, ticket)) as receipt:
        assert session.put(url, data={"status": "what it said"}).ok
    assert receipt.publishing is not None
    assert receipt.publishing.kind is Kind.MANAGE
    assert verdict(receipt) == Accepted(200)
    before = changes(door)
    with Stopping(door.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
    for intent in (intents.managing(door.account, ticket), Intent(Kind.MANAGE, "acme")):
        with declare(intent) as receipt, pytest.raises(Stopped):
            session.put(url, data={"status": "what it said"})
        assert isinstance(verdict(receipt), WasStopped)
    assert changes(door) == before


Smuggled = tuple[str, str, dict[str, Any], str]
EDIT = "/api/v1/statuses/110"
RECORD = "/xrpc/deleteRecord"
SMUGGLED: dict[str, Smuggled] = {
    "another-target-in-the-path": ("DELETE", "/api/v1/statuses/111", {}, "another post"),
    "the-target-and-more-in-the-path": ("DELETE", "/api/v1/statuses/110%2F..%2F111", {}, "another post"),
    "another-target-in-a-form": ("POST", "/api/del", {"data": {"id": "111"}}, "does not name the post"),
    "another-target-in-json": ("POST", RECORD, {"json": {"rkey": "111"}}, "does not name the post"),
    "two-targets-in-a-form": ("POST", "/api/del", {"data": [("id", "110"), ("id", "111")]}, "it alone"),
    "two-targets-in-json": ("POST", RECORD, {"data": '{"rkey":"110","rkey":"111"}', "headers": JSON}, "it alone"),
    "two-targets-in-a-list": ("POST", RECORD, {"json": {"rkey": ["110", "111"]}}, "it alone"),
    "a-target-in-a-list": ("POST", RECORD, {"json": {"rkey": ["110"]}}, "it alone"),
    "no-target-in-the-body": ("POST", "/api/del", {}, "does not name the post"),
    "the-target-in-the-query-alone": ("POST", "/api/del?id=110", {}, "does not name the post"),
    "a-second-target-in-the-query": ("POST", "/api/del?id=111", {"data": {"id": "110"}}, "that was not announced"),
    "a-route-that-names-no-target": ("POST", "/api/untold", {"data": {"id": "110"}}, "does not say where"),
    "an-address-that-was-not-announced": ("DELETE", "/users/7/reposts/112", {}, "address .* was not announced"),
    "more-in-an-announced-address": ("DELETE", "/users/7/reposts/111%2F", {}, "nobody declared"),
    "new-words-in-a-form": ("PUT", EDIT, {"data": {"status": "buy now"}}, "that was not announced"),
    "new-words-behind-the-announced": (
        "PUT",
        EDIT,
        {"data": {"status": NOTICE + " buy now"}},
        "that was not announced",
    ),
    "new-words-in-a-second-field": (
        "PUT",
        EDIT,
        {"data": [("status", NOTICE), ("status", "buy now")]},
        "that was not announced",
    ),
    "new-words-in-json": ("PUT", EDIT, {"json": {"status": "buy now"}}, "that was not announced"),
    "new-words-deep-in-json": (
        "PUT",
        EDIT,
        {"json": {"a": [{"b": {"c": ["true", "buy now"]}}]}},
        "that was not announced",
    ),
    "new-words-in-a-name-that-is-there-twice": (
        "PUT",
        EDIT,
        {"data": f'{{"status":"buy now","status":"{NOTICE}"}}', "headers": JSON},
        "that was not announced",
    ),
    "a-number-in-json": ("PUT", EDIT, {"json": {"n": 5551234}}, "that was not announced"),
    "a-fraction-in-json": ("PUT", EDIT, {"json": {"n": 5.551234}}, "that was not announced"),
    "what-is-no-number-in-json": ("PUT", EDIT, {"data": '{"n":NaN}', "headers": JSON}, "no JSON"),
    "other-media": ("PUT", EDIT, {"data": {"media_ids[]": "9"}}, "that was not announced"),
    "new-words-in-the-query": ("DELETE", EDIT + "?status=buy+now", {}, "that was not announced"),
    "new-words-in-the-query-of-a-form": (
        "PUT",
        EDIT + "?status=buy",
        {"data": {"status": NOTICE}},
        "that was not announced",
    ),
    "another-method-in-the-query": ("POST", "/api/del?_method=put", {"data": {"id": "110"}}, "that was not announced"),
    "another-method-in-a-header": ("DELETE", EDIT, {"headers": {"X-HTTP-Method-Override": "POST"}}, "the header"),
    "another-host-in-a-header": ("DELETE", EDIT, {"headers": {"Host": "other.example"}}, "the header"),
    "a-separator-of-some-servers": ("PUT", EDIT, {"data": f"status={NOTICE};x=y", "headers": FORM}, "in two ways"),
    "a-field-that-is-none": ("PUT", EDIT, {"data": "status", "headers": FORM}, "cannot be read"),
    "words-for-a-name": ("PUT", EDIT, {"data": {"buy our things now": "true"}}, "no name"),
    "words-for-a-name-in-json": ("PUT", EDIT, {"json": {"buy our things now": {}}}, "no name"),
    "what-is-no-json": ("PUT", EDIT, {"data": "{", "headers": JSON}, "no JSON"),
    "json-without-a-bottom": ("PUT", EDIT, {"data": "[" * 8000, "headers": JSON}, "no JSON"),
    "a-file": ("PUT", EDIT, {"files": {"file": b"GIF89a"}}, "neither a form nor JSON"),
    "a-form-of-parts": ("PUT", EDIT, {"files": {"status": (None, NOTICE)}}, "neither a form nor JSON"),
    "a-body-of-no-type": ("PUT", EDIT, {"data": b"status=x"}, "neither a form nor JSON"),
    "a-body-in-another-encoding": (
        "PUT",
        EDIT,
        {"data": "{}".encode("utf-16"), "headers": {"Content-Type": "application/json; charset=utf-16"}},
        "another encoding",
    ),
    "a-body-that-is-no-text": ("PUT", EDIT, {"data": b"\xff\xfe{}", "headers": JSON}, "no text"),
    "a-body-that-cannot-be-read-first": ("PUT", EDIT, {"data": io.BytesIO(b"status=x"), "headers": FORM}, "not there"),
    "a-body-without-an-end": ("PUT", EDIT, {"data": {"status": NOTICE * 400}}, "are allowed"),
    "an-address-without-an-end": ("DELETE", EDIT + "?" + "x=&" * 2000, {}, "of usual length"),
    "a-post": ("POST", "/api/v1/statuses", {"data": {"status": NOTICE}}, "not announced by an intent"),
    "a-boost": ("POST", "/api/v1/statuses/110/reblog", {}, "not announced by an intent"),
    "an-upload": ("POST", "/api/v2/media", {"files": {"file": b"GIF89a"}}, "not announced by an intent"),
    "what-no-table-knows": ("POST", "/api/v1/polls", {"data": {"x": "true"}}, "nobody declared"),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_nothing_is_smuggled_out_under_a_takedown(door: Door, session: requests.Session, name: str) -> None:
    method, path, options, why = SMUGGLED[name]
    with declare(retract(door, "110", NOTICE)) as receipt, pytest.raises(Stopped, match=why):
        session.request(method, at(door, path), **options)
    assert isinstance(verdict_of_retract(receipt), (WasStopped, NotSent))
    assert door.platform.log() == []


def test_a_takedown_without_a_target_is_refused(door: Door, session: requests.Session) -> None:
    for target in (None, ""):
        intent = Intent(Kind.RETRACT, "acme", target=target)
        with declare(intent), pytest.raises(Stopped, match="needs a target"):
            session.delete(at(door, EDIT))
    assert changes(door) == []


@pytest.mark.parametrize("path", [EDIT, "/api/v1/statuses/111"])
def test_an_intent_is_good_for_one_takedown(door: Door, session: requests.Session, path: str) -> None:
    """Also when the first one was refused: a library that tries again tries something else."""
    with declare(retract(door, "110")) as receipt:
        session.delete(at(door, EDIT))
        with pytest.raises(Stopped, match="this is the second"):
            session.delete(at(door, path))
    assert verdict_of_retract(receipt) == NotFound(404)
    with declare(retract(door, "110")) as receipt:
        with pytest.raises(Stopped, match="another post"):
            session.delete(at(door, "/api/v1/statuses/111"))
        with pytest.raises(Stopped, match="this is the second"):
            session.delete(at(door, path))
    assert changes(door) == [("DELETE", EDIT)]


@pytest.mark.parametrize("kind", [Kind.PUBLISH, Kind.MANAGE, Kind.UPLOAD])
def test_a_takedown_under_another_intent_is_refused(door: Door, session: requests.Session, kind: Kind) -> None:
    ticket = passage.look(door.house, door.account.scopes)
    with declare(Intent(kind, "acme", ticket, target="110")), pytest.raises(Stopped, match="was not announced"):
        session.delete(at(door, EDIT))
    with pytest.raises(Stopped, match="was not announced"):
        session.delete(at(door, EDIT))
    with (
        declare(Intent(Kind.RETRACT, "somebody-else", target="110")),
        pytest.raises(Stopped, match="was not announced by"),
    ):
        session.delete(at(door, EDIT))
    assert changes(door) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_takedown_is_never_sent_on_to_another_address(door: Door, status: int) -> None:
    with fronts.Front(door.platform.url.partition("://")[2]) as front:
        from tests.gate.gate_door import account_at

        door.account = account_at(front.url)
        front.acts.append(fronts.says(redirect(status, "/api/v1/statuses/110")))
        with declare(retract(door, "110")) as receipt:
            assert session_of(door.account).delete(at(door, EDIT)).status_code == status
        assert [one.line.split()[0] for one in front.seen] == ["DELETE"]
    assert len(receipt.traces) == 1


def test_what_was_announced_passes_in_every_form(door: Door, session: requests.Session) -> None:
    says = (NOTICE, "77", "did:plc:x", "app.bsky.feed.post", "sv")
    asked = (
        ("POST", "/api/del", {"data": {"id": "110", "api_type": NOTICE}}),
        ("POST", RECORD, {"json": {"repo": "did:plc:x", "collection": "app.bsky.feed.post", "rkey": "110", "s": None}}),
        ("PUT", EDIT, {"json": {"status": NOTICE, "media_attributes": [{"id": "77"}, {"id": 77}], "s": False}}),
        ("PUT", EDIT, {"data": {"status": NOTICE, "media_ids[]": ["77"], "language": "sv"}}),
        ("PUT", EDIT, {"data": b"{}", "headers": {"Content-Type": "application/json; charset=UTF-8"}}),
        ("DELETE", EDIT, {"headers": {"Idempotency-Key": "k"}}),
    )
    for method, path, options in asked:
        with declare(retract(door, "110", *says)) as receipt:
            session.request(method, at(door, path), **options)
        assert receipt.retracting is not None
        assert receipt.retracting.fate is Fate.ANSWERED
    assert len(changes(door)) == len(asked)


def test_an_id_that_has_to_be_quoted_is_found_in_its_path(door: Door, session: requests.Session) -> None:
    with declare(retract(door, "at://x/1")) as receipt:
        session.delete(at(door, "/api/v1/statuses/at%3A%2F%2Fx%2F1"))
    assert verdict_of_retract(receipt) == NotFound(404)


def test_the_limits_are_a_few_kilobytes() -> None:
    assert retracting.MAX_BODY <= 8192
    assert len(json.dumps({"status": NOTICE})) < retracting.MAX_BODY
