"""Whether a post may be taken down by us: only if it is ours, and the platform was asked live who we are. Pure.

Where a platform lets whoever began a conversation hide what others say in it, that is for posts of others alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.model import Account, Identity


def why_not(
    account: Account, *, identity: Identity | None, author: str | None, ours: bool, others: bool = False
) -> str:
    """Why this account must not touch the post; empty when it may.

    `identity` is what the platform said just now (None: it did not say in time), `author` the id that the post names
    (None: it could not be read), `ours` whether our own books say that we published it under this account. `others`:
    the act is for what others say below posts of ours; whether it stands there, the platform says.
    """
    if identity is not None and identity.handle.lower() != account.identity.lower():
        return f"the token belongs to {identity.handle}, and not to {account.identity}"
    if others:
        return _why_not_others(identity, author, ours=ours)
    return _why_not_ours(account, identity, author, ours=ours)


def _why_not_ours(account: Account, identity: Identity | None, author: str | None, *, ours: bool) -> str:
    if identity is not None and author is not None and author != identity.id:
        return f"it is a post of somebody else (account {author}), and not of {account.identity}"
    if identity is not None and author is not None:
        return ""
    if ours:
        return ""  # we published it, and whose token this is was asked before the first send
    if identity is None:
        return "the platform did not say in time who we are, and the post is not in our books"
    return "the post could not be read, and it is not in our books: nobody can say whose it is"


def _why_not_others(identity: Identity | None, author: str | None, *, ours: bool) -> str:
    if identity is None:
        return "the platform did not say in time who we are"
    if ours or author == identity.id:
        return "it is a post of our own, and that can only be done to what others say below one"
    return "" if author is not None else "the post could not be read: nobody can say whose it is"
