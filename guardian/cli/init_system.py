"""`guardian init --system` and its undo: users, directories, units and an example configuration, as packaging would.

Each step says itself in a line, before it is done (and with `--dry-run` instead of it).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardian.cli import render
from guardian.errors import Mistake, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from guardian.install.steps import Step
    from guardian.install.taking_away import Kept
    from guardian.install.tree import Tree

ONLY_WITH = "cannot use {option} alone, because it belongs to --system"
BASE = {"config": "/etc/guardian/guardian.toml", "secrets": "/etc/guardian/secrets"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed after `init --system`."""

    undo: bool
    dry_run: bool
    start: bool
    root: str | None
    programs: str | None

    def must_fit(self, *, system: bool, elsewhere: bool) -> None:
        """Raise Mistake for options that contradict each other."""
        options = {"--undo": self.undo, "--dry-run": self.dry_run, "--start": self.start}
        options |= {"--root": self.root is not None, "--bin": self.programs is not None}
        for option, given in options.items():
            if given and not system:
                raise Mistake(ONLY_WITH.format(option=option), fix=f"write: guardian init --system {option}")
        if system and elsewhere:
            raise Mistake(
                "cannot use --dir or --config with --system, because units know the system's places alone",
                fix="leave it out",
            )
        if self.undo and (self.start or self.programs is not None):
            raise Mistake("cannot use --start or --bin with --undo, because it takes away", fix="leave it out")
        if self.start and self.root is not None:
            raise Mistake("cannot start anything in another tree, because it does not run", fix="leave out --start")


