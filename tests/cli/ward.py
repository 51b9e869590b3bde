"""Houses for the doctor to visit: a healthy one with all that a house can have, and what can be planted in it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.cli.app import main
from guardian.cli.doctor import Machine, Visit
from guardian.rules.readiness import DAY, Verdict
from tests.cli.conftest import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.cli.findings import Finding
    from guardian.rehearsal import RehearsalPlatform

NOBODY_ELSES_GROUP = '\n[rights]\nread = ["root"]\nfreeze = ["root"]\n'
AUTHORITIES = '\n[evidence]\nauthorities = ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"]\n'
OLD_LIBRARY = "sqlite"  # of this very machine: nothing that a house could help


@dataclass
class Ward(Place):
    """One house. `synchronised` is what its machine says of its clock."""

    synchronised: bool = True
    sockets: list[socket.socket] = field(default_factory=list)

    def write(self) -> None:
        super().write()
        with self.config.open("a") as file:
            file.write(NOBODY_ELSES_GROUP + AUTHORITIES)

    def practise(self) -> None:
        """A drill and a backup, both of just now."""
        now = time.time_ns() // 1_000_000
        self.say("last-drill.json", {"at": now, "ok": True})
        self.say("last-backup.json", {"at": now, "ok": True, "path": "/backup", "posts": 0})

    def say(self, name: str, document: object) -> None:
        Path(self.house.state_dir, name).write_text(json.dumps(document))

    def start(self) -> None:
        """As systemd does it: there is an ear, and a watchdog."""
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ear.bind(f"{self.base}/ear")
        self.sockets.append(ear)
        given = {"NOTIFY_SOCKET": f"{self.base}/ear", "WATCHDOG_USEC": "30000000"}
        os.environ.update(given)
        try:
            super().start()
        finally:
            for name in given:
                del os.environ[name]

    def visit(self, *, look_only: bool = True) -> Visit:
        machine = Machine(kept_right=lambda: self.synchronised)
        return Visit(self.config, self.house, machine, look_only=look_only).make()

    def complaints(self) -> set[tuple[str, str, str]]:
        return {(one.check, one.about, one.words) for one in bad(self.visit())}

    def listen(self, mode: int) -> None:
        """Somebody listens where the agent does, and never answers."""
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(self.house.fence_socket)
        Path(self.house.fence_socket).chmod(mode)
        sock.listen()
        self.sockets.append(sock)

    def clean(self) -> None:
        self.stop()
        for sock in self.sockets:
            sock.close()


def bad(visit: Visit) -> list[Finding]:
    """What was found, but for what this machine's own library has."""
    return [one for one in visit.found if one.verdict is not Verdict.WELL and one.check != OLD_LIBRARY]


def set_up(base: Path, platform: RehearsalPlatform) -> Ward:
    """A house that stands, practised, without a daemon."""
    ward = Ward(base, platform)
    ward.write()
    assert main(["init", "--config", str(ward.config)]) == 0
    ward.practise()
    return ward


# What can be planted in a house that stands. Each takes a ward and spoils one thing.


def a_clock_that_nobody_keeps(ward: Ward) -> None:
    ward.synchronised = False


def a_fence_that_others_may_write(ward: Ward) -> None:
    Path(ward.house.gates).chmod(0o770)


def a_permit_of_somebody_else(ward: Ward) -> None:
    os.chown(ward.house.permit("brand:beta"), 4711, -1)


def another_gate(ward: Ward) -> None:
    beside = Path(ward.house.gates, "beside")
    beside.write_bytes(b"0123456789abcdef")
    beside.rename(ward.house.gate("account:acme"))


def no_durable_permit(ward: Ward) -> None:
    Path(ward.house.durable("all")).unlink()


def a_freeze_of_nobody(ward: Ward) -> None:
    Path(ward.house.permit("account:beta")).unlink()
    Path(ward.house.durable("account:beta")).unlink()


def a_freeze_of_somebody(ward: Ward) -> None:
    ward.freeze("--scope", "brand:acme", "wrong", "account")


def a_scope_of_a_new_account(ward: Ward) -> None:
    Path(ward.house.scopes).write_text("\nall\n\nplatform:mastodon\n\nbrand:acme\n\naccount:acme\n\nbrand:beta\n")


def a_socket_that_everybody_may_open(ward: Ward) -> None:
    ward.listen(0o666)


def a_token_that_everybody_may_read(ward: Ward) -> None:
    (ward.base / "acme.token").chmod(0o644)


def a_token_that_is_gone(ward: Ward) -> None:
    (ward.base / "acme.token").unlink()


def a_configuration_that_others_may_write(ward: Ward) -> None:
    ward.config.chmod(0o666)


def a_configuration_with_a_mistake(ward: Ward) -> None:
    ward.config.write_text(ward.config.read_text().replace("over = ", "ovre = "))


def no_key(ward: Ward) -> None:
    Path(ward.house.state_dir, "evidence/keys/sealing").unlink()


def a_key_that_others_may_read(ward: Ward) -> None:
    Path(ward.house.state_dir, "evidence/keys/sealing").chmod(0o640)


def no_drill_for_a_month(ward: Ward) -> None:
    ward.say("last-drill.json", {"at": time.time_ns() // 1_000_000 - 31 * DAY, "ok": True})


def a_drill_that_failed(ward: Ward) -> None:
    ward.say("last-drill.json", {"at": time.time_ns() // 1_000_000, "ok": False, "why": "the joke stayed"})


def no_backup(ward: Ward) -> None:
    Path(ward.house.state_dir, "last-backup.json").unlink()


def a_backup_that_is_none(ward: Ward) -> None:
    Path(ward.house.state_dir, "last-backup.json").write_text("[")


def one_authority(ward: Ward) -> None:
    ward.config.write_text(ward.config.read_text().replace(', "http://127.0.0.1:9/b"', ""))


def a_stranger_in_the_store(ward: Ward) -> None:
    """A process that has the store, while no daemon runs the house."""
    program = "import sys, time; from guardian.fence.gates import lock_for_life as lock; lock(sys.argv[1]); "
    program += "print(1, flush=True); time.sleep(60)"
    words = [sys.executable, "-c", program, ward.house.store_lock]
    ward.daemon = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert ward.daemon.stdout is not None
    ward.daemon.stdout.readline()
    ward.daemon.stdout.close()


# What can be planted in a house whose daemon runs, and taken back.


def a_daemon_that_hangs(ward: Ward) -> Iterator[None]:
    assert ward.daemon is not None
    ward.daemon.send_signal(signal.SIGSTOP)
    ward.wait(lambda: "T" in Path(f"/proc/{ward.daemon.pid}/stat").read_text().rpartition(")")[2])  # type: ignore[union-attr]
    yield
    ward.daemon.send_signal(signal.SIGCONT)


def a_control_socket_for_everybody(ward: Ward) -> Iterator[None]:
    Path(ward.house.socket).chmod(0o666)
    yield
    Path(ward.house.socket).chmod(0o660)


def a_change_that_nobody_loaded(ward: Ward) -> Iterator[None]:
    before = ward.config.stat()
    os.utime(ward.config, (time.time() + 5, time.time() + 5))
    yield
    os.utime(ward.config, ns=(before.st_atime_ns, before.st_mtime_ns))


def tamper(ward: Ward) -> None:
    """Change a line of the journal behind the daemon's back."""
    connection = sqlite3.connect(Path(ward.house.state_dir, "guardian.db"), isolation_level=None, timeout=10)
    for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        connection.execute(f'drop trigger "{name}"')
    connection.execute("update journal set data = '{\"nothing\": 1}' where seq = 2")
    connection.close()
