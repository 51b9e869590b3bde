"""What is fuzzed inside of this process: every reader of what people, scripts and broken disks hand in.

A target takes bytes and says "ok" or "error". Whatever else it raises is an accident.
"""

from __future__ import annotations

import json
import random  # noqa: TC003 (a NamedTuple looks at its types)
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from guardian.config import Settings, load, parse_duration
from guardian.daemon import limits
from guardian.daemon.manners import TOO_DEEP, unfit
from guardian.duties.foreign import Choices
from guardian.duties.records import Rules, read_record
from guardian.errors import ConfigMistake, Mistake
from guardian.fence import marker, permits, scopes
from guardian.fence.command import Wish, WrongUse, understand
from guardian.fence.house import FenceError, House, find_house
from guardian.model import Media
from guardian.rules import timing
from tests.config.test_config_any import documents
from tests.duties.reading import read_any
from tests.fuzz import inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

OK, ERROR = "ok", "error"
NOW = 1_764_000_000_000
RULES = Rules(
    accounts=("north-a", "north-b"),
    zone="Europe/Stockholm",
    now=NOW,
    files={"a.png": "0" * 64, "b.png": "cannot hand over b.png, because it is not there"},
    media=lambda sha256: Media(sha256=sha256, type="image/png", size=9),
)
KNOWN = {"mastodon": ("token",)}
SCOPE = "account:north-a"
WHOLE = b"""state_dir = "/var/lib/guardian"
runtime_dir = "/run/guardian"
[queue]
zone = "UTC"
late_after = "15m"
[rights]
read = ["guardian"]
[accounts.north-a]
platform = "mastodon"
brand = "north"
base_url = "https://mastodon.example"
identity = "@north@mastodon.example"
[accounts.north-a.secrets]
token = "file:/nothing"
"""


class Target(NamedTuple):
    """One reader; `share` is its part of a long run, in thousandths."""

    name: str
    strategy: SearchStrategy[bytes]
    seeds: tuple[bytes, ...]
    share: int
    judge: Callable[[bytes], str]
    mutate: Callable[[random.Random, Sequence[bytes]], bytes] = inputs.mutated


class Accident(AssertionError):
    """A reader did what it must not."""


class Room:
    """A directory in memory where the files of file readers lie. Use it in a `with`."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108 (a fresh directory is made in it)
        self._made = tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if memory.is_dir() else None)
        self.path = Path(self._made.name)
        self.house = House(str(self.path / "state"), str(self.path / "run"))
        for place in (self.house.gates, self.house.permits):
            Path(place).mkdir(mode=0o700, parents=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._made.cleanup()

    def targets(self) -> tuple[Target, ...]:
        """Every target of this process."""
        permit = f"guardian-permit 1\nscope={SCOPE}\nepoch=7\nboot={permits.boot_id()}\ngate=00ff\n".encode()
        note = b"mark=00ff00ff\nby=root\nat=1764000000000\nreason=why\n"
        rows = b'{"account": "north-a", "at": "2099-01-01T00:00:00Z", "text": "x"}\n' * 2
        sheet = b'account,at,text,media1_path,part2_text\r\nnorth-a,2099-01-01T00:00:00Z,"x, \n",a.png,y\r\n'
        buffer = b"Text,Image URL,Tags,Posting Time\nhello,,a,2031-01-02 09:00\n"
        hootsuite = b"25/11/2031 09:00,hello,https://example.org\n"
        either = inputs.either
        config = documents.map(lambda text: text.encode("utf-8", "surrogatepass"))
        return (
            Target("configuration", either(config), (WHOLE,), 50, self.configuration),
            Target("two paths", either(config), (WHOLE,), 90, self.two_paths),
            Target("permit", either(inputs.permit), (permit,), 130, self.permit),
            Target("marker", either(inputs.marker), (note,), 130, self.marker),
            Target("list of scopes", either(inputs.scopes), (b"\nall\n\naccount:north-a\n",), 90, self.scopes),
            Target("import", either(inputs.records), (rows,), 80, import_lines),
            Target("table", either(inputs.table), (sheet,), 40, partial(import_table, "csv")),
            Target("Buffer's table", either(inputs.bulk), (buffer,), 10, partial(import_table, "buffer")),
            Target("Hootsuite's table", either(inputs.bulk), (hootsuite,), 10, partial(import_table, "hootsuite")),
            Target("record", either(inputs.record, inputs.record_without), (rows,), 40, one_record),
            Target(
                "freeze command", either(inputs.words), (b"--scope\nall\nwhy\n--drain\n5\n--json",), 130, command_line
            ),
            Target("time", either(inputs.times), (b"2026-11-21T09:00:00+01:00\nUTC",), 80, instant),
            Target("duration", either(inputs.durations), (b"2h30m",), 60, duration),
            Target("nesting", either(inputs.nested, inputs.deep), (b'{"a": [1, "]"]}',), 40, nesting),
        )

    def configuration(self, given: bytes) -> str:
        """`guardian run` and `config check`."""
        path = self._laid(self.path / "guardian.toml", given)
        try:
            found = load(path, known=KNOWN)
        except ConfigMistake as error:
            return _worded(error)
        return OK if isinstance(found, Settings) else _accident("no settings")

    def two_paths(self, given: bytes) -> str:
        """What `guardian freeze` reads of the configuration: whatever it says, an absolute house or words."""
        path = self._laid(self.path / "guardian.toml", given)
        try:
            house = find_house(str(path), None, None)
        except FenceError as error:
            return _worded(error)
        return OK if house.state_dir.startswith("/") and house.runtime_dir.startswith("/") else _accident(str(house))

    def permit(self, given: bytes) -> str:
        """Only the very bytes that arming writes mean go."""
        self._laid(Path(self.house.permit(SCOPE)), given).chmod(0o600)
        found = permits.read_volatile(self.house, SCOPE)
        if isinstance(found, permits.Flaw):
            return ERROR if found.why else _accident("no words")
        lines = [
            permits.HEAD,
            f"scope={found.scope}",
            f"epoch={found.epoch}",
            f"boot={found.boot}",
            f"gate={found.gate}",
            "",
        ]
        same = given.rstrip(b"\n").split(b"\n")[2].lstrip(b"epoch=0") == lines[2].encode().lstrip(b"epoch=0")
        return OK if same and found.scope == SCOPE else _accident(f"{given!r} was taken for a permit")

    def marker(self, given: bytes) -> str:
        """Whatever lies there is a marker."""
        path = self._laid(Path(self.house.marker(SCOPE)), given)
        found = marker.read(str(path))
        if not isinstance(found, marker.Marker):
            _accident(f"{given!r} was overlooked")
        return ERROR if found == marker.UNREADABLE else OK

    def scopes(self, given: bytes) -> str:
        """What the list says, as far as it can be read."""
        self._laid(Path(self.house.scopes), given)
        found = scopes.listed(self.house)
        return OK if all(scopes.is_scope(one) for one in found) else _accident(str(found))

    @staticmethod
    def _laid(path: Path, given: bytes) -> Path:
        path.write_bytes(given)
        return path


def import_lines(given: bytes) -> str:
    """A whole file: everything that is wrong, with its line."""
    return import_table("jsonl", given)


def import_table(form: str, given: bytes) -> str:
    """The same of a table: ours, or another tool's."""
    text = given.decode("utf-8", "surrogatepass" if _is_text(given) else "replace")
    good, wrong, _ = read_any(text, form, RULES, Choices(account="north-a", dates="day"))
    lines = text.count("\n") + 1
    for one in wrong:
        if not (1 <= one.line <= lines and one.column >= 1 and one.message.startswith("cannot")):
            _accident(str(one))
    for _, read in good:
        read.draft.digest()
    return ERROR if wrong else OK


