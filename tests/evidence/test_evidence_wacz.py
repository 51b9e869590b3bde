"""The export: what replay programs expect of a WACZ, and the same bytes each time."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from surt import surt as reference

from guardian.errors import Refusal
from guardian.evidence import wacz, warc
from guardian.evidence.surt import surt
from tests.evidence.building import NOW, PICTURE, exchange, filled, fresh

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer

ADDRESSES = [
    "https://www.m.example:443/A?b", "http://m.example", "http://m.example/", "https://m.example/@a/1/",
    "https://M.example/a/../b/./c//d", "http://127.0.0.1:8473/api/v1/statuses/1", "http://x.example/?", "http://x.example/a?",
    "https://bsky.social/xrpc/app.bsky.feed.getPosts?uris=at%3A%2F%2Fdid%3Aplc%3Ax%2Fapp.bsky.feed.post%2F3k&B=2&a=1",
    "http://x.example/%2541 b?q=%zz#frag", "https://user:pw@x.example/a", "https://www2.x.example/", "https://x.example/..",
    "https://münchen.example/ö?ü=1", "https://x.example/a?b&a&c=", "https://x.example/../a", "https://x.example/a/..",
    "https://x.example?q=1", "https://[::1]:80/a", "https://x.example:8080/a", "HTTPS://X.EXAMPLE/a", "https://x.example/%E2%82%AC",
]  # fmt: skip


@pytest.mark.parametrize("url", ADDRESSES)
def test_addresses_are_ordered_as_everybody_orders_them(url: str) -> None:
    assert surt(url) == reference(url)


@given(st.text(alphabet="aB./%2Fé?=&;:@+~ ", max_size=30))
def test_any_path_and_query_is_ordered_as_everybody_orders_it(rest: str) -> None:
    url = f"https://m.example/{rest}".rstrip()
    assert surt(url) == reference(url)


def test_an_address_of_another_kind_is_its_own_key() -> None:
    assert surt("at://did:plc:x/1") == "at://did:plc:x/1"


def test_the_package_lists_each_file_with_its_hash_and_its_size(root: Path, signer: Signer, tmp_path: Path) -> None:
    out = tmp_path / "evidence.wacz"
    sha256 = wacz.export(filled(root, signer), out)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == sha256
    with zipfile.ZipFile(out) as packed:
        package = json.loads(packed.read("datapackage.json"))
        digest = json.loads(packed.read("datapackage-digest.json"))
        listed = {one["path"]: one for one in package["resources"]}
        assert (package["profile"], package["wacz_version"]) == ("data-package", "1.1.1")
        assert digest["hash"] == "sha256:" + hashlib.sha256(packed.read("datapackage.json")).hexdigest()
        assert set(packed.namelist()) == {*listed, "datapackage.json", "datapackage-digest.json"}
        for name, one in listed.items():
            data = packed.read(name)
            assert (one["bytes"], one["hash"]) == (len(data), "sha256:" + hashlib.sha256(data).hexdigest())
        assert not any("third-party" in name for name in listed)


def test_the_index_leads_to_each_answer(root: Path, signer: Signer, tmp_path: Path) -> None:
    out = tmp_path / "evidence.wacz"
    wacz.export(filled(root, signer), out, others=True)
    with zipfile.ZipFile(out) as packed:
        blocks = packed.read("indexes/index.cdx.gz")
        lines = gzip.decompress(blocks).decode().splitlines()
        first, *starts = packed.read("indexes/index.idx").decode().splitlines()
        assert json.loads(first.split(" ", 2)[2]) == {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}
        assert lines == sorted(lines)
        for line in lines:
            said = json.loads(line.split(" ", 2)[2])
            archive = packed.read("archive/" + said["filename"])
            (one,) = warc.scanned(archive[int(said["offset"]) : int(said["offset"]) + int(said["length"])])
            assert one.header("WARC-Target-URI") == said["url"]
            assert one.header("WARC-Type") == "response"
        assert any(json.loads(line.split(" ", 2)[2])["mime"] == "image/jpeg" for line in lines)
        for start in starts:
            said = json.loads(start.split(" ", 2)[2])
            assert gzip.decompress(blocks[said["offset"] : said["offset"] + said["length"]])


def test_a_long_index_is_in_blocks_each_of_which_can_be_read_alone() -> None:
    lines = [f"example,m)/{n:05} 20261118110640 {{}}\n" for n in range(2 * wacz.LINES + 1)]
    packed, starts = wacz._index(lines)
    entries = starts.decode().splitlines()[1:]
    assert len(entries) == 3
    text = ""
    for entry in entries:
        said = json.loads(entry.split(" ", 2)[2])
        text += gzip.decompress(packed[said["offset"] : said["offset"] + said["length"]]).decode()
    assert text == "".join(lines)


def test_the_same_bundle_gives_the_same_bytes_and_no_file_is_overwritten(
    root: Path, signer: Signer, tmp_path: Path
) -> None:
    bundle = filled(root, signer)
    assert wacz.export(bundle, tmp_path / "a.wacz") == wacz.export(bundle, tmp_path / "b.wacz")
    with pytest.raises(Refusal, match="exists"):
        wacz.export(bundle, tmp_path / "a.wacz")


def test_the_page_that_was_named_comes_first(root: Path, tmp_path: Path) -> None:
    bundle = fresh(root)
    for n in range(3):
        bundle.exchange(exchange(url=f"https://m.example/{n}", body=PICTURE, began_at=NOW + n))
    wacz.export(bundle, tmp_path / "a.wacz", page="https://m.example/2")
    with zipfile.ZipFile(tmp_path / "a.wacz") as packed:
        head, *pages = (json.loads(line) for line in packed.read("pages/pages.jsonl").splitlines())
    assert head["format"] == "json-pages-1.0"
    assert [one["url"][-1] for one in pages] == ["2", "0", "1"]


def test_a_bundle_without_any_answer_cannot_be_replayed_and_says_so(root: Path, tmp_path: Path) -> None:
    bundle = fresh(root)
    bundle.exchange(exchange(status=0, why="no answer"))
    with pytest.raises(Refusal, match="no answer of a platform"):
        wacz.export(bundle, tmp_path / "a.wacz")
    assert not (tmp_path / "a.wacz").exists()
