"""Mastodon, through Mastodon.py: a post, who we are, what the server accepts, and whether it has a post already.

What an incident needs is next door, in `mastodon_incident`. Only one thread at a time uses what is here. Facts are from
research/platforms section 3; what is set against the library's defaults has its reason beside it. Ids are strings.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mastodon import Mastodon, MastodonAPIError, MastodonError, MastodonNotFoundError, MastodonUnauthorizedError

from adapters import mastodon_incident
from adapters import mastodon_server as servers
from adapters.likeness import Likeness, likeness, words_of
from adapters.mastodon_incident import STATUSES, USER_AGENT, MastodonIncident
from adapters.mastodon_server import look
from guardian.adapter import Kind, Maker, Readiness, Route
from guardian.errors import Doubt, PlatformRefusal, TokenRefused
from guardian.model import Identity, PostRef, Problem, Seen
from guardian.rules.media import problems as media_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from requests import Response

    from guardian.adapter import Network
    from guardian.model import Account, Limits, Media, Part

ROUTES = (
    Route(Kind.PUBLISH, "POST", STATUSES),
    Route(Kind.UPLOAD, "POST", "/api/v2/media"),
    *mastodon_incident.ROUTES,
)
VISIBILITIES = ("public", "unlisted", "private", "direct")
SKEW = timedelta(minutes=5)  # between our clock and the server's, when looking for what we may have posted
PAGE = 40
MAX_PAGES = 10
NAMES = ("id", "url", "uri")  # what a new post is called
FORBIDDEN = 403
UNFIT = frozenset({400, 422})  # what servers answer about a file that they could not process


class _Client(Mastodon):
    """The library, which asks the server's version before an upload, and without end when there is no answer."""

    def verify_minimum_version(self, version_str: str, cached: bool = False) -> bool:  # noqa: ARG002, FBT001, FBT002 (the library's)
        """Every version that is worth asking: uploads go to /api/v2/media (3.1.4, 2020) and nowhere else."""
        return True


