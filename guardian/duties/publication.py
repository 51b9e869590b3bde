"""The record of a part that went live: what it said and showed, who entered it, what was asked and what was answered.

Sealed by its hash in the journal's line `published`, in the same transaction. Lane threads.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from guardian.store import publications

if TYPE_CHECKING:
    from guardian.model import Account, Exchange, Post, PostRef
    from guardian.store.database import Tx

MOST = 256 * 1024


def keep(tx: Tx, post: Post, account: Account, ref: PostRef, *, exchange: Exchange | None, now: int) -> str:
    """Keep the record of the part that was due; its SHA-256. `exchange` None: it was found, not answered."""
    part = post.due_part
    record: dict[str, Any] = {
        "version": 1,
        "post": post.id,
        "part": post.live,
        "parts": len(post.parts),
        "account": account.name,
        "platform": account.platform,
        "brand": account.brand,
        "identity": account.identity,
        "platform_id": ref.id,
        "url": ref.url,
        "text": part.text,
        "warning": part.warning,
        "language": part.language,
        "visibility": part.visibility,
        "media": [asdict(one) for one in part.media],
        "ref": post.ref,
        "tags": list(post.tags),
        "campaign": post.campaign,
        "entered_by": post.created_by,
        "entered_at_ms": post.created_at,
        "due_at_ms": post.at,
        "landed_at": now,
        "found": exchange is None,
        "exchange": None if exchange is None else _plain(exchange),
    }
    return publications.keep(tx, post.id, post.live, record, said=publications.said(part), now=now)


def _plain(exchange: Exchange) -> dict[str, Any]:
    """A request and its answer, secrets removed by the gate."""
    return {
        "method": exchange.method,
        "url": exchange.url,
        "request_headers": [list(pair) for pair in exchange.request_headers],
        "request_body": _text(exchange.request_body),
        "status": exchange.status,
        "response_headers": [list(pair) for pair in exchange.response_headers],
        "response_body": _text(exchange.body),
        "began_at_ms": exchange.began_at,
        "peer": exchange.peer,
        "tls": exchange.tls,
    }


def _text(raw: bytes) -> dict[str, str]:
    """Bytes as text where they are text, else in base64; the beginning, where there are too many."""
    cut = {"cut_at": str(MOST)} if len(raw) > MOST else {}
    try:
        return {"text": raw[:MOST].decode("utf-8"), **cut}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw[:MOST]).decode("ascii"), **cut}