@dataclass(frozen=True, slots=True)
class Came:
    """What was done (or would be), what else is to be said, and what to type next."""

    document: dict[str, Any]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The house itself, as a plain `guardian init` sets it up; its files are given to the service user."""

    scopes: tuple[str, ...]
    key: bool
    act: Callable[[], None]

    @property
    def line(self) -> str:
        """What is missing of it."""
        keys = ("make the key that seals evidence",) if self.key else ()
        return "; ".join((*keys, *((f"arm what is new: {', '.join(self.scopes)}",) if self.scopes else ())))

    def do(self, tree: Tree) -> None:  # noqa: ARG002 (only ever in the running one)
        """Set it up."""
        self.act()


def run(wish: Wish, *, as_json: bool, inside: Callable[[], None]) -> Came:
    """Do what was wished; `inside` sets up the house of the running system.

    Raises GuardianError, after the steps that were done have been said.
    """
    from guardian.install.tree import Tree

    tree = Tree(wish.root or "/")
    if os.geteuid() != 0 and not wish.dry_run:
        raise NotAllowed("cannot change the system, because you are not root", fix="run it with sudo, or add --dry-run")
    return _take_away(tree, wish, as_json=as_json) if wish.undo else _set_up(tree, wish, as_json=as_json, inside=inside)


def _set_up(tree: Tree, wish: Wish, *, as_json: bool, inside: Callable[[], None]) -> Came:
    from guardian.config import load, template
    from guardian.install import booted, parts, programs, setting_up

    if wish.start and not booted.manages():
        raise Mistake("cannot start anything, because systemd does not run here", fix="leave out --start; see docs")
    place = programs.directory(tree, wish.programs)
    scopes: tuple[str, ...] = ("all",)
    if tree.is_there(parts.CONFIG):  # a mistake in it is said before anything is changed
        scopes = load(tree.path(parts.CONFIG), with_secrets=False).scopes
    text = template("/var/lib/guardian", "/run/guardian", secrets=BASE["secrets"])
    found = setting_up.plan(tree, programs=place, config=text)
    within = _inside(scopes, inside) if tree.is_running else ()
    steps = (*found.steps, *within, *(_starting() if wish.start else ()))
    _say_and_do(steps, tree, wish, as_json=as_json)
    following = list(_next(tree, place, started=wish.start))
    document = _document(tree, wish, steps, notes=found.notes, following=following)
    return Came(document, (*_noted(found.notes), *_numbered(following)))


def _inside(wanted: tuple[str, ...], act: Callable[[], None]) -> Iterator[Step]:
    from guardian.evidence.keyring import Keyring
    from guardian.fence import scopes
    from guardian.install.taking_away import HOUSE

    known = scopes.listed(HOUSE)
    new = tuple(scope for scope in wanted if scope not in known)
    fresh = not Keyring(Path(HOUSE.state_dir)).is_there()
    if new or fresh:
        yield Inside(scopes=new, key=fresh, act=act)


def _starting() -> Iterator[Step]:
    from guardian.install.parts import TO_ENABLE
    from guardian.install.steps import Run

    yield Run(("systemctl", "daemon-reload"), "systemd reads the units")
    yield Run(("systemctl", "enable", "--now", *TO_ENABLE), "now, and at every boot")


def _take_away(tree: Tree, wish: Wish, *, as_json: bool) -> Came:
    from guardian.install import taking_away

    steps = taking_away.plan(tree)
    _say_and_do(steps, tree, wish, as_json=as_json)
    kept = tuple(taking_away.kept(tree))
    document = _document(tree, wish, steps, notes=(), following=[])
    document["kept"] = [{"path": one.path, "what": one.what, "remove": one.remove or None} for one in kept]
    return Came(document, tuple(_kept(kept)))


def _say_and_do(steps: Iterable[Step], tree: Tree, wish: Wish, *, as_json: bool) -> None:
    """Each step in a line, then the step: whatever stops it, what was done has been said."""
    say = render.tell if as_json else render.say
    listed = list(steps)
    where = "" if tree.is_running else f" in {tree.root}"
    if not listed:
        say(f"Nothing is to be done{where}." if wish.undo else f"All of it is there{where}; nothing was changed.")
    elif wish.dry_run:
        say(f"This would be done{where}; nothing was changed:")
    else:
        say(f"Taken off this host{where}:" if wish.undo else f"Set up{where}:")
    for step in listed:
        say(f"  {render.one_line(step.line)}")
        if not wish.dry_run:
            step.do(tree)


def _next(tree: Tree, place: str, *, started: bool) -> Iterator[str]:
    """What to type after it. Nothing is enabled or started unless it was told to be."""
    from guardian.install.booted import manages
    from guardian.install.parts import CONFIG, TO_ENABLE

    guardian = f"{place}/guardian"
    units = " ".join(TO_ENABLE)
    if not tree.is_running:
        yield f"systemctl --root={tree.root} enable {units}   # to have it start with that system"
        return
    yield "usermod -aG guardian NAME   # may look and freeze"
    yield "usermod -aG guardian,guardian-operate NAME   # may also thaw; docs/security.md has the table"
    yield f"write your accounts into {CONFIG}: its end says how; the tokens go into {BASE['secrets']}"
    yield f"{guardian} config check"
    if not started and manages():
        yield "systemctl daemon-reload"
        yield f"systemctl enable --now {units}   # after an upgrade: systemctl restart guardian.service"
    elif not started:
        yield "systemd does not run here: start the daemon and the agent by your supervisor (docs/installing.md)"
    yield f"{guardian} status"


def _document(
    tree: Tree, wish: Wish, steps: Iterable[Step], *, notes: Iterable[str], following: list[str]
) -> dict[str, Any]:
    return {
        "root": tree.root,
        "dry_run": wish.dry_run,
        "undo": wish.undo,
        "steps": [step.line for step in steps],
        "notes": list(notes),
        "next": following,
    }


def _noted(notes: Iterable[str]) -> Iterator[str]:
    for note in notes:
        yield render.field("note", note)


def _numbered(following: Iterable[str]) -> Iterator[str]:
    yield "Next"
    yield from (f"  {place}. {render.one_line(step)}" for place, step in enumerate(following, start=1))


def _kept(kept: Iterable[Kept]) -> Iterator[str]:
    """What stays, and under each that can be removed as a whole, how."""
    yield "Kept"
    for one in kept:
        yield f"  {render.one_line(one.path)}   {one.what}"
        if one.remove:
            yield f"      to remove it by hand: {render.one_line(one.remove)}"
    yield "The program itself stays, too: remove it as you installed it."
