"""An incident on a real PDS: a post is looked at, proven, taken down and gone; nothing else is done under it."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import libipld
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from adapters import bluesky_answers as answers
from adapters import bluesky_repository
from guardian.errors import Doubt, Mistake, Refusal
from guardian.fence.passage import Stopped
from guardian.fence.stopping import Order, Stopping
from guardian.gate import intents, recording
from guardian.gate.intents import declare
from guardian.gate.verdicts import Accepted, verdict_of_retract
from guardian.model import Decision, Exchange, Native, Part, PostRef, Presence
from tests.bluesky.conftest import desk_at
from tests.bluesky.test_bluesky_publishing import DOT, PICTURE

if TYPE_CHECKING:
    from guardian.adapter import Answer
    from tests.bluesky.conftest import Desk


def is_signed(commit: dict[str, Any], document: dict[str, Any]) -> bool:
    """Whether the key that the account's own document names signed this commit."""
    (method,) = document["verificationMethod"]
    _, key = libipld.decode_multibase(method["publicKeyMultibase"])
    assert key[:2] == b"\xe7\x01"  # of the curve secp256k1
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key[2:])
    plain = libipld.encode_dag_cbor({name: value for name, value in commit.items() if name != "sig"})
    r, s = (int.from_bytes(half) for half in (commit["sig"][:32], commit["sig"][32:]))
    try:
        public.verify(encode_dss_signature(r, s), plain, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def looked_at(desk: Desk, ref: PostRef) -> dict[str, Answer]:
    """Everything that a PDS without bsky.app behind it can say."""
    return {
        look.name: desk.emergency.fetch(look)
        for look in desk.emergency.looks(ref)
        if look.name in ("status", "proof", "account")
    }


def test_a_post_is_taken_down_while_frozen_and_twice_is_no_harm(desk: Desk) -> None:
    ref = desk.publish(Part(text="wrong"), "key")
    kept = desk.publish(Part(text="right"), "key-2")
    assert desk.emergency.presence(ref) is Presence.THERE
    with Stopping(desk.house, Order(("all",), "why", "me", 2.0), may_kill=False) as stopping:
        assert stopping.confirm()
        assert verdict_of_retract(desk.take_down(Decision.DELETE, ref)) == Accepted(200)
        assert desk.emergency.presence(ref) is Presence.GONE
        assert verdict_of_retract(desk.take_down(Decision.DELETE, ref)) == Accepted(200)
    assert [one["uri"] for one in desk.pds.posts(desk.brand)] == [kept.id]


def test_a_takedown_waits_for_no_login_to_look_and_read_back(desk: Desk) -> None:
    ref = desk.publish(Part(text="wrong"), "key")
    wrong = type(desk.brand)(desk.brand.did, desk.brand.handle, "", "abcd-abcd-abcd-abcd")
    stranger = desk_at(desk.pds, desk.house, wrong, desk.pds.url).emergency
    assert stranger.presence(ref) is Presence.THERE
    assert {look.name: stranger.fetch(look).status for look in stranger.looks(ref)[:3]} == {
        "status": 200,
        "proof": 200,
        "account": 200,
    }


def test_the_proof_is_the_record_and_a_commit_that_the_account_signed(desk: Desk) -> None:
    ref = desk.publish(Part(text="proven"), "key")
    found = looked_at(desk, ref)
    stored = answers.stored(found["status"].body)
    header, blocks = libipld.decode_car(found["proof"].body)
    for cid, block in blocks.items():
        assert hashlib.sha256(libipld.encode_dag_cbor(block)).digest() == cid[4:]
    commit = blocks[header["roots"][0]]
    assert commit["did"] == desk.brand.did
    assert is_signed(commit, json.loads(found["account"].body)["didDoc"])
    assert not is_signed(commit | {"rev": "3laaaaaaaaaaa"}, json.loads(found["account"].body)["didDoc"])
    ((rkey, _, text),) = bluesky_repository.posts_in(found["proof"].body, since=0)
    assert (ref.id.rpartition("/")[2], text) == (rkey, "proven")
    assert stored is not None
    assert stored.cid in {libipld.encode_cid(cid) for cid in blocks}


def test_whose_it_is_and_what_it_shows_is_said_by_its_bytes(desk: Desk) -> None:
    upload = desk.upload(DOT, PICTURE)
    ref = desk.publish(Part(text="look", media=(PICTURE,)), "key", uploads=(upload,))
    status = looked_at(desk, ref)["status"].body
    assert desk.emergency.author(status) == desk.brand.did
    (shown,) = desk.emergency.files(status)
    assert shown.alt == PICTURE.alt
    assert httpx.get(shown.url).content == DOT
    assert desk.emergency.author(b"{}") is None
    assert desk.emergency.files(b"<html>") == ()


def test_a_post_is_found_by_the_addresses_that_people_paste(desk: Desk) -> None:
    ref = desk.publish(Part(text="here"), "key")
    rkey = ref.id.rpartition("/")[2]
    for address in (
        ref.id,
        ref.url or "",
        f"https://bsky.app/profile/{desk.brand.handle}/post/{rkey}?ref=x#y",
        f"at://{desk.brand.handle}/app.bsky.feed.post/{rkey}",
    ):
        assert desk.emergency.resolve(address) == ref, address
    for address in (
        "https://bsky.app.evil.example/profile/x.test/post/abc",
        "https://bsky.app/profile/nobody-at-all.test/post/abc",
        f"https://bsky.app/profile/{desk.brand.handle}",
        f"at://{desk.brand.did}/app.bsky.graph.block/{rkey}",
        "https://bsky.app/profile/../post/x",
        "nonsense",
    ):
        assert desk.emergency.resolve(address) is None, address


def test_what_was_published_lately_is_what_the_pds_has_signed(desk: Desk) -> None:
    began = round(time.time() * 1000)
    ours = desk.publish(Part(text="ours"), "key")
    gone = desk.publish(Part(text="gone"), "key-2")
    record = {"$type": "app.bsky.feed.post", "text": "another tool's", "createdAt": "2020-01-01T00:00:00Z"}
    theirs = desk.pds.post(
        "com.atproto.repo.createRecord",
        {"repo": desk.brand.did, "collection": "app.bsky.feed.post", "record": record},
        desk.brand.token,
    )
    desk.take_down(Decision.DELETE, gone)
    seen = {one.ref.id: one.text for one in desk.emergency.recent(since=began)}
    assert seen == {ours.id: "ours", theirs["uri"]: "another tool's"}
    assert list(desk.emergency.recent(since=began + 3_600_000)) == []


def test_what_cannot_be_done_is_refused_in_words_and_nothing_leaves(desk: Desk) -> None:
    ref = desk.publish(Part(text="still here"), "key")
    native = Native(id="1", due=0, text="", files=(), raw={})
    assert desk.emergency.natives() is None
    with declare(intents.retracting(desk.account, ref.id)) as receipt:
        for act in (
            lambda: desk.emergency.prepare(Decision.HIDE, ref, {}),
            lambda: desk.emergency.undo(ref, {}),
            lambda: desk.emergency.remove_native(native),
            lambda: desk.emergency.deferral(native, until=1),
            lambda: desk.emergency.defer_native(native, until=1),
        ):
            with pytest.raises(Refusal):
                act()
    assert receipt.traces == []
    with pytest.raises(Mistake):
        desk.emergency.presence(PostRef(id="https://bsky.app/profile/x/post/y"))
    assert desk.emergency.presence(ref) is Presence.THERE


def test_under_the_takedown_of_one_post_no_other_is_taken_down_and_none_is_written(desk: Desk) -> None:
    ref = desk.publish(Part(text="one"), "key")
    other = desk.publish(Part(text="two"), "key-2")
    with declare(intents.retracting(desk.account, ref.id)), pytest.raises(Stopped):
        desk.emergency.retract(Decision.DELETE, other, desk.emergency.prepare(Decision.DELETE, other, {}))
    with declare(intents.retracting(desk.account, ref.id)), pytest.raises(Stopped, match="was not announced"):
        desk.adapter.publish(Part(text="three"), "key-3")
    assert {one["uri"] for one in desk.pds.posts(desk.brand)} == {ref.id, other.id}


def test_what_is_neither_a_post_nor_a_takedown_does_not_leave_whatever_is_announced(desk: Desk) -> None:
    ref = desk.publish(Part(text="one"), "key")
    did, rkey = desk.brand.did, ref.id.rpartition("/")[2]
    headers = {"Authorization": f"Bearer {desk.adapter._login.session().access}"}
    gate = {"repo": did, "collection": "app.bsky.feed.threadgate", "rkey": rkey}
    before = desk.pds.revision(desk.brand)
    for method, said in (
        ("com.atproto.repo.createRecord", {"repo": did, "collection": "app.bsky.feed.post", "record": {}}),
        ("com.atproto.repo.putRecord", {**gate, "collection": "app.bsky.actor.profile", "rkey": "self", "record": {}}),
        ("com.atproto.repo.deleteRecord", {**gate, "collection": "app.bsky.graph.block"}),
        ("com.atproto.server.createAppPassword", {"name": "another"}),
        ("com.atproto.server.deleteSession", {}),
    ):
        for intent in (desk.intent(), intents.retracting(desk.account, ref.id)):
            with declare(intent), pytest.raises(Stopped, match="nobody declared"):
                desk.adapter._http.post(desk.adapter._at(method), json=said, headers=headers)
    for method in ("applyWrites", "deleteRecord", "putRecord"):  # a gate is lifted, or laid, under its own name alone
        said = {**gate, "record": {"$type": gate["collection"], "post": ref.id}}
        with declare(intents.retracting(desk.account, ref.id)), pytest.raises(Stopped):
            desk.adapter._http.post(desk.adapter._at(f"com.atproto.repo.{method}"), json=said, headers=headers)
    assert desk.pds.revision(desk.brand) == before


def test_no_token_and_no_password_is_in_what_is_kept(desk: Desk) -> None:
    kept: list[Exchange] = []
    with recording.record(kept.append):
        desk.adapter.whoami()
        desk.publish(Part(text="quiet"), "key")
    session = desk.adapter._login.session()
    assert {one.method for one in kept} == {"GET", "POST"}
    for secret in (desk.brand.app_password, session.access, session.refresh):
        assert secret not in repr(kept)
        assert secret not in repr(session)
        assert secret not in repr(desk.adapter._login)


def test_where_the_pds_answers_with_no_repository_nobody_says_what_is_new() -> None:
    for body in (b"", b"<html>", b"\x00" * 50):
        with pytest.raises(Doubt):
            bluesky_repository.posts_in(body, since=0)


def test_presence_believes_nothing_but_the_protocols_own_words() -> None:
    uri = "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3laaaaaaaaaaa"
    there = json.dumps({"uri": uri, "cid": "b", "value": {}}).encode()
    gone = b'{"error":"RecordNotFound","message":"Could not locate record"}'
    assert answers.presence(200, there, uri) is Presence.THERE
    assert answers.presence(400, gone, uri) is Presence.GONE
    for status, body in (
        (404, gone),
        (200, gone),
        (400, b'{"error":"InvalidRequest","message":"Could not locate record"}'),
        (400, b'{"error":"RecordNotFound","message":"x","status":400}'),
        (200, there.replace(b"3laa", b"3lab")),
        (502, b"<html>"),
        (400, b"[" * 100_000),
    ):
        assert answers.presence(status, body, uri) is Presence.UNKNOWN
