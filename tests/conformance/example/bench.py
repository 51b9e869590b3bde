"""The bench of Tidings: all that its adapter's author writes to run the suite."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from guardian.conformance import Bench, Held
from guardian.model import Account, Secret
from tests.conformance.example.double import TidingsDouble
from tests.conformance.example.tidings import MAKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.model import PostRef


class TidingsBench(Bench):
    maker = MAKER

    def __init__(self, double: TidingsDouble) -> None:
        self.double, self.url = double, double.url

    def account(self, base_url: str) -> Account:
        return self._of(base_url, "tidings-token-of-acme")

    def impostor(self, base_url: str) -> Account:
        return self._of(base_url, "tidings-token-of-beta")

    def unknown(self, base_url: str) -> Account:
        return self._of(base_url, "tidings-token-of-nobody")

    def _of(self, base_url: str, token: str) -> Account:
        secrets = {"token": Secret(token)}
        return Account(
            name="acme", platform="tidings", brand="acme", base_url=base_url, identity="@acme", secrets=secrets
        )

    def seen(self, ref: PostRef) -> Held | None:
        note = self.double.notes.get(ref.id)
        if note is None:
            return None
        return Held(words=note["text"], parent=note["below"], alts=tuple(file["alt"] for file in note["files"]))


@contextmanager
def bench() -> Iterator[TidingsBench]:
    with TidingsDouble() as double:
        yield TidingsBench(double)
