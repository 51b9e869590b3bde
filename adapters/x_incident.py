"""X in an incident: looking at a post, deleting it, taking a repost back, hiding what others reply below our posts.

What X schedules cannot be reached.

Every request is one call on the guarded session. `looks`, `fetch`, `presence` and what is pure share nothing that
changes, so any number of threads may call them at once; the rest by one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from adapters import x_answers as answers_
from adapters.x_addresses import SAFE_ID, address, post_at
from guardian.adapter import (
    Abilities,
    Act,
    Answer,
    Budget,
    Certainty,
    Files,
    Finding,
    Host,
    Kind,
    Look,
    Route,
    Undoing,
)
from guardian.errors import Mistake, Refusal
from guardian.model import Decision, PostRef, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.x_session import XSession
    from guardian.model import Account, Native, Shown

POSTS = "/2/tweets"
SHOWS = "publish.x.com"  # what anybody gets to see of a post, for embedding it
ONE = r"/(?P<target>[0-9]{1,19})"
REPOSTED = r"/2/users/[0-9]{1,19}/retweets/[0-9]{1,19}"  # of whom, and the post that was reposted: not the repost's id
ROUTES = (
    Route(Kind.RETRACT, "DELETE", POSTS + ONE),
    Route(Kind.RETRACT, "DELETE", REPOSTED, announced=True),
    Route(Kind.RETRACT, "PUT", POSTS + ONE + "/hidden", where=(("hidden", "true"),)),
    Route(Kind.MANAGE, "PUT", POSTS + ONE + "/hidden", where=(("hidden", "false"),)),
)
UNHIDE = "unhide"
HOSTS = (Host(name=SHOWS, kinds=frozenset({Kind.READ}), token=False),)
FIELDS = {
    "tweet.fields": "attachments,author_id,context_annotations,conversation_id,created_at,edit_controls,"
    "edit_history_tweet_ids,entities,geo,in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,"
    "referenced_tweets,reply_settings,source,text,withheld",
    "expansions": "attachments.media_keys,author_id,edit_history_tweet_ids,referenced_tweets.id,"
    "referenced_tweets.id.author_id",
    "media.fields": "alt_text,duration_ms,height,media_key,preview_image_url,public_metrics,type,url,variants,width",
    "user.fields": "created_at,description,id,location,name,protected,public_metrics,url,username,verified",
}
REPLIES = {
    "tweet.fields": "author_id,conversation_id,created_at,public_metrics,referenced_tweets,text",
    "expansions": "author_id",
    "max_results": "100",
}
ABILITIES = Abilities(
    publishes="Words that count 280 at X, or 25,000 where X says that the account pays; it can be said who may reply.",
    media=Files(words="Up to four pictures of 5 MB, or one film (MP4, 20 minutes), which has no alt text.", alt=True),
    threads="Each part replies to the one before it.",
    finds=Finding(
        certainty=Certainty.ONE_SIDED,
        words="Our own timeline is looked through, with its short links opened. X lists a new post late at times.",
    ),
    acts=(
        Act(
            decision=Decision.DELETE,
            name="delete",
            reversible=False,
            words=(
                "The post and all its earlier versions are gone from X, and its reposts with it; replies and quotes of"
                " it stay, without it. It costs credit: without credit nothing can be deleted by the API, and a person"
                " has to do it at x.com. A repost of ours is taken back, and the post that it shows stays. It cannot be"
                " undone."
            ),
            needs=("status",),
        ),
        Act(
            decision=Decision.HIDE,
            name="hide a reply",
            reversible=True,
            words=(
                "Only what OTHERS reply in conversations that a post of ours began: it leaves the conversation, and"
                " everybody can still read it behind one click (hidden replies). X shows nobody whether a reply is"
                " hidden: its answer is all there is. X cannot hide a post of one's own."
            ),
            others=True,
            seen=False,
        ),
    ),
    budget=Budget(count=50, window=15 * 60_000),
    unseen=(
        "what is scheduled in X's own composer or in its ads manager: the API cannot list it, stop it or delete it",
        "what people and other tools publish with this account: they have keys of their own",
        "how much credit is left: X tells only when there is none any more",
        "quotes, screenshots, and what was found by a search engine or an archive",
    ),
)
UNHIDABLE = "cannot hide it, because X cannot hide a post of one's own"
DELETE_IT = "delete it, or keep it"
NO_NATIVES = "cannot reach what X has scheduled, because its API has no way to it"


class XIncident:
    """What an incident needs of one account."""

    def __init__(self, account: Account, session: XSession) -> None:
        self._account = account
        self._session = session

    def resolve(self, url: str) -> PostRef | None:
        """By the address alone; nobody is asked."""
        return post_at(url)

    def looks(self, ref: PostRef) -> Sequence[Look]:
        """Best first. Replies reach back seven days; each of them, and each quote, costs credit."""
        post = self._post(ref.id)
        about = urlencode({"query": f"conversation_id:{ref.id}", **REPLIES})
        shown = urlencode({"url": ref.url or address(ref.id), "omit_script": "1", "dnt": "true"})
        return (
            Look(name="status", url=f"{post}?{urlencode(FIELDS)}"),
            Look(
                name="account",
                url=f"{self._session.base}/2/users/me?{urlencode({'user.fields': FIELDS['user.fields']})}",
            ),
            Look(name="page", url=f"https://{SHOWS}/oembed?{shown}", essential=False, token=False, may_be_missing=True),
            Look(
                name="context", url=f"{self._session.base}{POSTS}/search/recent?{about}", essential=False, others=True
            ),
            Look(name="quotes", url=f"{post}/quote_tweets?{urlencode(REPLIES)}", essential=False, others=True),
        )

    def fetch(self, look: Look) -> Answer:
        """One GET. Raises what the transport raises; an answer of any status is an answer."""
        answer = self._session.ask("GET", look.url, signed=look.token)
        return Answer(status=answer.status_code, body=answer.content)

    def author(self, status: bytes) -> str | None:
        """The id of the account in it."""
        return answers_.author(status)

    def files(self, status: bytes) -> Sequence[Shown]:
        """Its pictures and films."""
        return answers_.files(status)

    def presence(self, ref: PostRef) -> Presence:
        """What X says of the id; unknown, when it says nothing that can be believed."""
        look = Look(name="status", url=f"{self._post(ref.id)}?tweet.fields=author_id")
        try:
            answer = self.fetch(look)
        except Exception:  # noqa: BLE001 (no answer, whatever the reason: the receipt has it)
            return Presence.UNKNOWN
        return answers_.presence(answer, ref.id)

    def prepare(self, decision: Decision, ref: PostRef, answers: Mapping[str, Answer]) -> Undoing:
        """A deletion says nothing; to take back a repost names the post that it shows. Only replies of others hide."""
        seen = answers.get("status")
        post = answers_.post_in(seen.body) if seen is not None and seen.status == answers_.OK else None
        if post is not None and post["id"] != ref.id:
            post = None
        if decision is Decision.HIDE:
            return self._hiding(ref, post, answers)
        shown = None if post is None else answers_.reposted(post)
        if post is None or shown is None:
            return Undoing()
        return Undoing(says=frozenset({f"/2/users/{answers_.author_of(post)}/retweets/{shown}"}))

    @staticmethod
    def _hiding(ref: PostRef, post: answers_.Json | None, answers: Mapping[str, Answer]) -> Undoing:
        """X decides whether the conversation is ours, where its answers do not show it: it refuses what is not."""
        if post is None:
            raise Refusal("cannot hide it, because nobody knows whose conversation it is in", fix="ask again")
        account = answers.get("account")
        me = None if account is None else (answers_.post_in(account.body) or {}).get("id")
        if answers_.parent_of(post) is None or answers_.author_of(post) == me:
            raise Refusal(UNHIDABLE, fix=DELETE_IT)
        began = answers_.began_by(answers["status"].body)
        if me is not None and began not in (None, me):
            raise Refusal("cannot hide it, because somebody else's post began that conversation", fix="report it at X")
        return Undoing(undo={UNHIDE: ref.id})

    def retract(self, decision: Decision, ref: PostRef, undoing: Undoing) -> None:
        """DELETE of a post, whichever version is named, all of them go; of a repost; or PUT of a reply's being hidden.

        A repost is taken back by what X documents for it: DELETE of its own id is documented for posts alone, and
        what it would do to the post that is shown, nobody says.
        """
        post = self._post(ref.id)
        if decision is Decision.DELETE:
            told = [one for one in undoing.says if re.fullmatch(REPOSTED, one)]
            self._session.ask("DELETE", told[0] if told else post)
        elif decision is Decision.HIDE and undoing.undo == {UNHIDE: ref.id}:
            self._session.ask("PUT", f"{post}/hidden", json={"hidden": True})
        else:
            raise Refusal(UNHIDABLE, fix=DELETE_IT)

    def undo(self, ref: PostRef, undo: Mapping[str, object]) -> None:
        """PUT: the reply stands in the conversation again. What was deleted cannot come back."""
        if undo != {UNHIDE: ref.id}:
            raise Refusal(f"cannot undo it, because X cannot bring {ref.id} back", fix="publish it anew")
        self._session.ask("PUT", f"{self._post(ref.id)}/hidden", json={"hidden": False})

    def natives(self) -> Sequence[Native] | None:
        """X cannot be asked."""
        return None

    def remove_native(self, native: Native) -> None:  # noqa: ARG002 (the contract's)
        """Not possible."""
        raise Refusal(NO_NATIVES, fix="look into the scheduled posts at https://x.com/compose/post/unsent/scheduled")

    def deferral(self, native: Native, *, until: int) -> Undoing:  # noqa: ARG002 (the contract's)
        """Not possible."""
        raise Refusal(NO_NATIVES, fix="look into the scheduled posts at https://x.com/compose/post/unsent/scheduled")

    def defer_native(self, native: Native, *, until: int) -> None:
        """Not possible."""
        self.deferral(native, until=until)

    def _post(self, platform_id: str) -> str:
        """Its address at the API. Raises Mistake when the id could name another path."""
        if not SAFE_ID.fullmatch(platform_id):
            raise Mistake("cannot ask for that post, because its id is none that X gives", fix="name it by its URL")
        return f"{self._session.base}{POSTS}/{quote(platform_id)}"
