"""Evidence after it is sealed: a hold goes before every time limit; nothing is erased unsaid or swapped unseen."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from guardian.config.in_force import InForce
from guardian.config.tables import Evidence
from guardian.duties.exporting_evidence import Exporting
from guardian.duties.heads import Heads
from guardian.duties.keeping_evidence import LEAVING, LOOK_AFTER, LOOK_EVERY, KeepingEvidence
from guardian.duties.shelf import Shelf
from guardian.errors import Illegal, Mistake, Refusal, Unfound
from guardian.evidence import Bundle
from guardian.evidence import verify as verifying
from guardian.model import Entry, Exchange, Grade
from guardian.rules import chain
from guardian.store import bundles, journal, stamps
from tests.duties.conftest import Clock, settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence import Seal
    from guardian.fence.house import House
    from guardian.store.database import Database

DAY = 86_400_000
OTHERS = "third-party/replies.json"
WHO = "the night shift"


def exchange(url: str, body: bytes, at: int) -> Exchange:
    """An answer as the gate records it."""
    return Exchange(
        method="GET", url=url, request_headers=(("Host", "mastodon.example"),), request_body=b"", status=200,
        reason="OK",
        response_headers=(("Content-Type", "application/json"),), body=body, began_at=at, began=1, ended=2,
        peer="127.0.0.1:443", tls="TLSv1.3", certificate=None,
    )  # fmt: skip


class Case:
    """A shelf with one bundle of a post and, if wanted, other people's replies."""

    def __init__(self, house: House, database: Database) -> None:
        self.clock = Clock()
        self.database = database
        self.settings = settings_of(house, ())
        self.in_force = InForce(self.settings)
        self.right = True
        self.shelf = Shelf(state_dir=self.settings.state_dir, database=database, clock=self.clock)
        self.shelf.open()
        self.keeping = KeepingEvidence(
            shelf=self.shelf, heads=Heads(self.shelf), in_force=self.in_force, clock=self.clock,
            clock_is_right=lambda: self.right,
        )  # fmt: skip
        self.exporting = Exporting(shelf=self.shelf, clock=self.clock)

    def bundle(self, *, others: bool = True, keep: int | None = 1000 * DAY, number: int = 1) -> Bundle:
        now = self.clock()
        made = Bundle.create(self.shelf.root, account="acme", platform="mastodon", platform_id=str(number), at=now)
        made.exchange(exchange("https://mastodon.example/api/v1/statuses/1", b'{"id": "1"}', now))
        made.add("api/before/post.json", b'{"id": "1"}')
        if others:
            made.exchange(exchange("https://mastodon.example/api/v1/statuses/1/context", b"{}", now), others=True)
            made.add(OTHERS, b'[{"text": "a word of somebody else"}]')
        with self.database.transaction() as tx:
            about = bundles.About("acme", str(number), url="https://mastodon.example/@acme/1")
            bundles.record(tx, made.name, target=about, platform="mastodon", grade=Grade.COMPLETE, now=now, keep=keep)
        self.seal(made)
        return made

    def seal(self, made: Bundle) -> Seal:
        key, now = self.shelf.key(), self.clock()
        seal = made.seal(key.signer, at=now, allowed=key.allowed)
        with self.database.transaction() as tx:
            self.shelf.note_seal(tx, made.name, seal, who=WHO, now=now)
        return seal

    def wrong(self, made: Bundle) -> list[tuple[str, str]]:
        return list(self.keeping.verify(made.name, who=WHO).wrong)

    def events(self, made: Bundle) -> list[object]:
        with self.database.reading() as tx:
            return [line.data.get("event", line.kind) for line in bundles.lines(tx, made.name)]


@pytest.fixture
def case(house: House, database: Database) -> Case:
    return Case(house, database)


def test_a_bundle_that_nobody_touched_is_whole_and_that_it_was_looked_at_is_written_down(case: Case) -> None:
    made = case.bundle()
    assert case.wrong(made) == []
    assert case.events(made) == ["created", "snapshot sealed", "verified"]


def test_every_file_that_is_changed_or_missing_is_named(case: Case) -> None:
    made = case.bundle()
    for path in sorted(one for one in made.path.rglob("*") if one.is_file()):
        whole = path.read_bytes()
        name = str(path.relative_to(made.path))
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert any(file == name for file, _ in case.wrong(made)), name
        path.unlink()
        assert case.wrong(made), name
        path.write_bytes(whole)
    assert case.wrong(made) == []


