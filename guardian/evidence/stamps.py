"""Time stamps (RFC 3161) over a seal's signature, by the `openssl` program. The network is the caller's.

The stamp is over `SHA256SUMS.N.sig`: it dates the signature and, through it, the list. Query, whole response, root and
chain are kept, so that the stock `openssl ts` reads them. What is not sealed yet is noted in `stamps-N.jsonl`.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.errors import GuardianError, Mistake, Refusal, Unfound
from guardian.evidence import canonical, files, names

if TYPE_CHECKING:
    from guardian.evidence.bundle import Bundle

PATIENCE = 10  # seconds that openssl may take
MOST = 1 << 20  # bytes of a response, of a file of roots
LOG = "stamps.jsonl"
_AUTHORITY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_TIME = re.compile(r"^Time stamp: (.+) GMT$", re.MULTILINE)
_FRACTION = re.compile(r"\.\d+")


def available() -> bool:
    """Whether the `openssl` program is here."""
    return shutil.which("openssl") is not None


def query(data: bytes) -> bytes:
    """The question for an authority (DER, `application/timestamp-query`): SHA-256, a nonce, with certificates."""
    with tempfile.TemporaryDirectory(prefix="guardian-stamp-") as folder:
        (Path(folder) / "data").write_bytes(data)
        return _openssl("ts", "-query", "-data", f"{folder}/data", "-sha256", "-cert")


def accept(bundle: Bundle, n: int, authority: str, response: bytes, *, asked: bytes, roots: bytes) -> int:
    """Keep a response to `asked` for seal n; the stamp's time (ms). `roots`: PEM of the authority's root.

    Raises Refusal when it does not answer the question or its chain does not end in the root; nothing is kept then.
    """
    if _AUTHORITY.fullmatch(authority) is None or len(response) > MOST or len(roots) > MOST:
        raise Mistake(f"cannot keep a stamp of {authority[:40]!r}, because the name or a size is none for an authority")
    signature = f"{names.manifest(n)}.sig"
    data = files.read(bundle.path, signature, limit=MOST)
    with tempfile.TemporaryDirectory(prefix="guardian-stamp-") as folder:
        here = Path(folder)
        for name, content in {"data": data, "tsq": asked, "tsr": response, "root.pem": roots}.items():
            (here / name).write_bytes(content)
        at = stamped_at(here / "tsr")
        chain = _chain(here / "tsr")
        (here / "chain.pem").write_bytes(chain)
        check(here / "tsr", ["-queryfile", str(here / "tsq")], root=here / "root.pem", chain=here / "chain.pem")
        check(here / "tsr", ["-data", str(here / "data")], root=here / "root.pem", chain=here / "chain.pem")
    stem = f"{names.manifest(n)}.{authority}"
    bundle.keep_stamp(
        {f"{stem}.tsq": asked, f"{stem}.tsr": response},
        {f"keys/tsa-{authority}-root.pem": roots, f"keys/tsa-{authority}-chain.pem": chain},
    )
    return at


def check(response: Path, against: list[str], *, root: Path, chain: Path) -> int:
    """Whether a response fits, at the stamp's own time; that time (ms). Raises Refusal."""
    at = stamped_at(response)
    epoch = str(at // 1000)
    _openssl(
        "ts",
        "-verify",
        "-attime",
        epoch,
        *against,
        "-in",
        str(response),
        "-CAfile",
        str(root),
        "-untrusted",
        str(chain),
    )
    return at


def stamped_at(response: Path) -> int:
    """The time in a response (ms since 1970, UTC). Raises Refusal when it is none, or a refusal of the authority's."""
    text = _openssl("ts", "-reply", "-in", str(response), "-text").decode("utf-8", "replace")
    found = _TIME.search(text)
    if found is None:
        raise Refusal("cannot accept a stamp, because the authority did not grant one")
    when = datetime.strptime(_FRACTION.sub("", found[1]), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    return int(when.timestamp()) * 1000


def noted(root: Path, n: int) -> dict[str, str]:
    """Pieces of stamps that came in phase n, with their hashes, as they were noted. Raises Refusal when garbled."""
    name = names.growing(LOG, n)
    found: dict[str, str] = {}
    if not (root / name).is_file():
        return found
    for line in files.read(root, name, limit=MOST).splitlines(keepends=True):
        try:
            pieces = canonical.table(line)
            garbled = canonical.written(pieces) + b"\n" != line
        except GuardianError:
            garbled = True
        if garbled:
            raise Refusal(f"cannot read {name}, because it is garbled")
        found.update(pieces)
    return found


def pieces(sums: dict[str, bytes]) -> bytes:
    """The line that notes these pieces."""
    return canonical.written({name: hashlib.sha256(data).hexdigest() for name, data in sums.items()})


def _chain(response: Path) -> bytes:
    """The certificates that the authority sent with its stamp (PEM)."""
    token = response.with_name("token")
    token.write_bytes(_openssl("ts", "-reply", "-in", str(response), "-token_out"))
    return _openssl("pkcs7", "-inform", "DER", "-in", str(token), "-print_certs")


def _openssl(*arguments: str) -> bytes:
    """What openssl prints. Raises Unfound without it, Refusal when it says no or takes too long."""
    if not available():
        raise Unfound("cannot work with time stamps, because openssl is not here", fix="apt install openssl")
    try:
        done = subprocess.run(  # noqa: S603 (paths of our own making)
            ["openssl", *arguments],  # noqa: S607 (the system's own)
            stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Refusal(f"cannot check a time stamp, because openssl took more than {PATIENCE} s") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Refusal(
            f"cannot accept a time stamp, because openssl says: {said[-1][:200] if said else done.returncode}"
        )
    return done.stdout
