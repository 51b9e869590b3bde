"""Time stamps: an authority that is down, lies or answers another's question costs a gap in the proof, nothing else."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.config.in_force import InForce
from guardian.config.tables import Evidence
from guardian.duties.heads import Heads
from guardian.duties.shelf import Shelf
from guardian.duties.stamping import Stamping
from guardian.evidence import Bundle
from guardian.evidence import stamps as stamping
from guardian.evidence import verify as verifying
from guardian.gate.authorities import ask
from guardian.model import Grade
from guardian.store import bundles, journal, stamps
from tests.duties.authority import Authority
from tests.duties.conftest import Clock, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.fence.house import House
    from guardian.model import Entry
    from guardian.store.database import Database

DAY = 86_400_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    base = tmp_path_factory.mktemp("authorities")
    both = Authority(base / "first", "first"), Authority(base / "second", "second")
    for one in both:
        one.make()
    return both


@pytest.fixture
def authorities(made: tuple[Authority, Authority]) -> Iterator[tuple[Authority, Authority]]:
    first, second = (dataclasses.replace(one, asked=0, down=False) for one in made)
    running = [one.serve() for one in (first, second)]
    yield tuple(next(one) for one in running)  # type: ignore[misc]  # two went in
    for one in running:
        next(one, None)


class Desk:
    """A shelf with one sealed bundle, and the loop that has it stamped."""

    def __init__(self, house: House, database: Database, authorities: tuple[Authority, ...], roots: Path) -> None:
        self.clock = Clock()
        roots.write_bytes(b"".join(one.root for one in authorities))
        self.urls = [one.url for one in authorities]
        self.database = database
        settings = settings_of(house, ())
        self.settings = settings
        self.roots = roots
        self.in_force = InForce(settings)
        self.name_authorities(*self.urls)
        self.shelf = Shelf(state_dir=settings.state_dir, database=database, clock=self.clock)
        self.shelf.open()
        self.heads = Heads(self.shelf)
        self.stamping = Stamping(shelf=self.shelf, in_force=self.in_force, clock=self.clock, ask=ask, heads=self.heads)
        self.bundle = Bundle.create(
            self.shelf.root, account="acme", platform="mastodon", platform_id="1", at=self.clock()
        )
        self.bundle.add("api/post.json", b"{}")
        self.seal(first=True)

    def name_authorities(self, *urls: str) -> None:
        evidence = Evidence.model_validate({"authorities": list(urls), "roots": str(self.roots)})
        self.in_force.swap(dataclasses.replace(self.settings, evidence=evidence), at=0)

    def seal(self, *, first: bool = False) -> None:
        key, now, name = self.shelf.key(), self.clock(), self.bundle.name
        seal = self.bundle.seal(key.signer, at=now, allowed=key.allowed)
        with self.database.transaction() as tx:
            if first:
                about = bundles.About("acme", "1")
                bundles.record(tx, name, target=about, platform="mastodon", grade=Grade.COMPLETE, now=now)
            self.shelf.note_seal(tx, name, seal, who="a test", now=now)
            stamps.want(tx, name, seal.n, self.urls, now=now)

    def poll(self, times: int = 1) -> int | None:
        following = None
        for _ in range(times):
            following = self.stamping.poll(self.clock())
        return following

    def custody(self, event: str) -> list[Entry]:
        with self.database.reading() as tx:
            return [one for one in journal.after(tx, 0) if one.data.get("event") == event]

    def findings(self) -> list[str]:
        return [str(one) for one in verifying.verify(self.bundle.path)]

    def responses(self) -> list[Path]:
        return sorted(self.bundle.path.glob("SHA256SUMS.*.tsr"))


@pytest.fixture
def desk(house: House, database: Database, authorities: tuple[Authority, Authority], tmp_path: Path) -> Desk:
    return Desk(house, database, authorities, tmp_path / "roots.pem")


def test_each_seal_is_stamped_by_each_authority_and_stock_openssl_agrees(desk: Desk) -> None:
    desk.poll(2)
    first, second = desk.responses()
    assert first.name.startswith("SHA256SUMS.1.")
    assert desk.findings() == []
    assert [one.data["seal"] for one in desk.custody("stamped")] == [1, 1]
    assert {one.data["authority"] for one in desk.custody("stamped")} == set(desk.urls)
    assert desk.custody("anchor gap") == []
    for response in (first, second):
        label = response.name.split(".")[2]
        keys = ("-CAfile", f"keys/tsa-{label}-root.pem", "-untrusted", f"keys/tsa-{label}-chain.pem")
        words = ["openssl", "ts", "-verify", "-data", "SHA256SUMS.1.sig", "-in", response.name, *keys]
        assert subprocess.run(words, cwd=desk.bundle.path, check=False, capture_output=True).returncode == 0


def test_an_authority_that_is_down_is_a_gap_that_is_told_once_and_the_second_one_stamps(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    authorities[0].down = True
    desk.poll(2)
    (gap,) = desk.custody("anchor gap")
    assert gap.data["bundle"] == desk.bundle.name
    assert "503" in str(gap.data["why"])
    assert [one.data["authority"] for one in desk.custody("stamped")] == [authorities[1].url]
    for _ in range(3):
        desk.clock.off += DAY
        desk.poll()
    assert len([one for one in desk.custody("anchor gap") if one.data["bundle"]]) == 1
    assert desk.findings() == []


def test_a_stamp_that_comes_late_shows_by_how_much(desk: Desk, authorities: tuple[Authority, Authority]) -> None:
    authorities[0].down = authorities[1].down = True
    desk.poll(2)
    authorities[0].down = authorities[1].down = False
    desk.bundle = Bundle.open(desk.bundle.path)
    sealed = desk.bundle.path / "seal-1.json"
    assert sealed.exists()
    desk.clock.off += 2 * 60_000  # the authorities' own clock stays, so that the stamp is at most a moment late
    desk.poll(2)
    assert len(desk.custody("stamped")) == 2
    for one in desk.custody("stamped"):
        assert (one.data["tries"], one.data["late_ms"]) == (2, max(int(str(one.data["time"])) - sealed_at(desk), 0))


def sealed_at(desk: Desk) -> int:
    return int(json.loads((desk.bundle.path / "seal-1.json").read_bytes())["at"])


def test_an_answer_to_another_question_is_refused_and_nothing_of_it_is_kept(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    foreign = stamping.query(b"another message")
    same = stamping.query((desk.bundle.path / "SHA256SUMS.1.sig").read_bytes())  # right message, another nonce
    for authority, question in zip(authorities, (foreign, same), strict=True):
        other = authority.answer(question)
        authority.spoil = lambda _, other=other: other  # type: ignore[misc]  # a default binds it now
    desk.poll(2)
    assert desk.responses() == []
    assert len(desk.custody("anchor gap")) == 2
    assert desk.custody("stamped") == []
    assert desk.findings() == []


def test_a_stamp_under_a_root_that_is_not_ours_is_refused(desk: Desk, authorities: tuple[Authority, Authority]) -> None:
    desk.roots.write_bytes(authorities[1].root)
    desk.poll(2)
    assert [one.data["authority"] for one in desk.custody("stamped")] == [authorities[1].url]
    (gap,) = desk.custody("anchor gap")
    assert "no root" in str(gap.data["why"])


@pytest.mark.parametrize(
    "answer", [b"", b"<html>log in</html>", b"0\x03\x02\x01\x02", b"0\x80", b"0\x84\xff\xff\xff\xff"]
)
def test_an_answer_that_is_no_stamp_is_a_gap(
    desk: Desk, authorities: tuple[Authority, Authority], answer: bytes
) -> None:
    authorities[0].spoil = lambda _: answer
    desk.poll(2)
    assert len(desk.custody("anchor gap")) == 1
    assert len(desk.custody("stamped")) == 1
    assert desk.findings() == []


def test_a_bit_that_was_flipped_on_the_way_is_noticed(desk: Desk, authorities: tuple[Authority, Authority]) -> None:
    authorities[0].spoil = lambda answer: answer[:-20] + bytes([answer[-20] ^ 1]) + answer[-19:]
    desk.poll(2)
    assert len(desk.custody("anchor gap")) == 1
    assert len(desk.custody("stamped")) == 1


def test_an_authority_that_nobody_names_any_more_is_not_asked(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    desk.name_authorities(authorities[1].url)
    desk.poll(3)
    assert authorities[0].asked == 0
    assert [one.data["authority"] for one in desk.custody("stamped")] == [authorities[1].url]


def test_a_crash_between_the_stamp_and_its_line_asks_nobody_twice(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    desk.poll(2)
    with desk.database.transaction() as tx:  # as if the line had never been written
        tx.execute("update stamps set done_at = null")
    desk.poll(2)
    assert len(desk.custody("stamped")) == 4
    assert desk.custody("anchor gap") == []
    assert authorities[0].asked + authorities[1].asked == 2


def test_a_later_seal_covers_the_stamps_of_the_one_before(desk: Desk) -> None:
    desk.poll(2)
    desk.bundle = Bundle.open(desk.bundle.path)
    desk.seal()
    assert all(one.name in (desk.bundle.path / "SHA256SUMS.2").read_text() for one in desk.responses())
    desk.poll(2)
    assert len(desk.responses()) == 4
    assert desk.findings() == []


def test_the_end_of_the_journal_is_stamped_once_a_day_and_a_cut_end_shows(desk: Desk) -> None:
    desk.poll(4)
    assert len(desk.custody("head stamped")) == 2
    following = desk.poll()
    assert following is not None
    assert following % DAY == 0
    with desk.database.reading() as tx:
        assert desk.heads.wrong(tx) == []
    (head,) = desk.heads.root.glob("head-*.json")
    whole = head.read_bytes()
    seq = int(whole.partition(b'"seq":')[2].partition(b"}")[0])
    head.write_bytes(whole.replace(b'"seq":%d' % seq, b'"seq":%d' % (seq + 1)))
    with desk.database.reading() as tx:
        assert [name for name, _ in desk.heads.wrong(tx)] == [head.name]
    later = whole.replace(b'"seq":%d' % seq, b'"seq":%d' % (seq + 1000))
    head.write_bytes(later)
    head.with_name(f"{head.name}.sig").write_bytes(desk.shelf.key().signer.sign(later))
    with desk.database.reading() as tx:
        found = dict(desk.heads.wrong(tx))
    assert "its end was cut off" in found[head.name]
    assert len(found) == 3  # and neither stamp is over this signature


def test_a_day_without_authorities_asks_nobody_and_makes_no_head(desk: Desk) -> None:
    desk.name_authorities()
    desk.poll(5)
    assert not desk.heads.root.exists()
    assert desk.poll() is None


def test_heads_are_asked_for_again_when_all_authorities_are_down(
    desk: Desk, authorities: tuple[Authority, Authority]
) -> None:
    authorities[0].down = authorities[1].down = True
    desk.poll(4)
    following = desk.poll()
    assert following is not None
    assert desk.clock() < following <= desk.clock() + 61_000
    assert len(desk.custody("anchor gap")) == 4
    authorities[0].down = authorities[1].down = False
    desk.clock.off += 3_600_000
    desk.poll(5)
    assert len(desk.custody("head stamped")) == 2
    assert len(desk.custody("anchor gap")) == 4


def test_the_lines_that_the_page_prints_for_a_lawyer_pass_as_they_stand(desk: Desk) -> None:
    desk.poll(2)
    label = desk.responses()[0].name.split(".")[2]
    page = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text("utf-8")
    block = page.partition("## To verify it without us")[2].partition("```\n")[2].partition("```")[0]
    lines = block.replace("tsa-example-1a2b3c4d", label).splitlines()
    assert [line.split()[0] for line in lines] == ["sha256sum", "ssh-keygen", "ssh-keygen", "openssl", "openssl"]
    for line in lines:
        ran = subprocess.run(["bash", "-c", line], cwd=desk.bundle.path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, (line, ran.stdout, ran.stderr)
        if line.startswith("ssh-keygen -l"):
            assert desk.shelf.key().fingerprint in ran.stdout
