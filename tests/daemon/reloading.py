"""A house whose configuration is written anew while its daemon runs, and what the daemon makes of it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from guardian.fence.telling import ask
from tests.torture.house import ACCOUNTS, TorturedHouse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EVERY = tuple(ACCOUNTS)
WITHIN = 20.0


class Reloaded(TorturedHouse):
    """Use it in a `with`, as any tortured house."""

    def write(
        self,
        names: Sequence[str] = EVERY,
        *,
        head: str = "",
        more: str = "",
        changed: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """The configuration with these accounts; `changed` names what differs, by account and key."""
        lines = [f'state_dir = "{self.house.state_dir}"', f'runtime_dir = "{self.house.runtime_dir}"', head]
        for name in names:
            keys = {
                "platform": "mastodon",
                "brand": ACCOUNTS[name],
                "base_url": self.witness.url,
                "identity": f"@{name}@{self.witness.place}",
                "token": f"file:{self.directory}/{name}.token",
            }
            keys |= (changed or {}).get(name, {})
            token = keys.pop("token")
            lines += [f"[accounts.{name}]", *(f'{key} = "{value}"' for key, value in keys.items())]
            lines += [f"[accounts.{name}.secrets]", f'token = "{token}"']
        beside = self.config.with_suffix(".new")
        beside.write_text("\n".join([*lines, more]) + "\n", "utf-8")
        beside.replace(self.config)

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        status, document = ask(self.house.socket, "GET", "/v1/status", within=WITHIN)
        assert status == 200, document
        assert isinstance(document, dict)
        return document

    def reload(self) -> dict[str, Any]:
        """Have it read again, and wait until it has been; what became of it."""
        assert self.daemon is not None
        before = self.status()["config"]["at"]
        time.sleep(0.002)  # the moments of two verdicts differ by a millisecond at least
        self.daemon.send(signal.SIGHUP)
        self.until(lambda: self.status()["config"]["at"] != before)
        found: dict[str, Any] = self.status()["config"]
        return found

    def until(self, come: Callable[[], object], within: float = WITHIN) -> None:
        """Wait for what the daemon does by itself."""
        end = time.monotonic() + within
        while not come():
            assert self.daemon is not None
            assert self.daemon.process.poll() is None, self.daemon.tail()
            assert time.monotonic() < end, self.daemon.tail()
            time.sleep(0.02)

    def add(self, account: str, text: str, at: str = "now") -> dict[str, Any]:
        """One post; its document, or the error."""
        _, document = ask(
            self.house.socket, "POST", "/v1/posts", {"account": account, "at": at, "text": text}, within=9
        )
        assert isinstance(document, dict)
        found: dict[str, Any] = document.get("post", document)
        return found

    def post(self, post: str) -> dict[str, Any]:
        """A post as it is now."""
        found: dict[str, Any] = self.client.get(f"/v1/posts/{post}")
        return found

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """The lines of a kind in the journal."""
        return [one for one in self.client.get("/v1/journal", limit=1000)["entries"] if one["kind"] == kind]

    def account(self, name: str) -> dict[str, Any]:
        """An account as the status shows it."""
        return next(one for one in self.status()["accounts"] if one["name"] == name)

    def sent(self, text: str) -> int:
        """How many posts of this text were ever made."""
        return sum(1 for one in self.witness.posts() if one["text"] == text)

    def tried(self, text: str) -> int:
        """How many requests for a post of this text ever came."""
        return sum(1 for one in self.arrivals() if one.get("text") == text)

    def blocks_hangups(self) -> bool:
        """Whether the process of the daemon has come so far that a SIGHUP does not end it."""
        assert self.daemon is not None
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as file:  # noqa: PTH123 (one line of it)
            mask = next(line for line in file if line.startswith("SigBlk:"))
        return bool(int(mask.split()[1], 16) & 1 << (signal.SIGHUP - 1))
