"""`guardian doctor`: is everything ready for a bad night? One line for each cause, each with what to do about it.

It looks at what can be looked at from outside, asks the daemon for what only that knows, and says so when it is dead or
hung. It changes nothing, but for a private scope that its self-test arms, stops and takes away.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guardian.cli import doctor_daemon, doctor_fence, doctor_house, doctor_practice, endings, render
from guardian.cli.doctor_daemon import ONLY_IT_KNOWS, Heard
from guardian.cli.findings import GROUPS, Finding, unchecked, verdict_of, well, wrong
from guardian.cli.given import AsJson, Config, Desk
from guardian.fence import reading, telling
from guardian.fence.house import House, is_ours
from guardian.machine import kept_right
from guardian.rules.readiness import Verdict

if TYPE_CHECKING:
    from guardian.config import Settings

AGENT_WITHIN = 5.0
OK = 200
ANSWERS = "it answers"
BAD = (Verdict.WRONG, Verdict.UNCHECKED)
FENCE_CHECKS = ("permits", "gates", "frozen", "self-test")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Machine:
    """What is asked of the machine; tests say it instead."""

    kept_right: Callable[[], bool | None] = kept_right
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000


@dataclass(slots=True)
class Visit:
    """One look at everything. `not_made`: checks that could not be made because of something that was found."""

    path: Path
    house: House
    machine: Machine
    found: list[Finding] = field(default_factory=list)
    not_made: dict[str, str] = field(default_factory=dict)
    settings: "Settings | None" = None
    look_only: bool = False
    ms: int = 0

    @property
    def verdict(self) -> Verdict:
        """The worst of it."""
        return verdict_of(self.found)

    def make(self) -> "Visit":
        """Look at everything."""
        began = time.monotonic()
        self.found.append(doctor_house.clock(self.machine.kept_right()))
        hangs = doctor_house.disk_answers(self.house)
        if hangs is not None:
            self.found.append(hangs)
        else:
            self._look()
        self.ms = round((time.monotonic() - began) * 1000)
        return self

    def _look(self) -> None:
        from guardian.cli.config import known_secrets
        from guardian.config import Settings, read  # the models take longer to load than most commands to run

        said = read(self.path, with_secrets=False, known=known_secrets())
        self.settings = said if isinstance(said, Settings) else None
        self.found += doctor_house.configuration(self.path, self.house, [] if isinstance(said, Settings) else said)
        self.found += doctor_house.secrets(self.path, self.house)
        self.found += doctor_house.room(self.house)
        heard = doctor_daemon.hear(self.house)
        self._daemon(heard)
        self._fence(heard)
        self.found += doctor_practice.proof(self.house, self.settings)
        self.found += doctor_practice.practice(self.house, now=self.machine.now())

    def _daemon(self, heard: Heard) -> None:
        self.found += heard.found
        told = heard.document
        if told is None:
            cause = next((one.check for one in heard.found if one.verdict in BAD), "daemon")
            self._skip(cause, *(check for check in ONLY_IT_KNOWS if check != cause))
            return
        self.found += [one for one in doctor_daemon.of_the_house(told) if not self._doubled(one)]
        self.found += doctor_daemon.of_the_accounts(told["accounts"], now=self.machine.now())
        self.found += doctor_house.stale(self.path, told["config"], self.settings)
        self.found.append(doctor_daemon.journal(self.house))
        if not any(one.check == "config" for one in self.found):
            self.found.append(well("config", "right, and in force"))

    def _doubled(self, one: Finding) -> bool:
        """A clock that nobody keeps right is said once."""
        return one.check == "clock" and any(each.check == "clock" and each.verdict in BAD for each in self.found)

    def _fence(self, heard: Heard) -> None:
        seen = doctor_fence.directories(self.house)
        self.found += seen
        groups = () if self.settings is None else self.settings.rights.freeze
        door = self._agent(groups)
        if not is_ours(self.house):
            self.found.append(unchecked("self-test", "its files are closed to you", doctor_fence.AS_ROOT))
            self._skip("self-test", "permits", "gates", "frozen")
        elif verdict_of(seen) in BAD:
            self._skip("directories", *FENCE_CHECKS)
        else:
            self._files(heard)
            door = self._try(door)
        self.found += [door] if door is not None else []

    def _files(self, heard: Heard) -> None:
        wanted = () if self.settings is None else self.settings.scopes
        runs = heard.document is not None
        try:
            self.found += doctor_fence.permits_and_gates(self.house, wanted, daemon_runs=runs)
        except OSError as error:
            why = f"{error.filename or self.house.gates}: {error.strerror}"
            self.found.append(unchecked("permits", why, doctor_fence.AS_ROOT))

    def _try(self, door: Finding | None) -> Finding | None:
        """The self-test, through the agent, too, if one answers; what to say of the agent then."""
        if self.look_only:
            self._skip("--look-only", "self-test")
            return door
        tested, proof = doctor_fence.self_test(self.house, agent=door is not None and door.words == ANSWERS)
        self.found += tested
        if proof is not None and proof.agent_why:
            return wrong("agent", proof.agent_why, proof.agent_fix)
        if proof is not None and proof.agent_ms is not None:
            return well("agent", f"it stopped the scope of the self-test in {proof.agent_ms:.1f} ms")
        return door

    def _agent(self, groups: tuple[str, ...]) -> Finding | None:
        """Both sockets' files, and whether the agent answers; None where its file is wrong already."""
        read = () if self.settings is None else self.settings.rights.read
        control = doctor_house.socket_file("control", self.house.socket, read)
        if control is not None:
            self.found.append(control)
        elif os.path.exists(self.house.socket):  # noqa: PTH110 (the fence speaks in plain paths)
            self.found.append(well("control", "open to its group alone"))
        file = doctor_house.socket_file("agent", self.house.fence_socket, groups)
        if file is not None:
            self.found.append(file)
            return None
        return self._answer(groups)

    def _answer(self, groups: tuple[str, ...]) -> Finding:
        path = self.house.fence_socket
        try:
            status, said = telling.ask(path, "GET", "/v1/fence", within=AGENT_WITHIN)
        except PermissionError:
            return unchecked("agent", f"you may not open {path}", "ask to be put into the group of [rights] freeze")
        except OSError as error:
            why = f"nobody answers on {path} ({error.strerror or error}): while the daemon hangs, only root may stop"
            fix = "systemctl enable --now guardian-fence.socket"
            relied_on = doctor_house.any_group(groups)
            return wrong("agent", why, fix) if relied_on else _not_needed(groups)
        if status != OK or not isinstance(said, dict):
            return wrong("agent", f"it answered {status}", "journalctl -u 'guardian-fence@*' says why")
        mine = reading.read_fence(self.house)
        if mine.state != reading.UNKNOWN and said.get("state") != mine.state:
            why = f"it says {said.get('state')}, and the fence is {mine.state}: it looks at another house"
            return wrong("agent", why, "mend the configuration of guardian-fence@.service")
        return well("agent", ANSWERS)

    def _skip(self, cause: str, *checks: str) -> None:
        for check in checks:
            self.not_made.setdefault(check, cause)


