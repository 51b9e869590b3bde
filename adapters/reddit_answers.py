"""What Reddit's answers say, judged by their bytes alone: what was made, what was refused, what became of a post. Pure.

Reddit says many a no with 200, and yes without a name; it translates its words, so only its codes decide. Nothing here
believes a page that a proxy or a login put in the place of an answer.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.reddit_addresses import FULLNAME, public
from guardian.adapter import Kind, Meaning, Reading
from guardian.model import PostRef, Presence, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.adapter import Answer

Json = dict[str, Any]

OK, BAD_REQUEST, FORBIDDEN = 200, 400, 403
STORAGE = "/"  # where files go: another company's server, with words of its own
DELETED, REMOVED = "[deleted]", "[removed]"
RATELIMIT = "RATELIMIT"
OF_THE_ACCOUNT = frozenset({"USER_REQUIRED", "USER_BLOCKED", "ACCOUNT_SUSPENDED", "NOT_WHITELISTED_BY_USER_MESSAGE"})
NOT_LET_IN = (
    "the platform answered 403 with a page, and no word of its API: it does not let this app in,"
    " do have it approved (docs/accounts/reddit.md)"
)
LATER_MADE = (
    "Reddit makes a post of a picture or a film a moment after its answer, and names it to nobody: its list of posts"
    " is asked"
)
NAMELESS = "Reddit said yes, and named nothing that it has made"
WAIT = re.compile(r"(\d{1,3}) (millisecond|second|minute|hour)", re.ASCII)
UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0}
SHORT = 300
TYPES = {"Image": "image", "AnimatedImage": "image", "RedditVideo": "video"}


def document(body: bytes) -> object:
    """What the bytes say as JSON; None when they are none."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def at(thing: object, *names: str) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """A field inside of fields; None where there is no such thing."""
    for name in names:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def reads(kind: Kind, path: str, status: int, body: bytes) -> Reading | None:
    """What an answer to a changing request means, where its status does not say it."""
    if path == STORAGE:
        return None
    found = document(body)
    if OK <= status < 300:  # noqa: PLR2004 (HTTP's own classes)
        return _read_yes(kind, found)
    if status == FORBIDDEN and not isinstance(found, dict):
        return Reading(meaning=Meaning.SHUT, why=NOT_LET_IN)
    if status == BAD_REQUEST and isinstance(at(found, "reason"), str):
        words = at(found, "explanation") or at(found, "message") or ""
        return Reading(meaning=Meaning.REFUSED, why=_no(at(found, "reason"), words, at(found, "fields")))
    return None


def _read_yes(kind: Kind, found: object) -> Reading | None:
    """With 200 Reddit says *no*, too; and *yes* without a name."""
    said = list(_errors(found))
    if said:
        return _not_made(said, found)
    if kind is not Kind.PUBLISH or made(found) is not None:
        return None
    pictures = at(found, "json", "data", "websocket_url") or at(found, "json", "data", "user_submitted_page")
    return Reading(meaning=Meaning.UNCERTAIN, why=LATER_MADE if pictures else NAMELESS)


def _errors(found: object) -> Iterator[tuple[str, str, object]]:
    """Code, words and field of everything that is wrong."""
    errors = at(found, "json", "errors")
    for one in errors if isinstance(errors, list) else ():
        if isinstance(one, list) and one:
            code, words, field = (*one, None, None)[:3]
        elif isinstance(one, dict):
            code, words, field = one.get("code") or one.get("error_type"), one.get("message"), one.get("field")
        else:
            code, words, field = one, "", None
        yield str(code), str(words or ""), field


def _not_made(said: list[tuple[str, str, object]], found: object) -> Reading:
    if made(found) is not None:
        return Reading(meaning=Meaning.UNCERTAIN, why="Reddit says no, and names a post: " + _no(*said[0]))
    why = "; ".join(_no(*one) for one in said)[:SHORT]
    codes = {code for code, _, _ in said}
    if codes == {RATELIMIT}:
        return Reading(meaning=Meaning.LATER, why=why, after=_wait(found, said[0][1]))
    shut = bool(codes & OF_THE_ACCOUNT)
    return Reading(meaning=Meaning.SHUT if shut else Meaning.REFUSED, why=why)


def _no(code: object, words: object, field: object) -> str:
    fields = ", ".join(map(str, field)) if isinstance(field, list) else str(field or "")
    return f"Reddit says no: {code}: {words}{f' ({fields})' if fields else ''}"[:SHORT]


def _wait(found: object, words: str) -> float | None:
    """For how long, in seconds: by the number that it gives for programs; else by its English words; else unknown."""
    number = at(found, "json", "ratelimit")
    if isinstance(number, int | float) and not isinstance(number, bool) and number >= 0:
        return float(number)
    said = WAIT.search(words)
    return float(said[1]) * UNITS[said[2]] if said else None


def made(found: object) -> PostRef | None:
    """The post or comment that an answer names as made."""
    data = at(found, "json", "data")
    things = at(data, "things")
    if isinstance(things, list):
        thing = at(things[0], "data") if things else None
        return ref_of(thing) if isinstance(thing, dict) and _is_name(thing.get("name")) else None
    name = at(data, "name") or at(data, "id")
    bare = name if _is_name(name) else f"t3_{name}" if isinstance(name, str) else None
    return _ref(bare, at(data, "url"))


def ref_of(thing: Json) -> PostRef:
    """The name and public address of a post or comment that a list tells."""
    name = str(thing["name"])
    return PostRef(id=name, url=public(thing.get("permalink"), name, thing.get("link_id")))


def _ref(name: object, url: object) -> PostRef | None:
    if not isinstance(name, str) or not _is_name(name):
        return None
    return PostRef(id=name, url=url if isinstance(url, str) and url else public(None, name))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and FULLNAME.fullmatch(name) is not None


def children(found: object) -> list[Json] | None:
    """The posts and comments of a list, each as Reddit tells it; None when it is no list of theirs."""
    things = at(found, "data", "children") if at(found, "kind") == "Listing" else None
    if not isinstance(things, list):
        return None
    whole = [at(one, "data") for one in things]
    return [one for one in whole if isinstance(one, dict) and _is_name(one.get("name"))]


def thing_in(body: bytes, fullname: str | None = None) -> Json | None:
    """The one post or comment that an answer is about."""
    found = children(document(body)) or []
    return next((one for one in found if fullname in (None, one["name"])), None)


def presence(answer: Answer, fullname: str) -> Presence:
    """What a look at one post shows. An empty list is nobody's word: so is a post whose subreddit was closed."""
    thing = thing_in(answer.body, fullname) if answer.status == OK else None
    if thing is None:
        return Presence.UNKNOWN
    if is_deleted(thing):
        return Presence.GONE
    return Presence.VEILED if is_removed(thing) else Presence.THERE


