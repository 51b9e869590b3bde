"""Mastodon, through Mastodon.py: a post, who we are, what the server accepts, and whether it has a post already.

Only one thread at a time uses an adapter. Facts are from research/platforms section 3; what is set against the
library's defaults has its reason beside it. Ids are strings.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mastodon import Mastodon, MastodonAPIError, MastodonError, MastodonNotFoundError, MastodonUnauthorizedError

from guardian.adapter import Kind, Maker, Readiness, Route
from guardian.errors import Doubt, TokenRefused
from guardian.model import Identity, Limits, MediaLimits, PostRef, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from requests import Response

    from guardian.adapter import Network
    from guardian.model import Account, Media, Part

STATUSES = "/api/v1/statuses"
ROUTES = (
    Route(Kind.PUBLISH, "POST", STATUSES),
    Route(Kind.UPLOAD, "POST", "/api/v2/media"),
)
VISIBILITIES = ("public", "unlisted", "private", "direct")
USER_AGENT = "post-guardian"
SKEW = timedelta(minutes=5)  # between our clock and the server's, when looking for what we may have posted
PAGE = 40
MAX_PAGES = 10
USUAL_CHARACTERS = 500
NAMES = ("id", "url", "uri")  # what a new post is called
UNFIT = 422  # what the server answers about a file that it could not process


class _Client(Mastodon):
    """The library, which asks the server's version before an upload, and without end when there is no answer."""

    def verify_minimum_version(self, version_str: str, cached: bool = False) -> bool:  # noqa: ARG002, FBT001, FBT002 (the library's)
        """Every version that is worth asking: uploads go to /api/v2/media (3.1.4, 2020) and nowhere else."""
        return True


