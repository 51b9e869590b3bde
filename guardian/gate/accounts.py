"""Live accounts: adapters found by name, each with a guarded network of its own.

The only plug-in point of the house.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guardian.errors import ConfigMistake
from guardian.gate import wire
from guardian.gate.keeping import SealedKeeping
from guardian.gate.public import PublicReader
from guardian.gate.transport import guarded_session, hush, uncounted
from guardian.installed import Installed, SecretsOf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import httpx
    import requests

    from guardian.adapter import Adapter, Keeping, Maker
    from guardian.gate.wire import LookUp
    from guardian.model import Account


@dataclass(frozen=True, slots=True)
class GuardedNetwork:
    """What an adapter is given: a session that passes the gate, and nothing else."""

    session: requests.Session
    keeping: Keeping

    def hush(self, secret: str) -> None:
        """It stands in no log, error or evidence from now on."""
        hush(self.session, secret)

    def httpx_transport(self) -> httpx.BaseTransport:
        """The same door in the other dialect. Asks for httpx only here: most accounts need none."""
        from guardian.gate.dialect import HttpxDialect

        return HttpxDialect(self.session)


def makers() -> Mapping[str, Maker]:
    """Every adapter that is installed, by the platform's name; each is loaded when an account needs it."""
    return Installed()


def known_secrets(found: Mapping[str, Maker]) -> Mapping[str, tuple[str, ...]]:
    """Which secrets each platform's adapter declares: what the configuration is checked against."""
    return SecretsOf(found)


def connect(
    account: Account,
    found: Mapping[str, Maker],
    *,
    answer_within: float,
    on_refusal: Callable[[], None] = uncounted,
    keep_in: Path | None = None,
) -> Adapter:
    """The live adapter of an account. Opens no connection yet.

    `answer_within` is in seconds, for one whole exchange; `on_refusal` hears of each request that the gate refuses;
    `keep_in` is where logins outlive the process.
    """
    maker = _maker(account, found)
    return maker.connect(account, _network(account, maker, answer_within, on_refusal, None, keep_in))


@dataclass(frozen=True, slots=True)
class Emergency:
    """What an incident does with an account: a second adapter with a session of its own, which no lane ever uses."""

    adapter: Adapter
    public: PublicReader
    maker: Maker


def emergency(
    account: Account,
    found: Mapping[str, Maker],
    *,
    answer_within: float,
    on_refusal: Callable[[], None] = uncounted,
    keep_in: Path | None = None,
    on_answer: Callable[[Mapping[str, str]], None] | None = None,
) -> Emergency:
    """The emergency adapter of an account, and what reads without its token. Opens no connection yet.

    `answer_within` as for `connect`, and shorter; of the public reader, for one whole `read`. Neither waits behind a
    lane, not even for a name server. `on_answer` is shown the headers of every answer, in the thread that asked.
    """
    maker = _maker(account, found)
    public = PublicReader(
        answer_within=answer_within,
        cafile=_cafile(),
        trusted_hosts=(urlsplit(account.base_url).netloc,),
        secrets=[secret.reveal() for secret in account.secrets.values()],
    )
    network = _network(account, maker, answer_within, on_refusal, wire.of_an_incident, keep_in)
    if on_answer is not None:
        network.session.hooks["response"].append(lambda response, **_: on_answer(response.headers))
    return Emergency(maker.connect(account, network), public, maker)


def _maker(account: Account, found: Mapping[str, Maker]) -> Maker:
    maker = found.get(account.platform)
    if maker is None:
        raise ConfigMistake(
            f"cannot connect {account.name}, because no adapter for {account.platform!r} is installed",
            fix=f"choose from: {', '.join(sorted(found)) or 'none'}",
        )
    return maker


def _network(
    account: Account,
    maker: Maker,
    answer_within: float,
    on_refusal: Callable[[], None],
    look_up: LookUp | None,
    keep_in: Path | None,
) -> GuardedNetwork:
    session = guarded_session(
        account,
        maker.routes,
        answer_within=answer_within,
        cafile=_cafile(),
        on_refusal=on_refusal,
        look_up=look_up,
        hosts=maker.hosts,
        reads=maker.reads,
    )
    return GuardedNetwork(session, SealedKeeping(account, keep_in))


def _cafile() -> str | None:
    """OpenSSL's own name for it: a house with a certificate authority of its own."""
    return os.environ.get("SSL_CERT_FILE")