def one_record(given: bytes) -> str:
    """A record that came alone, as the socket's JSON parser makes it."""
    try:
        raw = json.loads(given)
    except (ValueError, RecursionError):
        return ERROR
    try:
        read_record(raw, RULES).draft.digest()
    except Mistake as error:
        return _worded(error)
    return OK


def command_line(given: bytes) -> str:
    """The words after `guardian freeze`, as the system hands them over: any bytes but NUL."""
    words = [word.decode("utf-8", "surrogateescape") for word in given.replace(b"\0", b"").split(b"\n")]
    try:
        wish = understand(words)
    except WrongUse as error:
        return _worded(error)
    return (
        OK
        if isinstance(wish, Wish) and wish.scopes and 0 <= wish.drain <= 600 and 0 <= wish.wait <= 600
        else _accident(str(wish))
    )


def instant(given: bytes) -> str:
    """A time and a zone."""
    text, _, zone = given.decode("utf-8", "replace").partition("\n")
    try:
        found = timing.resolve(text, zone or None, now=NOW, default_zone="Europe/Stockholm")
    except Mistake as error:
        return _worded(error)
    return (
        OK
        if timing.EARLIEST.timestamp() * 1000 <= found.at <= timing.LATEST.timestamp() * 1000
        else _accident(str(found))
    )


def duration(given: bytes) -> str:
    """Milliseconds."""
    try:
        found = parse_duration(given.decode("utf-8", "replace"))
    except Mistake as error:
        return _worded(error)
    return OK if found >= 0 else _accident(str(found))


def nesting(given: bytes) -> str:
    """The depth that is counted before parsing is the depth that the parser finds."""
    try:
        raw = json.loads(given)
    except (ValueError, RecursionError):
        unfit(given, limits.MAX_TOKENS)
        return ERROR
    if unfit(given, limits.MAX_TOKENS) is None and _depth(raw) > limits.MAX_DEPTH:
        _accident(f"{given!r} is deeper than counted")
    if (
        unfit(given, limits.MAX_TOKENS) is TOO_DEEP
        and _depth(raw) <= limits.MAX_DEPTH
        and given.isascii()
        and b"\0" not in given
    ):
        _accident(f"{given!r} is not as deep as counted")
    return OK


def _depth(raw: object) -> int:
    if isinstance(raw, dict):
        return 1 + max(map(_depth, raw.values()), default=0)
    return 1 + max(map(_depth, raw), default=0) if isinstance(raw, list) else 0


def _is_text(given: bytes) -> bool:
    try:
        given.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _worded(error: Exception) -> str:
    if not str(error).lstrip().startswith("cannot"):
        _accident(f"no words: {error!r}")
    return ERROR


def _accident(what: str) -> str:
    raise Accident(what[:500])
