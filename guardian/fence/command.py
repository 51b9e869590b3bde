"""`guardian freeze`: the command of the worst minute.

Asks nothing, waits for nobody, imports only the standard library.

It is dispatched before anything heavy is imported, reads two paths of the configuration, stops, says CONFIRMED, and
only then turns to what is good to know: whether it survives a reboot, what is held, what was already on the wire. A
takedown is asked for by a child beside the stop, which nobody waits for on the way to CONFIRMED.
"""

from __future__ import annotations

import os
import pwd
import sys

from guardian.fence import limited, scopes
from guardian.fence.house import Denied, FenceError, House, find_house, is_ours, must_exist
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.stopping import DRAIN, Order, Stopping

if TYPE_CHECKING:
    from guardian.fence.beside import Beside

OK, FAILED, WRONG_USE, NOT_CONFIRMED, NOT_DURABLE, NOT_ALLOWED, TAKEDOWN_INCOMPLETE = 0, 1, 2, 10, 11, 13, 14
WAIT = 3.0
LONGEST = 600.0
WAIT_FOR_TAKEDOWN = 10.0
DELETE, HIDE, KEEP = "delete", "hide", "keep"
CAPTURES = ("best-effort", "require", "skip")
LIST, HOLD = "list", "hold"
NATIVES = (HOLD, DELETE, LIST)
FLAGS = {"--json", "--delete", "--hide", "--keep"}
SINGLE = {"--drain", "--wait", "--config", "--state-dir", "--runtime-dir", "--capture"}


class Wish(NamedTuple):
    """What the command line asks for. `undecided`: why the decision is to keep though nobody said so; empty if clear.

    `patience` is how long a takedown is waited for, in seconds.
    """

    reason: str
    scopes: tuple[str, ...]
    drain: float
    wait: float
    takedown: tuple[str, ...]
    decision: str
    undecided: str
    capture: str | None
    native: str
    patience: float
    json: bool
    config: str | None
    state_dir: str | None
    runtime_dir: str | None


class WrongUse(Exception):
    """cannot understand the command line; the text says which word."""


def main(words: list[str]) -> int:
    """Run the command with the words after `freeze`; returns the exit code."""
    if "--help" in words or "-h" in words:
        from guardian.fence.usage import USAGE

        print(USAGE, end="")
        return OK
    try:
        wish = understand(words)
        house = find_house(wish.config, wish.state_dir, wish.runtime_dir)
        if not is_ours(house):
            from guardian.fence import asking  # another's house: its doors are asked

            return asking.carry_out(house, wish, Order(wish.scopes, wish.reason, who_calls(), wish.drain))
        must_exist(house)
        unknown = [scope for scope in wish.scopes if not (scopes.is_scope(scope) and scopes.exists(house, scope))]
    except WrongUse as error:
        return _fail(WRONG_USE, f"NOT FROZEN: {error}")
    except (FenceError, OSError) as error:
        denied = isinstance(error, (Denied, PermissionError))
        return _fail(NOT_ALLOWED if denied else NOT_CONFIRMED, f"NOT FROZEN: {error}")
    if unknown:
        return _fail(WRONG_USE, f"NOT FROZEN: {_no_such_scope(house, unknown[0])}")
    return carry_out(house, wish)


def carry_out(house: House, wish: Wish) -> int:
    """Stop, report, settle, tell: in this order, whatever fails. A takedown begins beside it, and never before it."""
    order = Order(wish.scopes, wish.reason, who_calls(), wish.drain)
    asked: list[Beside] = []

    def begin() -> None:
        if wish.takedown and not asked:
            from guardian.fence import beside

            asked.append(beside.Beside(house, wish))

    with Stopping(house, order, meanwhile=begin) as stop:
        stop.confirm()
        from guardian.fence import report  # the stop is over: from here on imports cost nobody anything

        if not wish.json:
            report.print_verdict(house, report.document(stop, "direct", ()), order, stop.killed)
        begin()
        stop.settle(lambda action, limit: limited.in_a_child(action, limit, closing=stop.locks()))
        document = report.document(stop, "direct", report.NOT_COVERED)
    report.complete(document, house, order, wait=wish.wait, native=wish.native)
    denied = False
    if asked or wish.native in (HOLD, DELETE):
        from guardian.fence import aftermath

        denied = aftermath.add(document, house, wish, asked[0] if asked else None, by=order.by, direct=True)
    if wish.json:
        report.print_json(document)
    else:
        report.print_rest(house, document)
    return exit_code(document, denied=stop.denied or denied, native=wish.native)


