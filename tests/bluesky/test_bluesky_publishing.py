"""A post on a real PDS: once, under a name that was fixed before, whatever became of the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from atproto_client.exceptions import BadRequestError, RequestException
from urllib3.exceptions import HTTPError

from adapters import bluesky_names as names
from adapters.bluesky import MAKER
from adapters.bluesky_session import Kept, Login
from guardian.errors import Doubt, TokenRefused
from guardian.fence.passage import Stopped
from guardian.fence.stopping import Order, Stopping
from guardian.gate import accounts
from guardian.gate.intents import declare
from guardian.gate.keeping import SealedKeeping
from guardian.gate.verdicts import Accepted, Rejected, Throttled, Uncertain, verdict, verdict_of_upload
from guardian.gate.verdicts import Stopped as WasStopped
from guardian.model import Media, Part, PostRef
from tests.bluesky import pds as servers
from tests.bluesky.conftest import desk_at
from tests.duties.darkroom import mp4
from tests.torture import front as fronts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bluesky.conftest import Desk
    from tests.bluesky.pds import Pds
    from tests.torture.front import Front

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f00030101"
    "00c2b7e7b40000000049454e44ae426082"
)
PICTURE = Media(sha256="0" * 64, type="image/png", size=len(DOT), width=1, height=1, alt="a dot: ●")


@pytest.fixture
def front(pds: Pds) -> Iterator[Front]:
    with fronts.Front(pds.place) as found:
        yield found
        assert not found.trouble


@pytest.fixture
def behind(front: Front, desk: Desk) -> Desk:
    """The same account, with somebody in between who may swallow what is said."""
    return desk_at(desk.pds, desk.house, desk.brand, front.url)


def test_we_are_who_the_app_password_says(desk: Desk) -> None:
    found = desk.adapter.whoami()
    assert (found.id, found.handle) == (desk.brand.did, f"@{desk.brand.handle}")
    for written in (desk.brand.handle, desk.brand.did):
        account = replace(desk.account, identity=written)
        adapter = accounts.connect(account, {"bluesky": MAKER}, answer_within=5.0)
        assert adapter.whoami().handle == written


def test_an_account_is_asked_for_where_it_lives(desk: Desk) -> None:
    said = desk.adapter._login.session().pds
    assert said == desk.pds.url.replace("127.0.0.1", "localhost")
    assert not names.lives_elsewhere(desk.pds.url, said)
    there = "https://morel.us-east.host.bsky.network"
    assert names.lives_elsewhere("https://bsky.social", there)
    assert not names.lives_elsewhere("https://Morel.us-east.host.bsky.network", there)
    assert not names.lives_elsewhere("https://bsky.social", "")
    assert not names.lives_elsewhere("https://127.0.0.1:8443", there)


def test_a_wrong_app_password_is_said_to_be_one(desk: Desk) -> None:
    wrong = type(desk.brand)(desk.brand.did, desk.brand.handle, "", "abcd-abcd-abcd-abcd")
    with pytest.raises(TokenRefused):
        desk_at(desk.pds, desk.house, wrong, desk.pds.url).adapter.whoami()


def test_a_post_is_there_as_it_was_written(desk: Desk) -> None:
    text = "Grüße 👩‍👩‍👧 an @nobody-there.test und #Freunde: https://example.com/a?b=c"
    ref = desk.publish(Part(text=text, language="de", warning="graphic-media"), "key")
    (post,) = desk.pds.posts(desk.brand)
    value = post["value"]
    assert (post["uri"], value["text"], value["langs"]) == (ref.id, text, ["de"])
    assert ref.url == f"https://bsky.app/profile/{desk.brand.did}/post/{ref.id.rpartition('/')[2]}"
    assert value["labels"]["values"][0]["val"] == "graphic-media"
    marked = {
        text.encode()[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(): one["features"][0]
        for one in value["facets"]
    }
    assert set(marked) == {"#Freunde", "https://example.com/a?b=c"}
    assert marked["#Freunde"]["tag"] == "Freunde"
    assert marked["https://example.com/a?b=c"]["uri"] == "https://example.com/a?b=c"


def test_who_is_mentioned_is_named_by_what_never_changes(desk: Desk) -> None:
    other = desk.pds.brand()
    desk.publish(Part(text=f"héllo @{other.handle}!"), "key")
    (post,) = desk.pds.posts(desk.brand)
    (facet,) = post["value"]["facets"]
    assert facet["features"][0]["did"] == other.did
    assert facet["index"] == facet["index"] | {"byteStart": 7, "byteEnd": 8 + len(other.handle)}


def test_the_same_key_twice_makes_one_post_and_the_second_time_no_commit(desk: Desk) -> None:
    part = Part(text="once")
    first = desk.publish(part, "key")
    before = desk.pds.revision(desk.brand)
    assert desk.publish(part, "key") == first
    assert desk.pds.revision(desk.brand) == before
    assert len(desk.pds.posts(desk.brand)) == 1


def test_another_post_under_the_same_name_is_never_written_over(desk: Desk) -> None:
    desk.publish(Part(text="one"), "key")
    with declare(desk.intent()) as receipt, pytest.raises(Doubt, match="another post is there"):
        desk.adapter.publish(Part(text="two"), "key")
    assert receipt.publishing is None
    assert [one["value"]["text"] for one in desk.pds.posts(desk.brand)] == ["one"]


def test_a_picture_and_its_words_are_shown(desk: Desk) -> None:
    upload = desk.upload(DOT, PICTURE)
    desk.publish(Part(text="look", media=(PICTURE,)), "key", uploads=(upload,))
    (post,) = desk.pds.posts(desk.brand)
    (image,) = post["value"]["embed"]["images"]
    assert (image["alt"], image["image"]["mimeType"], image["image"]["size"]) == (PICTURE.alt, "image/png", len(DOT))
    assert image["aspectRatio"]["width"] == 1


def test_a_thread_hangs_together_from_its_root(desk: Desk) -> None:
    above: PostRef | None = None
    refs = []
    for nr in range(3):
        above = desk.publish(Part(text=f"part {nr}"), f"key-{nr}", reply_to=above.id if above else None)
        refs.append(above.id)
    values = {one["uri"]: one["value"] for one in desk.pds.posts(desk.brand)}
    assert "reply" not in values[refs[0]]
    assert values[refs[2]]["reply"]["root"]["uri"] == refs[0]
    assert values[refs[2]]["reply"]["parent"]["uri"] == refs[1]


def test_what_hangs_on_a_post_that_is_gone_is_not_sent(desk: Desk) -> None:
    gone = f"at://{desk.brand.did}/app.bsky.feed.post/3lnobodywrote"
    with declare(desk.intent()) as receipt, pytest.raises(Doubt, match="not there"):
        desk.adapter.publish(Part(text="second"), "key", reply_to=gone)
    assert receipt.publishing is None


def test_a_post_whose_answer_was_lost_is_found_by_its_name(behind: Desk, front: Front) -> None:
    part = Part(text="did it arrive?")
    behind.adapter.whoami()
    front.acts.append(fronts.cut_after(1 << 20))
    with declare(behind.intent()) as receipt, pytest.raises(Exception, match="onnection"):
        behind.adapter.publish(part, "key")
    assert isinstance(verdict(receipt), Uncertain)
    found = behind.adapter.find(part, since=0, known=frozenset(), key="key")
    assert found is not None
    assert [one["uri"] for one in behind.pds.posts(behind.brand)] == [found.id]
    assert behind.adapter.find(part, since=0, known=frozenset({found.id}), key="key") is None


def test_a_post_that_never_arrived_is_surely_not_there(behind: Desk, front: Front) -> None:
    part = Part(text="did it arrive?")
    behind.adapter.whoami()
    front.acts.append(fronts.cut_before_last(1))
    with declare(behind.intent()) as receipt, pytest.raises(Exception, match="onnection"):
        behind.adapter.publish(part, "key")
    assert isinstance(verdict(receipt), Uncertain)
    assert behind.adapter.find(part, since=0, known=frozenset(), key="key") is None
    behind.publish(part, "key")
    assert len(behind.pds.posts(behind.brand)) == 1


def test_where_nobody_answers_nobody_says_that_a_post_is_not_there(behind: Desk, front: Front) -> None:
    behind.adapter.whoami()
    page = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlost"
    front.acts_for_reads.append(fronts.says(page))
    with pytest.raises(Doubt, match="answered 400"):
        behind.adapter.find(Part(text="x"), since=0, known=frozenset(), key="key")
    with pytest.raises(Doubt, match="by which key"):
        behind.adapter.find(Part(text="x"), since=0, known=frozenset())


def test_a_freeze_between_the_upload_and_the_post_lets_no_post_out(desk: Desk) -> None:
    upload = desk.upload(DOT, PICTURE)
    intent = desk.intent()
    with Stopping(desk.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        with declare(intent) as receipt, pytest.raises(Stopped):
            desk.adapter.publish(Part(text="late", media=(PICTURE,)), "key", uploads=(upload,))
    assert isinstance(verdict(receipt), WasStopped)
    assert desk.pds.posts(desk.brand) == []


def test_a_film_is_shown_with_what_is_said_of_it_and_is_in_the_proof(desk: Desk) -> None:
    data = mp4()
    film = Media(sha256="2" * 64, type="video/mp4", size=len(data), alt="a loaf turns: 🍞")
    part = Part(text="watch", media=(film,))
    assert not desk.adapter.check(part, desk.adapter.limits())
    upload = desk.upload(data, film)
    ref = desk.publish(part, "key", uploads=(upload,))
    (post,) = desk.pds.posts(desk.brand)
    embed = post["value"]["embed"]
    assert (embed["$type"], embed["alt"]) == ("app.bsky.embed.video", film.alt)
    assert (embed["video"]["mimeType"], embed["video"]["size"]) == ("video/mp4", len(data))
    status = desk.emergency.fetch(desk.emergency.looks(ref)[0])
    (shown,) = desk.emergency.files(status.body)
    assert (shown.type, shown.alt) == ("video", film.alt)
    assert httpx.get(shown.url).content == data


def test_what_bluesky_does_not_take_of_a_film_is_known_before(desk: Desk) -> None:
    film = Media(sha256="2" * 64, type="video/mp4", size=100_000_000, alt="👩🏽‍🚒" * 500)
    assert not desk.adapter.check(Part(text="x", media=(film,)), desk.adapter.limits())
    for wrong in (
        replace(film, size=100_000_001),
        replace(film, alt="a" * 1_001),
        replace(film, type="video/webm"),
    ):
        assert desk.adapter.check(Part(text="x", media=(wrong,)), desk.adapter.limits()), wrong
    assert desk.adapter.check(Part(text="x", media=(film, PICTURE)), desk.adapter.limits())


def test_a_blob_that_is_too_large_is_not_taken_and_no_post_shows_it(desk: Desk) -> None:
    """A PDS says no while it is still being sent, and hangs up: what is heard of that is chance, so we check before."""
    data = DOT + bytes(servers.MOST_OF_A_BLOB)
    media = Media(sha256="1" * 64, type="image/png", size=len(data))
    with declare(desk.intent()) as receipt, pytest.raises((Doubt, OSError, HTTPError)):
        desk.adapter.upload(data, media)
    assert isinstance(verdict_of_upload(receipt), Rejected | Uncertain)
    (problem,) = desk.adapter.check(Part(text="x", media=(media,)), desk.adapter.limits())
    assert problem.field == "media1"


def test_a_picture_that_the_pds_takes_and_no_post_may_show_is_refused_with_the_post(desk: Desk) -> None:
    """Once pictures had a million bytes at most, and nobody can ask a PDS of which time it is."""
    data = DOT + bytes(1_200_000)
    media = Media(sha256="1" * 64, type="image/png", size=len(data))
    upload = desk.upload(data, media)
    with declare(desk.intent()) as receipt, pytest.raises(BadRequestError):
        desk.adapter.publish(Part(text="x", media=(media,)), "key", uploads=(upload,))
    found = verdict(receipt)
    assert isinstance(found, Rejected)
    assert "1000000" in found.why
    assert desk.pds.posts(desk.brand) == []


def test_a_text_at_the_limit_is_taken_and_one_beyond_it_is_refused_by_both(desk: Desk) -> None:
    letter = "👩🏽‍🚒"  # four signs, fifteen bytes: 200 of them are 3,000
    fits, over = Part(text="é" * 300), Part(text="é" * 301)
    heavy, heavier = Part(text=letter * 200), Part(text=letter * 200 + "a")
    limits = desk.adapter.limits()
    assert [len(desk.adapter.check(one, limits)) for one in (fits, over, heavy, heavier)] == [0, 1, 0, 1]
    for nr, part in enumerate((fits, over, heavy, heavier)):
        with declare(desk.intent()) as receipt:
            try:
                desk.adapter.publish(part, f"key-{nr}")
            except Exception:  # noqa: BLE001 (the receipt is looked at)
                assert part in (over, heavier)
        assert isinstance(verdict(receipt), Rejected if part in (over, heavier) else Accepted)


def test_one_request_to_publish_leaves_for_one_post_whatever_the_library_does(behind: Desk, front: Front) -> None:
    behind.adapter.whoami()
    before = len(front.creates())
    front.acts.append(fronts.says(b"HTTP/1.1 503 Slow\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    with declare(behind.intent()) as receipt, pytest.raises(RequestException):
        behind.adapter.publish(Part(text="once"), "key")
    assert len(front.creates()) - before == 1
    assert isinstance(verdict(receipt), Uncertain)


def test_a_slow_answer_makes_one_post_and_it_is_found(desk: Desk, front: Front) -> None:
    hasty = desk_at(desk.pds, desk.house, desk.brand, front.url, within=2.0)
    hasty.adapter.whoami()
    before = len(front.creates())
    front.acts.append(fronts.says(made=True, then_silent=True))
    part = Part(text="slow")
    with declare(hasty.intent()) as receipt, pytest.raises(Exception, match=r"deadline|time"):
        hasty.adapter.publish(part, "key")
    assert isinstance(verdict(receipt), Uncertain)
    assert hasty.adapter.find(part, since=0, known=frozenset(), key="key") is not None
    assert len(front.creates()) - before == 1


def test_a_token_that_the_platform_takes_no_more_is_renewed_and_the_post_goes_out_once(desk: Desk) -> None:
    login = desk.adapter._login
    first = login.session()
    login._kept.put(login._key, replace(first, access=first.access[:-4] + "AAAA", proven=-1e9))
    desk.publish(Part(text="renewed"), "key")
    second = login.session()
    assert second.refresh != first.refresh
    login._kept.put(login._key, replace(second, refresh="nonsense", at=-1e9))
    desk.publish(Part(text="logged in anew"), "key-2")
    assert len(desk.pds.posts(desk.brand)) == 2


def test_a_token_that_is_refused_with_the_post_itself_costs_no_post(desk: Desk) -> None:
    """A PDS says that with the status of a post that is wrong; and the next try has a new session."""
    login = desk.adapter._login
    first = login.session()
    login._kept.put(login._key, replace(first, access=first.access[:-4] + "AAAA"))
    with declare(desk.intent()) as receipt, pytest.raises(BadRequestError):
        desk.adapter.publish(Part(text="later"), "key")
    assert isinstance(verdict(receipt), Throttled)
    desk.publish(Part(text="later"), "key")
    assert len(desk.pds.posts(desk.brand)) == 1


def test_who_is_let_in_ten_times_in_five_minutes_is_not_locked_out_by_us(desk: Desk) -> None:
    now = [0.0]
    wrong = servers.account_of(desk.pds.url, replace(desk.brand, app_password="abcd-abcd-abcd-abcd"))
    login = Login(wrong, desk.adapter._client, SealedKeeping(wrong, None), clock=lambda: now[0], kept=Kept())
    for _ in range(10):
        with pytest.raises(TokenRefused):
            login.session()
    with pytest.raises(Doubt, match="five minutes"):
        login.session()
    now[0] = 301.0
    with pytest.raises(TokenRefused):
        login.session()


def test_a_session_is_renewed_by_our_own_clock_and_two_threads_renew_it_once(desk: Desk) -> None:
    now = [0.0]
    keeping = SealedKeeping(desk.account, None)
    login = Login(desk.account, desk.adapter._client, keeping, clock=lambda: now[0], kept=Kept())
    first = login.session()
    now[0] = 3_599.0
    assert login.session() is first
    now[0] = 3_600.0
    second = login.session()
    assert (second.at, second.refresh == first.refresh) == (3_600.0, False)
    assert login._renew(first) is second


def test_both_adapters_of_an_account_share_one_session(behind: Desk, front: Front) -> None:
    behind.adapter.whoami()
    behind.emergency.whoami()
    logins = [one.line for one in front.seen if "createSession" in one.line]
    assert len(logins) == 1


def test_names_are_of_the_form_that_the_network_asks_for_and_do_not_meet() -> None:
    made = {names.rkey_of(f"key-{nr}") for nr in range(20_000)}
    assert len(made) == 20_000
    assert all(len(one) == 13 and one[0] in "234567abcdefghij" for one in made)
    assert names.rkey_of("key-1") == names.rkey_of("key-1")
