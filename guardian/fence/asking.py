"""The two other rungs of `guardian freeze`, for people who may not touch the fence themselves: its agent, the daemon.

The agent comes first: it is a process of its own, and can end a daemon that hangs. The daemon is asked where no agent
answers. Nothing here decides anything: whoever answers has looked up who calls.
"""

from __future__ import annotations

import sys

from guardian.fence import aftermath, report, telling
from guardian.fence.beside import Beside
from guardian.fence.command import LIST, NOT_ALLOWED, NOT_CONFIRMED, WRONG_USE, exit_code
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.marker import MAX_REASON

if TYPE_CHECKING:
    from guardian.fence.command import Wish
    from guardian.fence.house import House
    from guardian.fence.stopping import Order

BEYOND_THE_DRAIN = 10.0  # reset, kill, the dying, the durable part: each has its own limit, these are all of them
CODES = {403: NOT_ALLOWED, 422: WRONG_USE}
NEEDED = {
    "confirmed",
    "durable",
    "elapsed_ms",
    "door",
    "daemon_killed",
    "not_covered",
    "unconfirmed",
    "held",
    "in_flight",
}


class Unanswered(NamedTuple):
    """Nobody behind that door gave a verdict. `reached`: somebody listens there, and the order may have been heard."""

    why: str
    reached: bool


class Refused(NamedTuple):
    """The door said no, and no other door is tried."""

    code: int
    message: str


Answered = dict[str, object]


def carry_out(house: House, wish: Wish, order: Order) -> int:
    """Have the takedown asked for; ask the agent, else the daemon; print what came of it; the exit code."""
    asked = Beside(house, wish, ask_for_scopes=True) if wish.takedown else None
    body: dict[str, object] = {"reason": order.reason[:MAX_REASON], "scopes": list(order.scopes)}
    body |= {"drain": order.drain, "wait": wish.wait}
    within = order.drain + BEYOND_THE_DRAIN
    found = agent = _ask(house.fence_socket, body, within)
    if isinstance(agent, Unanswered):
        more = {"native": wish.native} if wish.native != LIST else {}
        found = _ask(house.socket, body | more, within + wish.wait)
    if isinstance(found, dict):
        return _tell(house, wish, order, found, asked)
    if asked is not None:
        _say_of_the_takedown(house, wish, asked)
    if isinstance(found, Refused):
        return _fail(found.code, f"NOT FROZEN: {found.message}")
    return _nobody(house, agent, found)


def _tell(house: House, wish: Wish, order: Order, document: Answered, asked: Beside | None) -> int:
    document |= {"takedown": [], "native": document.get("native")}
    if not wish.json:
        report.print_verdict(house, document, order)
    if document["door"] == "agent":
        report.complete(document, house, order, wait=wish.wait, native=wish.native)
    denied = aftermath.add(document, house, wish, asked, by=order.by, direct=False)
    if wish.json:
        report.print_json(document)
    else:
        report.print_rest(house, document)
    return exit_code(document, denied=denied, native=wish.native)


def _say_of_the_takedown(house: House, wish: Wish, asked: Beside) -> None:
    """The stop was not done, and the takedown may have been: it is said all the same, beside the error."""
    document: dict[str, object] = {"daemon_killed": False, "takedown": [], "native": None}
    aftermath.add(document, house, wish._replace(native=LIST), asked, by="", direct=False)
    for row in report.rows(document["takedown"]):
        line = f"takedown {row['ref']}: {row['state']} {row['why']}"
        print(report.printable(line).rstrip(), file=sys.stderr)


def _ask(path: str, body: dict[str, object], within: float) -> Answered | Unanswered | Refused:
    try:
        status, document = telling.ask(path, "POST", "/v1/freeze", body, within=within)
    except (FileNotFoundError, ConnectionRefusedError):
        return Unanswered(f"nobody listens on {path}", reached=False)
    except PermissionError:
        return Unanswered(f"you may not open {path}", reached=False)
    except OSError as error:
        return Unanswered(f"{path}: {error}", reached=True)
    if status in (200, 504) and isinstance(document, dict) and document.keys() >= NEEDED:
        return document
    said = document.get("error") if isinstance(document, dict) else None
    words = f"{said.get('message')}, do {said.get('fix')}" if isinstance(said, dict) else f"answered {status}"
    return Refused(CODES[status], words) if status in CODES else Unanswered(f"{path}: {words}", reached=True)


def _nobody(house: House, *found: Answered | Unanswered | Refused) -> int:
    """No verdict from anybody: whether anybody was reached decides how loud it is said."""
    missed = [one for one in found if isinstance(one, Unanswered)]
    why = "; ".join(report.printable(one.why) for one in missed)
    way = "do run it as root or as the service user: sudo guardian freeze"
    if any(one.reached for one in missed):
        return _fail(
            NOT_CONFIRMED, f"NOT CONFIRMED: cannot say whether {house.state_dir} is frozen, because {why}, {way}"
        )
    return _fail(NOT_ALLOWED, f"NOT FROZEN: cannot freeze {house.state_dir} as this user, because {why}, {way}")


def _fail(code: int, text: str) -> int:
    print(report.printable(text), file=sys.stderr)
    return code
