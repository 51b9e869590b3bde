"""What differs between two configurations, by name; no value is ever told. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from guardian.model import Account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guardian.config.settings import Settings
    from guardian.config.tables import Table
    from guardian.model import Secret

TABLES = ("queue", "fence", "gate", "reconcile", "metrics", "evidence", "rights")
OF_LANES = ("queue", "gate", "reconcile")  # what a lane is built from, besides its account


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The names of accounts that came, went or differ, of keys that differ, and of those that need a restart."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    keys: tuple[str, ...]
    fixed: tuple[str, ...]

    def facts(self) -> dict[str, list[str]]:
        """What there is of it, for the journal and the log."""
        found = {"added": self.added, "removed": self.removed, "changed": self.changed, "keys": self.keys}
        return {name: list(names) for name, names in found.items() if names}

    def touch_every_lane(self) -> bool:
        """Whether something changed that every lane was built from."""
        return any(key.partition(".")[0] in OF_LANES for key in self.keys)


def between(old: Settings, new: Settings) -> Changes:
    """From the configuration in force to the one that was read now."""
    was, now = ({account.name: account for account in one.accounts} for one in (old, new))
    kept = [name for name in now if name in was]
    of_accounts = {name: list(_of_account(was[name], now[name])) for name in kept}
    return Changes(
        added=tuple(sorted(set(now) - set(was))),
        removed=tuple(sorted(set(was) - set(now))),
        changed=tuple(sorted(name for name, keys in of_accounts.items() if keys)),
        keys=(
            *(f"{table}.{key}" for table in TABLES for key in _of_table(getattr(old, table), getattr(new, table))),
            *(f"accounts.{name}.{key}" for name in sorted(kept) for key in of_accounts[name]),
        ),
        fixed=tuple(_fixed(old, new)),
    )


def _fixed(old: Settings, new: Settings) -> Iterator[str]:
    """What a guardian that runs cannot change: where it stands."""
    yield from (key for key in ("state_dir", "runtime_dir") if getattr(old, key) != getattr(new, key))
    yield from (f"store.{key}" for key in _of_table(old.store, new.store))


def _of_table(old: Table, new: Table) -> Iterator[str]:
    return (key for key in type(new).model_fields if getattr(old, key) != getattr(new, key))


def _of_account(old: Account, new: Account) -> Iterator[str]:
    for field in fields(Account):
        if field.name != "secrets" and getattr(old, field.name) != getattr(new, field.name):
            yield field.name
    was, now = _revealed(old.secrets), _revealed(new.secrets)
    yield from (f"secrets.{key}" for key in sorted({*was, *now}) if was.get(key) != now.get(key))


def _revealed(secrets: Mapping[str, Secret]) -> dict[str, str]:
    """Only to be compared: a secret has no equality of its own, so that nobody looks for one by guessing."""
    return {key: secret.reveal() for key, secret in secrets.items()}
