"""What came of the orders beside the stop: takedowns, and what the platform itself would publish. After CONFIRMED.

Everything here was said by somebody else, or may have been: it is bounded, and printed only with its control signs made
visible. What nobody has confirmed counts as not done.
"""

from __future__ import annotations

import datetime as dt
import os

from guardian.fence import limited, orders, report
from guardian.fence.light import TYPE_CHECKING
from guardian.fence.marker import MAX_REASON

if TYPE_CHECKING:
    from guardian.fence.beside import Beside, Reply
    from guardian.fence.command import Wish
    from guardian.fence.house import House

DONE = ("gone", "hidden", "kept")
STATES = (*DONE, "still_visible", "unknown", "not_attempted")
UNDER_WAY = {"ordered": "not_attempted", "captured": "not_attempted", "acting": "unknown"}
SETTLED = {"hold": ("deferred", "deleted", "published"), "delete": ("deleted", "published")}
WORDS = {
    "gone": "gone",
    "hidden": "hidden",
    "kept": "kept, it stays live",
    "still_visible": "STILL VISIBLE",
    "unknown": "NOT KNOWN whether it is gone",
    "not_attempted": "NOT ATTEMPTED",
}
NOT_ALLOWED, FAILED_THERE = 403, 500
LEAVE_WITHIN = 2.0
MOST_WORDS = 300
MOST_TEXT = 60
MOST_ROWS = 1000
MOST_NAMED = 10


def add(document: dict[str, object], house: House, wish: Wish, asked: Beside | None, *, by: str, direct: bool) -> bool:
    """Put what came of it into the result, and leave the order for a daemon that could not hear it.

    Whether the takedown was not allowed. `direct`: this user may write into the house.
    """
    notes: list[str] = []
    if wish.undecided:
        notes.append(f"the posts stay live, because {wish.undecided}, do decide: guardian takedown REF --delete")
    reply = asked.collect() if asked is not None else None
    if reply is not None:
        notes += _siblings(reply, wish.decision)
        document["takedown"] = rows_of(reply, wish.takedown, killed=bool(document["daemon_killed"]))
    unheard = reply is not None and (not reply.status or reply.status >= FAILED_THERE)
    untold = wish.native in SETTLED and document["native"] is None
    if untold:
        notes.append("posts scheduled on the platform itself were not touched, because no daemon did it, do look there")
    if unheard or untold:
        order = _order(wish, asked if unheard else None, native=wish.native if untold else "list", by=by)
        notes.append(_leave(house, order) if direct else orders.NOT_LEFT)
    if notes:
        said = document.get("notes")  # the daemon's own
        document["notes"] = [*(said if isinstance(said, list) else []), *notes]
    return reply is not None and reply.status == NOT_ALLOWED


def rows_of(reply: Reply, refs: tuple[str, ...], *, killed: bool) -> list[dict[str, object]]:
    """The contract's `takedown` list: a row for each target that is named, and for each reference that is not."""
    if not reply.status:
        doubt = reply.reached and not killed
        why = "the daemon was ended before it answered" if killed and reply.reached else reply.why
        return [_row(ref, "unknown" if doubt else "not_attempted", why=why) for ref in refs]
    said = reply.document if isinstance(reply.document, dict) else {}
    if reply.status >= 300:  # noqa: PLR2004 (HTTP: it was not taken)
        return [_row(ref, "not_attempted", why=_refusal(said, reply)) for ref in refs]
    targets = report.rows(said.get("targets"))[:MOST_ROWS]
    rows = [_of_target(one, _as_given(one, refs, alone=len(targets) == 1), said.get("id")) for one in targets]
    if isinstance(said.get("lost"), list):
        lost = report.rows(said["lost"])[:MOST_ROWS]
        rows += [_row(one.get("ref"), "not_attempted", why=str(one.get("why") or "")) for one in lost]
    if rows:
        return rows
    return [_row(ref, "not_attempted", why="the daemon did not say what became of it") for ref in refs]


def _as_given(one: dict[str, object], refs: tuple[str, ...], *, alone: bool) -> str:
    """The reference by which somebody named this target; where none fits, the daemon's own."""
    names = [one.get("ref"), one.get("url"), f"{one.get('account')}/{one.get('platform_id')}"]  # hashable or not
    fitting = [ref for ref in refs if ref.strip() in names]
    if not fitting and alone and len(refs) == 1:
        return refs[0]
    return fitting[0] if fitting else str(one.get("ref"))


def is_complete(document: dict[str, object], native: str) -> bool:
    """Whether all that was ordered beside the stop is surely done."""
    taken = all(row.get("state") in DONE for row in report.rows(document["takedown"]))
    if native not in SETTLED:
        return taken
    found = document.get("native")
    return taken and isinstance(found, list) and all(row.get("state") in SETTLED[native] for row in report.rows(found))


