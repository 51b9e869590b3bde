"""Bluesky's bench: a real PDS, asked past the adapter by what it says to anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adapters.bluesky import MAKER
from guardian.conformance import Bench, Held
from guardian.model import Secret
from tests.bluesky.pds import account_of

if TYPE_CHECKING:
    from guardian.model import Account, PostRef
    from tests.bluesky.pds import Brand, Pds


class BlueskyBench(Bench):
    """One account at the PDS."""

    maker = MAKER
    within = 3.0
    cannot_play = {  # noqa: RUF012 (never changed)
        "the_token_of_somebody_else_is_found_out": "who logs in names the account; a password is good for one",
    }
    cannot_show = {"context": "a PDS alone has no AppView, which keeps the threads"}  # noqa: RUF012 (never changed)

    def __init__(self, pds: Pds, brand: Brand) -> None:
        self.pds = pds
        self.brand = brand
        self.url = pds.url

    def account(self, base_url: str) -> Account:
        return account_of(base_url, self.brand)

    def unknown(self, base_url: str) -> Account:
        return replace(account_of(base_url, self.brand), secrets={"app_password": Secret("aaaa-bbbb-cccc-dddd")})

    def seen(self, ref: PostRef) -> Held | None:
        repo, collection, rkey = ref.id.removeprefix("at://").split("/")
        found = self.pds.get("com.atproto.repo.getRecord", repo=repo, collection=collection, rkey=rkey)
        if found is None:
            return None
        said = found["value"]
        return Held(
            words=said["text"],
            parent=said["reply"]["parent"]["uri"] if "reply" in said else None,
            alts=tuple(one["alt"] for one in said.get("embed", {}).get("images", ())),
        )
