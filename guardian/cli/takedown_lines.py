"""What `guardian takedown` says: each post with its state, its proof and what is left to do."""

import shlex
from collections.abc import Iterator
from typing import Any

from guardian.cli import render

ENDED = ("gone", "hidden", "kept")
WORDS = {
    "gone": "GONE, read back from the platform",
    "hidden": "HIDDEN, read back from the platform",
    "kept": "kept, with its proof",
    "still_visible": "STILL VISIBLE",
    "unknown": "UNKNOWN: nobody can say whether it is gone",
    "not_attempted": "NOT ATTEMPTED",
    "ordered": "its proof is being taken",
    "captured": "waits for its turn",
    "acting": "being taken down",
}
LIMITS = ("close-replies", "detach-quotes", "lock", "spoiler")  # the post stays: nothing is said of its being visible
OF_A_LIMIT = {
    "in force": "IN FORCE: {}, read back from the platform; the post itself stays visible",
    "kept": "the post stays visible; {}: as is said below",
    "still_visible": "NOT LIMITED: {} is not in force",
    "unknown": "UNKNOWN: nobody can say whether {} is in force",
    "acting": "being limited: {}",
}
Document = dict[str, Any]


def lines(found: Document) -> Iterator[str]:
    """What became of each, then what belongs to it and is still there."""
    heading = "every post is as it was ordered" if found["complete"] else "NOT complete"
    if found["state"] == "running":
        heading = f"still under way{eta(found)}"
    first = "overwrite, then " if found["overwrite"] else ""
    yield f"{found['id']}  {first}{found['decision']}  {heading}"
    for one in found["targets"]:
        yield ""
        yield from _target(found, one)
    if found["siblings"]:
        yield ""
        more = render.count(len(found["siblings"]), "live post")
        yield f"{more} more belong to it; to take them down, too: --siblings"
        for one in found["siblings"]:
            yield render.one_line(f"  {one['ref']}  {one['why']}  {one['url'] or ''}")
    for one in found["waiting"]:
        yield ""
        yield render.one_line(
            f"{render.count(one['posts'], 'post')} of campaign {one['campaign']} still to go out; to keep back:"
        )
        yield render.one_line(f"  guardian queue hold --campaign {shlex.quote(one['campaign'])}")
    if found["incident"]:
        yield ""
        yield f"incident {found['incident']}: guardian incident show"


def became(decision: str, state: str) -> str:
    """What became of a post for which that was decided."""
    usual = WORDS.get(state, state)
    return OF_A_LIMIT.get(state, usual).format(decision) if decision in LIMITS else usual


def _target(found: Document, one: Document) -> Iterator[str]:
    """One post of it."""
    limit = found["decision"] in LIMITS
    state = "in force" if limit and one["state"] == "kept" and one["reversible"] else one["state"]
    yield render.one_line(f"  {one['ref']}  {one['account']}  {became(found['decision'], state)}")
    why = one["why"] if limit or one["state"] != "kept" else ""
    by_hand = one["state"] not in ENDED and found["state"] != "running" and one["url"]
    undo = f'guardian takedown undo {found["id"]} --target {one["id"]} --reason "..."' if one["reversible"] else ""
    proof = f"{one['evidence']} ({one['grade']})" if one["evidence"] else ""
    for label, text in (
        ("address", one["url"]),
        ("because", why),
        ("not before", render.local(one["due"]) if one["due"] else ""),
        ("proof", proof),
        ("do", f"open the address and {'limit it' if limit else 'take it down'} by hand" if by_hand else ""),
        ("undo", undo),
    ):
        if text:
            yield render.field(f"  {label}", text)


def standing(found: Document | None) -> Iterator[str]:
    """Nothing, unless takedowns are under way, or something of the open incident is not as it was ordered."""
    for one in (found or {}).get("running", ()):
        last = f", the last not before {render.local(one['due'])}" if one["due"] else ""
        done = f"{one['done']} of {render.count(one['posts'], 'post')} done"
        yield render.field("takedown", f"{one['takedown']} ({one['decision']}): {done}{last}")
    wrong = (found or {}).get("not_done", ())
    for one in wrong:
        name = one["url"] or f"{one['account']}/{one['platform_id']}"
        yield render.field(
            "NOT DONE", f"{name}  {became(one['decision'], one['state'])}; guardian takedown show {one['takedown']}"
        )
    more = (found or {}).get("not_done_in_all", 0) - len(wrong)
    if more > 0:
        yield render.field("", f"and {more} more")


def of_post(found: list[Document]) -> Iterator[str]:
    """What was ordered about one post of ours."""
    for one in found:
        part = f"part {one['part']}: " if (one["part"] or 1) > 1 else ""
        words = f"{part}{one['decision']}, ordered {render.local(one['at'])} by {one['by']}: "
        yield render.field("takedown", f"{one['takedown']}  {words}{became(one['decision'], one['state'])}")
        if one["evidence"]:
            yield render.field("proof", f"{one['evidence']} ({one['grade']})")


def page(found: Document) -> Iterator[str]:
    """A page of takedowns."""
    if not found["takedowns"]:
        yield "No takedown was ever ordered here"
        return
    rows = [
        (
            one["id"],
            render.local(one["at"]),
            one["decision"],
            "under way" if one["state"] == "running" else "done" if one["complete"] else "NOT complete",
            len(one["targets"]),
            one["by"],
            one["reason"],
        )
        for one in found["takedowns"]
    ]
    yield from render.table(("takedown", "ordered", "decision", "state", "posts", "by", "reason"), rows)
    if found["next"] is not None:
        yield f"more: guardian takedown list --cursor {found['next']}"


def eta(found: Document) -> str:
    """When the last of those that wait can be acted on; empty when none has to wait."""
    due = [one["due"] for one in found["targets"] if one["due"]]
    return f", the last not before {render.local(max(due))}" if due else ""