def _not_needed(groups: tuple[str, ...]) -> Finding:
    named = ", ".join(groups) or "nobody"
    words = f"no agent listens; nobody needs it, as no group of [rights] freeze ({named}) is on this host"
    return well("agent", words)


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("doctor", epilog="Example: guardian doctor --strict --json")(doctor)


def doctor(
    *,
    strict: Annotated[bool, typer.Option("--strict", help="A warning counts as wrong, too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what is not well.")] = False,
    look_only: Annotated[bool, typer.Option("--look-only", help="Without the self-test: touch nothing.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Is everything ready for a bad night? One line for each cause, with what to do.

    Run it as root or as the service user; works with the daemon dead or hung, too. Changes nothing. Exit: 0 well, or
    only warnings; 1 something is wrong, or a check could not be made; with --strict 1 for warnings, too.
    """
    desk = Desk(config, as_json)
    visit = Visit(desk.path(), desk.house(), Machine(), look_only=look_only).make()
    desk.answer(document(visit), lines(visit, quiet=quiet))
    return code_of(visit.verdict, strict=strict)


def code_of(verdict: Verdict, *, strict: bool) -> int:
    """The exit code, whose meaning monitoring may rely on."""
    bad = verdict in BAD or (strict and verdict is Verdict.WARNING)
    return endings.FAILED if bad else endings.DONE


def document(visit: Visit) -> Document:
    """The same for programs."""
    return {
        "verdict": visit.verdict.value,
        "counts": {one.value: sum(each.verdict is one for each in visit.found) for one in Verdict},
        "findings": [one.document() for one in visit.found],
        "not_made": [{"check": check, "because_of": cause} for check, cause in visit.not_made.items()],
        "config": str(visit.path),
        "state_dir": visit.house.state_dir,
        "runtime_dir": visit.house.runtime_dir,
        "took_ms": visit.ms,
    }


def lines(visit: Visit, *, quiet: bool) -> Iterator[str]:
    """For people: what is not well by group; what is well as names."""
    yield _headline(visit)
    for group in GROUPS:
        mine = [one for one in visit.found if one.group == group]
        bad = [one for one in mine if one.verdict is not Verdict.WELL]
        names = list(dict.fromkeys(one.check for one in mine if one.verdict is Verdict.WELL))
        fine = [name for name in names if not any(one.check == name for one in bad)]
        if bad or (fine and not quiet):
            yield render.one_line(f"{group:<10}{', '.join(fine)}{': well' if fine else ''}").rstrip()
        for one in sorted(bad, key=lambda each: list(Verdict).index(each.verdict), reverse=True):
            yield _line(one)
    if visit.not_made:
        causes = sorted(set(visit.not_made.values()))
        for cause in causes:
            left = ", ".join(check for check, because in visit.not_made.items() if because == cause)
            yield render.one_line(f"NOT LOOKED AT because of {cause}: {left}")


def _headline(visit: Visit) -> str:
    counts = {one: sum(each.verdict is one for each in visit.found) for one in Verdict}
    named = (
        (counts[Verdict.WRONG], "wrong"),
        (counts[Verdict.UNCHECKED], "not to be checked"),
        (counts[Verdict.WARNING], "to think about"),
    )
    said = ", ".join(f"{number} {what}" for number, what in named if number)
    verdict = "NOT READY" if visit.verdict in BAD else "READY"
    return f"{verdict}  {said or 'all is well'}; {visit.house.state_dir}, in {visit.ms / 1000:.1f} s"


def _line(one: Finding) -> str:
    """One cause, on one line, however long: it is read by grep, too."""
    word = {Verdict.WRONG: "WRONG", Verdict.UNCHECKED: "UNCHECKED", Verdict.WARNING: "warning"}[one.verdict]
    about = f"{one.about}: " if one.about else ""
    return render.one_line(f"  {word:<10} {one.check:<12} {about}{one.words}, do {one.fix}")
