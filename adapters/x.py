"""X, through tweepy: a post, who we are, what X accepts, and whether it has a post already.

What an incident needs is next door, in `x_incident`. Only one thread at a time uses what is here. X knows no
idempotency key: what may have been sent is looked for in our own timeline, and never sent again unasked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from adapters import x_answers as answers_
from adapters import x_counting, x_incident, x_login, x_uploads
from adapters.likeness import Likeness
from adapters.x_addresses import SITES, address
from adapters.x_incident import POSTS, XIncident
from adapters.x_session import SECRETS, XClient, XSession, explained
from adapters.x_uploads import MEDIA, XUploads
from adapters.x_words import alike, pictures_of, text_of
from guardian.adapter import Kind, Maker, Readiness, Route
from guardian.beyond import Entitlement
from guardian.errors import Doubt
from guardian.model import Identity, Limits, PostRef, Problem, Seen
from guardian.rules.media import problems as media_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardian.adapter import Network
    from guardian.model import Account, Media, Part

ROUTES = (
    Route(Kind.PUBLISH, "POST", POSTS),
    *x_uploads.ROUTES,
    *x_login.ROUTES,
    *x_incident.ROUTES,
)
WHO_MAY_REPLY = ("following", "mentionedUsers", "subscribers", "verified")
SKEW = timedelta(minutes=5)  # X takes no signature from a clock that is more wrong than that
PAGE = 100
MAX_PAGES = 8  # its list ends at 800 where replies are left out, at 3,200 else
LIST = ["attachments", "created_at", "entities", "note_tweet", "referenced_tweets", "text"]
PAYS = "X says that the account pays: longer posts, and films of 125 minutes"
ABOUT_US = ["subscription_type", "verified_type"]


class XAdapter(XIncident):
    """One account on X."""

    def __init__(self, account: Account, network: Network, session: XSession | None = None) -> None:
        super().__init__(account, session or XSession(account, network))
        self._client = XClient(self._session)
        self._me: str | None = None
        self._name = account.identity.removeprefix("@")
        self._paying = False  # by X's last word
        self._uploads = XUploads(self._client.request)

    def whoami(self) -> Identity:
        """`@name`. Raises PlatformRefusal for what has to be set right at X, TokenRefused for keys that are none."""
        try:
            self._session.expect_rights()
            me = answers_.thing_in(self._client.get_me(user_fields=ABOUT_US, user_auth=True))
        except Exception as error:  # noqa: BLE001 (the library's, requests' and ours: each is explained)
            raise explained(error, f"use X as {self._account.identity}") from None
        name = (me or {}).get("username")
        if me is None or not isinstance(name, str) or not name:
            raise Doubt("cannot say who we are, because X names nobody")
        self._me, self._paying = me["id"], answers_.is_paying(me)
        return Identity(id=me["id"], handle=f"@{name}")

    def may_delete(self) -> Entitlement:
        """What X says beside its answers to OAuth 1.0a. Of the credit that a deletion takes it says nothing."""
        if self._client.level == "read":
            fix = "give the app Read and write, make the access token anew (docs/accounts/x.md), then reload"
            return Entitlement(may=False, why="these keys may only read", fix=fix)
        return Entitlement(may=None, why="whether there is credit for a deletion X tells only whoever deletes")

    def limits(self) -> Limits:
        """What X said of the account when it was asked who we are: whoever pays may write longer posts."""
        if self._me is None:
            self.whoami()
        if self._paying:
            return Limits(characters=x_counting.MOST_OF_PAYING, media=MEDIA, remarks=(PAYS,))
        return Limits(characters=x_counting.MOST, media=MEDIA)

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        """Counted by X's own rules; what X has no field for is a problem, and never left out in silence."""
        problems = []
        length = x_counting.length(part.text)
        if length > limits.characters:
            message = f"it counts {length} at X (a link 23, an emoji 2), and {limits.characters} are allowed"
            problems.append(Problem(field="text", message=message))
        if x_counting.NEVER.search(part.text):
            problems.append(Problem(field="text", message="it has a sign that X refuses (a byte order mark)"))
        if not part.text.strip() and not part.media:
            problems.append(Problem(field="text", message="it is empty"))
        if part.warning:
            message = "X has no content warnings: write it into the text, or leave it out"
            problems.append(Problem(field="warning", message=message))
        if part.visibility not in (None, "public", *WHO_MAY_REPLY):
            who = ", ".join(WHO_MAY_REPLY)
            message = f"on X a post is public; this may say who can reply: {who}"
            problems.append(Problem(field="visibility", message=message))
        return [*problems, *media_problems(part.media, limits=limits.media), *x_uploads.problems(part.media)]

    def upload(self, data: bytes, media: Media) -> str:
        """A picture in one POST, a film in pieces, and what a picture shows in words."""
        return self._uploads.hand_over(data, media, paying=self._paying)

    def ready(self, upload: str) -> Readiness:
        """Only what X said that it works on is asked for: every question costs."""
        return self._uploads.ready(upload)

    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:  # noqa: ARG002 (X knows no key)
        """One POST."""
        made = self._client.create_tweet(
            text=part.text or None,
            media_ids=list(uploads) or None,
            in_reply_to_tweet_id=reply_to,
            reply_settings=part.visibility if part.visibility in WHO_MAY_REPLY else None,
            user_auth=True,
        )
        post = answers_.thing_in(made)
        found = None if post is None else answers_.name_of(post)
        if found is None:
            raise Doubt(f"cannot believe the answer, because there is no post in it ({answers_.words(made)})")
        return self._ref(found)

    def find(
        self,
        part: Part,
        *,
        since: int,
        known: frozenset[str],
        reply_to: str | None = None,
        key: str = "",  # noqa: ARG002 (X takes none)
    ) -> PostRef | None:
        """Look through our own timeline since then for one that says and shows the same, and that nobody knows yet.

        X shows a new post there after a moment only: that it is not there is a hint, and no proof.
        """
        doubt: Doubt | None = None
        try:
            for post in self._own_since(datetime.fromtimestamp(since / 1000, UTC) - SKEW):
                if post["id"] in known or answers_.parent_of(post) != reply_to or answers_.is_repost(post):
                    continue
                found = alike(post, part.text, our_name=self._name)
                if pictures_of(post) != len(part.media) or found is Likeness.OTHER:
                    continue
                if found is Likeness.SAME:
                    return self._ref(post["id"])
                why = "its words are alike, but not the same"
                doubt = doubt or Doubt(f"cannot say whether {post['id']} is the post, because {why}")
        except Exception as error:  # noqa: BLE001 (the library's, requests' and ours: each is explained)
            raise explained(error, f"say whether {self._account.name} has the post") from None
        if doubt is not None:
            raise doubt
        return None

    def recent(self, *, since: int) -> Sequence[Seen]:
        """Our own posts from then on, by X's clock."""
        try:
            ours = list(self._own_since(datetime.fromtimestamp(since / 1000, UTC)))
        except Exception as error:  # noqa: BLE001 (the library's, requests' and ours: each is explained)
            raise explained(error, f"say what {self._account.name} has published") from None
        return [
            Seen(ref=self._ref(post["id"]), at=answers_.made_at(post), text=text_of(post))
            for post in ours
            if not answers_.is_repost(post)
        ]

    def _own_since(self, earliest: datetime) -> Iterator[dict[str, Any]]:
        """Our own posts, newest first, back to `earliest`. Raises Doubt when they do not end within reason."""
        me = self._me or self.whoami().id
        following: str | None = None
        for _ in range(MAX_PAGES):
            page = self._client.get_users_tweets(
                me,
                start_time=earliest.strftime("%Y-%m-%dT%H:%M:%SZ"),
                max_results=PAGE,
                pagination_token=following,
                tweet_fields=LIST,
                user_auth=True,
            )
            yield from answers_.posts_in(page)
            following = page["meta"].get("next_token")
            if not following:
                return
        raise Doubt("cannot look through all posts of the last minutes, because there are too many")

    def _ref(self, platform_id: str) -> PostRef:
        return PostRef(id=platform_id, url=address(platform_id, self._name))


def connect(account: Account, network: Network) -> XAdapter:
    """The live adapter of an account on X."""
    return XAdapter(account, network)


MAKER = Maker(
    connect=connect,
    routes=ROUTES,
    secrets=SECRETS,
    abilities=x_incident.ABILITIES,
    hosts=x_incident.HOSTS,
    sites=SITES,
    reads=answers_.reads,
)
