"""What an incident does with one post, as the duties do it: look, prepare, announce, act; and who witnessed it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from guardian.fence import passage
from guardian.gate.intents import Receipt, declare, managing, retracting
from guardian.model import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guardian.adapter import Adapter, Answer, Undoing
    from guardian.fence.house import House
    from guardian.model import Account, PostRef
    from guardian.rehearsal import RehearsalPlatform

CHANGING = ("PUT", "DELETE", "POST", "PATCH")


def looked(adapter: Adapter, ref: PostRef) -> dict[str, Answer]:
    """Every look, all at once, as the capture makes them."""
    looks = adapter.looks(ref)
    with ThreadPoolExecutor(len(looks)) as pool:
        return dict(zip((look.name for look in looks), pool.map(adapter.fetch, looks), strict=True))


def take_down(
    adapter: Adapter,
    account: Account,
    ref: PostRef,
    decision: Decision,
    *,
    answers: Mapping[str, Answer] | None = None,
) -> tuple[Undoing, Receipt]:
    """Look, and act."""
    if answers is None:
        answers = looked(adapter, ref) if decision is Decision.HIDE else {}
    undoing = adapter.prepare(decision, ref, answers)
    with declare(retracting(account, ref.id, undoing.says)) as receipt:
        adapter.retract(decision, ref, undoing)
    return undoing, receipt


def undo(adapter: Adapter, account: Account, house: House, ref: PostRef, how: Mapping[str, Any]) -> Receipt:
    """Under the fence, as any post."""
    with declare(managing(account, passage.look(house, account.scopes))) as receipt:
        adapter.undo(ref, how)
    return receipt


def changes(platform: RehearsalPlatform, after: int = 0) -> list[tuple[str, str]]:
    """What reached the platform that was no reading, without its query: its own word."""
    said = ((one["method"] or "", (one["path"] or "").partition("?")[0]) for one in platform.log(after))
    return [(method, path) for method, path in said if method in CHANGING]


def seen_until_now(platform: RehearsalPlatform) -> int:
    """The number of the last request."""
    return max((one["n"] for one in platform.log()), default=0)
