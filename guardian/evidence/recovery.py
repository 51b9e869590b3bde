"""What a crash left in a bundle is put in order when it is opened: nothing is thrown away, everything is noted.

A file that was never named whole (`.part`) and a list without a signature go to `set-aside/`; a file that is appended
to is cut after its last whole record or line, and what was behind goes to `set-aside/` as well. The process that owns
the bundle, before it writes anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardian.evidence import files, names, warc

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """One thing that was put in order: which file, where its rest is now, how many bytes, and why."""

    file: str
    kept_as: str
    size: int
    why: str


def phase(root: Path) -> int:
    """The phase that is open: one after the last seal that is whole."""
    present = {found for name in files.listed(root) if (found := names.seal_of(name))}
    n = 1
    while (n, "") in present and (n, ".sig") in present:
        n += 1
    return n


def mended(root: Path) -> list[Mended]:
    """Put it in order, and say what was done. Raises Unwritable, Refusal."""
    done = []
    n = phase(root)
    for name in files.listed(root):
        if name.startswith(names.SET_ASIDE + "/"):
            continue
        found = names.seal_of(name)
        if name.endswith(files.PART):
            done.append(_set_aside(root, name, why="it was not written to its end"))
        elif name == names.contents(n) or (found and found[0] == n):
            done.append(_set_aside(root, name, why="the seal that it belongs to was not finished"))
        elif names.phase_of(name) == n:
            done.extend(_cut(root, name))
    return done


def _set_aside(root: Path, name: str, *, why: str) -> Mended:
    kept = _free_name(root, name)
    with files.in_words(root / kept):
        (root / kept).parent.mkdir(mode=0o700, exist_ok=True)
        size = (root / name).lstat().st_size
        (root / name).rename(root / kept)
    return Mended(file=name, kept_as=kept, size=size, why=why)


def _cut(root: Path, name: str) -> list[Mended]:
    data = files.read(root, name)
    whole = warc.whole_length(data)[0] if names.is_warc(name) else data.rfind(b"\n") + 1
    if whole == len(data):
        return []
    kept = _free_name(root, name)
    files.write_part(root, kept, data[whole:])
    files.settle(root, kept)
    with files.in_words(root / name), (root / name).open("r+b") as file:
        file.truncate(whole)
        file.flush()
    why = "its end was cut off in the middle of " + ("a record" if names.is_warc(name) else "a line")
    return [Mended(file=name, kept_as=kept, size=len(data) - whole, why=why)]


def _free_name(root: Path, name: str) -> str:
    """A name in `set-aside/` that no file has."""
    stem = names.safe(name.removesuffix(files.PART), 80)
    number = 1
    while (root / names.SET_ASIDE / f"{stem}.{number}.cut").exists():
        number += 1
    return f"{names.SET_ASIDE}/{stem}.{number}.cut"
