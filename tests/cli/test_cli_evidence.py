"""`guardian evidence`: as the on-call person runs it, and as a lawyer does who has nothing but a directory."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from guardian.duties.shelf import Shelf
from guardian.evidence import Bundle
from guardian.model import Exchange, Grade
from guardian.rehearsal import RehearsalPlatform
from guardian.store import bundles
from guardian.store.database import STORE, Database
from tests.cli.conftest import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Ran

    Guardian = Callable[..., Ran]

OTHERS = "third-party/replies.json"
COUNT = 20
HOSTILE = "https://mastodon.example/\x1b[2J\u202e1"


def clock() -> int:
    return time.time_ns() // 1_000_000


def exchange(url: str, body: bytes) -> Exchange:
    return Exchange(
        method="GET", url=url, request_headers=(("Host", "mastodon.example"),), request_body=b"", status=200,
        reason="OK", response_headers=(("Content-Type", "application/json"),), body=body, began_at=clock(), began=1,
        ended=2, peer="127.0.0.1:443", tls=None, certificate=None,
    )  # fmt: skip


def shelve(base: Path, count: int) -> list[str]:
    """Bundles in a house whose daemon does not run yet."""
    made = []
    database = Database(base / "state" / STORE)
    shelf = Shelf(state_dir=base / "state", database=database, clock=clock)
    for number in range(count):
        bundle = Bundle.create(shelf.root, account="acme", platform="mastodon", platform_id=str(number), at=clock())
        bundle.exchange(exchange("https://mastodon.example/api/v1/statuses/1", b'{"id": "1"}'))
        bundle.add("api/before/post.json", b'{"id": "1"}')
        bundle.add(OTHERS, b"[]")
        key = shelf.key()
        seal = bundle.seal(key.signer, at=clock(), allowed=key.allowed)
        with database.transaction() as tx:
            about = bundles.About("acme", str(number), url=HOSTILE)
            name, grade = bundle.name, Grade.COMPLETE
            bundles.record(tx, name, target=about, platform="mastodon", grade=grade, now=clock() + number)
            shelf.note_seal(tx, name, seal, who="guardian", now=clock())
        made.append(bundle.name)
    database.close()
    return made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, list[str]]]:
    with RehearsalPlatform(("acme", "beta")) as platform:
        place = Place(tmp_path_factory.mktemp("evidence"), platform)
        place.write()
        assert place.program("init").returncode == 0
        made = shelve(place.base, COUNT)
        try:
            place.start()
            yield place, made
        finally:
            place.stop()


@pytest.fixture
def place(house: tuple[Place, list[str]], monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("GUARDIAN_CONFIG", str(house[0].config))
    return house[0]


@pytest.fixture
def name(house: tuple[Place, list[str]], place: Place) -> str:
    """A bundle that no other test has used."""
    assert place
    return house[1].pop()


def directory(place: Place, name: str) -> Path:
    return place.base / "state" / "evidence" / name


def spoil(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])


def test_the_list_has_the_latest_first_and_cannot_steer_the_terminal(
    guardian: Guardian, house: tuple[Place, list[str]], name: str
) -> None:
    ran = guardian("evidence", "list")
    assert ran.code == 0
    assert ran.out.index(name) < ran.out.index(house[1][0])
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    document = guardian("evidence", "list", "--json", "--limit", 1).json
    assert len(document["bundles"]) == 1
    assert document["next"]


def test_a_bundle_shows_who_did_what_with_it(guardian: Guardian, name: str) -> None:
    guardian("evidence", "verify", name)
    ran = guardian("evidence", "show", name)
    assert ran.code == 0
    assert "created by guardian" in ran.out
    assert "verified by" in ran.out
    found = guardian("evidence", "show", name, "--json").json
    assert [one["data"].get("event") for one in found["custody"]] == ["created", None, "verified"]
    assert found["directory"].endswith(name)


def test_a_whole_bundle_is_said_to_be_whole_and_what_is_not_proven_is_said_too(guardian: Guardian, name: str) -> None:
    ran = guardian("evidence", "verify", name)
    assert ran.code == 0
    assert f"{name} is whole, by the daemon" in ran.out
    assert "no time stamp" in ran.out


@pytest.mark.parametrize("path", ["api/before/post.json", "SHA256SUMS.1", "SHA256SUMS.1.sig", "warc/post-1.warc.gz"])
def test_a_byte_that_was_changed_is_found_with_its_file_with_and_without_the_daemon(
    guardian: Guardian, place: Place, name: str, tmp_path: Path, path: str
) -> None:
    shutil.copytree(directory(place, name), tmp_path / name)
    spoil(tmp_path / name / path)
    ran = guardian("evidence", "verify", tmp_path / name)
    assert ran.code == 1
    assert f"{path}: " in ran.out
    kept = (directory(place, name) / path).read_bytes()
    spoil(directory(place, name) / path)
    ran = guardian("evidence", "verify", name, "--json")
    assert ran.code == 1
    assert path in {one["file"] for one in ran.json["bundles"][0]["wrong"]}
    assert ran.json["error"]["message"].startswith("cannot trust 1 bundle of 1")
    (directory(place, name) / path).write_bytes(kept)


def test_all_of_them_are_looked_at_and_the_bad_one_is_named(guardian: Guardian, place: Place, name: str) -> None:
    path = directory(place, name) / "api/before/post.json"
    kept = path.read_bytes()
    path.unlink()
    ran = guardian("evidence", "verify", "--all", "--json")
    path.write_bytes(kept)
    assert ran.code == 1
    wrong = {one["name"]: one["wrong"] for one in ran.json["bundles"] if not one["whole"]}
    assert {one: [each["file"] for each in found] for one, found in wrong.items()} == {name: ["api/before/post.json"]}
    assert ran.json["bundles"][-1]["name"] == "heads"
    assert guardian("evidence", "verify", "--all").code == 0


def test_a_copy_is_held_against_the_daemon_s_journal_and_a_swapped_one_is_found(
    guardian: Guardian, place: Place, name: str, tmp_path: Path
) -> None:
    from guardian.evidence.keyring import Keyring

    key = Keyring(place.base / "state").load()
    forged = Bundle.create(tmp_path, account="acme", platform="mastodon", platform_id="1", at=clock())
    forged.add("api/before/post.json", b'{"id": "1", "text": "something milder"}')
    forged.seal(key.signer, at=clock(), allowed=key.allowed)
    (tmp_path / "swapped").mkdir()
    forged.path.rename(tmp_path / "swapped" / name)
    ran = guardian("evidence", "verify", tmp_path / "swapped" / name)
    assert ran.code == 1
    assert "it is not the seal 1 that the journal knows" in " ".join(ran.out.split())
    journal = tmp_path / "lines.jsonl"
    tar = tmp_path / "case.tar"
    assert guardian("evidence", "export", name, "--to", tar).code == 0
    with tarfile.open(tar) as packed:
        lines = packed.extractfile(f"{name}.journal.jsonl")
        assert lines is not None
        journal.write_bytes(lines.read())
    ran = guardian("evidence", "verify", tmp_path / "swapped" / name, "--journal", journal)
    assert ran.code == 1
    assert guardian("evidence", "verify", directory(place, name), "--journal", journal).code == 0
    journal.write_text(journal.read_text().replace('"seal": 1', '"seal": 2'))
    ran = guardian("evidence", "verify", directory(place, name), "--journal", journal)
    assert ran.code == 1
    assert "its words were changed" in " ".join(ran.out.split())


def test_a_directory_verifies_on_a_machine_that_has_no_house(
    guardian: Guardian, place: Place, name: str, tmp_path: Path, empty: Path
) -> None:
    assert empty
    shutil.copytree(directory(place, name), tmp_path / name)
    ran = guardian("evidence", "verify", tmp_path / name)
    assert (ran.code, ran.err) == (0, "")
    said = " ".join(ran.out.split())
    assert "is whole, by this command alone" in said
    assert "not compared with the journal" in said
    assert "its own list of signers alone" in said
    signers = tmp_path / "signers"
    signers.write_text(
        'guardian namespaces="guardian-evidence" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI' + "A" * 43 + "\n"
    )
    assert guardian("evidence", "verify", tmp_path / name, "--signers", signers).code == 1


def test_verifying_takes_bundles_or_all_and_nothing_else(guardian: Guardian, name: str, tmp_path: Path) -> None:
    assert guardian("evidence", "verify").code == 2
    assert guardian("evidence", "verify", name, "--all").code == 2
    assert guardian("evidence", "verify", tmp_path / "nowhere").code == 2
    assert guardian("evidence", "verify", "ev-nosuch").code == 2
    assert guardian("evidence", "verify", "a?b=c").code == 2
    assert guardian("evidence", "verify", name, "--journal", tmp_path / "nowhere").code == 2


def test_an_export_is_a_new_private_file_and_is_written_down(guardian: Guardian, name: str, tmp_path: Path) -> None:
    out = tmp_path / "case.tar"
    ran = guardian("evidence", "export", name, "--to", out, "--json")
    assert ran.code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.stat().st_size == ran.json["bytes"]
    digest = subprocess.run(["sha256sum", str(out)], capture_output=True, text=True, check=True).stdout.split()[0]
    assert digest == ran.json["sha256"]
    assert guardian("evidence", "export", name, "--to", out).code == 2
    assert "exported by" in guardian("evidence", "show", name).out
    with tarfile.open(out) as packed:
        packed.extractall(tmp_path / "there", filter="data")
    assert guardian("evidence", "verify", tmp_path / "there" / name).code == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["case.tar", "there"]


def test_an_archive_is_exported_without_other_people_s_words(guardian: Guardian, name: str, tmp_path: Path) -> None:
    out = tmp_path / "case.wacz"
    assert guardian("evidence", "export", name, "--wacz", "--to", out).code == 0
    assert "archive/post-1.warc.gz" in zipfile.ZipFile(out).namelist()
    assert guardian("evidence", "export", name, "--others", "--to", tmp_path / "x.tar").code == 2


def test_an_export_that_fails_leaves_no_file(guardian: Guardian, place: Place, tmp_path: Path) -> None:
    assert place
    ran = guardian("evidence", "export", "ev-nosuch", "--to", tmp_path / "x.tar")
    assert ran.code == 2
    assert "cannot find the bundle" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_legal_hold_blocks_erasing_until_it_is_lifted_and_all_of_it_is_said(
    guardian: Guardian, place: Place, name: str
) -> None:
    assert guardian("evidence", "hold", name, "--reason", "case 12").code == 0
    assert "case 12" in guardian("evidence", "show", name).out
    assert [one["name"] for one in guardian("evidence", "list", "--held", "--json").json["bundles"]] == [name]
    ran = guardian("evidence", "erase", name, "--ground", "GDPR 17", "--yes")
    assert ran.code == 1
    assert "a legal hold keeps it" in ran.err
    assert (directory(place, name) / OTHERS).exists()
    assert guardian("evidence", "unhold", name, "--reason", "settled").code == 0
    assert guardian("evidence", "unhold", name, "--reason", "settled").code == 1
    ran = guardian("evidence", "erase", name, "--ground", "GDPR 17", "--yes")
    assert ran.code == 0
    assert OTHERS in ran.out
    assert not (directory(place, name) / OTHERS).exists()
    ran = guardian("evidence", "verify", name)
    assert ran.code == 0
    assert "was erased; a tombstone stands for it" in " ".join(ran.out.split())


def test_erasing_is_asked_about_and_only_yes_is_yes(guardian: Guardian, place: Place, name: str) -> None:
    assert guardian("evidence", "erase", name, "--ground", "GDPR 17").code == 2
    assert guardian("evidence", "erase", name, "--ground", "GDPR 17", stdin="no\n", terminal=True).code == 1
    assert (directory(place, name) / OTHERS).exists()
    assert guardian("evidence", "hold", name, "--reason", "").code == 2


def test_the_key_is_the_one_that_init_made_and_a_new_one_seals_from_its_rotation_on(
    guardian: Guardian, place: Place
) -> None:
    again = place.program("init", "--config", str(place.config), "--json")
    before = guardian("evidence", "key", "--json").json
    assert before["fingerprint"] in again.stdout
    assert guardian("evidence", "key").out.splitlines()[0] == before["fingerprint"]
    noted = [one["data"] for one in place.get("/v1/journal?limit=1000")["entries"] if "fingerprint" in one["data"]]
    assert [(one["event"], one["fingerprint"]) for one in noted] == [("key found", before["fingerprint"])]
    assert guardian("evidence", "rotate-key").code == 2
    ran = guardian("evidence", "rotate-key", "--yes", "--json")
    assert (ran.code, ran.json["before"]) == (0, before["fingerprint"])
    assert guardian("evidence", "key", "--json").json["fingerprint"] == ran.json["fingerprint"] != before["fingerprint"]
    assert "PRIVATE" not in ran.out
    assert guardian("evidence", "verify", "--all").code == 0


def test_without_a_daemon_all_that_lies_on_the_shelf_is_verified(
    guardian: Guardian, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(place.base / "state" / "evidence", tmp_path / "state" / "evidence")
    config = tmp_path / "guardian.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\nruntime_dir = "{tmp_path}/run"\n')
    monkeypatch.setenv("GUARDIAN_CONFIG", str(config))
    ran = guardian("evidence", "verify", "--all", "--json")
    assert ran.code == 0
    assert {one["by"] for one in ran.json["bundles"]} == {"this command alone"}
    names = [one["name"] for one in ran.json["bundles"]]
    assert len(names) == COUNT
    spoil(tmp_path / "state" / "evidence" / names[3] / "api/before/post.json")
    ran = guardian("evidence", "verify", names[3])
    assert ran.code == 1
    assert guardian("evidence", "verify", names[4]).code == 0
