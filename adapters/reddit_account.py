"""Reddit, through PRAW: a post or a comment, who we are, and whether Reddit has it already.

What an incident needs is next door, in `reddit_incident`. Only one thread at a time uses what is here. How a record
becomes a post is in `reddit_words`; facts are from research/platforms section 5.
"""

from __future__ import annotations

import mimetypes
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import structlog

from adapters import reddit_alike as alike
from adapters import reddit_answers as answers_
from adapters import reddit_rules as rules
from adapters import reddit_words as words
from adapters.reddit_client import API, UNAUTHORISED, RedditClient
from adapters.reddit_incident import RedditIncident
from guardian.adapter import Look, Readiness
from guardian.beyond import Entitlement
from guardian.errors import Doubt, GuardianError, Mistake, Refusal, TokenRefused
from guardian.model import Identity, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from guardian.adapter import Answer, Network
    from guardian.model import Account, Limits, Media, Part, PostRef, Problem

SKEW = timedelta(minutes=5)  # between our clock and Reddit's, when looking for what we may have posted
FRESH, UNSAID = 15 * 60.0, 60.0  # seconds for which a subreddit's rules are believed, or their lack
MOST_PLACES = 200
log = structlog.get_logger()
PAGE, MOST_PAGES = "50", 20  # Reddit lists no more than the last thousand; a page of galleries is long
LATE = (
    "Reddit's list of an account's own posts is late at times, and leaves out what it has filtered:"
    " that it is not there proves nothing"
)


