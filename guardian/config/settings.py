"""The configuration: one TOML file in, `Settings` or every mistake in it out.

`check` lists the mistakes, each with its line; `load` returns the settings or raises `ConfigMistake` with them all.
No value of the file is ever repeated in a message, because any of them may be a secret in the wrong place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from pydantic import ValidationError

from guardian.config.faults import faults_of
from guardian.config.places import Fault, Places, named
from guardian.config.secrets import fetch, reference
from guardian.config.tables import Document, Evidence, Fence, Gate, Metrics, Queue, Reconcile, Rights, Store
from guardian.config.text import parse_toml, read_text
from guardian.config.values import Bad, directory, nearest, parse_duration, runtime_directory
from guardian.errors import ConfigMistake
from guardian.fence.house import DEFAULTS, FenceError, House, find_house
from guardian.model import Account, Secret
from guardian.rules import secret_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    Known = Mapping[str, Collection[str]]
    Found = dict[tuple[str, str], Secret]

__all__ = ["Fault", "Settings", "check", "load", "parse_duration", "read", "template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the house was told. Durations are milliseconds; the tables are those of the file, with their defaults."""

    path: Path
    state_dir: Path
    runtime_dir: Path
    store: Store
    queue: Queue
    fence: Fence
    gate: Gate
    reconcile: Reconcile
    metrics: Metrics
    evidence: Evidence
    rights: Rights
    accounts: tuple[Account, ...]

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every fence scope that the accounts need, sorted; `all` is always one."""
        return tuple(sorted({"all"}.union(*(account.scopes for account in self.accounts))))

    @property
    def house(self) -> House:
        """The two directories as the fence knows them."""
        return House(str(self.state_dir), str(self.runtime_dir))


def load(path: Path, *, with_secrets: bool = True, known: Known | None = None) -> Settings:
    """Read the configuration. Raises ConfigMistake, which names every mistake.

    Without secrets only the form of their references is checked, and the accounts have none: for programs that must not
    be able to read them. `known` names the platforms that there are and the secrets that each asks for.
    """
    outcome = read(path, with_secrets=with_secrets, known=known)
    if isinstance(outcome, Settings):
        return outcome
    lines = "\n".join(f"  {fault}" for fault in outcome)
    count = "a mistake" if len(outcome) == 1 else f"{len(outcome)} mistakes"
    raise ConfigMistake(f"cannot use {path}, because it has {count}, do correct:\n{lines}")


def check(path: Path, *, with_secrets: bool = True, known: Known | None = None) -> list[Fault]:
    """All that `load` would complain about, in the order of the lines; nothing when it would be content."""
    outcome = read(path, with_secrets=with_secrets, known=known)
    return [] if isinstance(outcome, Settings) else outcome


def read(path: Path, *, with_secrets: bool = True, known: Known | None = None) -> Settings | list[Fault]:
    """The settings, or all that is wrong, from one look at the file."""
    return _read(path.absolute(), with_secrets=with_secrets, known=known)


def template(state_dir: str, runtime_dir: str, *, secrets: str = "/etc/guardian/secrets") -> str:
    """The commented configuration of a new house, whose tokens lie in `secrets`.

    Raises ConfigMistake for directories that no house can have.
    """
    try:
        paths = {"state_dir": directory(state_dir), "runtime_dir": runtime_directory(runtime_dir)}
        paths["secrets"] = directory(secrets)
    except Bad as bad:
        raise ConfigMistake(
            f"cannot write a configuration with this directory, because {bad.because}", fix=bad.do
        ) from None
    text = resources.files("guardian").joinpath("cli", "guardian.toml").read_text("utf-8")
    return Template(text).substitute({key: _escaped(path) for key, path in paths.items()})


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')


def _read(path: Path, *, with_secrets: bool, known: Known | None) -> Settings | list[Fault]:
    text = read_text(path)
    if isinstance(text, Fault):
        return [text]
    raw = parse_toml(text)
    if isinstance(raw, Fault):
        return [raw]
    places = Places(text)
    faults: list[Fault] = []
    document: Document | None = None
    try:
        document = Document.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, places)
    if not any(fault.key in DEFAULTS for fault in faults):
        faults += _as_the_stop_reads(path, raw, places)
    faults += _unknown_to_adapters(raw, known, places) if known is not None else ()
    secrets = _secrets(raw, places) if with_secrets else {}
    faults += [each for each in secrets.values() if isinstance(each, Fault)]
    if document is None or faults:
        return sorted(faults, key=lambda fault: fault.line)
    return _settings(path, document, {key: each for key, each in secrets.items() if isinstance(each, Secret)})


def _as_the_stop_reads(path: Path, raw: Mapping[str, object], places: Places) -> Iterator[Fault]:
    """What `guardian freeze` would understand otherwise: it reads the two directories line by line, without TOML.

    Where the two readings differ, a freeze would stop another house than the one that runs.
    """
    try:
        house = find_house(str(path), None, None)
    except FenceError as error:
        yield Fault(places.line(("state_dir",)), "state_dir", str(error))
        return
    for key, found in (("state_dir", house.state_dir), ("runtime_dir", house.runtime_dir)):
        if os.path.normpath(str(raw.get(key, DEFAULTS[key]))) != found:
            because = "`guardian freeze`, which reads line by line, understands another path"
            do = f'write it plainly, {key} = "/the/whole/path", once, above the first table'
            yield Fault.about((key,), places, Bad(because, do))


def _accounts(raw: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object], Mapping[str, object]]]:
    """Every account with its table and its secrets, as far as they are tables at all."""
    accounts = raw.get("accounts")
    for name, account in accounts.items() if isinstance(accounts, dict) else ():
        if isinstance(account, dict):
            secrets = account.get("secrets", {})
            yield name, account, secrets if isinstance(secrets, dict) else {}


def _unknown_to_adapters(raw: Mapping[str, object], known: Known, places: Places) -> Iterator[Fault]:
    for name, account, secrets in _accounts(raw):
        platform = account.get("platform")
        if not isinstance(platform, str):
            continue
        if platform not in known:
            bad = Bad("no adapter is installed for such a platform", _which(platform, known, "install one"))
            yield Fault.about(("accounts", name, "platform"), places, bad)
            continue
        table = ("accounts", name, "secrets")
        yield from _not_as_declared(table, known[platform], secrets, places)


def _not_as_declared(
    table: tuple[str, ...], declared: Collection[str], secrets: Mapping[str, object], places: Places
) -> Iterator[Fault]:
    """What is missing, there twice, of another way to log in, or asked for by nobody."""
    wrong = secret_names.compare(declared, secrets)
    for keys in sorted(wrong.missing):
        bad = Bad("it is missing, and the adapter needs it", f'write {keys[0]} = "file:/…" in [{named(table)}]')
        yield Fault.about((*table, keys[0]), places, bad)
    for keys in sorted(wrong.twice):
        bad = Bad("it stands beside another that is for the same", f"keep one of: {', '.join(keys)}")
        yield Fault.about((*table, next(key for key in keys if key in secrets)), places, bad)
    for key in wrong.beside:
        bad = Bad("it is of another way to log in than those beside it", f"keep only: {', '.join(wrong.meant)}")
        yield Fault.about((*table, key), places, bad)
    names = {name for word in declared for name in secret_names.slot(word) if name}
    for key in wrong.unknown:
        bad = Bad("the adapter asks for no such secret", _which(key, names, "remove it"))
        yield Fault.about((*table, key), places, bad)


def _which(word: str, known: Collection[str], otherwise: str) -> str:
    best = nearest(word, known)
    names = ", ".join(sorted(known))
    return f'write "{best}"' if best else f"choose one of: {names}" if names else otherwise


def _secrets(raw: Mapping[str, object], places: Places) -> dict[tuple[str, str], Secret | Fault]:
    """Fetch what every well-formed reference names; what is badly formed has been found already."""
    found: dict[tuple[str, str], Secret | Fault] = {}
    for name, _, secrets in _accounts(raw):
        for key, value in secrets.items():
            try:
                wanted = reference(value)
            except Bad:
                continue
            try:
                found[name, key] = fetch(wanted)
            except Bad as bad:
                found[name, key] = Fault.about(("accounts", name, "secrets", key), places, bad)
    return found


def _settings(path: Path, document: Document, secrets: Found) -> Settings:
    accounts = tuple(
        Account(
            name=name,
            platform=table.platform,
            brand=table.brand,
            base_url=table.base_url,
            identity=table.identity,
            secrets={key: secrets[name, key] for key in table.secrets if (name, key) in secrets},
        )
        for name, table in document.accounts.items()
    )
    return Settings(
        path=path,
        state_dir=Path(document.state_dir),
        runtime_dir=Path(document.runtime_dir),
        store=document.store,
        queue=document.queue,
        fence=document.fence,
        gate=document.gate,
        reconcile=document.reconcile,
        metrics=document.metrics,
        evidence=document.evidence,
        rights=document.rights,
        accounts=accounts,
    )
