"""What a PDS's answers mean beyond their status; without a PDS."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from adapters import bluesky_answers as answers
from adapters.bluesky import MAKER
from adapters.bluesky_repository import posts_in
from guardian.adapter import Kind, Meaning
from guardian.errors import Doubt

URI = "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3laaaaaaaaaaa"


def said(error: str) -> bytes:
    return json.dumps({"error": error, "message": "why"}).encode()


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, said("ExpiredToken"), Meaning.LATER),
        (401, said("InvalidToken"), Meaning.LATER),
        (401, said("AccountTakedown"), Meaning.SHUT),
        (400, said("AccountDeactivated"), Meaning.SHUT),
        (400, said("InvalidRequest"), None),
        (401, said("AuthMissing"), None),
        (404, said("ExpiredToken"), None),
        (200, b"{}", None),
        (400, b"<html>ExpiredToken", None),
        (400, b'{"error":"ExpiredToken","message":"x","more":1}', None),
    ],
)
def test_what_is_said_of_the_token_is_not_taken_for_a_word_on_the_post(
    status: int, body: bytes, meaning: Meaning | None
) -> None:
    assert MAKER.reads is not None
    found = MAKER.reads(Kind.PUBLISH, "/xrpc/com.atproto.repo.putRecord", status, body)
    assert (found.meaning if found else None) == meaning


def test_what_is_no_record_has_no_author_and_shows_nothing() -> None:
    image = {"alt": 7, "image": {"ref": {"$link": "bafk"}}}
    embed = {"$type": "app.bsky.embed.images", "images": [image, "x", {"image": {"ref": {"$link": "../evil"}}}]}
    record = {"uri": URI, "cid": "b", "value": {"embed": {"$type": "app.bsky.embed.recordWithMedia", "media": embed}}}
    (shown,) = answers.files(json.dumps(record).encode(), "https://pds.example/blob?cid=")
    assert (shown.url, shown.alt) == ("https://pds.example/blob?cid=bafk", None)
    assert answers.author(json.dumps(record).encode()) == "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    for body in (b"[]", b"{", json.dumps({**record, "uri": "https://x"}).encode(), json.dumps({"uri": URI}).encode()):
        assert answers.author(body) is None
        assert list(answers.files(body, "x")) == []
    by_handle = json.dumps({**record, "uri": URI.replace("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "acme.test")}).encode()
    assert answers.author(by_handle) is None


def test_an_upload_that_was_answered_with_no_blob_is_none() -> None:
    blob = {"ref": {"$link": "bafk"}, "mimeType": "image/png", "size": 9}
    assert answers.blob_in(json.dumps({"blob": blob}).encode()) == ("bafk", "image/png", 9)
    for wrong in ({}, {"blob": 1}, {"blob": {**blob, "size": "9"}}, {"blob": {**blob, "ref": "bafk"}}):
        assert answers.blob_in(json.dumps(wrong).encode()) is None


def test_what_is_no_repository_is_not_read_as_an_empty_one() -> None:
    for body in (b"", b"<html>", bytes(50)):
        with pytest.raises(Doubt):
            posts_in(body, since=0)


def test_a_house_without_an_account_there_never_loads_the_large_library() -> None:
    program = (
        "import sys; import adapters.bluesky; from guardian.gate import accounts;"
        "print([one for one in ('atproto_client', 'httpx', 'httpcore', 'libipld') if one in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "[]\n"