def is_deleted(thing: Json) -> bool:
    """Whether its author deleted it: it has no author any more, and none of its own words.

    An author who is gone while the words are there is an account that was deleted: that takes no post with it.
    """
    if thing.get("removed_by_category") == "deleted":
        return True
    if thing.get("author") != DELETED:
        return False
    words = thing.get("selftext") if thing.get("is_self") else thing.get("body")
    return words is None or words in (DELETED, REMOVED)


def not_editable(thing: Json) -> str | None:
    """Why a post or comment has no words that could be edited; None where it has some."""
    if is_deleted(thing):
        return "it is deleted already"
    if thing["name"].startswith("t1_"):
        return None
    if thing.get("is_self") is False:
        return "of a link or pictures Reddit edits nothing"
    return "it has a title alone, which cannot be edited" if thing.get("selftext") == "" else None


def is_removed(thing: Json) -> bool:
    """Whether moderators or Reddit itself have taken it out: its author and they alone still read it."""
    by = thing.get("removed_by_category"), thing.get("banned_by")
    return thing.get("removed") is True or thing.get("spam") is True or any(by) or thing.get("body") == REMOVED


def author(body: bytes) -> str | None:
    """The full name (`t2_...`) of who wrote it; None where Reddit says it no more."""
    said = at(thing_in(body), "author_fullname")
    return said if isinstance(said, str) and said else None


def files(body: bytes) -> tuple[Shown, ...]:
    """The pictures and films of a post."""
    thing = thing_in(body)
    return tuple(_files(thing)) if thing is not None else ()


def _files(thing: Json) -> Iterator[Shown]:
    items, metadata = at(thing, "gallery_data", "items"), thing.get("media_metadata")
    captions = {at(one, "media_id"): at(one, "caption") for one in items} if isinstance(items, list) else {}
    for name, one in metadata.items() if isinstance(metadata, dict) else ():
        url = at(one, "s", "u") or at(one, "s", "gif")
        if _is_web(url):
            yield Shown(url=url, type=TYPES.get(at(one, "e") or "", "unknown"), alt=captions.get(name) or None)
    film = at(thing, "media", "reddit_video", "fallback_url")
    if _is_web(film):
        yield Shown(url=film, type="video")
    url = thing.get("url")
    if thing.get("post_hint") == "image" and _is_web(url):
        yield Shown(url=str(url), type="image")


def _is_web(url: object) -> bool:
    try:
        return isinstance(url, str) and urlsplit(url).scheme in ("https", "http") and bool(urlsplit(url).netloc)
    except ValueError:
        return False