def say(document: dict[str, object]) -> None:
    """The same in words."""
    for row in report.rows(document["takedown"]):
        _say_taken(row)
    _say_natives(document.get("native"))
    notes = document.get("notes")
    for note in notes if isinstance(notes, list) else []:
        report.say(f"  note        {report.printable(str(note))}")


def _siblings(reply: Reply, decision: str) -> list[str]:
    """What belongs to it and is still live is offered, each with why, never taken down unasked."""
    said = reply.document if isinstance(reply.document, dict) else {}
    found = report.rows(said.get("siblings"))
    act = "hide" if decision == "hide" else "delete"
    notes = []
    for one in found[:MOST_NAMED]:
        ref, url = _text(one.get("ref")) or "?", _text(one.get("url"))
        what = f"{_text(one.get('why')) or 'it belongs to it'}: {url or ref}"
        notes.append(f"still live, {what}; to take it down: guardian takedown {ref} --{act}")
    if len(found) > MOST_NAMED:
        order = _text(said.get("id")) or "ID"
        notes.append(f"still live: {len(found) - MOST_NAMED} more; to see them: guardian takedown show {order}")
    return notes


def _row(ref: object, state: str, *, why: str = "", evidence: object = None, url: object = None) -> dict[str, object]:
    return {"ref": ref, "state": state, "evidence": evidence, "url": url, "why": why}


def _of_target(one: dict[str, object], ref: str, order: object) -> dict[str, object]:
    state, why = str(one.get("state")), str(one.get("why") or "")
    if state in UNDER_WAY:
        due = one.get("due")
        why = why or (f"it is due at {due}" if due else "it is under way")
        why = f"{why}: guardian takedown show {order}"
    ours = UNDER_WAY.get(state, state if state in STATES else "unknown")
    row = _row(ref, ours, why=why, evidence=_text(one.get("evidence")), url=_text(one.get("url")))
    return {**row, "grade": _text(one.get("grade")), "takedown": _text(order)}


def _refusal(said: dict[str, object], reply: Reply) -> str:
    error = said.get("error")
    if isinstance(error, dict):
        return f"{error.get('message')}, do {error.get('fix')}"
    return reply.why or f"the daemon answered {reply.status}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _order(wish: Wish, asked: Beside | None, *, native: str, by: str) -> dict[str, object]:
    """What a daemon that starts later has to know."""
    return {
        "key": asked.key if asked is not None else os.urandom(16).hex(),
        "refs": list(wish.takedown) if asked is not None else [],
        "decision": wish.decision,
        "capture": wish.capture,
        "reason": wish.reason[:MAX_REASON],
        "scopes": list(wish.scopes),
        "native": native,
        "by": by,
    }


def _leave(house: House, order: dict[str, object]) -> str:
    """Leave it, on a disk that may hang; what is to be said of it."""
    path = orders.path_of(house, str(order["key"]))
    trouble = limited.within(lambda: orders.leave(house, order), LEAVE_WITHIN)
    if trouble:
        return f"the order could not be left for the daemon, because {trouble}, do it by hand"
    return f"the order is left for the daemon, which does it as soon as it runs, in {path}; to withdraw it: rm {path}"


def _say_taken(row: dict[str, object]) -> None:
    state = str(row.get("state"))
    why, ref, url = str(row.get("why") or ""), str(row.get("ref")), row.get("url")
    because = f", because {why}" if why else ""
    _line(f"  takedown    {_short(ref)}: {WORDS.get(state, WORDS['unknown'])}{_short(because)}")
    if row.get("evidence"):
        grade = f" ({row['grade']})" if row.get("grade") else ""
        _line(f"    evidence  {_short(str(row['evidence']))}{_short(grade)}: guardian evidence verify")
    place = url or (ref if ref.startswith(("https://", "http://")) else None)
    if state in DONE:
        return
    _line(f"    by hand   {_short(str(place)) if place else f'look up its address: guardian queue show {_short(ref)}'}")


def _say_natives(found: object) -> None:
    """Posts that the platform itself would publish. Null: not known from this door, and `not_covered` says so."""
    if not isinstance(found, list):
        return
    many = report.rows(found)
    said = f"{len(many)} on the platform itself:" if many else "nothing waits on the platforms that could be asked"
    report.say(f"  scheduled   {said}")
    for row in many[:MOST_ROWS]:
        due, text = _local(row.get("due")), " ".join(str(row.get("text") or "").split())[:MOST_TEXT]
        why = f", {row['why']}" if row.get("why") else ""
        _line(f"    {row.get('account')}/{row.get('id')}  {due}  {row.get('state')}{_short(why)}  {text}".rstrip())


def _local(due: object) -> str:
    """A time in UTC as the person's clock shows it."""
    try:
        return dt.datetime.fromisoformat(str(due)).astimezone().isoformat(sep=" ", timespec="minutes")
    except (ValueError, OverflowError, OSError):
        return str(due)[:40]


def _short(text: str) -> str:
    return text if len(text) <= MOST_WORDS else f"{text[:MOST_WORDS]}..."


def _line(text: str) -> None:
    report.say(report.printable(text))
