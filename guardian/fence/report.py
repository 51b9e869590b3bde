"""What `guardian freeze` says: the result document of the contract, and the same in words for a person at 3 a.m."""

from __future__ import annotations

import os

from guardian.fence.light import TYPE_CHECKING
from guardian.fence.marker import MAX_REASON
from guardian.fence.reading import daemon_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardian.fence.house import House
    from guardian.fence.stopping import Order, Stopping

NOT_COVERED = (
    "posts that are live already",
    "posts scheduled on the platform itself",
    "people and other tools that are logged in there",
)
A_REBOOT = "a reboot: "
MOST_LINES = 100


def document(stop: Stopping, door: str, not_covered: Sequence[str]) -> dict[str, object]:
    """The freeze's result, from whichever door (null = not known from this door)."""
    undone = [f"{A_REBOOT}it undoes this freeze, because {stop.not_durable}"] if stop.not_durable else []
    return {
        "state": "frozen" if stop.confirmed else "unknown",
        "confirmed": stop.confirmed,
        "durable": stop.confirmed and not stop.not_durable,
        "scopes": list(stop.order.scopes),
        "elapsed_ms": round(stop.elapsed * 1000, 1),
        "door": door,
        "daemon_killed": bool(stop.killed),
        "epoch": None,
        "incident": None,
        "held": None,
        "in_flight": None,
        "not_covered": [*not_covered, *(undone if stop.confirmed else [])],
        "unconfirmed": [one._asdict() for one in stop.unconfirmed],
        "native": None,
        "takedown": [],
    }


def complete(result: dict[str, object], house: House, order: Order, *, wait: float, native: str = "list") -> None:
    """Add what only the daemon knows, if it runs and can answer; a killed or stopped one is not waited for.

    `native` is what it shall do with posts that the platform itself would publish: list, hold or delete.
    """
    if not result["confirmed"]:
        return
    from guardian.fence import telling  # brings `json` and `socket`, 10 ms: not before the line that counts

    wish: dict[str, object] = {
        "scopes": list(order.scopes),
        "reason": order.reason[:MAX_REASON],
        "by": order.by,
        "told": True,
    }
    wish |= {"native": native} if native != "list" else {}
    told = telling.tell_frozen(house.socket, wish, wait=wait)
    for key in ("epoch", "incident", "held", "in_flight", "native"):
        result[key] = told.get(key) if told else None
    if told and isinstance(told.get("notes"), list):
        result["notes"] = told["notes"]
    not_covered = told.get("not_covered") if told else None
    if isinstance(not_covered, list):  # it knows the platforms
        undone = [one for one in _list(result["not_covered"]) if str(one).startswith(A_REBOOT)]
        result["not_covered"] = [str(one)[:MAX_REASON] for one in not_covered[:MOST_LINES]] + undone


def print_json(result: dict[str, object]) -> None:
    """One document on stdout; what could steer a terminal is written as an escape, which JSON reads as the same."""
    import json  # as above: the verdict of a person at a terminal does not wait for it

    text = json.dumps(result, indent=2, ensure_ascii=False)
    harmless = "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
    print(harmless, flush=True)  # noqa: T201 (the command's output)


def print_verdict(house: House, result: dict[str, object], order: Order, killed: Sequence[int] = ()) -> None:
    """The line that counts, as soon as it is true."""
    scope = ", ".join(order.scopes)
    if result["confirmed"]:
        say(f"FROZEN  CONFIRMED  {scope}{_elapsed(result)}")
    else:
        say(f"NOT CONFIRMED  {scope}: something may still leave the house")
        for one in rows(result["unconfirmed"]):
            pid = f" (pid {one['pid']})" if one["pid"] else ""
            say(printable(f"  {one['scope']}: cannot confirm, because {one['why']}{pid}, do {one['fix']}"))
    say(f"  house       {house.state_dir}, {house.runtime_dir}")
    if result["door"] != "direct":
        say(f"  door        {result['door']}")
    if order.reason:
        say(f"  reason      {printable(order.reason)}")
    if result["daemon_killed"]:
        who = f"process {', '.join(map(str, killed))}" if killed else "the daemon"
        say(f"  ended       {who}, which did not let go; systemd starts it frozen")


def print_rest(house: House, result: dict[str, object]) -> None:
    """What is good to know once it is quiet."""
    not_covered = [str(one) for one in _list(result["not_covered"])]
    if result["confirmed"]:
        why = next(
            (one.partition("because ")[2] for one in not_covered if one.startswith(A_REBOOT)), "it is not on disk"
        )
        lost = (
            f"NO: it is lost at a reboot, after which posts go out again, because {printable(why)}, do freeze again "
            "when that is mended"
        )
        say(f"  durable     {'yes, it survives a reboot' if result['durable'] else lost}")
    _print_flight(house, result)
    if result["takedown"] or result.get("native") is not None or result.get("notes"):
        from guardian.fence import aftermath

        aftermath.say(result)
    for place, one in enumerate(one for one in not_covered if not one.startswith(A_REBOOT)):
        say(f"  {'' if place else 'not covered':<11} {printable(one)}")
    if result["confirmed"]:
        say('  to lift it  guardian thaw --reason "..."')


def _print_flight(house: House, result: dict[str, object]) -> None:
    if result["held"] is None:
        say(f"  held        not known: the daemon is {daemon_state(house)[0]}; the queue is left as it is")
        return
    posts = "1 post waits" if result["held"] == 1 else f"{result['held']} posts wait"
    say(printable(f"  held        {posts} behind it; what falls due meanwhile is missed, never sent late"))
    flight = rows(result["in_flight"])
    say(f"  in flight   {'nothing was on the wire' if not flight else f'{len(flight)} had left already:'}")
    for one in flight:
        url = str(one.get("url") or "")
        parts = one.get("parts", 1)
        thread = f"  {one.get('live')} of {parts} parts live" if parts != 1 else ""
        say(printable(f"    {one.get('post')}  {one.get('account')}  {one.get('state')}{thread}  {url}").rstrip())
        if one.get("state") == "published":
            say(printable(f"      to take it down: guardian takedown {one.get('post')} --delete"))


def _elapsed(result: dict[str, object]) -> str:
    """How long the stop itself took, where the door measured it."""
    elapsed = result["elapsed_ms"]
    return f"  in {elapsed:.1f} ms" if isinstance(elapsed, int | float) else ""


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def rows(value: object) -> list[dict[str, object]]:
    """The rows of a table in a document that somebody else may have written."""
    return [one for one in _list(value) if isinstance(one, dict)]


def printable(text: str) -> str:
    """Control and bidi characters made visible: a platform's words never steer a terminal."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def say(line: str) -> None:
    """Print, and go on even if nobody listens any more: a closed pipe must not stop a stop half way."""
    try:
        os.write(1, (line + "\n").encode("utf-8", "replace"))
    except OSError:
        return
