"""Where a house stands: the two directories that the fence needs, and how they are found in a configuration.

`guardian freeze` reads `state_dir` and `runtime_dir` and nothing else, line by line: a mistake anywhere else in the
file, even one that makes it no TOML any more, never stops the stop.
"""

from __future__ import annotations

import os

from guardian.fence import limited
from guardian.fence.light import NamedTuple

SYSTEM_CONFIG = "/etc/guardian/guardian.toml"
ABSENT, DENIED, LOOK_LIMIT = "absent", "denied", 1.0
MAX_CONFIG_BYTES = 1 << 20
DEFAULTS = {"state_dir": "/var/lib/guardian", "runtime_dir": "/run/guardian"}


class FenceError(Exception):
    """cannot use the fence; the text says why and what to do."""


class Denied(FenceError):
    """cannot use the fence, because this user may not."""


class House(NamedTuple):
    """The two directories of one guardian, both absolute. Two houses never share either."""

    state_dir: str
    runtime_dir: str

    @property
    def gates(self) -> str:
        """Where gates, volatile permits and markers lie: memory, empty after boot, 0700."""
        return f"{self.runtime_dir}/fence"

    @property
    def permits(self) -> str:
        """Where durable permits and the list of scopes lie: on disk, 0700."""
        return f"{self.state_dir}/fence"

    def gate(self, scope: str) -> str:
        """The file that is only ever locked, never removed."""
        return f"{self.gates}/{scope}.gate"

    def permit(self, scope: str) -> str:
        """The volatile permit: present means go."""
        return f"{self.gates}/{scope}.permit"

    def marker(self, scope: str) -> str:
        """Who froze the scope, when and why; while it lies there nothing arms the scope."""
        return f"{self.gates}/{scope}.frozen"

    def reset(self, scope: str) -> str:
        """Asks whoever still holds the gate to break its connection now."""
        return f"{self.gates}/{scope}.reset"

    def durable(self, scope: str) -> str:
        """The durable permit: without it nothing arms the scope after a start."""
        return f"{self.permits}/{scope}.permit"

    def note(self, scope: str) -> str:
        """The marker's copy on disk, so that the reason survives a reboot with the daemon dead."""
        return f"{self.permits}/{scope}.frozen"

    @property
    def scopes(self) -> str:
        """The list of scopes ever armed."""
        return f"{self.permits}/scopes"

    @property
    def socket(self) -> str:
        """The daemon's control socket."""
        return f"{self.runtime_dir}/control.sock"

    @property
    def fence_socket(self) -> str:
        """The fence agent's socket, kept by systemd."""
        return f"{self.runtime_dir}/fence.sock"

    @property
    def daemon_lock(self) -> str:
        """Locked for life by the daemon; holds its pid. In memory, because the stop must not touch a disk."""
        return f"{self.runtime_dir}/daemon.lock"

    @property
    def store_lock(self) -> str:
        """Locked for life by whoever owns the store."""
        return f"{self.state_dir}/guardian.lock"


def config_path(given: str | None) -> str | None:
    """The configuration in force: the one named, GUARDIAN_CONFIG, the system's, the user's; None when there is none."""
    named = given or os.environ.get("GUARDIAN_CONFIG")
    if named:
        return os.path.abspath(named)
    for path in (SYSTEM_CONFIG, user_config_path()):
        if path is not None and os.path.exists(path):
            return path
    return None


def user_config_path() -> str | None:
    """Where a user without root keeps the configuration (XDG); None where the environment does not tell.

    A relative path does not tell: it would name another house in every directory, and the stop would miss the one that
    runs.
    """
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.config")
    return f"{base}/guardian/guardian.toml" if base.startswith("/") else None


def find_house(config: str | None, state_dir: str | None, runtime_dir: str | None) -> House:
    """The house that the options and the configuration name. Raises FenceError when they name none."""
    if state_dir and runtime_dir:
        return _house({"state_dir": state_dir, "runtime_dir": runtime_dir})
    path = config_path(config)
    if path is None:
        msg = (
            "cannot find the house, because there is neither /etc/guardian/guardian.toml nor a configuration of your "
            "own, do name it: --config FILE, or --state-dir DIR --runtime-dir DIR"
        )
        raise FenceError(msg)
    found = dict(DEFAULTS)
    found.update(_two_paths(path))
    given = {"state_dir": state_dir, "runtime_dir": runtime_dir}
    found.update({key: value for key, value in given.items() if value})
    return _house(found)


def must_exist(house: House) -> None:
    """Refuse a house that was never set up: CONFIRMED about an empty directory would be a lie. Raises FenceError.

    The disk is asked only where memory has nothing, and not for long: one that hangs is there.
    """
    found = {house.gates: _look(house.gates)}
    if found[house.gates] == ABSENT:
        found[house.permits] = limited.within(lambda: _look(house.permits), LOOK_LIMIT)
    for path, what in found.items():
        if what == DENIED:
            raise Denied(f"cannot enter {path}, because this user may not, do run it as root or the service user")
    if set(found.values()) == {ABSENT}:
        msg = (
            f"cannot freeze, because no guardian was ever set up in {house.state_dir} and {house.runtime_dir}, "
            "do name the right house: --config FILE"
        )
        raise FenceError(msg)


def _look(path: str) -> str:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except PermissionError:
        return DENIED
    except OSError as error:
        return error.strerror or "there"
    return "there"


def is_ours(house: House) -> bool:
    """Whether this user may go to the fence directly: root, or the user that the house belongs to."""
    for path in (house.gates, house.runtime_dir, house.state_dir):
        try:
            return os.geteuid() in (0, os.stat(path).st_uid)
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True  # nothing is there at all: `must_exist` has the words for it


def _house(found: dict[str, str]) -> House:
    for key, value in found.items():
        if not value.startswith("/") or "\0" in value:
            msg = f"cannot use {key} = {value!r}, because it is not absolute, do write the whole path"
            raise FenceError(msg)
    return House(os.path.normpath(found["state_dir"]), os.path.normpath(found["runtime_dir"]))


def _two_paths(path: str) -> dict[str, str]:
    """The two keys above the first table; every other line is passed over unread."""
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_CONFIG_BYTES).decode("utf-8", "replace")
    except OSError as error:
        msg = f"cannot read {path}, because {error.strerror}, do name the house: --state-dir DIR --runtime-dir DIR"
        raise (Denied(msg) if isinstance(error, PermissionError) else FenceError(msg)) from error
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("["):
            break
        key, equals, value = words.partition("=")
        if equals and key.strip().strip("\"'") in DEFAULTS:
            found[key.strip().strip("\"'")] = _string(value.strip(), path)
    return found


def _string(value: str, path: str) -> str:
    """A TOML string of one line; only the escapes of a path (backslash, quote) are known."""
    quote = value[:1]
    end = value.find(quote, 1) if quote in ("'", '"') else -1
    while quote == '"' and end > 0 and value[end - 1] == "\\":
        end = value.find(quote, end + 1)
    if end < 0:
        msg = f"cannot read the path {value!r} in {path}, because it is no string, do put it in quotes"
        raise FenceError(msg)
    inside = value[1:end]
    return inside if quote == "'" else inside.replace('\\"', '"').replace("\\\\", "\\")