def exit_code(document: dict[str, object], *, denied: bool, native: str = LIST) -> int:
    """The first that applies, in the order 13, 10, 11, 14 of the contract."""
    if denied:
        return NOT_ALLOWED
    if not document["confirmed"]:
        return NOT_CONFIRMED
    if not document["durable"]:
        return NOT_DURABLE
    if not document["takedown"] and native == LIST:
        return OK
    from guardian.fence import aftermath

    return OK if aftermath.is_complete(document, native) else TAKEDOWN_INCOMPLETE


def who_calls() -> str:
    """The person behind the process, as far as the system knows."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    sudo = os.environ.get("SUDO_USER")
    return f"{name} (sudo, {sudo})" if sudo else name


def understand(words: list[str]) -> Wish:
    """Read the command line by hand (an argument parser costs more than the whole stop). Raises WrongUse."""
    single: dict[str, str] = {}
    many: dict[str, list[str]] = {"--scope": [], "--takedown": []}
    flags: set[str] = set()
    reason: list[str] = []
    rest = list(words)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        if not word.startswith("--"):
            reason.append(word + equals + value)
        elif word == "--":
            reason.extend(rest)
            break
        elif word in FLAGS:
            flags.add(word)
        elif word == "--native":  # its value is never the next word: that one is of the reason
            single[word] = value if equals else HOLD
        elif word in many or word in SINGLE:
            if not equals and not rest:
                raise WrongUse(f"cannot read {word}, because its value is missing, do give one")
            value = value if equals else rest.pop(0)
            many.get(word, []).append(value)
            single[word] = value
        else:
            raise WrongUse(f"cannot understand {word}, because there is no such option, do type: guardian freeze")
    return _wish(" ".join(reason), single, many, flags)


def _wish(reason: str, single: dict[str, str], many: dict[str, list[str]], flags: set[str]) -> Wish:
    decision, undecided = _decision([word for word in (DELETE, HIDE, KEEP) if f"--{word}" in flags])
    return Wish(
        reason,
        tuple(sorted(set(many["--scope"]) or {"all"})),
        _seconds(single.get("--drain"), DRAIN),
        _seconds(single.get("--wait"), WAIT),
        tuple(dict.fromkeys(many["--takedown"])),
        decision,
        undecided if many["--takedown"] else "",
        _one_of(single, "--capture", CAPTURES) if "--capture" in single else None,
        _one_of(single, "--native", NATIVES) if "--native" in single else LIST,
        _seconds(single.get("--wait"), WAIT_FOR_TAKEDOWN),
        "--json" in flags,
        single.get("--config"),
        single.get("--state-dir"),
        single.get("--runtime-dir"),
    )


def _decision(given: list[str]) -> tuple[str, str]:
    """What is to become of the posts, and why nobody decided it: the stop asks nothing, and never guesses *delete*."""
    if not given:
        return KEEP, "no decision was given"
    if len(given) > 1:
        return KEEP, f"--{' and --'.join(given)} contradict each other"
    return given[0], ""


def _one_of(single: dict[str, str], option: str, known: tuple[str, ...]) -> str:
    value = single[option]
    if value not in known:
        raise WrongUse(f"cannot use {option} {value!r}, because there is no such choice, do write {', '.join(known)}")
    return value


def _seconds(text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST:
        raise WrongUse(f"cannot wait {text!r}, because it is no number of seconds up to {LONGEST:.0f}, do write 5")
    return value


def _no_such_scope(house: House, scope: str) -> str:
    known = ", ".join(scopes.listed(house)) or "all"
    return f"cannot freeze {scope!r}, because this house has no such scope, do choose from: {known}"


def _fail(code: int, text: str) -> int:
    from guardian.fence import report  # nothing was stopped: nobody waits for a line that counts

    print(report.printable(text), file=sys.stderr)
    return code
