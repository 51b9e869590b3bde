"""Live accounts: adapters found by name, each with a guarded network of its own.

The only plug-in point of the house.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from guardian.adapter import Maker
from guardian.errors import ConfigMistake
from guardian.gate.transport import guarded_session, uncounted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from guardian.adapter import Adapter
    from guardian.model import Account

GROUP = "guardian.adapters"


@dataclass(frozen=True, slots=True)
class GuardedNetwork:
    """What an adapter is given: a session that passes the gate, and nothing else."""

    session: requests.Session


def makers() -> dict[str, Maker]:
    """Every adapter that is installed, by the platform's name. One that cannot be loaded is left out, not guessed."""
    found: dict[str, Maker] = {}
    for point in entry_points(group=GROUP):
        maker = point.load()
        if isinstance(maker, Maker):
            found[point.name] = maker
    return found


def known_secrets(found: Mapping[str, Maker]) -> dict[str, tuple[str, ...]]:
    """Which secrets each platform's adapter declares: what the configuration is checked against."""
    return {platform: maker.secrets for platform, maker in found.items()}


def connect(
    account: Account,
    found: Mapping[str, Maker],
    *,
    answer_within: float,
    on_refusal: Callable[[], None] = uncounted,
) -> Adapter:
    """The live adapter of an account. Opens no connection yet.

    `answer_within` is in seconds, for one whole exchange; `on_refusal` hears of each request that the gate refuses.
    """
    maker = found.get(account.platform)
    if maker is None:
        raise ConfigMistake(
            f"cannot connect {account.name}, because no adapter for {account.platform!r} is installed",
            fix=f"choose from: {', '.join(sorted(found)) or 'none'}",
        )
    cafile = os.environ.get(
        "SSL_CERT_FILE"
    )  # OpenSSL's own name for it: a house with a certificate authority of its own
    session = guarded_session(account, maker.routes, answer_within=answer_within, cafile=cafile, on_refusal=on_refusal)
    return maker.connect(account, GuardedNetwork(session))
