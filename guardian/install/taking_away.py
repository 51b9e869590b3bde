"""Deciding what the undo takes away, and naming all that it keeps: evidence, journal, keys, and what people wrote."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from guardian.fence import reading
from guardian.fence.house import DEFAULTS, House
from guardian.install import parts, snippets
from guardian.install.booted import is_started_by_it, manages
from guardian.install.sealed import Whose, whose
from guardian.install.setting_up import snippets_in_force
from guardian.install.steps import Quiet, Remove, RemoveEmpty, RemoveTree, Run, must_be_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardian.install.steps import Step
    from guardian.install.tree import Tree

HOUSE = House(**DEFAULTS)
STATE, ETC = HOUSE.state_dir, "/etc/guardian"
STAMPS = "/var/lib/systemd/timers/stamp-"  # when a timer last ran, kept by systemd
FOLDERS = (parts.UNITS, "/usr/local/lib/systemd", "/usr/local/lib/sysusers.d", "/usr/local/lib/tmpfiles.d")
# Patterns: systemctl does not mind when one matches nothing. They match ours alone, and no unit of a person's.
FAILABLE = ("guardian.servic[e]", "guardian-fence.socke[t]", "guardian-fence@*.service", "guardian-doctor.servic[e]")
INSIDE = {
    "guardian.db": "the store: queue, journal, incidents, takedowns",
    "evidence": "sealed proofs and the keys that sealed them; a legal hold may lie on them",
    "spool": "media of posts that wait",
    "natives": "what was saved of posts that a freeze put off on the platform itself",
    "sessions": "logins that outlive a daemon, sealed",
    "fence": "which scopes are frozen: a house that was frozen stays so when it is installed again",
    "guardian.lock": "an empty lock",
    "backups": "backups",
    "last-drill.json": "when somebody drilled last, and how that went",
    "last-backup.json": "when a backup was made last",
    "before-*": "the store as it was before an upgrade",
    "replaced-*": "a house that a restore has moved aside",
}


class Kept(NamedTuple):
    """What stays, what it is, and how a person removes it."""

    path: str
    what: str
    remove: str


def plan(tree: Tree) -> tuple[Step, ...]:
    """What is to be done in this tree, in order. Raises Refusal where a daemon runs that systemd would not stop."""
    if not (tree.is_running and manages() and is_started_by_it(reading.daemon_state(HOUSE)[1])):
        must_be_quiet(tree, HOUSE)
    steps = [*_stopping(tree), *_files(tree)]
    if tree.is_there(HOUSE.runtime_dir):
        steps.append(RemoveTree(HOUSE.runtime_dir))
    if steps and tree.is_running and manages():
        steps.append(Run(("systemctl", "daemon-reload"), "systemd forgets the units"))
    return tuple(steps)


def _stopping(tree: Tree) -> Iterator[Step]:
    """Stopped and disabled: by systemd where it runs; elsewhere only the links are left to remove."""
    installed = [name for name in parts.names() if tree.is_there(f"{parts.UNITS}/{name}")]
    enabled = [name for name in parts.TO_ENABLE if name in installed]
    if tree.is_running and manages() and enabled:
        yield Run(("systemctl", "disable", "--now", *enabled), "no unit of ours starts or runs any more")
        yield Run(("systemctl", "stop", "guardian-fence@*.service", "guardian-doctor.service"), "nor what they started")
        yield Run(("systemctl", "reset-failed", *FAILABLE), "what had failed is no longer listed as failed")
    if tree.is_there(HOUSE.runtime_dir):
        yield Quiet(HOUSE)
    if not (tree.is_running and manages()):
        yield from (Remove(path) for path in _links(tree))


def _links(tree: Tree) -> Iterator[str]:
    """What enabling left: links in the directories `….wants`."""
    for folder in tree.names(parts.THEIR_UNITS):
        if folder.endswith((".wants", ".requires")):
            inside = f"{parts.THEIR_UNITS}/{folder}"
            for name in tree.names(inside):
                if name in parts.TO_ENABLE and tree.path(f"{inside}/{name}").is_symlink():
                    yield f"{inside}/{name}"


def _files(tree: Tree) -> Iterator[Step]:
    """What we wrote and nobody changed; then the directories in which nothing is left."""
    gone = {path for path in _ours(tree) if whose(tree.read(path)) is Whose.OURS}
    if tree.link(parts.COMMAND) in {parts.command_of(tree.read(path) or "") for path in gone} - {None}:
        yield Remove(parts.COMMAND)
    yield from (Remove(path) for path in sorted(gone))
    stamps = (f"{STAMPS}{path.rpartition('/')[2]}" for path in sorted(gone) if path.endswith(".timer"))
    yield from (Remove(stamp) for stamp in stamps if tree.is_there(stamp))
    for folder in FOLDERS if gone else ():
        if tree.is_there(folder) and {f"{folder}/{name}" for name in tree.names(folder)} <= gone:
            yield RemoveEmpty(folder)
            gone.add(folder)


def _ours(tree: Tree) -> Iterator[str]:
    """Every place in which something of ours may lie, also of a version that had other units."""
    units = [f"{parts.UNITS}/{name}" for name in tree.names(parts.UNITS) if name.startswith("guardian")]
    for path in (*units, parts.SYSUSERS, parts.TMPFILES, f"{parts.SYSUSERS}.new", f"{parts.TMPFILES}.new"):
        if tree.is_there(path):
            yield path


def kept(tree: Tree) -> Iterator[Kept]:
    """Every place that stays, asked for when all is done: a daemon that was stopped has put its files in order."""
    yield from _folder(tree, STATE, "what must survive; all that follows lies in it", INSIDE, "not known to us")
    yield from _folder(tree, ETC, "configuration and secrets", {"secrets": "tokens"}, "written by a person")
    for path in _ours(tree):
        if whose(tree.read(path)) is Whose.THEIRS:
            yield Kept(path, "changed by a person", f"rm {path}")
    for name in tree.names(parts.THEIR_UNITS):
        if name.startswith("guardian"):
            path = f"{parts.THEIR_UNITS}/{name}"
            yield Kept(path, "a person's own, for systemd", f"rm -r {path}")
    yield from _people(tree)


def _folder(tree: Tree, path: str, what: str, known: Mapping[str, str], otherwise: str) -> Iterator[Kept]:
    """A directory that stays, and what lies in it."""
    if tree.is_there(path):
        yield Kept(path, what, f"rm -r {path}")
    for name in tree.names(path):
        plain = name.removesuffix("-wal").removesuffix("-shm")
        said = next((words for pattern, words in known.items() if fnmatchcase(plain, pattern)), otherwise)
        yield Kept(f"{path}/{name}", said, "")


def _people(tree: Tree) -> Iterator[Kept]:
    """Users and groups stay, because files stay that are theirs: a number that is given again would own them."""
    sysusers = snippets_in_force(tree, parts.sysusers())
    users = {one.name for one in snippets.users(sysusers)}
    for user in sorted(users):
        if tree.uid(user) is not None:
            yield Kept(f"user {user}", "owns what stays", f"userdel {user}")
    for group in snippets.groups(sysusers):
        if tree.gid(group) is not None and group not in users:
            yield Kept(f"group {group}", "people may be in it", f"groupdel {group}")
