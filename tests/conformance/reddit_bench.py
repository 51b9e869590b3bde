"""Reddit's bench: the double, in a subreddit that the account moderates."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.reddit import MAKER
from guardian.conformance import Bench, Held
from guardian.conformance.bench import ALT
from guardian.model import Account, Media, Part, Secret
from tests.adapters.reddit_double import RedditDouble
from tests.adapters.reddit_room import GIF, SECRETS, picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.model import PostRef

ONE_TOKEN = "the double gives its one token to everybody who asks"
REMOVED = ("moderator", "deleted")


class RedditBench(Bench):
    """One account, and a moderated subreddit."""

    maker = MAKER
    cannot_play = {  # noqa: RUF012 (never changed)
        "the_token_of_somebody_else_is_found_out": ONE_TOKEN,
        "a_token_that_is_good_no_more_is_said_as_that": ONE_TOKEN,
    }

    def __init__(self, double: RedditDouble) -> None:
        self.double = double
        self.url = double.url

    def account(self, base_url: str) -> Account:
        hidden = {name: Secret(value) for name, value in SECRETS.items()}
        return Account(
            name="acme",
            platform="reddit",
            brand="acme",
            base_url=base_url,
            identity="u/acme_brand",
            secrets=hidden,
        )

    def part(self, words: str, *, media: tuple[Media, ...] = (), follows: bool = False) -> Part:
        return Part(text=words, media=media, follows=follows, visibility=None if follows else "r/acme")

    def picture(self) -> tuple[bytes, Media]:
        return GIF, replace(picture(ALT))

    def seen(self, ref: PostRef) -> Held | None:
        thing: dict[str, Any] | None = self.double.things.get(ref.id)
        if thing is None or thing["author"] == "[deleted]":
            return None
        shown = (
            ""
            if thing["removed_by_category"] in REMOVED
            else " ".join(str(thing.get(name) or "") for name in ("title", "selftext", "body"))
        )
        return Held(words=shown, parent=thing.get("parent_id"), alts=(None,) if thing.get("post_hint") else ())

    def settle(self) -> None:
        self.double.settle()

    def secrets(self) -> Sequence[str]:
        return (self.double.token,)


@contextmanager
def reddit() -> Iterator[RedditBench]:
    """A double while the block runs."""
    with RedditDouble() as double:
        yield RedditBench(double)
