"""Time stamps by a real authority of openssl's: only what answers our question over this signature is kept."""

from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from guardian.errors import Mistake, Refusal
from guardian.evidence import Bundle, stamps, verify
from tests.evidence.authority import Authority
from tests.evidence.building import NOW, filled, stamped

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer


def test_a_stamp_tells_when_and_is_whole_before_and_after_the_next_seal(
    root: Path, signer: Signer, authority: Authority
) -> None:
    bundle = filled(root, signer)
    assert sum("no time stamp" in gap for gap in verify.gaps(bundle.path)) == 3
    at = stamped(bundle, 3, authority)
    assert abs(at - time.time() * 1000) < 60_000
    assert verify.verify(bundle.path) == []
    assert sum("no time stamp" in gap for gap in verify.gaps(bundle.path)) == 2
    bundle.seal(signer, at=NOW + 9000)
    assert verify.verify(bundle.path) == []


def test_two_authorities_stamp_one_seal_and_none_does_so_twice(
    root: Path, signer: Signer, authority: Authority, tmp_path: Path
) -> None:
    bundle = filled(root, signer)
    stamped(bundle, 1, authority, "one")
    stamped(bundle, 1, Authority(tmp_path / "other"), "two")
    assert verify.verify(bundle.path) == []
    with pytest.raises(Refusal, match="one already"):
        stamped(bundle, 1, authority, "one")


@pytest.mark.outsider  # this test plays the gate
def test_an_answer_over_http_is_taken(root: Path, signer: Signer, authority: Authority) -> None:
    bundle = filled(root, signer)
    asked = stamps.query((bundle.path / "SHA256SUMS.3.sig").read_bytes())
    with authority.serving() as address:
        request = urllib.request.Request(address, asked, {"Content-Type": "application/timestamp-query"})  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
            response = answer.read(1 << 16)
    stamps.accept(bundle, 3, "loopback", response, asked=asked, roots=authority.root)
    assert verify.verify(bundle.path) == []


def test_a_stamp_of_something_else_of_another_question_or_by_another_root_is_refused_and_nothing_is_kept(
    root: Path, signer: Signer, authority: Authority, tmp_path: Path
) -> None:
    bundle = filled(root, signer)
    data = (bundle.path / "SHA256SUMS.3.sig").read_bytes()
    asked, again, other = stamps.query(data), stamps.query(data), stamps.query(b"something else")
    before = sorted(bundle.path.rglob("*"))
    stranger = Authority(tmp_path / "stranger")
    right = authority.answer(asked)
    for response, question, roots in (
        (authority.answer(other), other, authority.root),
        (authority.answer(again), asked, authority.root),  # another nonce
        (stranger.answer(asked), asked, authority.root),
        (right, asked, stranger.root),
        (right[:-1], asked, authority.root),
        (b"", asked, authority.root),
        (b"<html>busy</html>", asked, authority.root),
        (right, asked, b""),
    ):
        with pytest.raises(Refusal):
            stamps.accept(bundle, 3, "test", response, asked=question, roots=roots)
    with pytest.raises(Mistake):
        stamps.accept(bundle, 3, "../x", right, asked=asked, roots=authority.root)
    assert sorted(bundle.path.rglob("*")) == before


def test_a_refusal_of_the_authority_is_no_stamp(root: Path, signer: Signer, authority: Authority) -> None:
    bundle = filled(root, signer)
    asked = stamps.query((bundle.path / "SHA256SUMS.3.sig").read_bytes())
    refused = authority.answer(b"no query at all")
    with pytest.raises(Refusal):
        stamps.accept(bundle, 3, "test", refused, asked=asked, roots=authority.root)


def test_a_stamp_that_a_crash_left_half_kept_is_taken_again(root: Path, signer: Signer, authority: Authority) -> None:
    bundle = filled(root, signer)
    stamped(bundle, 3, authority)
    (bundle.path / "SHA256SUMS.3.test-one.tsr").unlink()
    assert verify.verify(bundle.path)
    stamped(Bundle.open(bundle.path), 3, authority)
    assert verify.verify(bundle.path) == []


def test_a_stamp_of_another_signature_that_was_noted_all_the_same_is_found_by_openssl(
    root: Path, signer: Signer, authority: Authority
) -> None:
    bundle = filled(root, signer, authority=authority)
    bundle.seal(signer, at=NOW + 9000)
    other = stamps.query(b"something else")
    pieces = {"SHA256SUMS.4.test-one.tsq": other, "SHA256SUMS.4.test-one.tsr": authority.answer(other)}
    bundle.keep_stamp(pieces, {})
    assert {one.file for one in verify.verify(bundle.path)} == {"SHA256SUMS.4.test-one.tsr"}
    assert verify.verify(bundle.path, ask_openssl=False) == []
