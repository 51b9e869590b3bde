"""What an adapter's author brings: a platform to try it on, an account there, and a look into the platform's books."""

from __future__ import annotations

import base64
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from guardian.model import Media, Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardian.adapter import Maker
    from guardian.model import Account, PostRef

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ALT = "Two loaves of bread on a board"


class NotPlayed(Exception):
    """cannot play that on this bench"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the platform itself has of a post, as anybody would see it: read past the adapter, from its own books."""

    words: str
    parent: str | None = None  # the id of the post that it replies to
    alts: tuple[str | None, ...] = ()  # of each of its files, what is said of it


class Bench(ABC):
    """One platform on loopback (a double, or a real server), behind plain HTTP. Used by one thread.

    Misbehaviour is no matter of the bench: the suite stands in between (`Front`), and is slow, deaf and mad by itself.
    What cannot be played is declared in `cannot_play`: a case's name, and why. Everything else is played.
    """

    maker: Maker
    url: str  # where the platform listens
    within: float = 1.0  # seconds that it needs for an honest answer at the most
    cannot_play: ClassVar[Mapping[str, str]] = {}
    cannot_show: ClassVar[Mapping[str, str]] = {}  # looks that this platform here cannot answer, and why

    @abstractmethod
    def account(self, base_url: str) -> Account:
        """The account whose posts these are, with its true secrets and identity.

        Each secret is looked for later in everything that is written down: let none be a word that occurs elsewhere.
        """

    @abstractmethod
    def seen(self, ref: PostRef) -> Held | None:
        """What the platform has of a post; None: it is gone."""

    def impostor(self, base_url: str) -> Account:  # noqa: ARG002 (for those that can)
        """The same account, with the token of somebody else whom the platform knows."""
        raise NotPlayed

    def unknown(self, base_url: str) -> Account:  # noqa: ARG002 (the same)
        """The same account, with a token that the platform does not know."""
        raise NotPlayed

    def part(self, words: str, *, media: tuple[Media, ...] = (), follows: bool = False) -> Part:
        """A part that says these words, as this platform needs it; `follows`: it is not the first of its thread."""
        return Part(text=words, media=media, follows=follows)

    def picture(self) -> tuple[bytes, Media]:
        """A file that the platform takes, described with `ALT`."""
        sha = hashlib.sha256(PNG).hexdigest()
        return PNG, Media(sha256=sha, type="image/png", size=len(PNG), width=1, height=1, alt=ALT)

    def settle(self) -> None:  # noqa: B027 (most have nothing to do)
        """Let the platform come to the end of what it does later: files that it works on, lists that lag."""

    def native(self, words: str, due: int) -> str:  # noqa: ARG002 (for those that can)
        """Have the platform itself publish these words at that time (ms); the id that it gives them."""
        raise NotPlayed

    def secrets(self) -> Sequence[str]:
        """What else must appear nowhere: tokens that the platform has given in exchange for the account's secrets."""
        return ()
