"""Mastodon's bench: the rehearsal platform, whose books are asked past its API where it has any."""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.mastodon import MAKER
from guardian.conformance import Bench, Held
from guardian.model import Account, Secret
from guardian.rehearsal import RehearsalPlatform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import PostRef


class MastodonBench(Bench):
    """One account, and another whose token is no good for it."""

    maker = MAKER

    def __init__(self, platform: RehearsalPlatform) -> None:
        self.platform = platform
        self.url = platform.url

    def account(self, base_url: str) -> Account:
        return self._account(base_url, self.platform.token("acme"))

    def impostor(self, base_url: str) -> Account:
        return self._account(base_url, self.platform.token("beta"))

    def unknown(self, base_url: str) -> Account:
        return self._account(base_url, "a-token-of-last-year")

    def _account(self, base_url: str, token: str) -> Account:
        return Account(
            name="acme",
            platform="mastodon",
            brand="acme",
            base_url=base_url,
            identity=self.platform.handle("acme"),
            secrets={"token": Secret(token)},
        )

    def seen(self, ref: PostRef) -> Held | None:
        found = next((one for one in self.platform.posts() if one["id"] == ref.id and not one["deleted"]), None)
        if found is None:
            return None
        shown = self._shown(ref.id)["media_attachments"]
        return Held(words=found["text"], parent=found["reply_to"], alts=tuple(one["description"] for one in shown))

    def native(self, words: str, due: int) -> str:
        return self.platform.schedule(
            account="acme", text=words, at=datetime.fromtimestamp(due / 1000, UTC).isoformat()
        )

    def _shown(self, platform_id: str) -> Any:  # noqa: ANN401 (a JSON document)
        line = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            line.request("GET", f"/api/v1/statuses/{platform_id}")
            return json.loads(line.getresponse().read())
        finally:
            line.close()


@contextmanager
def mastodon() -> Iterator[MastodonBench]:
    """A rehearsal platform while the block runs."""
    with RehearsalPlatform(("acme", "beta")) as platform:
        yield MastodonBench(platform)
