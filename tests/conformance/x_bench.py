"""X's bench: the double, which checks every signature over the address that was asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapters.x import MAKER
from guardian.conformance import Bench, Held
from guardian.model import Account, Secret
from tests.doubles.x import XDouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.model import PostRef


class AskedAnywhere(XDouble):
    """The double behind somebody who carries requests on: a signature is over the address that the client used."""

    _asked = threading.local()

    @property
    def url(self) -> str:
        host = getattr(self._asked, "host", None)
        return f"http://{host}" if host else super().url

    def _signature(self, visit: Any, said: dict[str, str], account: Any) -> str:  # noqa: ANN401 (the double's own)
        self._asked.host = visit.headers["Host"]
        try:
            return super()._signature(visit, said, account)
        finally:
            self._asked.host = None


class XBench(Bench):
    """One account, and another with keys of its own."""

    maker = MAKER

    def __init__(self, double: XDouble) -> None:
        self.double = double
        self.url = double.url

    def account(self, base_url: str) -> Account:
        return self._account(base_url, self.double.accounts["acme"].keys)

    def impostor(self, base_url: str) -> Account:
        return self._account(base_url, self.double.accounts["beta"].keys)

    def unknown(self, base_url: str) -> Account:
        return self._account(base_url, {**self.double.accounts["acme"].keys, "access_token": "1-last-years-token"})

    def _account(self, base_url: str, keys: dict[str, str]) -> Account:
        secrets = {name: Secret(value) for name, value in keys.items()}
        return Account(name="acme", platform="x", brand="acme", base_url=base_url, identity="@acme", secrets=secrets)

    def seen(self, ref: PostRef) -> Held | None:
        post = self.double.posts.get(ref.id)
        if post is None:
            return None
        keys = (post.get("attachments") or {}).get("media_keys", [])
        files = [one for one in self.double.media.values() if one["media_key"] in keys]
        above = next((one["id"] for one in post.get("referenced_tweets", ()) if one["type"] == "replied_to"), None)
        return Held(words=post["sent"], parent=above, alts=tuple(file.get("alt_text") for file in files))


class XTokenBench(XBench):
    """The same with OAuth 2: each account that is asked for is authorised once, as a person does it."""

    def __init__(self, double: XDouble) -> None:
        super().__init__(double)
        self._authorised: dict[tuple[str, str], dict[str, str]] = {}

    def account(self, base_url: str) -> Account:
        return self._account(base_url, self._of("acme", base_url))

    def impostor(self, base_url: str) -> Account:
        return self._account(base_url, self._of("beta", base_url))

    def unknown(self, base_url: str) -> Account:
        return self._account(base_url, {**self._of("acme", base_url), "refresh_token": "last-years-token-of-acme"})

    def secrets(self) -> Sequence[str]:
        return self.double.tokens.issued

    def _of(self, name: str, base_url: str) -> dict[str, str]:
        """One chain of tokens for each guardian: two that shared one would shut each other out."""
        place = (name, base_url)
        if place not in self._authorised:
            self._authorised[place] = self.double.tokens.authorise(name)
        return self._authorised[place]


@contextmanager
def x_with_tokens() -> Iterator[XTokenBench]:
    """A double that knows OAuth 2 while the block runs."""
    with AskedAnywhere("acme", "beta") as double:
        double.tokens.old_ends = False  # a case has several guardians with one account
        yield XTokenBench(double)


@contextmanager
def x() -> Iterator[XBench]:
    """A double while the block runs."""
    with AskedAnywhere("acme", "beta") as double:
        yield XBench(double)
