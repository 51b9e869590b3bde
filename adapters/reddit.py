"""Reddit as the house sees it: which requests do what, at which hosts, what deleting and hiding honestly mean.

The client library is imported when an account is connected, and not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.reddit_answers import reads
from guardian.adapter import Abilities, Act, Budget, Certainty, Files, Finding, Host, Kind, Maker, Route
from guardian.model import Decision

if TYPE_CHECKING:
    from adapters.reddit_account import RedditAdapter
    from guardian.adapter import Network
    from guardian.model import Account

SECRETS = ("client_id", "client_secret", "refresh_token|password")
STORAGE = "reddit-uploaded-media.s3-accelerate.amazonaws.com"
FILMS = "reddit-uploaded-video.s3-accelerate.amazonaws.com"
HOSTS = (
    Host(
        name="oauth.reddit.com",
        kinds=frozenset({Kind.READ, Kind.UPLOAD, Kind.PUBLISH, Kind.MANAGE, Kind.RETRACT}),
    ),
    Host(name="www.reddit.com", kinds=frozenset({Kind.READ}), token=False),  # where `base_url` is a double of it
    Host(name=STORAGE, kinds=frozenset({Kind.UPLOAD}), token=False),
    Host(name=FILMS, kinds=frozenset({Kind.UPLOAD}), token=False),
)
ROUTES = (
    Route(Kind.AUTH, "POST", "/api/v1/access_token"),
    Route(Kind.PUBLISH, "POST", "/api/submit/?"),
    Route(Kind.PUBLISH, "POST", "/api/submit_gallery_post[.]json"),
    Route(Kind.PUBLISH, "POST", "/api/comment/?"),
    Route(Kind.UPLOAD, "POST", "/api/media/asset[.]json"),
    Route(Kind.UPLOAD, "POST", "/"),  # to the storage: nothing of Reddit's own is changed at this path
    Route(Kind.RETRACT, "POST", "/api/editusertext/?", target="thing_id"),
    *(Route(Kind.RETRACT, "POST", f"/api/{act}/?", target="id") for act in ("del", "remove", "lock", "spoiler")),
    *(Route(Kind.MANAGE, "POST", f"/api/{act}/?") for act in ("approve", "unlock", "unspoiler")),
)
ABILITIES = Abilities(
    publishes="A title with words or a link, in a subreddit or on the profile, with flair, as nsfw or a spoiler.",
    media=Files(
        words=(
            "One picture, a gallery of up to twenty, or a film with the picture that is shown until it plays. A caption"
            " is shown, in a gallery alone."
        ),
        alt=False,
    ),
    threads="Each later part is a comment below the one before it, without a title and without files.",
    finds=Finding(
        certainty=Certainty.ONE_SIDED,
        words="Our own posts are looked through. Reddit lists them late at times, and leaves out what it has filtered.",
    ),
    acts=(
        Act(
            decision=Decision.DELETE,
            name="delete",
            reversible=False,
            words=(
                "The post is in no list any more, and shows neither its author nor its words. Its title, its link, and"
                " what others said below it stay at its address, which search engines may know; its pictures may stay"
                " at theirs for a while. It cannot be undone."
            ),
        ),
        Act(
            decision=Decision.HIDE,
            name="remove",
            reversible=True,
            words=(
                "Only where the account moderates the subreddit, which is asked each time: the post is removed as"
                " moderators do it, and approving it undoes that. Its author and the moderators still see it; its title"
                " and the comments stay at its address. Elsewhere no post can be hidden: what Reddit calls hide hides"
                " it from the one who asks."
            ),
        ),
        Act(
            decision=Decision.LOCK,
            name="lock",
            reversible=True,
            words=(
                "Only where the account moderates the subreddit, which is asked each time: nobody but moderators can"
                " write below it any more. It hides nothing: the post and all that was said are read as before."
            ),
        ),
        Act(
            decision=Decision.SPOILER,
            name="spoiler",
            reversible=True,
            words=(
                "Of a post, not of a comment: its words and pictures are covered until somebody taps them. Its title"
                " is read as before. It hides nothing."
            ),
        ),
    ),
    overwrites=(
        "Of a post of words, or a comment, the words are replaced by '[withdrawn]' first, so that copies that follow"
        " edits and programs that show what they knew have those. Title, link and pictures cannot be edited. The post"
        " is shown with the new words for a moment; if that fails, it is deleted all the same. It counts as two."
    ),
    budget=Budget(count=60, window=60_000),
    unseen=(
        "what people and other tools publish with this account: they have tokens of their own",
        "what is scheduled at Reddit itself: it is shown to Reddit's own apps alone, and nobody else can stop it",
        "posts of a picture or a film that Reddit has accepted and not yet made: they appear a moment later",
        "copies at archives of Reddit, crossposts by others, quotes in comments, screenshots",
    ),
)


def connect(account: Account, network: Network) -> RedditAdapter:
    """The live adapter of a Reddit account."""
    from adapters.reddit_account import RedditAdapter

    return RedditAdapter(account, network)


MAKER = Maker(connect=connect, routes=ROUTES, secrets=SECRETS, abilities=ABILITIES, hosts=HOSTS, reads=reads)
