"""What a backup and a restore say for themselves: the documents for programs, the lines for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.cli import render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guardian.backup.archive import Manifest
    from guardian.backup.making import Made
    from guardian.backup.restoring import Restored

MIB = 1 << 20
HOUR, MINUTE = 3_600_000, 60_000
NEVER = "the configuration, tokens and other secrets, the fence (a restore comes up frozen)"


def manifest(found: Manifest) -> dict[str, Any]:
    """What a backup holds, without its list of files."""
    return {
        "at": found.at,
        "version": found.version,
        "host": found.host,
        "schema": found.schema,
        "posts": found.posts,
        "states": found.states,
        "in_flight": found.in_flight,
        "freezes": found.freezes,
        "journal": {"lines": found.lines, "head": found.head},
        "bundles": found.bundles,
        "files": len(found.files),
        "left_out": found.left_out,
    }


def backup(made: Made) -> dict[str, Any]:
    """The document of a backup."""
    return {
        "path": str(made.path),
        "size": made.size,
        "sha256": made.sha256,
        **manifest(made.manifest),
        "rotten": made.rotten,
        "removed": made.removed,
    }


def backup_lines(made: Made) -> Iterator[str]:
    """The same for people."""
    yield f"BACKED UP  {render.one_line(made.path)}"
    yield render.field("size", f"{made.size / MIB:.1f} MiB")
    yield from _holds(made.manifest)
    yield render.field("checked", "read back to its end; the store's copy opened, its chain and seals followed")
    yield render.field("up to", horizon(made.manifest))
    yield render.field("not in it", ", ".join([NEVER, *made.manifest.left_out]))
    yield render.field("sha256", made.sha256)
    if made.removed:
        yield render.field("removed", ", ".join(made.removed))


def check_lines(path: Path, found: Manifest) -> Iterator[str]:
    """What a check says."""
    yield f"WHOLE  {render.one_line(path)}: nothing was restored"
    yield render.field("made", f"{render.local(found.at)} by version {found.version} on {found.host}")
    yield from _holds(found)
    yield render.field("up to", horizon(found))


def restored(done: Restored) -> dict[str, Any]:
    """The document of a restore."""
    return {
        "state": "frozen",
        "state_dir": done.house.state_dir,
        "at": done.at,
        "backup": manifest(done.manifest),
        "held": done.held,
        "aside": None if done.aside is None else str(done.aside),
        "younger_bundles": done.younger,
        "finished_before": done.finished,
        "next": list(_next(done)),
    }


def restored_lines(done: Restored) -> Iterator[str]:
    """The same for people: what there is, what is lost, what to do."""
    found = done.manifest
    yield "RESTORED, and FROZEN: nothing is sent until a person thaws"
    yield render.field("house", done.house.state_dir)
    yield render.field("from", f"{render.local(found.at)}, version {found.version}, on {found.host}")
    yield from _holds(found)
    yield render.field("lost", f"the {_span(done.at - found.at)} since then: {horizon(found)}")
    if found.in_flight:
        yield render.field(
            "in flight", f"{found.in_flight} at that moment; each platform is asked before anything else"
        )
    yield render.field(
        "on hold", f"{render.count(done.held, 'post')}: what waits may have been sent since; a person lets it go"
    )
    if done.younger:
        yield render.field("evidence", f"{render.count(done.younger, 'bundle')} younger than the backup kept beside it")
    if done.aside is not None:
        yield render.field("moved aside", f"{done.aside}; nothing was deleted")
    yield "Next"
    yield from (f"  {place}. {step}" for place, step in enumerate(_next(done), start=1))


def horizon(found: Manifest) -> str:
    """The end of what a backup knows: what is lost with the house, were it lost right afterwards."""
    return (
        f"what happens after {render.local(found.at)} (journal line {found.lines}, head {found.head[:16]}) is not in it"
    )


def _holds(found: Manifest) -> Iterator[str]:
    flying = f", {found.in_flight} of them in flight" if found.in_flight else ""
    yield render.field(
        "holds",
        f"{render.count(found.posts, 'post')}{flying}, {render.count(found.lines, 'line')} of the journal, "
        f"{render.count(found.bundles, 'bundle')} of evidence, {render.count(len(found.files), 'file')}",
    )


def _next(done: Restored) -> Iterator[str]:
    yield "start it: systemctl start guardian (or guardian run), then guardian status: FROZEN"
    yield "wait until nothing is unknown any more: guardian queue list --state unknown"
    yield f"look at every account: what was published since {render.local(done.manifest.at)}?"
    yield "what was: guardian queue cancel ID. What was entered or cancelled since: do it again"
    yield 'guardian thaw --reason "looked at the platforms since the backup"'
    if done.held:
        yield "let go what waits: guardian queue unhold --restored"


def _span(ms: int) -> str:
    return f"{ms // HOUR} h {ms % HOUR // MINUTE} min" if ms >= MINUTE else f"{ms / 1000:.0f} s"
