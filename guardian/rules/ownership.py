"""Whether a post may be taken down by us: only if it is ours, and the platform was asked live who we are. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.model import Account, Identity


def why_not(account: Account, *, identity: Identity | None, author: str | None, ours: bool) -> str:
    """Why this account must not touch the post; empty when it may.

    `identity` is what the platform said just now (None: it did not say in time), `author` the id that the post names
    (None: it could not be read), `ours` whether our own books say that we published it under this account.
    """
    if identity is not None and identity.handle.lower() != account.identity.lower():
        return f"the token belongs to {identity.handle}, and not to {account.identity}"
    if identity is not None and author is not None and author != identity.id:
        return f"it is a post of somebody else (account {author}), and not of {account.identity}"
    if identity is not None and author is not None:
        return ""
    if ours:
        return ""  # we published it, and whose token this is was asked before the first send
    if identity is None:
        return "the platform did not say in time who we are, and the post is not in our books"
    return "the post could not be read, and it is not in our books: nobody can say whose it is"
