"""Whether a token may delete, asked of each platform without deleting: it never says yes for a token that may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters import mastodon_rights
from adapters.bluesky_publishing import BlueskyAdapter
from guardian.adapter import Answer
from guardian.beyond import Vouching
from guardian.errors import Doubt
from tests.adapters.reddit_room import Room, adapter_at, double, room
from tests.adapters.x_stage import Stage, stage, x
from tests.gate.gate_door import account_at, door, platform
from tests.gate.gate_door import house as open_house

if TYPE_CHECKING:
    from tests.adapters.reddit_double import RedditDouble
    from tests.gate.gate_door import Door

__all__ = ["account_at", "door", "double", "open_house", "platform", "room", "stage", "x"]
OWN, APPLICATION = "/oauth/token/info", "/api/v1/apps/verify_credentials"


@pytest.fixture
def house(open_house: Any) -> Any:  # noqa: ANN401 (a fixture of another folder, by the name that `door` asks for)
    return open_house


def vouching(adapter: object) -> Vouching:
    assert isinstance(adapter, Vouching)
    return adapter


def test_mastodon_tells_the_scopes_of_the_token_itself_and_nothing_is_changed(door: Door) -> None:
    adapter = vouching(door.adapter)
    assert adapter.may_delete().may is True
    door.platform.limit_token("acme", "read", "write:statuses")
    assert adapter.may_delete().may is True
    door.platform.limit_token("acme", "read", "write:media")
    found = adapter.may_delete()
    assert (found.may, found.why) == (False, "the token may do read, write:media, and not write:statuses")
    assert "write:statuses" in found.fix
    assert {entry["method"] for entry in door.platform.log()} == {"GET"}


def test_a_token_that_may_not_delete_is_refused_by_the_rehearsal_platform_too(door: Door) -> None:
    door.platform.limit_token("acme", "read")
    answer = door.session.get(door.account.base_url + OWN, headers={"Authorization": "Bearer rehearsal-acme"})
    assert answer.json()["scope"] == ["read"]
    door.platform.limit_token("acme")
    answer = door.session.get(door.account.base_url + OWN, headers={"Authorization": "Bearer rehearsal-acme"})
    assert answer.status_code == 401


def test_nobody_is_asked_to_the_end_where_the_network_is_gone(door: Door) -> None:
    door.platform.stop()
    with pytest.raises(Doubt, match="cannot ask what the token may do"):
        vouching(door.adapter).may_delete()


@pytest.mark.parametrize(
    ("own", "application", "may"),
    [
        ((404, {}), (200, {"scopes": ["read", "write"]}), True),  # a token has no more than its application
        ((404, {}), (200, {"scopes": ["read"]}), False),
        ((200, {"scope": "read write:statuses"}), (404, {}), True),  # some servers write a list as words
        ((404, {}), (200, {"name": "app"}), None),  # before 4.3
        ((403, {}), (401, {}), None),
        ((200, []), (200, "x"), None),
        ((200, {"scope": []}), (200, {"scopes": 7}), None),
        ((200, {"scope": ["follow"]}), (200, {"scopes": ["write"]}), False),  # its own word is the better one
    ],
)
def test_servers_that_tell_less_are_believed_as_far_as_they_tell(
    own: tuple[int, object], application: tuple[int, object], may: bool | None
) -> None:
    told = {OWN: own, APPLICATION: application}

    def ask(path: str) -> Answer:
        status, body = told[path]
        return Answer(status=status, body=json.dumps(body).encode())

    assert mastodon_rights.may_delete(ask).may is may


def test_an_answer_that_is_no_json_tells_nothing() -> None:
    assert mastodon_rights.may_delete(lambda _: Answer(status=200, body=b"<html>")).may is None


@pytest.mark.parametrize(
    ("scope", "may"), [("*", True), ("identity submit edit read", True), ("identity submit read", False)]
)
def test_reddit_names_the_scopes_with_the_token(room: Room, double: RedditDouble, scope: str, may: bool) -> None:
    double.scope = scope
    adapter = adapter_at(room.account)
    assert vouching(adapter).may_delete().may is None, "nobody has logged in yet"
    adapter.whoami()
    found = vouching(adapter).may_delete()
    assert found.may is may
    assert ("edit" in found.fix) is not may


def test_x_tells_of_keys_for_reading_only_and_never_that_there_is_credit(stage: Stage) -> None:
    adapter = vouching(stage.adapter)
    assert adapter.may_delete().may is None
    for level, may in (("read", False), ("read-write", None)):
        stage.x.level = level
        stage.adapter.whoami()
        assert adapter.may_delete().may is may
    assert stage.x.changes() == []


def test_an_app_password_of_bluesky_has_no_smaller_rights() -> None:
    assert BlueskyAdapter.may_delete(object()).may is True  # type: ignore[arg-type]  # it asks nothing of itself
