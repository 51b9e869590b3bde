"""What a bundle says of itself in plain words: how to check it with stock tools, and a draft of a certificate. Pure."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian.evidence.signing import NAMESPACE, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "    $ "  # before each line that is meant for a shell; what follows is one whole line
_WIDTH = 100

_CONTENTS = {
    "bundle.json": "which post this is about",
    "record-N.json": "the facts: who ordered it, when by which clocks, what was captured, what was not and why",
    "report.html": "the same for reading in a browser (no script, nothing is fetched)",
    "certificate-draft.txt": "a declaration for a qualified person to check, correct and sign",
    "warc/post-N.warc.gz": "every request and answer about the post as they went over the wire, secrets removed",
    "warc/third-party-N.warc.gz": "the same for other people's words; may have been erased, see tombstones-N.jsonl",
    "exchanges-N.jsonl": "one line for each of those requests, also for those that got no answer",
    "api/, media/, publish/": "working copies of what the archive holds, and what was kept when it was published",
    "action/": "what was done to the post, and what came of it",
    "third-party/": "other people's words about it; may have been erased, see tombstones-N.jsonl",
    "page/": "the platform's own page in a browser, only if it was really captured (it often is not)",
    "render/": "RENDERINGS, made by our program from the data: these are no screenshots",
    "checks-N.jsonl": "later looks at the post: is it gone",
    "custody-N.jsonl": "the lines of the audit chain about this bundle",
    "certificates/": "the certificates that the platform's servers showed (DER)",
    "set-aside/": "what a crash left half-written, kept as it was found (see recovery-N.jsonl)",
    "keys/": "who may sign (allowed_signers), and the roots of the time stamps",
    "SHA256SUMS.N": "seal N: the hash of every file that was there; .sig is its signature, .tsr a time stamp over .sig",
}  # fmt: skip


def _paragraphs(text: str) -> tuple[str, ...]:
    """Each paragraph on one line."""
    return tuple(" ".join(one.split()) for one in text.strip().split("\n\n"))


_LIMITS = _paragraphs("""
Hash, signature and time stamp prove that these files are unchanged since they were sealed. They do not prove
that the platform really served what is in them: TLS leaves no proof that a third party could check.

The signature proves which key signed, not who held it. Compare the key's fingerprint with the one that was
given to you outside of this bundle: an allowed_signers file that arrives together with the evidence proves
nothing.

Without a time stamp (.tsr) of an authority that you trust, every time in here is what the clock of one
computer said.

What was not captured is not here: record-N.json lists it with the reason. "Gone" always means gone at the
place that was asked; copies on other servers, in caches and in screenshots are not looked for.

A whole last phase that was removed together with its seal leaves no trace inside this directory. The number
and the hash of the last seal are in the guardian's journal: ask for them.
""")


def commands(*, identity: str) -> dict[str, str]:
    """What to check, and the shell line for it: coreutils, sed, openssh-client and openssl are all it takes."""
    who = named(identity)
    sign = f'ssh-keygen -Y verify -f "$k" -I {who} -n {NAMESPACE} -s "$s.sig" < "$s" && continue 2'
    when = 'date -u -d "$(openssl ts -reply -in "$t" -text 2>/dev/null | sed -n \'s/^Time stamp: //p\')" +%s'
    stamp = (
        'openssl ts -verify -attime "$at" -data "${s%.*}.sig" -in "$t" '
        '-CAfile "keys/tsa-${s##*.}-root.pem" -untrusted "keys/tsa-${s##*.}-chain.pem"'
    )
    return {
        "Every file of the newest seal is here, and unchanged": (
            'sha256sum --quiet -c "$(ls -v SHA256SUMS.*[0-9] | tail -n 1)"'
        ),
        "What earlier seals cover has not changed since (an erased file is ignored here)": (
            "sha256sum --quiet --ignore-missing -c SHA256SUMS.*[0-9]"
        ),
        "Each seal is signed by a key that may sign (compare its fingerprint with the one you have from elsewhere)": (
            f"bad=0; for s in SHA256SUMS.*[0-9]; do for k in keys/allowed_signers*; do {sign}; done; "
            'echo "NOT SIGNED: $s"; bad=1; done; test $bad = 0'
        ),
        "Each time stamp fits its signature (nothing is printed if there are none)": (
            'bad=0; for t in SHA256SUMS.*.tsr; do test -e "$t" || continue; s=${t%.tsr}; '
            f"at=$({when}); {stamp} || bad=1; done; test $bad = 0"
        ),
        "When that was": (
            'for t in SHA256SUMS.*.tsr; do test -e "$t" || continue; echo "$t"; '
            'openssl ts -reply -in "$t" -text 2>/dev/null | sed -n "/^Time stamp/p"; done'
        ),
    }


def command_lines(readme: str) -> list[str]:
    """The shell lines of a README, as a script runs them one by one in the bundle's directory."""
    return [line.removeprefix(MARK) for line in readme.splitlines() if line.startswith(MARK)]


