"""Bluesky, and whatever speaks AT Protocol: what the house must know before an account needs it.

The client library is large (1 s and 60 MB), so it is asked for when the first account connects, and never before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.bluesky_answers import reads
from guardian.adapter import Abilities, Act, Budget, Certainty, Files, Finding, Kind, Maker, Proof, Route
from guardian.model import Decision

if TYPE_CHECKING:
    from adapters.bluesky_publishing import BlueskyAdapter
    from guardian.adapter import Network
    from guardian.model import Account

POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
REPLIES, QUOTES = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
NAME = "at://{repo}/{collection}/{rkey}"
WRITES = "/xrpc/com.atproto.repo.applyWrites"
PUT, REMOVE = "/xrpc/com.atproto.repo.putRecord", "/xrpc/com.atproto.repo.deleteRecord"
ROUTES = (
    # Everything is a POST, and one path writes posts, gates, profiles and blocks: the collection tells which. Of all
    # that, we write posts, take down posts and reposts, and lay gates beside posts, named by the post that they limit;
    # anything else is in no table, and does not leave.
    Route(Kind.AUTH, "POST", "/xrpc/com.atproto.server.createSession"),
    Route(Kind.AUTH, "POST", "/xrpc/com.atproto.server.refreshSession"),
    Route(Kind.UPLOAD, "POST", "/xrpc/com.atproto.repo.uploadBlob"),
    Route(Kind.PUBLISH, "POST", PUT, where=(("collection", POST),)),
    Route(Kind.PUBLISH, "POST", WRITES),  # a post together with its gates, in one commit
    *(Route(Kind.RETRACT, "POST", REMOVE, target=NAME, where=(("collection", one),)) for one in (POST, REPOST)),
    *(
        Route(Kind.RETRACT, "POST", PUT, target=f"at://{{repo}}/{POST}/{{rkey}}", where=(("collection", one),))
        for one in (REPLIES, QUOTES)
    ),
    *(
        Route(Kind.MANAGE, "POST", path, where=(("collection", one),))
        for path in (PUT, REMOVE)
        for one in (REPLIES, QUOTES)
    ),
)
ABILITIES = Abilities(
    publishes="Words of 300 letters, links, tags and mentions marked, a language, a label. All of it is public.",
    media=Files(
        words=(
            "Four pictures of less than 2 MB, or one MP4 of 100 MB, which bsky.app begins to work on when the post is"
            " live: it shows a gap for some seconds, and for good if it does not take the film."
        ),
        alt=True,
    ),
    threads="Each part replies to the one before it, and names the first.",
    idempotent="It is one post: its name is fixed before it leaves, and the same record is written to the same place.",
    finds=Finding(
        certainty=Certainty.EXACT, words="The account's own server is asked for the one name that it would have."
    ),
    proof=Proof(
        look="proof",
        words="The record with the path to the commit that the account's own key signed: anybody can check it.",
    ),
    acts=(
        Act(
            decision=Decision.DELETE,
            name="delete",
            reversible=False,
            words=(
                "The post is gone from the account's own server at once, and from bsky.app within seconds. Replies,"
                " quotes and reposts of it stay, and show that it was deleted. Whoever archives the network's stream of"
                " all posts may keep it, with its signature. It cannot be undone."
            ),
        ),
        Act(
            decision=Decision.CLOSE_REPLIES,
            name="threadgate",
            reversible=True,
            words=(
                "Nobody but the account can reply any more: bsky.app offers it to nobody, and shows no reply that comes"
                " from elsewhere. The replies that are there stay, and so does every word of the post. Of a thread it"
                " is done once, at its first post."
            ),
        ),
        Act(
            decision=Decision.DETACH_QUOTES,
            name="postgate",
            reversible=True,
            words=(
                "Nobody can quote it any more, and up to fifty of the quotes that bsky.app knows show it no longer:"
                " their own words stay, and so do the post, its reposts and its link. If bsky.app does not say who"
                " quotes it, only new quotes are prevented."
            ),
        ),
    ),
    budget=Budget(count=3_000, window=60 * 60_000),  # of 5,000 points an hour, of which a deletion costs one
    unseen=(
        "what people and other tools publish with this account: they have passwords of their own",
        "posts that another tool will publish later: Bluesky itself has none, and drafts publish nothing",
        "copies in archives of the network, quotes, screenshots, and what a search engine found",
        "no post can be hidden here: bsky.app goes on showing the old words of one that was edited",
    ),
)


def connect(account: Account, network: Network) -> BlueskyAdapter:
    """The live adapter of a Bluesky account."""
    from adapters.bluesky_publishing import BlueskyAdapter

    return BlueskyAdapter(account, network)


MAKER = Maker(
    connect=connect,
    routes=ROUTES,
    secrets=("app_password",),
    abilities=ABILITIES,
    sites=frozenset({"bsky.app"}),
    reads=reads,
)
