"""What keeps posts back, in lines: a hold as every command shows it."""

from typing import Any

from guardian.cli import render

Document = dict[str, Any]


def what(one: Document) -> str:
    """What a hold keeps back."""
    return f"tag {one['tag']}" if one.get("tag") is not None else str(one["post"])


def hold_line(one: Document) -> str:
    """A hold: what, since when, by whom, why."""
    words = f"{what(one)}  {one['id']}  since {render.local(one['at'])} by {one['by']}: "
    return render.one_line(words + (one["reason"] or "no reason given"))