def readme(bundle: str, *, identity: str) -> str:
    """README.txt: what is in here, how to check it without any program of ours, what it does not prove."""
    lines = [f"EVIDENCE BUNDLE {bundle}", ""]
    lines += _filled(
        "What a guardian captured of one post before it acted on it, and what it saw afterwards. The bundle grows in "
        "phases: N in a name is the number of the phase, and seal N closes phase N. No file of an earlier phase "
        "is ever changed."
    )
    lines += ["", "WHAT IS IN HERE (what was not captured has no file)", ""]
    lines += [f"  {name:<28} {what}" for name, what in _CONTENTS.items()]
    lines += ["", "HOW TO CHECK IT, in this directory, with nothing of ours:", ""]
    for what, command in commands(identity=identity).items():
        lines += [f"  {what}:", f"{MARK}{command}", ""]
    lines += _filled(
        "If a signing key has run out since, ssh-keygen needs the time of the seal: add -O verify-time=YYYYMMDDHHMMSSZ "
        "(the time is in seal-N.json; a time stamp proves it). Compressed records: gzip -dc warc/post-1.warc.gz"
    )
    lines += ["", "WHAT THIS DOES NOT PROVE", ""]
    for limit in _LIMITS:
        lines += [*_filled(limit, first="- ", then="  "), ""]
    return "\n".join(lines)


def limits() -> tuple[str, ...]:
    """What a bundle does not prove, sentence by sentence."""
    return _LIMITS


def certificate_draft(
    *,
    bundle: str,
    url: str,
    at: int,
    tool: str,
    seals: Iterable[tuple[int, str]],
    facts: Mapping[str, str] | None = None,
) -> str:
    """A declaration for a qualified person to check, correct and sign (shaped after US FRE 902(13) and (14))."""
    when = datetime.fromtimestamp(at / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    rows = {"bundle": bundle, "address of the post": url, "captured (UTC, by the host's clock)": when, "program": tool}
    lines = ["DRAFT, NOT A CERTIFICATE, UNTIL A QUALIFIED PERSON HAS CHECKED, CORRECTED AND SIGNED IT", ""]
    lines += [
        "CERTIFICATE OF A RECORD GENERATED BY AN ELECTRONIC PROCESS, AND OF DATA COPIED FROM AN ELECTRONIC DEVICE",
        "",
    ]
    lines += [f"  {_plain(name)}: {_plain(value)}" for name, value in {**rows, **(facts or {})}.items()]
    lines += [f"  seal {n}: SHA-256 of SHA256SUMS.{n} is {_plain(sha256)}" for n, sha256 in seals]
    for number, paragraph in enumerate(_DECLARATION, 1):
        lines += ["", *_filled(paragraph, first=f"{number}. ", then="   ")]
    lines += ["", "  Signed: ______________________   Place and date: ______________________", ""]
    return "\n".join(lines)


_DECLARATION = _paragraphs("""
I am ______________________ (name), ______________________ (position, training and experience with such
systems). I know this from ______________________ (own work / records of the organisation).

The process: the program named above asked the platform's interface over HTTPS with the credentials of the
account that the organisation holds, wrote each request and each answer to the files named in the lists of
hashes as they arrived, and sealed them with SHA-256, a signature and, where present, a time stamp of an
independent authority.

The process produces an accurate result: ______________________ (how it is tested and how its working on that
day was checked; gaps are listed in record-N.json and were taken into account as follows:
______________________).

The copy that I hand over was compared with the original by its hash values: on ______________________ I ran
the commands of README.txt, all of them succeeded, and the hash of the last list was ______________________.

The signing key has the fingerprint ______________________ and was in the custody of ______________________.

I declare under penalty of perjury under the laws of ______________________ that the foregoing is true and
correct.
""")


def _plain(text: str) -> str:
    """On one line, and nothing that steers."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def _filled(text: str, *, first: str = "", then: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=then, break_long_words=False, break_on_hyphens=False
    )