class MastodonAdapter:
    """One account on one Mastodon server (or one that speaks its API)."""

    def __init__(self, account: Account, network: Network) -> None:
        self._account = account
        self._client = _Client(
            access_token=account.secrets["token"].reveal(),
            api_base_url=account.base_url,
            session=network.session,
            ratelimit_method="throw",  # the default sleeps up to five minutes inside the library
            version_check_mode="none",  # a wrong guess of the version picks other endpoints; we call none that differ
            user_agent=USER_AGENT,
        )
        self._me: str | None = None
        self._lists = False
        network.session.hooks["response"].append(self._note)

    def _note(self, response: Response, **_: object) -> None:
        """Whether the server's last answer is a list: the library makes an empty one of `{}`.

        Of a new post it is given only what we read: it takes 1 ms to make objects of the other forty fields.
        """
        self._lists = response.content.lstrip().startswith(b"[")
        if response.request.method == "POST" and response.request.path_url == STATUSES and response.ok:
            response._content = _in_short(response.content)  # noqa: SLF001 (the library has no other way to be told)

    def whoami(self) -> Identity:
        """`@user@domain`: the account from the token, the domain from the server."""
        try:
            me = self._client.account_verify_credentials()
        except MastodonUnauthorizedError:
            raise TokenRefused from None
        self._me = _id(me)
        if not isinstance(me.acct, str) or not me.acct:
            raise Doubt("cannot say who we are, because the server names nobody")
        return Identity(id=self._me, handle=f"@{me.acct}@{self._domain()}")

    def limits(self) -> Limits:
        """What a post may have here; where a server does not say, Mastodon's own limits."""
        configuration = _look(self._instance(), "configuration")
        statuses, media = _look(configuration, "statuses"), _look(configuration, "media_attachments")
        usual = MediaLimits()
        types = _look(media, "supported_mime_types")
        return Limits(
            characters=_number(statuses, "max_characters") or USUAL_CHARACTERS,
            media=MediaLimits(
                count=_number(statuses, "max_media_attachments") or usual.count,
                types=frozenset(map(str, types)) if isinstance(types, list) and types else None,
                image_bytes=_number(media, "image_size_limit") or usual.image_bytes,
                video_bytes=_number(media, "video_size_limit") or usual.video_bytes,
                pixels=_number(media, "image_matrix_limit"),
                alt_characters=_number(media, "description_limit") or usual.alt_characters,
            ),
        )

    def check(self, part: Part, limits: Limits) -> Sequence[Problem]:
        """Counted as the server counts: a link is 23, `@user@host` is `@user`, the warning counts too."""
        problems = []
        length = int(Mastodon.get_status_length(part.text, part.warning or ""))
        if length > limits.characters:
            problems.append(
                Problem(field="text", message=f"it has {length} characters, and {limits.characters} are allowed")
            )
        if part.visibility is not None and part.visibility not in VISIBILITIES:
            problems.append(Problem(field="visibility", message=f"it must be one of {', '.join(VISIBILITIES)}"))
        return problems

    def upload(self, data: bytes, media: Media) -> str:
        """One POST to the asynchronous endpoint: the answer may come before the file is processed."""
        made = self._client.media_post(data, mime_type=media.type, description=media.alt)
        return _id(made)

    def ready(self, upload: str) -> Readiness:
        """206 and no address while the server works on it; 422 when it cannot, 404 when it has it no more."""
        try:
            found = self._client.media(upload)
        except MastodonAPIError as error:
            if isinstance(error, MastodonNotFoundError) or UNFIT in error.args:
                return Readiness.FAILED
            raise
        return Readiness.READY if _look(found, "url") else Readiness.PROCESSING

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

    def find(self, part: Part, *, since: int, known: frozenset[str], reply_to: str | None = None) -> PostRef | None:
        """Look through our own posts since then for one that says and shows the same, and that nobody knows yet."""
        earliest = datetime.fromtimestamp(since / 1000, UTC) - SKEW
        try:
            for status in self._own_since(earliest):
                if str(status.id) not in known and _hangs_on(status, reply_to) and self._is(status, part):
                    return _ref(status)
        except MastodonError as error:
            raise Doubt(f"cannot say whether {self._account.name} has the post, because {error}") from error
        return None

    def _own_since(self, earliest: datetime) -> Iterator[Any]:
        """Our own posts, newest first, back to `earliest`. Raises Doubt when they do not end within reason."""
        me = self._me or self.whoami().id
        page = self._client.account_statuses(me, since_id=earliest, limit=PAGE, exclude_reblogs=True)
        for _ in range(MAX_PAGES):
            if not self._lists or not isinstance(page, list):
                raise Doubt("cannot look through our own posts, because the server did not answer with a list")
            for status in page:
                if status.created_at < earliest:
                    return
                yield status
            page = self._client.fetch_next(page) if page else None
            if page is None:
                return
        raise Doubt("cannot look through all posts of the last minutes, because there are too many")

    def _is(self, status: Any, part: Part) -> bool:  # noqa: ANN401 (the library's own dynamic type)
        if not self._same(status.spoiler_text, part.warning):
            return False
        if len(_look(status, "media_attachments") or ()) != len(part.media):
            return False
        try:
            source = self._client.status_source(status.id)
        except MastodonNotFoundError:
            return False  # deleted since it was listed
        if not isinstance(source.text, str):
            raise Doubt(f"cannot say what {_id(status)} says, because the server answered with no source of it")
        return self._same(source.text, part.text)

    @staticmethod
    def _same(theirs: str | None, ours: str | None) -> bool:
        """Servers strip and may recompose what they store."""
        return _plain(theirs or "") == _plain(ours or "")

    def _domain(self) -> str:
        instance = self._instance()
        said = _look(instance, "domain") or _look(instance, "uri") or ""
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


def _look(thing: Any, name: str) -> Any:  # noqa: ANN401 (the library's own dynamic type)
    """A field of an answer that some servers leave out."""
    return None if thing is None else getattr(thing, name, None)


def _number(thing: Any, name: str) -> int | None:  # noqa: ANN401 (the library's own dynamic type)
    said = _look(thing, name)
    return said if type(said) is int and said > 0 else None


def _hangs_on(status: Any, parent: str | None) -> bool:  # noqa: ANN401 (the library's own dynamic type)
    """Whether the post is a reply to exactly this one, or to none."""
    said = _look(status, "in_reply_to_id")
    return (None if said is None else str(said)) == parent


def _id(thing: Any) -> str:  # noqa: ANN401 (the library's own dynamic type)
    """The id of what the server answered. Raises Doubt when it is none: the library makes a post of `{}`, too."""
    found = _look(thing, "id")
    if not isinstance(found, str | int) or not str(found):
        raise Doubt("cannot believe the answer, because what it names has no id")
    return str(found)


def _ref(status: Any) -> PostRef:  # noqa: ANN401 (the library's own dynamic type)
    url = getattr(status, "url", None) or getattr(status, "uri", None)
    return PostRef(id=_id(status), url=None if url is None else str(url))


def connect(account: Account, network: Network) -> MastodonAdapter:
    """The live adapter of a Mastodon account."""
    return MastodonAdapter(account, network)


MAKER = Maker(connect=connect, routes=ROUTES, secrets=("token",))