def test_a_bundle_that_was_made_anew_with_the_same_key_is_found_by_the_journal(case: Case) -> None:
    made = case.bundle()
    kept, key = made.path, case.shelf.key()
    shutil.rmtree(kept)
    forged = Bundle.create(case.shelf.root, account="acme", platform="mastodon", platform_id="1", at=case.clock())
    forged.add("api/before/post.json", b'{"id": "1", "text": "something milder"}')
    forged.seal(key.signer, at=case.clock(), allowed=key.allowed)
    forged.path.rename(kept)
    assert verifying.verify(kept) == []  # by itself it looks right
    assert ("SHA256SUMS.1", "it is not the seal 1 that the journal knows") in case.wrong(made)


def test_a_bundle_that_is_gone_or_lost_its_last_seal_is_named(case: Case) -> None:
    made = case.bundle()
    made.add("later.txt", b"x")
    case.seal(made)
    for name in ("SHA256SUMS.2", "SHA256SUMS.2.sig", "seal-2.json", "later.txt"):
        (made.path / name).unlink()
    assert any("seal 2 is missing: the journal knows it" in what for _, what in case.wrong(made))
    shutil.rmtree(made.path)
    assert case.wrong(made) == [(made.name, "its directory is missing")]


def test_a_seal_that_the_journal_was_never_told_of_is_named(case: Case) -> None:
    made = case.bundle()
    made.add("later.txt", b"x")
    key = case.shelf.key()
    made.seal(key.signer, at=case.clock(), allowed=key.allowed)
    assert [file for file, _ in case.wrong(made)] == ["SHA256SUMS.2"]