class MastodonAdapter(MastodonIncident):
    """One account on one Mastodon server (or one that speaks its API)."""

    def __init__(self, account: Account, network: Network) -> None:
        super().__init__(account, network.session)
        self._client = _Client(
            access_token=account.secrets["token"].reveal(),
            api_base_url=account.base_url,
            session=network.session,
            ratelimit_method="throw",  # the default sleeps up to five minutes inside the library
            version_check_mode="none",  # a wrong guess of the version picks other endpoints; we call none that differ
            user_agent=USER_AGENT,
        )
        self._me: str | None = None
        self._server = servers.server(None)
        self._lists = False
        self._behind = timedelta(0)
        network.session.hooks["response"].append(self._note)

    def _note(self, response: Response, **_: object) -> None:
        """Whether the last answer is a list (the library makes an empty one of `{}`), and what time the server has.

        Of a new post the library is given only what we read: it takes 1 ms to make objects of the other forty fields.
        """
        self._lists = response.content.lstrip().startswith(b"[")
        self._behind = _behind(response.headers.get("Date"))
        if response.request.method == "POST" and response.request.path_url == STATUSES and response.ok:
            response._content = _in_short(response.content)  # noqa: SLF001 (the library has no other way to be told)

    def whoami(self) -> Identity:
        """`@user@domain`: the account from the token, the domain from the server."""
        try:
            me = self._client.account_verify_credentials()
        except MastodonUnauthorizedError:
            raise TokenRefused from None
        except MastodonAPIError as error:
            if FORBIDDEN not in error.args:
                raise
            raise PlatformRefusal(
                f"cannot use {self._account.identity}, because the server lets it do nothing ({error.args[-1]})",
                fix="log in there and read why: a frozen account has to appeal, a token without rights to be made anew",
            ) from None
        self._me = _id(me)
        if not isinstance(me.acct, str) or not me.acct:
            raise Doubt("cannot say who we are, because the server names nobody")
        return Identity(id=self._me, handle=f"@{me.acct}@{self._domain()}")

    def limits(self) -> Limits:
        """What a post may have here, and who it is that says so."""
        instance = self._instance()
        self._server = servers.server(instance)
        return servers.limits(instance)

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        """Counted as this server counts: links are 23 at Mastodon, elsewhere they count in full; the warning counts."""
        problems = []
        length = self._server.length(part, limits.characters)
        if length > limits.characters:
            problems.append(
                Problem(field="text", message=f"it has {length} characters, and {limits.characters} are allowed")
            )
        if part.visibility is not None and part.visibility not in VISIBILITIES:
            problems.append(Problem(field="visibility", message=f"it must be one of {', '.join(VISIBILITIES)}"))
        return [*problems, *media_problems(part.media, limits=limits.media)]

    def upload(self, data: bytes, media: Media) -> str:
        """One POST to the asynchronous endpoint: the answer may come before the file is processed."""
        made = self._client.media_post(data, mime_type=media.type, description=media.alt)
        return _id(made)

    def ready(self, upload: str) -> Readiness:
        """206 and no address while the server works on it; 422 when it cannot, 404 when it has it no more."""
        try:
            found = self._client.media(upload)
        except MastodonAPIError as error:
            if isinstance(error, MastodonNotFoundError) or UNFIT & set(error.args[1:2]):
                return Readiness.FAILED
            raise
        return Readiness.READY if look(found, "url") else Readiness.PROCESSING

    def publish(self, part: Part, key: str, *, uploads: Sequence[str] = (), reply_to: str | None = None) -> PostRef:
        """One POST with an idempotency key, which the server honours for an hour (and some servers never)."""
        made = self._client.status_post(
            part.text,
            in_reply_to_id=reply_to,
            media_ids=list(uploads) or None,
            visibility=part.visibility,
            spoiler_text=part.warning,
            language=part.language,
            idempotency_key=key,
        )
        return _ref(made)

    def find(
        self,
        part: Part,
        *,
        since: int,
        known: frozenset[str],
        reply_to: str | None = None,
        key: str = "",  # noqa: ARG002 (a server forgets it, and none can be asked for it)
    ) -> PostRef | None:
        """Look through our own posts since then for one that says and shows the same, and that nobody knows yet."""
        earliest = datetime.fromtimestamp(since / 1000, UTC) - SKEW
        ours = chain(self._own_since(earliest), self._own_replies(reply_to))
        unknown = (status for status in ours if str(status.id) not in known and _hangs_on(status, reply_to))
        try:
            return self._first_that_is(part, unknown)
        except MastodonError as error:
            raise Doubt(f"cannot say whether {self._account.name} has the post, because {error}") from error

    def recent(self, *, since: int) -> Sequence[Seen]:
        """Our own posts from then on by the server's clock, as far as that can be told from ours."""
        try:
            ours = self._own_since(datetime.fromtimestamp(since / 1000, UTC))
            return [_seen(status) for status in ours if look(status, "reblog") is None]
        except (MastodonError, TypeError, AttributeError) as error:  # the library makes objects of anything
            raise Doubt(f"cannot say what {self._account.name} has published, because {error}") from error

    def _first_that_is(self, part: Part, statuses: Iterator[Any]) -> PostRef | None:
        """The first that is this part beyond doubt. Raises the first Doubt when there was one, and none is."""
        doubts = []
        for status in statuses:
            try:
                if self._is(status, part):
                    return _ref(status)
            except Doubt as doubt:
                doubts.append(doubt)
        if doubts:
            raise doubts[0]
        return None

    def _own_since(self, earliest: datetime) -> Iterator[Any]:
        """Our own posts, newest first, back to `earliest`. Raises Doubt when they do not end within reason.

        Paged by the ids that the server gave: an id made from a time (`since_id`) is one of Mastodon's own kind, after
        which a server with other ids has nothing; and not every server links to its next page. The end is an empty one.
        """
        me = self._me or self.whoami().id
        before: str | None = None
        for _ in range(MAX_PAGES):
            page = self._client.account_statuses(me, max_id=before, limit=PAGE, exclude_reblogs=True)
            if not self._lists or not isinstance(page, list):
                raise Doubt("cannot look through our own posts, because the server did not answer with a list")
            first = earliest - self._behind
            yield from (status for status in page if status.created_at >= first)
            if not page or page[-1].created_at < first:
                return
            before = _id(page[-1])
        raise Doubt("cannot look through all posts of the last minutes, because there are too many")

    def _own_replies(self, parent: str | None) -> Iterator[Any]:
        """What of ours hangs on that post: some servers (Pixelfed) leave replies out when they list our posts."""
        if parent is None:
            return
        try:
            context = self._client.status_context(parent)
        except MastodonNotFoundError:
            return  # the post is gone, and what hung on it hangs on nothing now
        if not isinstance(context.descendants, list):
            raise Doubt(f"cannot say what hangs on {parent}, because the server did not answer with a list")
        yield from (status for status in context.descendants if _id(status.account) == self._me)

    def _is(self, status: Any, part: Part) -> bool:  # noqa: ANN401 (the library's own dynamic type)
        if not self._same(status.spoiler_text, part.warning):
            return False
        if len(look(status, "media_attachments") or ()) != len(part.media):
            return False
        try:
            source = self._client.status_source(status.id)
        except MastodonNotFoundError:
            return self._shows(_id(status), part)
        if not isinstance(source.text, str):
            raise Doubt(f"cannot say what {_id(status)} says, because the server answered with no source of it")
        return self._same(source.text, part.text)

    def _shows(self, platform_id: str, part: Part) -> bool:
        """No source: either the post was deleted since it was listed, or this server tells no sources (Pixelfed)."""
        try:
            status = self._client.status(platform_id)
        except MastodonNotFoundError:
            return False
        if not isinstance(status.content, str):
            raise Doubt(f"cannot say what {platform_id} says, because the server answered with no words of it")
        alike = likeness(status.content, part.text)
        if alike is Likeness.UNSURE:
            raise Doubt(f"cannot say whether {platform_id} is the post, because its words are alike, but not the same")
        return alike is Likeness.SAME

    @staticmethod
    def _same(theirs: str | None, ours: str | None) -> bool:
        """Servers strip and may recompose what they store."""
        return _plain(theirs or "") == _plain(ours or "")

    def _domain(self) -> str:
        instance = self._instance()
        said = look(instance, "domain") or look(instance, "uri") or ""
        return urlsplit(said).netloc or said or urlsplit(self._account.base_url).netloc

    def _instance(self) -> Any:  # noqa: ANN401 (the library's own dynamic type)
        try:
            return self._client.instance_v2()
        except MastodonNotFoundError:
            return self._client.instance_v1()


