"""Deciding what a tree needs to be a house: only what is missing, or ours and of another version. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.errors import GuardianError, Mistake
from guardian.fence.house import DEFAULTS, find_house
from guardian.install import parts, snippets
from guardian.install.sealed import Whose, whose
from guardian.install.steps import Link, Make, Run, Write
from guardian.install.tree import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.install.parts import Part
    from guardian.install.steps import Step
    from guardian.install.tree import Tree

MEMORY = "/run/"
BY_HAND = "make them by hand, as docs/installing.md says, then run this again"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in this order, and what was seen on the way that a person should know."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def plan(tree: Tree, *, programs: str, config: str) -> Plan:
    """The plan for this tree: units that start what lies in `programs`, and the text `config` where there is none.

    Raises Mistake where the configuration names directories that the units do not know.
    """
    _must_name_our_directories(tree)
    steps: list[Step] = []
    notes: list[str] = []
    for part in (parts.sysusers(), parts.tmpfiles(), *parts.units(programs)):
        _lay(tree, part, steps, notes)
    steps += _accounts(tree, snippets_in_force(tree, parts.sysusers()))
    steps += _directories(tree, snippets_in_force(tree, parts.tmpfiles()))
    if not tree.is_there(parts.CONFIG):
        steps.append(Write(parts.CONFIG, config))
    _have_the_command(tree, f"{programs}/guardian", steps, notes)
    notes += [
        f"{parts.THEIR_UNITS}/{name} is there, and systemd takes it in place of ours"
        for name in parts.names()
        if tree.is_there(f"{parts.THEIR_UNITS}/{name}")
    ]
    return Plan(tuple(steps), tuple(notes))


def snippets_in_force(tree: Tree, part: Part) -> str:
    """The text that systemd goes by: one of the person's in /etc, else what lies in our place, else ours."""
    theirs = part.path.replace("/usr/local/lib/", "/etc/")
    found = tree.read(theirs) if tree.is_there(theirs) else tree.read(part.path)
    if found is None or whose(found) is Whose.OURS:
        return part.text
    return found


def _must_name_our_directories(tree: Tree) -> None:
    if not tree.is_there(parts.CONFIG):
        return
    named = find_house(str(tree.path(parts.CONFIG)), None, None)
    for key, ours in DEFAULTS.items():
        if getattr(named, key) != ours:
            raise Mistake(
                f"cannot install, because {parts.CONFIG} has {key} = {getattr(named, key)!r} and the units know "
                f"{ours} alone",
                fix=f"write {ours} there (a mount may lie there), or run that house by a supervisor of your own",
            )


def _lay(tree: Tree, part: Part, steps: list[Step], notes: list[str]) -> None:
    found = tree.read(part.path)
    if found == part.text:
        return
    if whose(found) is not Whose.THEIRS:
        steps.append(Write(part.path, part.text))
        return
    beside = f"{part.path}.new"
    lies = tree.read(beside)
    if lies != part.text and whose(lies) is Whose.THEIRS:
        notes.append(f"{part.path} is kept, because it was changed, and {beside} too: move that away to see ours")
        return
    if lies != part.text:
        steps.append(Write(beside, part.text))
    notes.append(f"{part.path} is kept, because it was changed; ours lies beside it: {beside}")


def _have_the_command(tree: Tree, program: str, steps: list[Step], notes: list[str]) -> None:
    """`guardian freeze` must be found, also by sudo, wherever the program was installed."""
    if program.rpartition("/")[0] in parts.ON_THE_PATH or tree.link(parts.COMMAND) == program:
        return
    if tree.is_there(parts.COMMAND):
        notes.append(f"{parts.COMMAND} is there and is not {program}: it is what people start who type guardian")
    else:
        steps.append(Link(parts.COMMAND, program))


def _accounts(tree: Tree, sysusers: str) -> Iterator[Step]:
    """Users and groups that are missing, by systemd-sysusers, else by groupadd and useradd."""
    users = [one for one in snippets.users(sysusers) if tree.uid(one.name) is None]
    groups = [one for one in snippets.groups(sysusers) if tree.gid(one) is None]
    if not users and not groups:
        return
    what = ", ".join([*(f"user {one.name}" for one in users), *(f"group {one}" for one in groups)])
    sysusers_program = program("systemd-sysusers")
    if sysusers_program:
        yield Run((sysusers_program, *_rooted(tree, "--root="), "guardian.conf"), what)
        return
    groupadd, useradd = program("groupadd"), program("useradd")
    if groupadd is None or useradd is None:
        raise GuardianError(f"cannot make {what}, because neither systemd-sysusers nor useradd is here", fix=BY_HAND)
    prefix = () if tree.is_running else ("--prefix", tree.root)
    for name in groups:
        yield Run((groupadd, *prefix, "--system", name), f"group {name}")
    for user in users:
        words = ("--system", "--gid", user.name, "--home-dir", user.home, "--no-create-home", "--shell", user.shell)
        yield Run((useradd, *prefix, *words, "--comment", user.comment, user.name), f"user {user.name}")


def _directories(tree: Tree, tmpfiles: str) -> Iterator[Step]:
    """Directories that are missing or not as they should be, by systemd-tmpfiles, else by hand.

    What is memory is made in the running system alone: at its next boot another tree makes its own.
    """
    wrong = [
        one
        for one in snippets.directories(tmpfiles)
        if (tree.is_running or not one.path.startswith(MEMORY))
        and tree.owned(one.path) != (one.mode, one.user, one.group)
    ]
    if not wrong:
        return
    tmpfiles_program = program("systemd-tmpfiles")
    if tmpfiles_program is None:
        yield from (Make(*one) for one in wrong)
        return
    rooted = (*_rooted(tree, "--root="), *(() if tree.is_running else ("--exclude-prefix=/run",)))
    what = ", ".join(f"{one.path} {one.mode:04o} {one.user}:{one.group}" for one in wrong)
    yield Run((tmpfiles_program, "--create", *rooted, "guardian.conf"), what)


def _rooted(tree: Tree, option: str) -> tuple[str, ...]:
    return () if tree.is_running else (f"{option}{tree.root}",)