class Places:
    """What is known of the subreddits that are posted to, for a while. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, rules.Rules | None]] = {}  # until when it is believed

    def is_fresh(self, name: str) -> bool:
        """Whether it need not be asked for now."""
        with self._lock:
            return self._found.get(name.lower(), (0.0, None))[0] > time.monotonic()

    def known(self, name: str) -> rules.Rules | None:
        """Its rules; None: nobody knows."""
        with self._lock:
            until, found = self._found.get(name.lower(), (0.0, None))
            return found if until > time.monotonic() else None

    def learn(self, name: str, found: rules.Rules | None) -> None:
        """What was said now; None: nothing that can be believed."""
        with self._lock:
            self._found.pop(name.lower(), None)
            while len(self._found) >= MOST_PLACES:
                del self._found[next(iter(self._found))]
            self._found[name.lower()] = (time.monotonic() + (UNSAID if found is None else FRESH), found)


class RedditAdapter(RedditIncident):
    """One account on Reddit."""

    def __init__(self, account: Account, network: Network) -> None:
        super().__init__(account, RedditClient(account, network))
        self._places = Places()

    def whoami(self) -> Identity:
        """`u/NAME`. Raises TokenRefused, Refusal where Reddit lets the app or the account in no more, Doubt."""
        answer = self._client.ask("GET", f"{API}/api/v1/me", params={"raw_json": "1"})
        me = answers_.document(answer.content)
        if answer.status_code == UNAUTHORISED:
            raise TokenRefused
        if answer.status_code == answers_.FORBIDDEN:
            raise Refusal(
                "cannot ask Reddit who we are, because it does not let this app in (403)",
                fix="have the app approved and the token given the right identity, see docs/accounts/reddit.md",
            )
        name, number = answers_.at(me, "name"), answers_.at(me, "id")
        if answer.status_code != answers_.OK or not isinstance(name, str) or not isinstance(number, str):
            raise Doubt(f"cannot say who we are, because Reddit answered {answer.status_code} and named nobody")
        if answers_.at(me, "is_suspended") is True:
            raise Refusal(f"cannot use u/{name}, because Reddit has suspended it", fix="log in there and read why")
        return Identity(id=f"t2_{number}", handle=f"u/{name}")

    def may_delete(self) -> Entitlement:
        """By the scopes of the token's answer: `edit` is for deleting, too. A login by password has all (`*`)."""
        scopes = self._client.core.authorizer.scopes
        if not scopes:
            return Entitlement(may=None, why="Reddit has not said what the token may do")
        if scopes & {"*", "edit"}:
            return Entitlement(may=True, why="the token has the scope edit")
        has = ", ".join(sorted(scopes))[:200]
        fix = "make a refresh token with the scope edit (docs/accounts/reddit.md), put it into its file, then reload"
        return Entitlement(may=False, why=f"the token may do {has}, and not edit", fix=fix)

    def limits(self) -> Limits:
        """Reddit's own, for every account. What a subreddit allows of them is asked by `inquire`."""
        return words.LIMITS

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        """Title, words, place, marks and files: by Reddit's own limits, and by the subreddit's rules as last asked."""
        found = words.problems(part, limits, self._client.name)
        place = None if part.follows else words.place(part.visibility, self._client.name)
        known = None if place is None else self._places.known(place.subreddit)
        if place is None or known is None:
            return found
        return [*found, *rules.problems(known, part, place)]

    def inquire(self, part: Part) -> None:
        """Two requests for a subreddit of which nothing is known for now; none for a comment, or our own profile."""
        place = None if part.follows else words.place(part.visibility, self._client.name)
        if place is None or place.subreddit.lower() == f"u_{self._client.name}".lower():
            return
        if self._places.is_fresh(place.subreddit):
            return
        about = self._told(f"{API}/r/{place.subreddit}/about?raw_json=1")
        required = self._told(f"{API}/api/v1/{place.subreddit}/post_requirements?raw_json=1")
        self._places.learn(place.subreddit, rules.read(about, required))

    def _told(self, url: str) -> Answer | None:
        try:
            return self.fetch(Look(name="rules", url=url))
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody knows, and Reddit says it when it is sent)
            log.info("rules not asked", account=self._account.name, said=type(error).__name__)
            return None

    def upload(self, data: bytes, media: Media) -> str:
        """Two requests: where to put it, and putting it there. Nobody sees it before it is part of a post.

        The name is where it lies, and the id that galleries know it by. Alt text has no place at Reddit.
        """
        kind = "film" if words.is_film(media) else "picture"
        name = f"{kind}{mimetypes.guess_extension(media.type) or ''}"
        lease = self._client.make("api/media/asset.json", form={"filepath": name, "mimetype": media.type})
        action, listed = answers_.at(lease, "args", "action"), answers_.at(lease, "args", "fields")
        asset = answers_.at(lease, "asset", "asset_id")
        fields = {str(answers_.at(one, "name")): str(answers_.at(one, "value")) for one in listed or ()}
        if not isinstance(action, str) or not isinstance(asset, str) or "key" not in fields:
            raise Doubt("cannot hand a picture over, because Reddit did not say where to")
        there = f"https:{action}".rstrip("/")
        answer = self._client.hand_over(f"{there}/", fields, name, data)
        if not answer.ok:
            raise Doubt(f"cannot hand a picture over, because it was answered with {answer.status_code}")
        return f"{asset} {there}/{fields['key']}"

    def ready(self, upload: str) -> Readiness:  # noqa: ARG002 (nobody can be asked)
        """Always: Reddit works on a picture only when there is a post of it."""
        return Readiness.READY

    def publish(
        self,
        part: Part,
        key: str,  # noqa: ARG002 (Reddit has no such thing)
        *,
        uploads: Sequence[str] = (),
        reply_to: str | None = None,
    ) -> PostRef:
        """One POST: a submission, or a comment below `reply_to`. Reddit names no post of a picture or a film: Doubt."""
        if reply_to is not None:
            answer = self._client.make("api/comment/", form={"thing_id": reply_to, "text": part.text})
        elif len(uploads) > 1 and not any(map(words.is_film, part.media)):
            answer = self._client.make("api/submit_gallery_post.json", json=self._gallery(part, uploads))
        else:
            answer = self._client.make("api/submit/", form=self._submission(part, uploads))
        made = answers_.made(answer)
        if made is None:
            raise Doubt("cannot name the post, because Reddit has not named it")
        return self._here(made)

    def _submission(self, part: Part, uploads: Sequence[str]) -> dict[str, object]:
        what = words.said(part)
        if uploads:
            shown = {
                words.is_film(one): upload.partition(" ")[2] for upload, one in zip(uploads, part.media, strict=True)
            }
            body = {"text": what.body} if what.body else {}
            film = {"kind": "video", "url": shown.get(True), "video_poster_url": shown.get(False)}
            how = film if True in shown else {"kind": "image", "url": shown[False]}
            return {**how, **body, "resubmit": True, **self._how(part)}
        if what.link is not None:
            return {"kind": "link", "url": what.link, "resubmit": True, **self._how(part)}
        return {"kind": "self", "text": what.body, "resubmit": True, **self._how(part)}

    def _gallery(self, part: Part, uploads: Sequence[str]) -> dict[str, object]:
        """A caption is what Reddit has that is nearest to an alt text."""
        body = words.said(part).body
        items = [
            {"media_id": upload.partition(" ")[0], "caption": one.alt or "", "outbound_url": ""}
            for upload, one in zip(uploads, part.media, strict=True)
        ]
        return {"items": items, "show_error_list": True, **({"text": body} if body else {}), **self._how(part)}

    def _how(self, part: Part) -> dict[str, object]:
        what, place = words.said(part), words.place(part.visibility, self._client.name)
        if place is None:
            raise Mistake("cannot post it, because it names no place at Reddit")
        flair = {"flair_id": place.flair} if place.flair else {}
        marks = {"nsfw": what.nsfw, "spoiler": what.spoiler, "sendreplies": True, "validate_on_submit": True}
        return {"sr": place.subreddit, "title": what.title, **marks, **flair}

    def find(
        self,
        part: Part,
        *,
        since: int,
        known: frozenset[str],
        reply_to: str | None = None,
        key: str = "",  # noqa: ARG002 (Reddit has no such thing)
    ) -> PostRef | None:
        """Look through our own posts (or comments) since then for one that says the same and that nobody knows yet.

        Never None: that it is not listed does not prove that it is not there, so a person decides. Raises Doubt.
        """
        earliest, own = datetime.fromtimestamp(since / 1000, UTC) - SKEW, self._client.name
        for thing in self._own_since("submitted" if reply_to is None else "comments", earliest):
            if thing["name"] in known:
                continue
            if alike.is_comment(thing, part, reply_to) if reply_to else alike.is_submission(thing, part, own):
                return self._here(answers_.ref_of(thing))
        raise Doubt(
            f"cannot say whether u/{own} has the post, because {LATE}",
            fix="look at the account with your own eyes; then cancel the post, or cancel it and add it anew",
        )

    def recent(self, *, since: int) -> Sequence[Seen]:
        """Our own posts and comments from then on."""
        earliest = datetime.fromtimestamp(since / 1000, UTC)
        found = [thing for kind in ("submitted", "comments") for thing in self._own_since(kind, earliest)]
        return sorted((self._seen(thing) for thing in found), key=lambda seen: -seen.at)

    def _seen(self, thing: answers_.Json) -> Seen:
        text = "\n\n".join(filter(None, (words.plain(thing.get(name)) for name in ("title", "selftext", "body"))))
        return Seen(ref=self._here(answers_.ref_of(thing)), at=round(_made_at(thing) * 1000), text=text)

    def _own_since(self, kind: str, earliest: datetime) -> Iterator[answers_.Json]:
        """Our own posts or comments, newest first, back to `earliest` by Reddit's clock. Raises Doubt."""
        after, what = "", f"cannot say what u/{self._client.name} has posted"
        for _ in range(MOST_PAGES):
            query = {"sort": "new", "limit": PAGE, "raw_json": "1", **({"after": after} if after else {})}
            try:
                answer = self._client.ask("GET", f"{API}/user/{self._client.name}/{kind}", params=query)
            except GuardianError:
                raise
            except Exception as error:
                raise Doubt(f"{what}, because {type(error).__name__}: {error}") from error
            page = answers_.document(answer.content)
            things = answers_.children(page) if answer.status_code == answers_.OK else None
            if things is None:
                raise Doubt(f"{what}, because it answered {answer.status_code} and no list")
            first = (earliest - _behind(answer.headers)).timestamp()
            yield from (thing for thing in things if _made_at(thing) >= first)
            after = answers_.at(page, "data", "after")
            if not isinstance(after, str) or not things or _made_at(things[-1]) < first:
                return
        raise Doubt(f"{what}, because it is more than Reddit lists")


def _made_at(thing: answers_.Json) -> float:
    said = thing.get("created_utc")
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise Doubt(f"cannot say when {thing['name']} was made, because Reddit does not say it")
    return float(said)


def _behind(headers: Mapping[str, str]) -> timedelta:
    """By how much Reddit's clock, which dates the posts, is behind ours; nothing when it does not say."""
    try:
        there = parsedate_to_datetime(headers.get("Date") or "")
        return max(timedelta(0), datetime.now(UTC) - there)
    except (ValueError, TypeError):  # no date, or one without a zone
        return timedelta(0)
