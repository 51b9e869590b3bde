"""report.html: what record-N.json says, for reading. Pure; no script, nothing is fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guardian.evidence import words
from guardian.evidence.card import page
from guardian.evidence.harmless import address, isolated, shown
from guardian.evidence.record import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardian.evidence.record import Record

LABEL = "Evidence of a post: a summary of record-N.json in this directory. The files count, not this page."


def summary(record: Record, *, seals: Sequence[tuple[int, str]] = ()) -> str:
    """The page. `seals`: those that were made before it, with the hash of each list."""
    subject, order, times = record.subject, record.order, record.times
    ahead = f"{times.server[0]} to {times.server[1]} ms" if times.server else "unknown"
    body = [
        f"<h1>{isolated(record.bundle)}</h1><p>grade: <b>{shown(record.grade)}</b></p>",
        _table(
            [
                ("account", isolated(subject.account)),
                ("post", isolated(f"{subject.platform} {subject.platform_id}")),
                ("address", address(subject.url)),
                ("author", isolated(subject.author)),
                ("published", isolated(subject.published_at)),
                *[(name, isolated(value)) for name, value in plain(subject.told)],
                *[(f"number of {name}", shown(str(count))) for name, count in sorted(subject.counts.items())],
            ]
        ),
        f"<h2>Text</h2><p>from: {shown(subject.text_from or 'nobody said it')}</p>",
        f'<div class="text" dir="auto">{shown(subject.text or "")}</div>',
        *[f"<p>alt text: {isolated(alt)}</p>" for alt in subject.alts],
        "<h2>What was captured</h2>",
        _table(
            (item.what, " ".join(filter(None, (shown(item.status), isolated(item.why), shown(item.file or "")))))
            for item in record.items
        ),
        "<h2>Who and when</h2>",
        _table(
            [
                ("ordered by", isolated(f"{order.login} (uid {order.uid}) {order.tty} on {order.host}")),
                ("reason", isolated(order.reason)),
                ("decision, capture", isolated(f"{order.decision}, {order.capture}")),
                ("from, to", shown(f"{_utc(times.began_at)}, {_utc(times.ended_at)}")),
                ("the platform's clock was ahead by", shown(ahead)),
                ("program", isolated(f"{record.tool.version}, Python {record.tool.python}, {record.tool.os}")),
            ]
        ),
        *[f"<p>{isolated(note)}</p>" for note in record.notes],
        *[f"<p>seal {n}: SHA-256 of SHA256SUMS.{n} is <code>{shown(sha256)}</code></p>" for n, sha256 in seals],
        "<h2>What this does not prove</h2><ul>",
        *[f"<li>{shown(limit)}</li>" for limit in words.limits()],
        "</ul><p>How to check it: README.txt</p>",
    ]
    return page(f"Evidence {record.bundle}", "\n".join(body), label=LABEL)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><th>{shown(name)}</th><td>{value}</td></tr>" for name, value in rows) + "</table>"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
