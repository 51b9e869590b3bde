"""`guardian init`: set up a house, as far as it is not set up yet. Safe to repeat; never arms what is frozen."""

import os
import shlex
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from guardian.cli import init_system, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.cli.init_system import Wish
from guardian.errors import GuardianError, Mistake, NotAllowed
from guardian.fence import reading, scopes
from guardian.fence.arming import Armed, arm_new
from guardian.fence.house import DEFAULTS, SYSTEM_CONFIG, House, config_path, user_config_path

NOT_NEW = "it is not new"
IS_FROZEN = "it is frozen"
MAX_SOCKET_PATH = 107  # as the configuration has it, whose models take long to load
NO_HOME = "cannot tell where a house of yours belongs, because HOME names no directory"
NAME_DIR = "name one: guardian init --dir DIR"
System = Annotated[
    bool, typer.Option("--system", help="This host's: users, groups, directories, units, an example configuration.")
]
Undo = Annotated[bool, typer.Option("--undo", help="With --system: take them away; evidence, journal, keys stay.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="With --system: say what would be done, change nothing.")]
Start = Annotated[bool, typer.Option("--start", help="With --system: enable and start the units, too.")]
Root = Annotated[
    str | None, typer.Option("--root", metavar="DIR", help="With --system: another tree, such as an image's.")
]
Programs = Annotated[
    str | None, typer.Option("--bin", metavar="DIR", help="With --system: where the programs lie, as units see it.")
]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a new house would stand."""

    config: Path
    state_dir: str
    runtime_dir: str


@dataclass(slots=True)
class Done:
    """What was found, and what was done."""

    config: Path
    made: list[str] = field(default_factory=list)
    armed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    accounts: int = 0
    key: str = ""
    new_key: bool = False


def register(app: typer.Typer) -> None:
    """Put the command into the root."""
    app.command("init", epilog="Example: guardian init --dir ~/try-guardian")(init)


def init(  # noqa: PLR0913 (one parameter for each option)
    *,
    directory: Annotated[
        str | None, typer.Option("--dir", metavar="DIR", help="Put everything below this directory.")
    ] = None,
    system: System = False,
    undo: Undo = False,
    dry_run: DryRun = False,
    start: Start = False,
    root: Root = None,
    programs: Programs = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Set up a house; safe to repeat.

    Configuration, directories, and permits for scopes that are new. Never lifts a freeze. With --system also users,
    groups and units, as docs/installing.md has it; what a person changed is kept.
    """
    desk = Desk(config, as_json)
    wish = Wish(undo=undo, dry_run=dry_run, start=start, root=root, programs=programs)
    wish.must_fit(system=system, elsewhere=bool(directory or config))
    if system:
        return _in_the_system(desk, wish)
    if directory and config:
        raise Mistake("cannot use --dir and --config together, because each names the configuration", fix="give one")
    plan = below(directory) if directory is not None else usual(config)
    done, house = _set_up(plan, own=directory is not None or str(plan.config) == user_config_path())
    desk.answer(_document(house, done), _lines(house, done))
    return _told_of_failures(done)


def _in_the_system(desk: Desk, wish: Wish) -> int:
    """The host, or another tree; on the host also the house itself."""
    inside: list[tuple[Done, House]] = []

    def set_up() -> None:
        plan = Plan(Path(SYSTEM_CONFIG), DEFAULTS["state_dir"], DEFAULTS["runtime_dir"])
        inside.append(_set_up(plan, own=False))

    came = init_system.run(wish, as_json=desk.as_json, inside=set_up)
    for done, house in inside:
        document = _document(house, done)
        del document["next"]
        desk.answer({**came.document, "house": document}, [*_inside(done), *came.lines])
        return _told_of_failures(done)
    desk.answer(came.document, came.lines)
    return 0


def _set_up(plan: Plan, *, own: bool) -> tuple[Done, House]:
    """The house that the plan names, as far as it is not set up yet. `own`: one person's, with their tokens beside."""
    from guardian.config import load  # the models take longer to load than most commands to run

    done = Done(plan.config)
    if not os.path.lexists(plan.config):
        _write_configuration(plan, done)
    settings = load(plan.config, with_secrets=False)
    done.accounts = len(settings.accounts)
    _make_directories(settings.house, done)
    if own:
        _private(str(plan.config.parent / "secrets"), done)  # the tokens are theirs alone
    _arm(settings.house, settings.scopes, done)
    _have_a_key(settings.house, done)
    return done, settings.house


def _told_of_failures(done: Done) -> int:
    for scope, why in done.failed.items():
        render.tell(f"cannot arm {scope}, because {why}, do mend that and run guardian init again")
    return 1 if done.failed else 0


def below(directory: str) -> Plan:
    """A house that stands in one directory."""
    base = os.path.abspath(os.path.expanduser(directory))  # noqa: PTH100, PTH111 (the house speaks in plain paths)
    return Plan(Path(base, "guardian.toml"), f"{base}/state", f"{base}/run")


def usual(given: str | None) -> Plan:
    """A house in the system's places for root, in the user's own for everybody else."""
    found = config_path(given)
    if os.geteuid() == 0:
        return Plan(Path(found or SYSTEM_CONFIG), DEFAULTS["state_dir"], DEFAULTS["runtime_dir"])
    own = found or user_config_path()
    if own is None:
        raise Mistake(NO_HOME, fix=NAME_DIR)
    state = f"{_base('XDG_STATE_HOME', '~/.local/state')}/guardian"
    return Plan(Path(own), state, _runtime() or f"{state}/run")


def _base(variable: str, otherwise: str) -> str:
    """A directory that the environment names. As XDG has it, a relative one is as good as none."""
    named = os.environ.get(variable, "")
    found = named if named.startswith("/") else os.path.expanduser(otherwise)  # noqa: PTH111 (a relative HOME is no error)
    if not found.startswith("/"):
        raise Mistake(NO_HOME, fix=NAME_DIR)
    return found


def _runtime() -> str | None:
    """A place in the user's memory directory: there, this user's own, and short enough for a socket; else None."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    try:
        seen = os.stat(base)  # noqa: PTH116 (what the environment says, as it says it)
    except (OSError, ValueError):
        return None
    fits = base.startswith("/") and len(os.fsencode(f"{base}/guardian/control.sock")) <= MAX_SOCKET_PATH
    return f"{base}/guardian" if fits and stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid() else None


def _write_configuration(plan: Plan, done: Done) -> None:
    from guardian.config import template

    secrets = str(plan.config.absolute().parent / "secrets")
    # Refuses, before anything is made, what no house can have.
    text = template(plan.state_dir, plan.runtime_dir, secrets=secrets)
    plan.config.parent.mkdir(parents=True, exist_ok=True)
    beside = plan.config.with_name(f".{plan.config.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            scopes.give_to_owner(fd, str(plan.config.parent))
            file.write(text)
        beside.replace(plan.config)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    done.made.append(str(plan.config))


def _make_directories(house: House, done: Done) -> None:
    """What must survive is the owner's alone; the directory of the sockets may be entered, its fence may not."""
    Path(house.state_dir).parent.mkdir(parents=True, exist_ok=True)
    for path in (house.state_dir, house.permits):
        _private(path, done)
    _make_way_for_the_moment(house.runtime_dir)
    if not os.path.lexists(house.runtime_dir):
        _private(house.runtime_dir, done)
        os.chmod(house.runtime_dir, 0o755)  # noqa: PTH101, S103 (groups reach the control socket)
    _private(house.gates, done)


def _make_way_for_the_moment(runtime_dir: str) -> None:
    """The directory above. A user's own memory directory is there only while the user is logged in, or lingers."""
    above = Path(runtime_dir).parent
    try:
        above.mkdir(parents=True, exist_ok=True)
    except PermissionError:
        raise NotAllowed(
            f"cannot make {runtime_dir}, because {above} is not there and you may not make it",
            fix="log in as this user (or, as root: loginctl enable-linger USER), or write another runtime_dir",
        ) from None


def _private(path: str, done: Done) -> None:
    if not os.path.lexists(path):
        done.made.append(path)
    try:
        scopes.make_private(path)
    except NotADirectoryError:
        raise GuardianError(f"cannot use {path}, because it is no directory", fix="move it away") from None


def _have_a_key(house: House, done: Done) -> None:
    """The key that seals evidence: made once, and never made anew here."""
    from guardian.evidence.keyring import Keyring

    ring = Keyring(Path(house.state_dir))
    key, done.new_key = ring.have(now=time.time_ns() // 1_000_000)
    done.key = key.fingerprint
    if done.new_key:
        done.made.append(str(ring.path))


def _arm(house: House, wanted: tuple[str, ...], done: Done) -> None:
    for scope in wanted:
        came = arm_new(house, scope)
        if isinstance(came, Armed):
            done.armed.append(scope)
        elif came.why in (NOT_NEW, IS_FROZEN):
            done.kept.append(scope)
        else:
            done.failed[scope] = came.why
    done.frozen = [one.scope for one in reading.read_fence(house).scopes if one.state == reading.FROZEN]


def _document(house: House, done: Done) -> dict[str, Any]:
    return {
        "config": str(done.config),
        "state_dir": house.state_dir,
        "runtime_dir": house.runtime_dir,
        "made": done.made,
        "armed": done.armed,
        "kept": done.kept,
        "frozen": done.frozen,
        "evidence_key": done.key,
        "new_evidence_key": done.new_key,
        "failed": [{"scope": scope, "why": why} for scope, why in done.failed.items()],
        "next": _next(done),
    }


def _lines(house: House, done: Done) -> Iterator[str]:
    yield "A house stands." if done.made or done.armed else "The house stands already; nothing was changed."
    yield render.field("config", done.config)
    yield render.field("state", house.state_dir)
    yield render.field("runtime", house.runtime_dir)
    yield from _inside(done)
    yield "Next"
    yield from (f"  {place}. {render.one_line(step)}" for place, step in enumerate(_next(done), start=1))


def _inside(done: Done) -> Iterator[str]:
    """What was made of the house itself, and what was left alone."""
    yield render.field("made", ", ".join(done.made) or "nothing")
    yield render.field("armed", ", ".join(done.armed) or "nothing")
    if done.kept:
        yield render.field("left alone", ", ".join(done.kept))
    if done.frozen:
        yield render.field("frozen", f"{', '.join(done.frozen)}; init never lifts a freeze: guardian thaw does")
    yield render.field("sealing key", f"{done.key}{' (new)' if done.new_key else ''}")
    if done.new_key:
        why = "an evidence bundle that brings its own key proves nothing about who sealed it"
        yield render.field("", f"Give this fingerprint to your lawyer today, on paper or by phone: {why}")


def _next(done: Done) -> list[str]:
    """What to type after this; the configuration is named wherever it would not be found by itself."""
    named = "" if config_path(None) == str(done.config) else f" --config {shlex.quote(str(done.config))}"
    secrets = done.config.parent / "secrets"
    edit = [f"write your accounts into {done.config}: its end says how"]
    if not secrets.exists():
        edit.append(
            f"install -d {shlex.quote(str(secrets))}   # for tokens; the daemon's user must be able to enter it"
        )
    steps = [f"guardian config check{named}", f"guardian run{named}", f"guardian status{named}"]
    return steps if done.accounts else [*edit, *steps]
