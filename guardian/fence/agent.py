"""The fence agent: the door for people on call who are neither root nor the service user.

systemd accepts on `fence.sock` and starts one such process for each connection, as the service user, without network,
without credentials. It knows two requests, `POST /v1/freeze` and `GET /v1/fence`; it can stop and it can look, and
nothing in it can start anything. Standard library only, one thread, one request, then the end.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys

from guardian.fence import gates, limited, reading, report, scopes
from guardian.fence.hearing import Unheard, answer, document_in, hear
from guardian.fence.house import FenceError, config_path, find_house, must_exist
from guardian.fence.light import TYPE_CHECKING, NamedTuple
from guardian.fence.marker import MAX_REASON
from guardian.fence.peers import Right, peer_of
from guardian.fence.rights import rights_in
from guardian.fence.stopping import DRAIN, Order, Stopping

if TYPE_CHECKING:
    from guardian.fence.house import House
    from guardian.fence.peers import Peer
    from guardian.fence.rights import Groups

OK, FAILED, WRONG_USE = 0, 1, 2
CONNECTION = 3  # the first descriptor that systemd hands over
AT_ONCE = 4  # of one uid: enough for a person in a hurry, too few to keep the others out
LONGEST_DRAIN = 60.0
MOST_SCOPES = 1000
USAGE = """\
Usage: guardian-fence-agent [--config FILE]

Started by systemd for each connection on fence.sock (see guardian-fence.socket); not meant to be typed. To try it out:

Example: systemd-socket-activate --accept --listen /tmp/fence.sock guardian-fence-agent --config FILE
         curl --unix-socket /tmp/fence.sock http://guardian/v1/freeze -d '{"reason": "why"}'
"""


class Caller(NamedTuple):
    """Who asks, and what they may."""

    peer: Peer
    rights: Groups

    def must(self, *any_of: Right) -> None:
        """Raise Unheard unless the caller has one of these rights."""
        if any(self.peer.may(right, self.rights) for right in any_of):
            return
        groups = ", ".join(self.rights.get(any_of[0], ())) or "nobody"
        raise Unheard(
            403,
            "not_allowed",
            f"cannot do that as {self.peer.name}, because it needs the right {any_of[0].value!r}",
            f"ask one of: {groups}",
        )


def main(words: list[str] | None = None) -> int:
    """Serve the one connection that was handed over; the exit code."""
    words = sys.argv[1:] if words is None else words
    if {"--help", "-h"} & set(words):
        print(USAGE, end="")
        return OK
    if words and (words[0] != "--config" or len(words) != 2):  # noqa: PLR2004 (an option and its value)
        return _say_and_fail(f"cannot understand {words[0]!r}, because the agent takes --config FILE only, do --help")
    try:
        sock = handed_over()
    except (OSError, ValueError) as error:
        return _say_and_fail(f"cannot serve, because systemd handed over no connection ({error}), do read --help")
    with sock:
        serve(sock, config_path(words[1] if words else None))
    return OK


def handed_over() -> socket.socket:
    """The connection that systemd accepted for us. Raises ValueError or OSError when there is none."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        raise ValueError("LISTEN_PID and LISTEN_FDS do not name one")
    if not stat.S_ISSOCK(os.fstat(CONNECTION).st_mode):
        raise ValueError("descriptor 3 is no socket")
    os.set_inheritable(CONNECTION, False)
    sock = socket.socket(fileno=CONNECTION)
    if sock.family != socket.AF_UNIX or sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ValueError("descriptor 3 is no connection on a Unix socket")
    return sock


def serve(sock: socket.socket, config: str | None) -> None:
    """Answer one request; whatever goes wrong becomes an answer and a line on standard error."""
    caller = Caller(peer_of(sock), rights_in(config))
    facts: dict[str, object] = {"event": "asked", "who": caller.peer.name, "uid": caller.peer.uid}
    try:
        caller.must(Right.FREEZE, Right.READ)  # before a byte is read: a stranger costs nothing
        house = _house(config)
        slot = take_slot(house, caller.peer)
        try:
            status, document = _answer(sock, house, caller, facts)
        finally:
            if slot is not None:
                os.close(slot)
    except Unheard as error:
        status, document = error.status, error.document()
        facts["why"] = error.message
    except ConnectionError as error:
        status, document = 400, {}
        facts["why"] = str(error)
    except OSError as error:
        unable = Unheard(503, "error", f"cannot do that, because of {error}", "run as root: guardian freeze")
        status, document = unable.status, unable.document()
        facts["why"] = str(error)
    answer(sock, status, document)
    print(json.dumps({**facts, "status": status}), file=sys.stderr, flush=True)


