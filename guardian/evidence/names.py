"""What files of a bundle may be called, and which of them belong to whom. Pure; nothing from a platform becomes a path.

A bundle grows in *phases*: phase n ends with seal n. A file that is appended to is a file of its own in each phase
(`checks.jsonl` is `checks-1.jsonl`, then `checks-2.jsonl`), so that what an earlier seal covers never changes again.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from guardian.errors import Mistake

MANIFEST = "SHA256SUMS"
SIGNERS = "keys/allowed_signers"
README = "README.txt"
HOLD = "HOLD"  # a state, no evidence: no seal covers it
SET_ASIDE = "set-aside"
THIRD_PARTY = ("third-party/", "warc/third-party")
LONGEST = 120
DEEPEST = 3  # two folders and a name
_PIECE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_BUNDLE = re.compile(r"ev-\d{8}T\d{6}Z-[a-z0-9-]{1,16}-[A-Za-z0-9-]{1,40}-[0-9a-f]{4}")
_SEAL = re.compile(r"SHA256SUMS\.([1-9]\d{0,5})(\.sig|\.[a-z0-9-]{1,32}\.ts[qr])?")
_GROWING = re.compile(
    r"((?:checks|custody|exchanges|tombstones|stamps|recovery)|warc/(?:post|third-party)|third-party/exchanges)"
    r"-([1-9]\d{0,5})\.(jsonl|warc\.gz)"
)
_GROWS = re.compile(
    r"(checks|custody|exchanges|tombstones|stamps|recovery|third-party/exchanges)\.jsonl|warc/(post|third-party)\.warc\.gz"
)


def bundle_name(*, platform: str, platform_id: str, at: int, salt: str) -> str:
    """The directory's name: when (UTC), where, which post (as far as it is safe to say), and four random digits."""
    when = datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"ev-{when}-{safe(platform, 16).lower()}-{safe(platform_id, 40)}-{salt}"


def is_bundle(name: str) -> bool:
    """Whether a directory is called like a bundle."""
    return _BUNDLE.fullmatch(name) is not None


def safe(text: str, most: int) -> str:
    """What of a foreign text may stand in a file's name: letters, digits and single dashes of ASCII."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:most].strip("-") or "x"


def checked(name: str) -> str:
    """The name, if a file may be added under it. Raises Mistake."""
    if not is_plain(name) or name.startswith(MANIFEST) or name.endswith(".part") or name == HOLD:
        raise Mistake(
            f"cannot keep a file as {name[:LONGEST]!r}, because that is no name for a file of a bundle",
            fix="use letters, digits, dots and dashes, at most two folders deep",
        )
    if _GROWING.fullmatch(name) or _GROWS.fullmatch(name):
        raise Mistake(f"cannot add {name!r} as a whole, because it is one that is appended to")
    return name


def is_plain(name: str) -> bool:
    """Whether it is a relative name of harmless letters, at most two folders deep."""
    pieces = name.split("/")
    return len(name) <= LONGEST and len(pieces) <= DEEPEST and all(_PIECE.fullmatch(piece) for piece in pieces)


def growing(name: str, phase: int) -> str:
    """The file in which `checks.jsonl` (or another that grows) is continued in this phase. Raises Mistake."""
    if _GROWS.fullmatch(name) is None:
        raise Mistake(f"cannot append to {name[:LONGEST]!r}, because it is not one of the files that grow")
    stem, _, kind = name.partition(".")
    return f"{stem}-{phase}.{kind}"


def phase_of(name: str) -> int | None:
    """In which phase a growing file was written; None when it is no such file."""
    found = _GROWING.fullmatch(name)
    return int(found[2]) if found else None


def grows_as(name: str) -> str | None:
    """`checks.jsonl` for `checks-2.jsonl`; None when it is no growing file."""
    found = _GROWING.fullmatch(name)
    return f"{found[1]}.{found[3]}" if found else None


def is_warc(name: str) -> bool:
    """Whether it is an archive of exchanges."""
    return name.startswith("warc/") and name.endswith(".warc.gz")


def manifest(n: int) -> str:
    """The list that seal n signs."""
    return f"{MANIFEST}.{n}"


def contents(n: int) -> str:
    """What seal n says of itself: when, what went before, how many records are where."""
    return f"seal-{n}.json"


def seal_of(name: str) -> tuple[int, str] | None:
    """`(2, ".sig")` for `SHA256SUMS.2.sig`; None when the file is no piece of a seal."""
    found = _SEAL.fullmatch(name)
    return (int(found[1]), found[2] or "") if found else None


def covered(name: str, n: int) -> bool:
    """Whether seal n covers a file of that name: everything but itself, later seals and the hold."""
    found = seal_of(name)
    return name != HOLD and not name.endswith(".part") and (found is None or found[0] < n)


def is_third_party(name: str) -> bool:
    """Whether the file holds other people's words, which may have to be erased alone."""
    return name.startswith(THIRD_PARTY)
