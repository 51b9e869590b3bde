"""Other people's words are erased alone, and a hold forbids it. The process that owns the bundles.

The files go, a tombstone with their hashes stays and is sealed at once; every list stays green under
`sha256sum --ignore-missing -c`, and the newest one lists only what is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.errors import Illegal, Mistake, Refusal
from guardian.evidence import canonical, files, names, tombstones
from guardian.failpoint import failpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.evidence.bundle import Bundle, Seal
    from guardian.evidence.signing import Signer


def third_party(bundle: Bundle) -> list[str]:
    """The files of the bundle that can be erased alone."""
    return [name for name in files.listed(bundle.path) if names.is_third_party(name) and names.is_plain(name)]


def erase(
    bundle: Bundle, erased: Sequence[str], *, who: str, at: int, ground: str, signer: Signer, allowed: str = ""
) -> Seal:
    """Remove these files, leave a sealed tombstone. Raises Illegal under a hold, Mistake for files that must stay.

    After a crash in the middle, call it again with the same names.
    """
    if held(bundle):
        raise Illegal(
            "cannot erase anything, because the bundle is under a hold", fix="lift the hold, if counsel agrees"
        )
    sums = {**bundle.sums(), **_begun(bundle)}
    for name in erased:
        if not names.is_third_party(name) or names.phase_of(name) == bundle.phase or name not in sums:
            raise Mistake(
                f"cannot erase {name[: names.LONGEST]!r}, because it is no sealed file of third parties' words",
                fix="erase files of third-party/ and warc/third-party-*, after they were sealed",
            )
    if not erased or not ground.strip():
        raise Mistake("cannot erase, because no file or no legal ground is given")
    stone = {"at": at, "files": {name: sums[name] for name in erased}, "ground": ground, "who": who}
    bundle.append("tombstones.jsonl", canonical.written(stone))
    failpoint("evidence.entombed")
    for name in erased:
        bundle.forget(name)
    failpoint("evidence.erased")
    return bundle.seal(signer, at=at, allowed=allowed)


def hold(bundle: Bundle, *, who: str, at: int, reason: str) -> None:
    """Nothing may be erased until the hold is lifted. Raises Refusal when there is one; journal it as custody."""
    if held(bundle):
        raise Refusal("cannot set a hold, because the bundle is under one already")
    files.write_part(bundle.path, names.HOLD, canonical.written({"at": at, "reason": reason, "who": who}) + b"\n")
    files.settle(bundle.path, names.HOLD)
    files.sync_directory(bundle.path)


def lift(bundle: Bundle) -> None:
    """The hold ends. Raises Refusal when there is none; journal it as custody."""
    if not held(bundle):
        raise Refusal("cannot lift the hold, because there is none")
    bundle.forget(names.HOLD)


def held(bundle: Bundle) -> bool:
    """Whether a hold is on it; one that cannot be read holds, too."""
    return (bundle.path / names.HOLD).exists() or (bundle.path / names.HOLD).is_symlink()


def _begun(bundle: Bundle) -> dict[str, str]:
    """What an erasing that a crash interrupted had begun."""
    found: dict[str, str] = {}
    for one in tombstones.of(bundle.path, bundle.phase):
        found.update(one.files)
    return found