def take_slot(house: House, peer: Peer) -> int | None:
    """One of the few places of a uid, kept by a lock that dies with us; None when memory has no room for the file.

    Raises Unheard when all are taken.
    """
    for place in range(AT_ONCE):
        path = f"{house.gates}/.agent.{peer.uid}.{place}"
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return None  # a stop is never refused because there is no room for its number
        if gates.try_exclusive(fd):
            return fd
        os.close(fd)
    raise Unheard(503, "busy", f"cannot hear you, because {AT_ONCE} requests of yours are under way", "wait for them")


def _answer(
    sock: socket.socket, house: House, caller: Caller, facts: dict[str, object]
) -> tuple[int, dict[str, object]]:
    request = hear(sock)
    facts["asked"] = f"{request.method} {request.path}"[:200]
    if (request.method, request.path) == ("GET", "/v1/fence"):
        return 200, _fence(house)
    if (request.method, request.path) != ("POST", "/v1/freeze"):
        known = request.path in ("/v1/fence", "/v1/freeze")
        raise Unheard(
            405 if known else 404,
            "not_found",
            f"cannot do {request.method} {request.path[:80]}, because this door knows a freeze and a look alone",
            "ask for POST /v1/freeze or GET /v1/fence here, for the rest on control.sock",
        )
    caller.must(Right.FREEZE)
    order = order_in(document_in(request.body), house, by=caller.peer.name)
    facts["scopes"] = list(order.scopes)
    document = freeze(house, order)
    return (200 if document["confirmed"] else 504), document


def freeze(house: House, order: Order) -> dict[str, object]:
    """Stop, and make it durable; the result document of the contract."""
    with Stopping(house, order) as stop:
        stop.confirm()
        stop.settle(lambda action, limit: limited.in_a_child(action, limit, closing=stop.locks()))
        return report.document(stop, "agent", report.NOT_COVERED)


def order_in(body: dict[str, object], house: House, *, by: str) -> Order:
    """What the body asks for. `wait` is taken and has no meaning here: this door knows no answers of platforms.

    Raises Unheard.
    """
    for key in body:
        if key not in ("reason", "scopes", "drain", "wait"):
            raise _bad(f"cannot use {key[:80]!r}, because there is no such key", "reason, scopes, drain, wait")
    reason, wanted, drain = body.get("reason", ""), body.get("scopes", ["all"]), body.get("drain", DRAIN)
    if not isinstance(reason, str) or len(reason) > MAX_REASON:
        raise _bad(f"cannot use the reason, because it is no text of up to {MAX_REASON} signs", "shorten it")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= MOST_SCOPES:
        raise _bad("cannot use the scopes, because they are no list", 'write ["all"]')
    if isinstance(drain, bool) or not isinstance(drain, int | float) or not 0 <= drain <= LONGEST_DRAIN:
        raise _bad(f"cannot use the drain, because it is no number of seconds up to {LONGEST_DRAIN:.0f}", "write 5")
    for scope in wanted:
        if not (isinstance(scope, str) and scopes.is_scope(scope) and scopes.exists(house, scope)):
            known = ", ".join(scopes.listed(house)[:20]) or "all"
            raise _bad(
                f"cannot freeze {str(scope)[:80]!r}, because this house has no such scope", f"choose from: {known}"
            )
    return Order(tuple(sorted(set(wanted))), reason, by, float(drain))


def _fence(house: House) -> dict[str, object]:
    found = reading.read_fence(house)
    return {
        "state": found.state,
        "why": found.why,
        "daemon": reading.daemon_state(house)[0],
        "scopes": [{key: value for key, value in one._asdict().items() if key != "mark"} for one in found.scopes],
    }


def _house(config: str | None) -> House:
    try:
        house = find_house(config, None, None)
        must_exist(house)
    except FenceError as error:
        raise Unheard(503, "no_house", str(error), "mend the configuration of guardian-fence@.service") from error
    return house


def _bad(message: str, fix: str) -> Unheard:
    return Unheard(422, "bad_input", message, fix)


def _say_and_fail(text: str) -> int:
    print(report.printable(text), file=sys.stderr)
    return WRONG_USE


if __name__ == "__main__":
    sys.exit(main())
