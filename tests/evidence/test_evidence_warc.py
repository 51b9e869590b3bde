"""What the gate saw is in the archive as it was, in the form that other people's programs read."""

from __future__ import annotations

import base64
import gzip
import io
import zlib
from typing import TYPE_CHECKING

import pytest
from warcio.archiveiterator import ArchiveIterator

from guardian.errors import Refusal
from guardian.evidence import warc
from tests.evidence.building import PICTURE, exchange, filled, fresh

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardian.evidence.signing import Signer
    from guardian.model import Exchange


def archived(root: Path, *exchanges: Exchange) -> bytes:
    bundle = fresh(root)
    for one in exchanges:
        bundle.exchange(one)
    return (bundle.path / "warc/post-1.warc.gz").read_bytes()


def independent(data: bytes) -> Iterator[tuple[str, dict[str, str], bytes, bool | None]]:
    """Type, headers, content and whether the digests pass, as warcio's own reader sees them."""
    for record in ArchiveIterator(io.BytesIO(data), check_digests=True):
        content = record.content_stream().read()
        headers = record.http_headers.headers if record.http_headers else []
        yield record.rec_type, dict(headers), content, record.digest_checker.passed


def test_warcios_own_reader_finds_the_bytes_and_accepts_every_digest(root: Path) -> None:
    data = archived(root, exchange(), exchange(body=PICTURE, response_headers=(("Content-Type", "image/png"),)))
    found = list(independent(data))
    assert [one[0] for one in found] == ["warcinfo", "response", "request", "response", "request"]
    assert found[1][2] == exchange().body
    assert found[3][2] == PICTURE
    assert all(one[3] for one in found)


def test_each_record_is_a_gzip_member_of_its_own_without_a_clock(root: Path) -> None:
    data = archived(root, exchange())
    records = list(warc.scanned(data))
    assert [one.offset for one in records] == [0, records[0].length, records[0].length + records[1].length]
    for one in records:
        member = data[one.offset : one.offset + one.length]
        assert member[4:8] == b"\0\0\0\0"
        assert gzip.decompress(member).startswith(b"WARC/1.1\r\n")


def test_a_body_whose_chunks_were_joined_no_longer_says_that_it_is_chunked(root: Path) -> None:
    headers = dict(list(independent(archived(root, exchange())))[1][1])
    assert "Transfer-Encoding" not in headers
    assert headers["X-Archive-Orig-Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize("packed", [True, False])
def test_a_packed_body_stays_packed_and_an_unpacked_one_says_so(root: Path, packed: bool) -> None:
    plain = b'{"id":"1"}' * 50
    body = gzip.compress(plain) if packed else plain
    headers = (("Content-Encoding", "gzip"), ("Content-Length", str(len(gzip.compress(plain)))))
    (_, response, _) = independent(archived(root, exchange(body=body, response_headers=headers)))
    assert response[2] == plain
    assert ("Content-Encoding" in response[1]) is packed


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"body": b"x" * 10}, "disconnect"),
        ({"body": b"x" * 10, "why": "the answer is too large"}, "length"),
        ({"body": b"x" * 10, "why": "it came too late"}, "time"),
        ({"body": b"x" * 100, "why": "odd"}, "unspecified"),
        ({"body": b"x" * 100}, None),
        ({"body": b"", "method": "HEAD"}, None),
        ({"body": b"", "status": 304}, None),
    ],
)
def test_a_body_that_is_not_whole_is_marked_and_no_other(
    root: Path, changes: dict[str, object], word: str | None
) -> None:
    one = exchange(response_headers=(("Content-Length", "100"),), **changes)
    (_, response, _) = warc.scanned(archived(root, one))
    assert response.header("WARC-Truncated") == word


def test_peer_protocol_and_cipher_are_in_every_record(root: Path) -> None:
    for record in list(warc.scanned(archived(root, exchange(peer="[2001:db8::1]:443"))))[1:]:
        said = [value for name, value in record.headers if name == "WARC-Protocol"]
        assert said == ["http/1.1", "tls/1.3"]
        assert record.header("WARC-Cipher-Suite") == "TLS_AES_256_GCM_SHA384"
        assert record.header("WARC-IP-Address") == "2001:db8::1"
        assert record.header("WARC-Date") == "2026-11-18T11:06:40.000000Z"


def test_record_ids_are_random_so_that_a_short_reply_cannot_be_guessed_by_a_hash(root: Path) -> None:
    assert archived(root, exchange()) != archived(root, exchange())


def test_no_header_of_a_platform_starts_a_header_or_a_record_of_its_own(root: Path) -> None:
    evil = "x\r\nWARC-Type: evil\r\n\r\nWARC/1.1\r\n\0"
    one = exchange(
        url=f"https://m.example/{evil}\u202e ä<>",
        reason=evil,
        peer=f"{evil}:443",
        tls=f"{evil} {evil}",
        response_headers=((evil, evil), ("X", "naïve \u202e"), ("Content-Length", "9" * 5000)),
        request_headers=((evil, evil),),
    )
    data = archived(root, one)
    records = list(warc.scanned(data))
    assert len(records) == 3
    assert all([value for name, value in one.headers if name == "WARC-Type"] != ["evil"] for one in records)
    assert len(list(independent(data))) == 3
    assert all(" " not in (one.header("WARC-Target-URI") or "") for one in records)


def test_a_request_that_got_no_answer_is_noted_and_leaves_no_record(root: Path) -> None:
    bundle = fresh(root)
    assert bundle.exchange(exchange(status=0, why="no answer within 2 s")) is None
    assert not (bundle.path / "warc").exists()
    assert b"no answer within 2 s" in (bundle.path / "exchanges-1.jsonl").read_bytes()


def test_other_peoples_words_are_in_no_file_that_must_stay(root: Path, signer: Signer) -> None:
    path = filled(root, signer).path
    for file in path.rglob("*"):
        if file.is_file() and "third-party" not in str(file.relative_to(path)):
            data = file.read_bytes()
            whole = b"".join(one.block for one in warc.scanned(data)) if file.name.endswith(".warc.gz") else data
            assert b'["yes"]' not in whole, file


def test_no_secret_of_the_process_is_in_any_file(root: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate hands over exchanges without secrets: nothing here finds its way around it."""
    canary = "canary-3f9a1c"
    monkeypatch.setenv("MASTODON_TOKEN", canary)
    monkeypatch.setattr("sys.argv", ["guardian", "--token", canary])
    path = filled(root, signer).path
    private = signer.private.private_bytes_raw()
    for file in path.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            whole = data + (
                b"".join(one.block for one in warc.scanned(data)) if file.name.endswith(".warc.gz") else b""
            )
            assert canary.encode() not in whole
            assert private not in whole
            assert base64.b64encode(private) not in whole
            assert b"PRIVATE KEY" not in whole


@pytest.mark.parametrize("place", [0, 20, 400, -30, -1])
def test_a_changed_byte_of_an_archive_cannot_be_read_as_if_it_were_whole(root: Path, place: int) -> None:
    data = bytearray(archived(root, exchange()))
    data[place] ^= 0x10
    with pytest.raises(Refusal):
        list(warc.scanned(bytes(data)))


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MOST_RECORD", 1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    bomb = packer.compress(b"\0" * (8 << 20)) + packer.flush()
    with pytest.raises(Refusal, match="too large"):
        list(warc.scanned(bomb))