def _in_short(content: bytes) -> bytes:
    """A new post's names alone; what is no post stays as it is, for the library to stumble over."""
    try:
        made = json.loads(content)
    except (ValueError, RecursionError):
        return content
    return json.dumps({name: made[name] for name in NAMES if name in made}).encode() if type(made) is dict else content


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()


def _hangs_on(status: Any, parent: str | None) -> bool:  # noqa: ANN401 (the library's own dynamic type)
    """Whether the post is a reply to exactly this one, or to none."""
    said = look(status, "in_reply_to_id")
    return (None if said is None else str(said)) == parent


def _id(thing: Any) -> str:  # noqa: ANN401 (the library's own dynamic type)
    """The id of what the server answered. Raises Doubt when it is none: the library makes a post of `{}`, too."""
    found = look(thing, "id")
    if not isinstance(found, str | int) or not str(found):
        raise Doubt("cannot believe the answer, because what it names has no id")
    return str(found)


def _ref(status: Any) -> PostRef:  # noqa: ANN401 (the library's own dynamic type)
    """Raises Doubt when it is no post: one that the server has put off until later has an id, too, but no address."""
    url = look(status, "url") or look(status, "uri")
    if not url:
        raise Doubt("cannot believe the answer, because what it names has no address")
    return PostRef(id=_id(status), url=str(url))


def _seen(status: Any) -> Seen:  # noqa: ANN401 (the library's own dynamic type)
    said = look(status, "content")
    text = words_of(said) if isinstance(said, str) else ""
    return Seen(ref=_ref(status), at=round(status.created_at.timestamp() * 1000), text=text)


def _behind(date: str | None) -> timedelta:
    """By how much the server's clock, which dates the posts, is behind ours; nothing when it does not say."""
    try:
        there = parsedate_to_datetime(date or "")
        return max(timedelta(0), datetime.now(UTC) - there)
    except (ValueError, TypeError):  # no date, or one without a zone
        return timedelta(0)


def connect(account: Account, network: Network) -> MastodonAdapter:
    """The live adapter of a Mastodon account."""
    return MastodonAdapter(account, network)


MAKER = Maker(connect=connect, routes=ROUTES, secrets=("token",), abilities=mastodon_incident.ABILITIES)