def test_a_key_that_is_not_the_house_s_own_is_named(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    from guardian.evidence.keyring import Keyring

    stranger, _ = Keyring(tmp_path_factory.mktemp("stranger")).have(now=case.clock())
    made = Bundle.create(case.shelf.root, account="acme", platform="mastodon", platform_id="1", at=case.clock())
    seal = made.seal(stranger.signer, at=case.clock(), allowed=stranger.allowed)
    with case.database.transaction() as tx:
        about = bundles.About("acme", "1")
        bundles.record(tx, made.name, target=about, platform="mastodon", grade=Grade.NONE, now=case.clock())
        case.shelf.note_seal(tx, made.name, seal, who=WHO, now=case.clock())
    assert any("is not known" in what for _, what in case.wrong(made))


def test_a_house_that_lost_its_key_still_tells_whether_a_bundle_was_changed(case: Case) -> None:
    made = case.bundle()
    shutil.rmtree(case.shelf.keyring.path)
    assert case.wrong(made) == []
    assert any("the house's own keys" in gap for gap in case.keeping.verify(made.name, who=WHO).gaps)
    (made.path / OTHERS).write_bytes(b"[1]")
    assert (OTHERS, "it was changed since it was sealed") in case.wrong(made)


def test_what_other_people_wrote_is_erased_alone_and_the_rest_verifies(case: Case) -> None:
    made = case.bundle()
    gone = case.keeping.erase(made.name, ground="GDPR 17(1)", who=WHO)
    assert {OTHERS, "warc/third-party-1.warc.gz"} < set(gone)
    assert not [name for name in gone if (made.path / name).exists()]
    assert case.wrong(made) == []
    assert any(OTHERS in gap for gap in case.keeping.verify(made.name, who=WHO).gaps)
    with case.database.reading() as tx:
        (line,) = [one for one in bundles.lines(tx, made.name) if one.data.get("event") == "erased"]
        assert bundles.get(tx, made.name).erased_at is not None
        assert bundles.get(tx, made.name).seals == 2
    assert (line.who, line.data["ground"], line.data["files"]) == (WHO, "GDPR 17(1)", gone)
    stone = json.loads((made.path / "tombstones-2.jsonl").read_text())
    assert (stone["who"], stone["ground"], set(stone["files"])) == (WHO, "GDPR 17(1)", set(gone))
    with pytest.raises(Illegal, match="nothing that other people wrote"):
        case.keeping.erase(made.name, ground="again", who=WHO)


def test_words_that_came_after_the_last_seal_are_sealed_before_they_are_erased(case: Case) -> None:
    made = case.bundle()
    made.exchange(exchange("https://mastodon.example/api/v1/statuses/1/context", b"[]", case.clock()), others=True)
    gone = case.keeping.erase(made.name, ground="GDPR 17(1)", who=WHO)
    assert "warc/third-party-2.warc.gz" in gone
    assert case.wrong(made) == []
    assert case.events(made).count("snapshot sealed") == 3


def test_an_erasing_that_a_crash_interrupted_is_finished_and_not_taken_for_a_loss(case: Case) -> None:
    made = case.bundle()
    name = "warc/third-party-1.warc.gz"
    sums = {one: made.sums()[one] for one in (OTHERS, name)}
    stone = {"at": 1, "files": sums, "ground": "GDPR 17(1)", "who": WHO}
    made.append("tombstones.jsonl", json.dumps(stone).encode())
    (made.path / name).unlink()
    assert any(file == name for file, _ in case.wrong(made))
    case.clock.off += 91 * DAY
    assert case.keeping.tidy(case.clock()) == ([], [made.name])
    assert case.wrong(made) == []
    assert not (made.path / OTHERS).exists()


def test_a_legal_hold_blocks_erasing_and_purging_until_it_is_lifted(case: Case) -> None:
    made = case.bundle(keep=DAY)
    held = case.keeping.hold(made.name, reason="case 12", who=WHO)
    assert held.held == "case 12"
    with pytest.raises(Illegal, match="a legal hold keeps it"):
        case.keeping.erase(made.name, ground="GDPR 17", who=WHO)
    case.clock.off += 4000 * DAY
    assert case.keeping.tidy(case.clock()) == ([], [])
    assert (made.path / OTHERS).exists()
    assert case.wrong(made) == []
    case.keeping.unhold(made.name, reason="settled", who=WHO)
    assert case.keeping.tidy(case.clock()) == ([made.name], [])
    assert not made.path.exists()


def test_a_hold_that_lies_in_the_directory_alone_blocks_too(case: Case) -> None:
    made = case.bundle(keep=DAY)
    case.keeping.hold(made.name, reason="case 12", who=WHO)
    with case.database.transaction() as tx:  # as a restored store would have it
        bundles.lift(tx, made.name, reason="lost", who=WHO, now=0)
    case.clock.off += 4000 * DAY
    assert case.keeping.tidy(case.clock()) == ([], [])
    with pytest.raises(Illegal):
        case.keeping.erase(made.name, ground="GDPR 17", who=WHO)
    assert made.path.exists()


def test_a_damaged_bundle_can_be_held_and_is_left_as_it_is(case: Case) -> None:
    made = case.bundle()
    (made.path / "SHA256SUMS.1").write_bytes(b"garbled")
    case.keeping.hold(made.name, reason="case 12", who=WHO)
    assert (made.path / "SHA256SUMS.1").read_bytes() == b"garbled"
    with pytest.raises(Refusal):
        case.keeping.erase(made.name, ground="GDPR 17", who=WHO)
    assert (made.path / OTHERS).exists()


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_nothing_is_held_lifted_or_erased_without_a_reason(case: Case, reason: str) -> None:
    made = case.bundle()
    for act in (
        lambda: case.keeping.hold(made.name, reason=reason, who=WHO),
        lambda: case.keeping.unhold(made.name, reason=reason, who=WHO),
        lambda: case.keeping.erase(made.name, ground=reason, who=WHO),
    ):
        with pytest.raises(Mistake):
            act()
    assert case.events(made) == ["created", "snapshot sealed"]


def test_a_hold_that_is_not_there_cannot_be_lifted(case: Case) -> None:
    made = case.bundle()
    with pytest.raises(Illegal, match="there is none"):
        case.keeping.unhold(made.name, reason="settled", who=WHO)


@pytest.mark.parametrize(
    "name", ["..", "../state", "keys", "ev-x", "", "a" * 200, "ev-20261120T114501Z-m-1-abcd/../keys"]
)
def test_a_name_that_is_no_bundle_reaches_no_file(case: Case, name: str) -> None:
    case.bundle()
    for act in (
        lambda: case.keeping.verify(name, who=WHO),
        lambda: case.keeping.hold(name, reason="x", who=WHO),
        lambda: case.keeping.erase(name, ground="x", who=WHO),
        lambda: case.exporting.export(name, form="tar", who=WHO),
    ):
        with pytest.raises(Unfound):
            act()


def test_other_people_s_words_go_when_their_time_is_over_and_our_own_post_stays(case: Case) -> None:
    made, own = case.bundle(), case.bundle(others=False, number=2)
    case.clock.off += 91 * DAY
    assert case.keeping.tidy(case.clock()) == ([], [made.name])
    assert case.keeping.tidy(case.clock()) == ([], [])
    assert (made.path / "api/before/post.json").exists()
    assert case.wrong(made) == []
    assert case.wrong(own) == []
    with case.database.reading() as tx:
        (line,) = [one for one in bundles.lines(tx, made.name) if one.data.get("event") == "erased"]
    assert line.who == "guardian"
    assert "90 days" in str(line.data["ground"])


def test_how_long_other_people_s_words_are_kept_follows_the_configuration(case: Case) -> None:
    made = case.bundle()
    shorter = Evidence.model_validate({"keep_others": "1d"})
    case.clock.off += 2 * DAY
    assert case.keeping.tidy(case.clock()) == ([], [])
    case.in_force.swap(dataclasses.replace(case.settings, evidence=shorter), at=0)
    assert case.keeping.tidy(case.clock()) == ([], [made.name])


def test_what_is_purged_leaves_its_last_hash_in_the_journal(case: Case) -> None:
    made = case.bundle(keep=DAY)
    with case.database.reading() as tx:
        sha256 = bundles.get(tx, made.name).sha256
    with case.database.transaction() as tx:
        stamps.want(tx, made.name, 1, ["https://tsa.example"], now=0)
    case.clock.off += DAY + 1_000
    assert case.keeping.tidy(case.clock())[0] == [made.name]
    with case.database.reading() as tx:
        last = bundles.lines(tx, made.name)[-1]
        assert stamps.next_due(tx) is None
        with pytest.raises(Unfound):
            bundles.get(tx, made.name)
        assert isinstance(chain.verify(journal.after(tx, 0)), chain.Whole)
    assert (last.data["event"], last.data["sha256"]) == ("purged", sha256)
    assert not list(case.shelf.root.glob("*ev-*"))


@pytest.mark.parametrize("told", [False, True])
def test_a_crash_in_the_middle_of_a_purge_leaves_a_bundle_or_none_and_never_half_of_one(
    case: Case, *, told: bool
) -> None:
    made = case.bundle(keep=None)
    made.path.rename(case.shelf.root / f"{LEAVING}{made.name}")
    if told:
        with case.database.transaction() as tx:
            bundles.forget(tx, made.name)
    case.keeping.tidy(case.clock())
    assert made.path.exists() is not told
    assert not (case.shelf.root / f"{LEAVING}{made.name}").exists()


def test_by_a_clock_in_doubt_nothing_is_let_go(case: Case) -> None:
    made = case.bundle(keep=DAY)
    case.right = False
    case.keeping.poll(case.clock())
    case.clock.off += LOOK_AFTER + 4000 * DAY
    case.keeping.poll(case.clock())
    case.clock.off += LOOK_AFTER
    case.keeping.poll(case.clock())
    assert made.path.exists()
    case.right = True
    case.clock.off += LOOK_EVERY
    case.keeping.poll(case.clock())
    assert not made.path.exists()


def test_one_that_cannot_be_let_go_does_not_keep_the_others(case: Case) -> None:
    broken, made = case.bundle(number=1), case.bundle(number=2)
    (broken.path / "SHA256SUMS.1").write_bytes(b"garbled")
    case.clock.off += 100 * DAY
    assert case.keeping.tidy(case.clock()) == ([], [made.name])
    assert (broken.path / OTHERS).exists()


def test_an_exported_tar_is_the_directory_with_the_journal_s_lines_and_verifies_elsewhere(
    case: Case, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    made = case.bundle()
    with case.exporting.export(made.name, form="tar", who=WHO) as copy, tarfile.open(fileobj=copy) as packed:
        assert {one.uid for one in packed.getmembers()} == {0}
        packed.extractall(elsewhere, filter="data")
    assert verifying.verify(elsewhere / made.name) == []
    lines = [Entry(**json.loads(one)) for one in (elsewhere / f"{made.name}.journal.jsonl").read_text().splitlines()]
    assert [one.kind for one in lines] == ["custody", "snapshot sealed"]
    for line in lines:
        assert isinstance(chain.verify([line], head=line.prev, seq=line.seq - 1), chain.Whole)
    assert case.events(made)[-1] == "exported"
    assert not [one for one in case.shelf.root.iterdir() if one.name not in ("keys", made.name)]


@pytest.mark.parametrize("others", [False, True])
def test_an_exported_archive_has_other_people_s_words_only_if_asked(case: Case, *, others: bool) -> None:
    made = case.bundle()
    with case.exporting.export(made.name, form="wacz", who=WHO, others=others) as copy:
        names = zipfile.ZipFile(io.BytesIO(copy.read())).namelist()
    assert "archive/post-1.warc.gz" in names
    assert ("archive/third-party-1.warc.gz" in names) is others
    assert not [one for one in case.shelf.root.iterdir() if one.name not in ("keys", made.name)]


def test_an_unknown_form_hands_nothing_out_and_writes_nothing_down(case: Case) -> None:
    made = case.bundle()
    with pytest.raises(Mistake):
        case.exporting.export(made.name, form="zip", who=WHO)
    assert case.events(made) == ["created", "snapshot sealed"]


def test_the_fingerprint_of_each_key_stands_in_the_journal_once(case: Case) -> None:
    for _ in range(2):
        Shelf(state_dir=case.settings.state_dir, database=case.database, clock=case.clock).open()
    old, new = case.shelf.rotate(who=WHO)
    with case.database.reading() as tx:
        found = [line for line in journal.after(tx, 0) if "fingerprint" in line.data]
    assert [(line.data["event"], line.data["fingerprint"]) for line in found] == [
        ("key made", old.fingerprint), ("key rotated", new.fingerprint)
    ]  # fmt: skip
