"""Rows about the wire itself: a platform that does not take the bytes, and TLS."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.torture import doors
from tests.torture.house import SCOPES, TorturedHouse, soon
from tests.torture.relay import Relay
from tests.torture.results import Result
from tests.torture.rows_random import run
from tests.torture.rows_stopped import publish_all

if TYPE_CHECKING:
    from typing import Any

    from tests.torture.results import Options

DEAF = 3.0
DRAIN = 0.5
CONFIRMED_WITHIN = 1000.0  # ms: the drain, 0.3 s in which the reset must come, and a little
LARGE = " " + "\N{SNOWMAN}" * 450  # nine bytes each on the wire: more than a deaf platform's kernel takes
WHO = "north-a"
NEW_CERTIFICATE = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
    *("-subj", "/CN=torture", "-addext", "subjectAltName=IP:127.0.0.1"),
)


def unacknowledged(options: Options) -> Result:
    """The platform accepts and does not read: the freeze asks, the lane cuts, CONFIRMED in time, nobody is killed."""
    trials, wrong = options.times(4, 2), ""
    with TorturedHouse() as house:
        daemon = house.start()
        for trial in range(trials):
            meet_the_deaf(house)
            stop = house.freeze(door=(doors.in_process, doors.by_command)[trial % 2], drain=DRAIN)
            time.sleep(DEAF)
            if stop.confirmed_at is None or stop.killed or daemon.state() == "":
                wrong = wrong or f"not confirmed, or somebody was killed: {stop.said[:300]}"
            if not DRAIN * 1000 <= (stop.elapsed or 0.0) <= CONFIRMED_WITHIN:
                wrong = wrong or f"CONFIRMED after {stop.elapsed} ms: nothing was unacknowledged, or too much"
            house.thaw(*SCOPES)
            publish_all(house)
        found = house.judge()
        return Result.of("unacknowledged", trials, found, worst=house.history.worst, wrong=wrong)


def meet_the_deaf(house: TorturedHouse, *, stops: bool = False) -> None:
    """One large request on its way to a platform that does not read: most of it is still in our kernel.

    `stops` says that a failpoint stops the daemon there, so that it cannot be asked.
    """
    house.feed(1, accounts=(WHO,))
    house.wait_all()  # by now the lane knows who it is, and the next connection is the post's
    house.witness.fault("deaf", times=1, seconds=DEAF)
    house.feed(1, accounts=(WHO,), at=soon() if stops else None, more=LARGE)
    if stops and house.daemon is not None:
        house.daemon.wait_stopped()
    else:
        house.wait(lambda counts: counts["sending"] == 1, 10, "the large post on its way")
    time.sleep(0.2)


class TlsHouse(TorturedHouse):
    """A house whose platforms are reached over TLS, each through a relay that notes what the kernel saw come."""

    def __init__(self, certificate: Path) -> None:
        self._relays: dict[str, Relay] = {}
        super().__init__(certificate=certificate)
        self.more = " and so on" * 40

    def base_url(self, name: str) -> str:
        """The relay's address."""
        self._relays[name] = Relay(self.witness.place)
        return f"https://{self._relays[name].place}"

    def arrivals(self) -> list[dict[str, Any]]:
        """The large records of each account's connections: nothing but publishing requests is large."""
        return [
            {"account": name, "first_byte": ns, "last_byte": ns, "text": f"a TLS record of {size} bytes"}
            for name, relay in self._relays.items()
            for ns, size in relay.large()
        ]

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        super().__exit__(kind, *rest)
        for relay in self._relays.values():
            relay.close()


def tls(options: Options) -> Result:
    """The row `random` over TLS: unlocking at an empty send queue holds there, too."""
    directory = Path(tempfile.mkdtemp(prefix="torture-tls-"))
    try:
        both = directory / "both.pem"
        made = [*NEW_CERTIFICATE, "-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
        subprocess.run(made, check=True, capture_output=True, timeout=60)
        both.write_text((directory / "certificate.pem").read_text() + (directory / "key.pem").read_text())
        house = TlsHouse(both)
        freezes = options.times(40, 10)
        block = run(house, options.dice("tls"), freezes=freezes, least=options.times(200, 60))
        seen, wrong = len(house.arrivals()), block.wrong
        if seen < block.posts:
            wrong = wrong or f"the relays saw {seen} of {block.posts} posts: they are blind"
        note = f"{block.posts} posts, {block.in_flight} in flight"
        return Result.of("tls", freezes, block.found, worst=block.worst, wrong=wrong, note=note)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
