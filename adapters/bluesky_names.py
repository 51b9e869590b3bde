"""What posts are called on Bluesky: keys, AT addresses, and the web addresses that people paste. Pure; any thread."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

POST = "app.bsky.feed.post"
DID = re.compile(r"did:(plc:[a-z2-7]{24}|web:[a-zA-Z0-9.%-]{1,250})")
HANDLE = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
HERE = frozenset({"127.0.0.1", "localhost", "::1"})
RKEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
COLLECTION = re.compile(r"[a-zA-Z][a-zA-Z0-9.-]{2,300}")
WEB = frozenset({"bsky.app", "www.bsky.app", "main.bsky.dev", "staging.bsky.app"})
ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
EPOCH = 1_704_067_200_000_000  # 2024, in microseconds: what a key of ours is counted from
SPREAD = 45  # bits of a time within the 13 months from then
CLOCK = 10  # bits of what tells two clocks apart
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Name:
    """Where a record is: whose repository (a DID; a handle before it is resolved), which collection, which key."""

    repo: str
    collection: str
    rkey: str

    @property
    def uri(self) -> str:
        """As the network names it."""
        return f"at://{self.repo}/{self.collection}/{self.rkey}"

    @property
    def url(self) -> str:
        """Where people see it."""
        return f"https://bsky.app/profile/{self.repo}/post/{self.rkey}"


def rkey_of(key: str) -> str:
    """The record key that belongs to an idempotency key, always the same one: so a replay meets its own post.

    It has the form of a TID, as posts must; its time says nothing (the record has its own), and its 55 bits of a hash
    keep two posts of an account apart: of a million posts, two would meet once in seventy thousand such accounts.
    """
    number = int.from_bytes(hashlib.sha256(b"bluesky record key\0" + key.encode()).digest()[:8])
    within, clock = number >> CLOCK & (1 << SPREAD) - 1, number & (1 << CLOCK) - 1
    return _tid(EPOCH + within, clock)


def tid_at(at: int) -> str:
    """The first TID of a time (ms)."""
    return _tid(max(0, at) * 1000, 0)


def _tid(microseconds: int, clock: int) -> str:
    number = microseconds << CLOCK | clock
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def name_in(uri: str) -> Name | None:
    """The record that an AT address names; None when it is none."""
    if len(uri) > LONGEST or not uri.startswith("at://"):
        return None
    repo, _, rest = uri.removeprefix("at://").partition("/")
    collection, _, rkey = rest.partition("/")
    if not COLLECTION.fullmatch(collection) or not _is_rkey(rkey):
        return None
    return Name(repo, collection, rkey) if DID.fullmatch(repo) or HANDLE.fullmatch(repo.lower()) else None


def post_at(address: str) -> Name | None:
    """The post that an AT address or an address at bsky.app names; its repository may still be a handle."""
    text = address.strip()
    if text.startswith("at://"):
        name = name_in(text)
        return name if name is not None and name.collection == POST else None
    try:
        parts = urlsplit(text) if len(text) <= LONGEST else None
    except ValueError:
        return None
    if parts is None or parts.scheme not in ("https", "http") or parts.netloc.lower() not in WEB:
        return None
    steps = unquote(parts.path).rstrip("/").split("/")
    if len(steps) != 5 or steps[1] != "profile" or steps[3] != "post":  # noqa: PLR2004 ("", profile, WHO, post, KEY)
        return None
    return name_in(f"at://{steps[2].removeprefix('@')}/{POST}/{steps[4]}")


def lives_elsewhere(base_url: str, pds: str) -> bool:
    """Whether an account that says that it lives at `pds` is asked for at another host. On loopback it may be."""
    ours, theirs = urlsplit(base_url), urlsplit(pds)
    return bool(theirs.hostname) and ours.hostname not in HERE and ours.netloc.lower() != theirs.netloc.lower()


def _is_rkey(text: str) -> bool:
    return RKEY.fullmatch(text) is not None and text not in (".", "..")
