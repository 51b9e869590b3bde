"""Bundles for the tests of evidence: made as the daemon makes them, from exchanges as the gate sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardian.evidence import Bundle, card, custody, record, stamps, summary
from guardian.model import Entry, Exchange, Grade
from guardian.rules import chain

if TYPE_CHECKING:
    from pathlib import Path

    from guardian.evidence.signing import Signer
    from tests.evidence.authority import Authority

NOW = 1_795_000_000_000  # 2026-11-18
PICTURE = bytes(range(256)) * 40


def exchange(**changes: Any) -> Exchange:  # noqa: ANN401 (the fields of an exchange)
    """An answer of a platform, unless something else is wanted."""
    found: dict[str, Any] = {
        "method": "GET",
        "url": "https://m.example/api/v1/statuses/1145",
        "request_headers": (("Host", "m.example"), ("Authorization", "[removed]")),
        "request_body": b"",
        "status": 200,
        "reason": "OK",
        "response_headers": (("Content-Type", "application/json; charset=utf-8"), ("Transfer-Encoding", "chunked")),
        "body": b'{"id":"1145","content":"<p>hello</p>"}',
        "began_at": NOW,
        "began": 5_000_000_000,
        "ended": 5_120_000_000,
        "peer": "203.0.113.5:443",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "certificate": b"0\x82 a certificate",
    }
    return Exchange(**{**found, **changes})


def journal(count: int, *, prev: str = chain.START, seq: int = 0) -> list[Entry]:
    """So many lines of a journal, one after the other."""
    found = []
    for _ in range(count):
        seq += 1
        line: dict[str, Any] = {
            "seq": seq,
            "at": NOW + seq,
            "kind": "custody",
            "who": "acme",
            "data": {"event": "sealed"},
        }
        found.append(Entry(**line, prev=prev, hash=chain.seal(**line, prev=prev)))
        prev = found[-1].hash
    return found


def facts(bundle: Bundle, **changes: Any) -> record.Record:  # noqa: ANN401 (the fields of a subject)
    """What the record of a bundle says."""
    subject: dict[str, Any] = {"account": "acme", "platform": "mastodon", "platform_id": "1145", "text": "hello"}
    items = [record.Item(what="post", status=record.Status.CAPTURED, file=bundle.current("warc/post.warc.gz"))]
    return record.Record(
        bundle=bundle.name,
        subject=record.Subject(**{**subject, "url": "https://m.example/@acme/1145", **changes}),
        order=record.Order(uid=0, login="anna", reason="tasteless"),
        items=items,
        times=record.Times(began_at=NOW, ended_at=NOW + 300, began=1 << 60, ended=(1 << 60) + 300, server=(-20, 1100)),
        tool=record.tool(config_sha256="0" * 64),
        grade=Grade.COMPLETE,
    )


def fresh(root: Path, **changes: str) -> Bundle:
    """An empty bundle."""
    about = {"account": "acme-mastodon", "platform": "mastodon", "platform_id": "1145", **changes}
    return Bundle.create(root, **about, at=NOW)


def filled(root: Path, signer: Signer, *, authority: Authority | None = None) -> Bundle:
    """A bundle with every kind of file, in three phases, the last of which is sealed; the last seal is stamped."""
    bundle = fresh(root)
    bundle.exchange(exchange())
    media = (("Content-Type", "image/jpeg"), ("Content-Length", str(len(PICTURE))))
    bundle.exchange(exchange(url="https://cdn.m.example/01.jpg", response_headers=media, body=PICTURE))
    bundle.exchange(exchange(status=0, body=b"", why="no answer within 2 s"))
    bundle.exchange(exchange(url="https://m.example/api/v1/statuses/1145/context", body=b'["yes"]'), others=True)
    bundle.add("media/01-abcdef01.jpg", PICTURE)
    bundle.add("api/before/status.json", exchange().body)
    bundle.add("third-party/context.json", b'["yes"]')
    said = card.Said(author="Acme", handle="@acme", text="hello", at="yesterday")
    bundle.add("render/card.html", card.card(said, captured="today").encode())
    record.add(bundle, facts(bundle))
    bundle.add("report.html", summary.summary(facts(bundle)).encode())
    lines = journal(5)
    custody.extract(bundle, lines[:2])
    bundle.seal(signer, at=NOW + 400)
    if authority:
        stamped(bundle, 1, authority)
    bundle.exchange(exchange(method="DELETE", status=404, reason="Not Found", began_at=NOW + 900, body=b"{}"))
    bundle.append("checks.jsonl", b'{"presence":"gone"}')
    bundle.seal(signer, at=NOW + 1000)
    bundle.append("checks.jsonl", b'{"presence":"gone"}')
    custody.extract(bundle, lines[2:])
    bundle.seal(signer, at=NOW + 2000)
    if authority:
        stamped(bundle, 3, authority)
    return bundle


def stamped(bundle: Bundle, n: int, authority: Authority, name: str = "test-one") -> int:
    """The time of the stamp that the authority gave for seal n."""
    asked = stamps.query((bundle.path / f"SHA256SUMS.{n}.sig").read_bytes())
    return stamps.accept(bundle, n, name, authority.answer(asked), asked=asked, roots=authority.root)
