"""Threads and their pictures, by our lane with its store and fence, on a Mastodon server that somebody else wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guardian.model import Account, Part, Secret, State
from tests.duties.conftest import Scene, database, house
from tests.independent.mastodon_mock_server import TOKEN, MastodonMockServer
from tests.independent.visit import lose_the_answer
from tests.torture.front import Front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardian.fence.house import House
    from guardian.store.database import Database
    from tests.torture.front import Visit

__all__ = ["database", "house"]
pytestmark = pytest.mark.outsider  # the test's own eyes do not pass our gate


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MastodonMockServer]:
    """One for each test: they count what is there."""
    with MastodonMockServer(tmp_path) as found:
        yield found


@pytest.fixture
def front(server: MastodonMockServer) -> Iterator[Front]:
    with Front(server.place) as found:
        yield found
        assert not found.trouble


@pytest.fixture
def scene(house: House, database: Database, front: Front, server: MastodonMockServer) -> Scene:
    account = Account(
        name="acme",
        platform="mastodon",
        brand="acme",
        base_url=front.url,
        identity=server.handle,
        secrets={"token": Secret(TOKEN)},
    )
    return Scene(house=house, accounts=(account,), database=database)


def carry_on(at: Visit) -> None:
    """As if nobody stood in between."""
    at.say((at.carry(),))


def chain(server: MastodonMockServer) -> list[dict[str, Any]]:
    """What is there, oldest first, every post hanging on the one before it."""
    posts = list(reversed(server.posts()))
    parents = [None, *(post["id"] for post in posts[:-1])]
    assert [post["in_reply_to_id"] for post in posts] == parents
    return posts


def test_a_thread_with_pictures_arrives_part_by_part_under_the_right_parents(
    scene: Scene, server: MastodonMockServer
) -> None:
    alts = ["a red square", "a blue one"]
    post = scene.enter_parts(
        Part(text="one", media=tuple(scene.picture(alt) for alt in alts)),
        Part(text="two"),
        Part(text="three", media=(scene.picture("the last"),)),
    )
    scene.poll_until(scene.lane(), lambda: scene.post(post).state is State.PUBLISHED, within=20.0)
    there = chain(server)
    assert server.texts() == ["one", "two", "three"]
    assert [[one["description"] for one in part["media_attachments"]] for part in there] == [alts, [], ["the last"]]
    assert scene.post(post).platform_id == there[0]["id"]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_part_whose_answer_is_lost_is_found_and_the_thread_goes_on_under_it(
    scene: Scene, front: Front, server: MastodonMockServer, which: int
) -> None:
    front.acts.extend([*[carry_on] * which, lose_the_answer])
    post = scene.enter_parts(*(Part(text=text) for text in ("one", "two", "three")))
    scene.poll_until(scene.lane(), lambda: scene.post(post).state is State.PUBLISHED, within=20.0)
    chain(server)
    assert server.texts() == ["one", "two", "three"]
    assert len(front.creates()) == 3


def test_a_freeze_between_two_parts_leaves_the_rest_at_home(
    scene: Scene, front: Front, server: MastodonMockServer
) -> None:
    post = scene.enter_parts(Part(text="one"), Part(text="two", media=(scene.picture(),)))
    lane = scene.lane()
    scene.poll_until(lane, lambda: scene.post(post).live == 1, within=20.0)
    arrived = len(front.creates())
    scene.stop()
    scene.books.adopt()
    for _ in range(5):
        lane.poll(scene.clock())
    assert server.texts() == ["one"]
    assert len(front.creates()) == arrived
    assert scene.post(post).state is State.MISSED
