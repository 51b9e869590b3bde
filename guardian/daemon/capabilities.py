"""What can honestly be done, account by account: what each adapter says of its platform, and its server of itself.

Any thread may ask; nobody else is asked for it: what a server accepts, its lane has asked at the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.adapter import Abilities
from guardian.model import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guardian.adapter import Act, Maker
    from guardian.config.in_force import InForce
    from guardian.daemon.documents import Document
    from guardian.model import Account, Limits

NO_ADAPTER = "everything there: no adapter for this platform is installed"
NO_NATIVES = "what is scheduled at the platform itself: this platform cannot be asked"
ACTING = (Decision.DELETE, Decision.HIDE)


def unasked(_: str) -> None:
    """No account's platform has said yet what it accepts."""


class Capabilities:
    """The adapters that were found at the start, and the accounts in force."""

    def __init__(
        self, in_force: InForce, makers: Mapping[str, Maker], limits: Callable[[str], Limits | None] = unasked
    ) -> None:
        self._in_force = in_force
        self._makers = makers
        self._limits = limits

    def document(self) -> Document:
        """Every account, with what may be decided there and what no freeze reaches."""
        return {"accounts": [self._of(account) for account in self._in_force.settings.accounts]}

    def _of(self, account: Account) -> Document:
        maker = self._makers.get(account.platform)
        abilities = Abilities(unseen=(NO_ADAPTER,)) if maker is None else maker.abilities
        proof = abilities.proof
        blind = () if abilities.lists_natives else (NO_NATIVES,)
        return {
            "account": account.name,
            "platform": account.platform,
            "brand": account.brand,
            "server": _server(self._limits(account.name)),
            **_sending(abilities),
            **{decision.value: _act(abilities.act(decision)) for decision in ACTING},
            "overwrite": abilities.overwrites or None,
            "limits": [
                {"decision": one.decision.value, **_told(one)} for one in abilities.acts if one.decision.is_limit
            ],
            "budget": {"count": abilities.budget.count, "window_ms": abilities.budget.window},
            "scheduled_there": {"listed": abilities.lists_natives, "deferred": abilities.defers_natives},
            "proof": None if proof is None else {"look": proof.look, "words": proof.words},
            "not_covered": [*blind, *abilities.unseen],
        }


def _act(act: Act | None) -> Document | None:
    return None if act is None else _told(act)


def _told(act: Act) -> Document:
    return {"name": act.name, "reversible": act.reversible, "words": act.words}


def _server(limits: Limits | None) -> Document | None:
    if limits is None:
        return None
    name, remarks = limits.server or None, list(limits.remarks)
    return {"name": name, "characters": limits.characters, "files": limits.media.count, "remarks": remarks}


def _sending(abilities: Abilities) -> Document:
    """What can be published, and what becomes of a post whose answer was lost; null: it cannot be done there."""
    media, finds = abilities.media, abilities.finds
    return {
        "publish": abilities.publishes or None,
        "media": None if media is None else {"words": media.words, "alt_text": media.alt},
        "thread": abilities.threads or None,
        "sent_twice": abilities.idempotent or None,
        "lost_answer": None if finds is None else {"certainty": finds.certainty.value, "words": finds.words},
    }
