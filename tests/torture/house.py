"""A house to be tortured: a temporary directory, a witness, a configuration, a daemon, and everything done to it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from guardian.client import Client
from guardian.fence.house import House
from tests import canaries
from tests.torture import doors, oracle
from tests.torture.agent import HAS_SYSTEMD, AgentSocket
from tests.torture.daemon import RUN, DaemonProcess, NotInTimeError
from tests.torture.history import History, Thaw
from tests.torture.oracle import Findings
from tests.torture.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.torture.doors import Door
    from tests.torture.history import Stop

ACCOUNTS = {"north-a": "north", "north-b": "north", "south-a": "south", "south-b": "south"}
GREETINGS = 3 * len(ACCOUNTS)  # what lanes ask at a start before they send anything: who they are, where, what fits
SCOPES_OF = {
    name: frozenset({"all", "platform:mastodon", f"brand:{brand}", f"account:{name}"})
    for name, brand in ACCOUNTS.items()
}
SCOPES = tuple(sorted(frozenset().union(*SCOPES_OF.values())))
MEMORY = Path("/dev/shm")  # noqa: S108 (a fresh directory is made in it)
NAP = 0.02
PAGE = 1000
NAMED = 500  # posts that the answer to an import names
HEAD_START = 1.0  # seconds


class TorturedHouse:
    """Use it in a `with`: whatever it started is ended by pid, and its directory removed unless something was wrong."""

    on_mastodon: ClassVar[Sequence[str]] = tuple(ACCOUNTS)

    def __init__(self, *, config: str = "", certificate: Path | None = None, uid: int | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="torture-"))
        memory = MEMORY if MEMORY.is_dir() else None  # gates lie in memory, as they do under /run
        self._memory = Path(tempfile.mkdtemp(prefix="torture-", dir=memory))
        self.house = House(str(self.directory / "state"), str(self._memory / "run"))
        self.config = self.directory / "guardian.toml"
        self.witness = self.platform(certificate)
        self.history = History()
        self.imported: dict[str, str] = {}
        self.more = ""
        self.daemon: DaemonProcess | None = None
        self._daemons: list[DaemonProcess] = []
        self._environment = {} if certificate is None else {"SSL_CERT_FILE": str(certificate)}
        self._agent: AgentSocket | None = None
        self.uid = uid
        self.groups: tuple[int, ...] = ()
        self._write(config)
        if uid is not None:
            self._give_to(uid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for daemon in self._daemons:
            if daemon.process.poll() is None:
                daemon.kill()
        if self._agent is not None:
            self._agent.__exit__()
        self.witness.__exit__()
        if kind is None:
            canaries.must_hold_none(self.directory)
            canaries.must_hold_none(self._memory)
        shutil.rmtree(self._memory, ignore_errors=True)
        if kind is None:
            shutil.rmtree(self.directory, ignore_errors=True)

    def platform(self, certificate: Path | None) -> Witness:
        """The platform, which a house with other clocks starts otherwise."""
        return Witness(self.on_mastodon, certificate=certificate)

    def _write(self, more: str) -> None:
        lines = [f'state_dir = "{self.house.state_dir}"', f'runtime_dir = "{self.house.runtime_dir}"', more]
        if "[reconcile]" not in more:
            lines += ["[reconcile]", "looks = 3", 'over = "2s"']
        for name, brand in ACCOUNTS.items():
            secret = self.directory / f"{name}.token"
            secret.touch(0o600)
            secret.write_text(f"rehearsal-{name}\n", "utf-8")
            lines += [
                f"[accounts.{name}]",
                'platform = "mastodon"',
                f'brand = "{brand}"',
                f'base_url = "{self.base_url(name)}"',
                f'identity = "@{name}@{self.witness.place}"',
                f"[accounts.{name}.secrets]",
                f'token = "file:{secret}"',
            ]
        self.config.write_text("\n".join(lines) + "\n", "utf-8")

    def _give_to(self, uid: int) -> None:
        """A service user of its own; others may pass through to the sockets and read the configuration."""
        for path in (self.directory, self._memory, *self.directory.glob("*.token")):
            os.chown(path, uid, uid)
        self._memory.chmod(0o755)
        self.directory.chmod(0o755)

    def make_directories(self) -> None:
        """The two directories of the house, as packaging makes them: its owner's."""
        for path in map(Path, self.house):
            path.mkdir(mode=0o755, exist_ok=True)
            if self.uid is not None:
                os.chown(path, self.uid, self.uid)

    def base_url(self, _: str) -> str:
        """Where an account's platform is."""
        return self.witness.url

    def arrivals(self) -> list[dict[str, Any]]:
        """Every publishing request, with the instants at which its bytes arrived."""
        return self.witness.creates()

    def start(self, *, failpoints: str = "", program: Sequence[str] = RUN, ready: bool = True) -> DaemonProcess:
        """The daemon's next life."""
        self.daemon = DaemonProcess(
            self.house,
            self.config,
            self.directory / "daemon.log",
            failpoints=failpoints,
            program=program,
            environment=self._environment,
            uid=self.uid,
            groups=self.groups,
        )
        self._daemons.append(self.daemon)
        if ready:
            self.daemon.wait_ready()
        return self.daemon

    def listen_for_the_agent(self) -> bool:
        """Have fence.sock answered as systemd does it, until the house is left; False where there is no systemd."""
        if HAS_SYSTEMD and self._agent is None:
            self._agent = AgentSocket(self.house, self.config, self.directory / "agent.log")
        return self._agent is not None

    @property
    def client(self) -> Client:
        """Speaks to the daemon."""
        return Client(self.house, within=30.0)

    def feed(
        self,
        count: int,
        *,
        at: datetime | None = None,
        over: float = 0.0,
        accounts: Sequence[str] = tuple(ACCOUNTS),
        more: str = "",
    ) -> list[str]:
        """Import so many posts, spread over the accounts, each with a text of its own; their ids.

        They are due at once, or at `at`, or one after the other `over` the coming seconds.
        """
        first = at or datetime.now(UTC)
        step = timedelta(seconds=over / count)
        texts = [f"post {len(self.imported) + place}{more or self.more}" for place in range(count)]
        records = [
            json.dumps(self.record(accounts[place % len(accounts)], at=_iso(first + step * place), text=text))
            for place, text in enumerate(texts)
        ]
        ids: list[str] = []
        for start in range(0, count, NAMED):
            some = records[start : start + NAMED]
            answer = self.client.post("/v1/posts/import", {"text": "\n".join(some)})
            if answer["errors"] or len(answer["ids"]) != len(some):
                raise NotInTimeError(f"the import was refused: {str(answer)[:500]}")
            ids += answer["ids"]
        self.imported.update(zip(ids, texts, strict=True))
        return ids

    def record(self, account: str, *, at: str, text: str) -> dict[str, str]:
        """A post as it is imported."""
        return {"account": account, "at": at, "text": text}

    def freeze(self, *scopes: str, door: Door = doors.by_command, drain: float | None = None) -> Stop:
        """Stop, by one of the doors, and remember it."""
        stop = door(self.house, self.config, scopes or ("all",), drain=drain)
        self.history.stops.append(stop)
        return stop

    def thaw(self, *scopes: str, shown: Sequence[str] | None = None) -> dict[str, Any]:
        """Lift, and remember it; with `shown` only if there are no other freezes than these."""
        wanted = scopes or ("all",)
        body = {"scopes": list(wanted), "reason": "torture", **({} if shown is None else {"freezes": list(shown)})}
        requested = time.monotonic_ns()
        answer: dict[str, Any] = self.client.post("/v1/thaw", body)
        self.history.thaws.append(Thaw(wanted, requested, time.monotonic_ns(), shown is None, bool(answer["thawed"])))
        return answer

    def standing(self) -> list[str]:
        """The ids of the freezes in the books, as a person is shown them before a thaw."""
        return [freeze["id"] for freeze in self.client.get("/v1/status")["freezes"]]

    def release(self) -> int:
        """Send what was missed after all; how many that were."""
        return int(self.client.post("/v1/posts/release", {"select": {"all": True}, "gap": "0s"})["count"])

    def counts(self) -> Counter[str]:
        """How many posts are in which state."""
        return Counter(self.client.get("/v1/status")["counts"])

    def rows(self) -> list[dict[str, Any]]:
        """The whole queue, page by page."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.client.get("/v1/posts", limit=PAGE, cursor=cursor)
            found += page["posts"]
            cursor = page["next"]
            if cursor is None:
                return found

    def wait(self, come: Callable[[Counter[str]], bool], within: float, what: str) -> Counter[str]:
        """Until the counts are as wanted."""
        until = time.monotonic() + within
        while True:
            counts = self.counts()
            if come(counts):
                return counts
            if time.monotonic() > until:
                raise NotInTimeError(f"{what} did not come: {dict(counts)}; {self.directory}")
            time.sleep(NAP)

    def wait_all(self, state: str = "published", within: float = 60.0) -> None:
        """Until every imported post is in this state."""
        self.wait(lambda counts: counts[state] == len(self.imported), within, f"all {state}")

    def judge(self) -> Findings:
        """What the oracle says of everything so far; the daemon must run."""
        rows = self.rows()
        creates, posts = self.witness.creates(), self.witness.posts()
        made = Counter(str(post["text"]) for post in posts)
        text_of = dict(self.imported)
        return Findings(
            late=oracle.find_late(self.arrivals(), self.history.closed(), SCOPES_OF),
            lost=oracle.find_lost(self.imported, rows, made),
            double=oracle.find_double(made),
            mismatched=oracle.find_mismatched(self.history, text_of, creates, posts),
        )

    def late(self) -> Findings:
        """Only what came late; the daemon need not run."""
        return Findings(late=oracle.find_late(self.arrivals(), self.history.closed(), SCOPES_OF))


def soon() -> datetime:
    """When posts fall due at which a failpoint stops or ends the daemon: by then it has answered their import."""
    return datetime.now(UTC) + timedelta(seconds=HEAD_START)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
