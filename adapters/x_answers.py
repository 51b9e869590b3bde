"""What X's answers say, judged by status and bytes alone: is a post there, whose is it, and what an error asks of us.

Pure; any thread may call. X says most things in problem documents (`type`, `title`, `detail`), some in the codes of its
older API, and of a post that is not there with 200 and `errors`.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.x_addresses import SAFE_ID, address
from guardian.adapter import Kind, Meaning, Reading
from guardian.errors import Doubt
from guardian.model import Presence, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardian.adapter import Answer

Json = dict[str, Any]

OK, UNPAID, FORBIDDEN, NOT_FOUND, TOO_MANY = 200, 402, 403, 404, 429
UNAUTHORISED = 401
PROBLEM = "/problems/"
PAYING = frozenset({"Basic", "Premium", "PremiumPlus"})
VERIFIED = frozenset({"blue", "business", "government"})  # only who pays is
HIDDEN = "/hidden"  # how the address of a reply's being hidden ends
DUPLICATE, CLOCK, SUSPENDED, LOCKED = "187", "135", ("63", "64"), "326"  # codes of the older API, which still turn up
CREDIT_TITLES = ("CreditsDepleted", "SpendCapReached")
CREDIT = "do buy credit at https://console.x.com, or raise the spending limit there"
REASONS = {  # what an error asks of a person
    "credits": f"the app has no credit at X left, {CREDIT}",
    "suspended": "X has suspended the account, do appeal at https://help.x.com/forms, and publish elsewhere meanwhile",
    "locked": "X has locked the account, do log in at https://x.com and unlock it",
    "clock": "X finds our clock wrong, do set this machine's clock (`timedatectl`)",
    "read only": (
        "the app or its access token may only read, do set the app to *Read and write* at https://console.x.com, then"
        " make a new access token: the old one stays as it was"
    ),
    "not enrolled": "the app has no access to this API, do put it into a project with pay-per-use at"
    " https://console.x.com",
    "cap": f"the app has used up what it may use this month, {CREDIT}",
}


def document(body: bytes) -> Json:
    """What the bytes say as a JSON object; an empty one when they are none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def errors(found: Json) -> Iterator[Json]:
    """Every problem that an answer names: itself, and those in `errors`."""
    if "detail" in found or PROBLEM in str(found.get("type")):
        yield found
    said = found.get("errors")
    yield from (one for one in said if isinstance(one, dict)) if isinstance(said, list) else ()


def reads(kind: Kind, path: str, status: int, body: bytes) -> Reading | None:
    """What an answer to a changing request means where its status does not say it all."""
    found = document(body)
    if status < 400:  # noqa: PLR2004 (HTTP's own classes)
        return _undone(kind, path, found)
    if kind is Kind.PUBLISH and status == FORBIDDEN and any(map(_is_duplicate, errors(found))):
        why = "X answered that it has these words already: they may be this very post"
        return Reading(meaning=Meaning.UNCERTAIN, why=why)
    reason = reason_in(status, found)
    if reason is None:
        return None
    if kind is Kind.RETRACT:
        what = "hide" if path.endswith(HIDDEN) else "delete"
        by_hand = f"do {what} it by hand at {address(path.removesuffix(HIDDEN).rpartition('/')[2])}"
        return Reading(meaning=Meaning.SHUT, why=f"nothing can be deleted by the API of X now: {reason}; {by_hand}")
    return Reading(meaning=Meaning.SHUT, why=f"X takes nothing from this account now: {reason}")


def _undone(kind: Kind, path: str, found: Json) -> Reading | None:
    """A good answer that does not say that it was done."""
    data = found.get("data")
    said = data if isinstance(data, dict) else {}
    wanted: tuple[str, bool] | None = None
    if path.endswith(HIDDEN):
        wanted = "hidden", kind is Kind.RETRACT
    elif kind is Kind.RETRACT and "/retweets/" in path:
        wanted = "retweeted", False
    if wanted is None or said.get(wanted[0]) is wanted[1]:
        return None
    should_be = wanted[0] if wanted[1] else f"not {wanted[0]}"
    why = f"X answered without saying that it is {should_be} ({words(found)})"
    return Reading(meaning=Meaning.UNCERTAIN, why=why)


def reason_in(status: int, found: Json) -> str | None:
    """What has to be done before X does anything for this account; None: that is not what the answer says."""
    kinds = {str(one.get("type")).rpartition(PROBLEM)[2] for one in errors(found)}
    titles = {str(one.get("title")) for one in errors(found)}
    codes = {str(one.get("code")) for one in errors(found)}
    says = {
        "credits": status == UNPAID or "credits" in kinds or not titles.isdisjoint(CREDIT_TITLES),
        "suspended": "user-suspended" in kinds or not codes.isdisjoint(SUSPENDED),
        "locked": LOCKED in codes,
        "clock": CLOCK in codes,
        "read only": "oauth1-permissions" in kinds,
        "not enrolled": status == FORBIDDEN and "client-forbidden" in kinds,
        "cap": "usage-capped" in kinds,
    }
    return next((REASONS[name] for name, said in says.items() if said), None)


def _is_duplicate(error: Json) -> bool:
    words = f"{error.get('detail')} {error.get('message')}".lower()
    return str(error.get("code")) == DUPLICATE or "duplicate content" in words


def words(found: Json) -> str:
    """What X says of an error, in its own words."""
    return "; ".join(str(one.get("detail") or one.get("message") or one.get("title")) for one in errors(found))[:200]


def post_in(body: bytes) -> Json | None:
    """The post in an answer; None when there is none."""
    return thing_in(document(body))


def is_paying(account: Json) -> bool:
    """Whether X says that the account pays, and so may write longer posts and show longer films."""
    return account.get("subscription_type") in PAYING or account.get("verified_type") in VERIFIED


def thing_in(found: Json) -> Json | None:
    """What stands under `data`, if it has an id."""
    data = found.get("data")
    return data if isinstance(data, dict) and isinstance(data.get("id"), str) and data["id"] else None


def posts_in(found: Json) -> list[Json]:
    """A page of posts. Raises Doubt when it is none, or not whole: nobody may think that he has seen them all."""
    data, meta = found.get("data"), found.get("meta")
    if found.get("errors") or not isinstance(meta, dict):
        raise Doubt(f"cannot look through our own posts, because X answered no whole list ({words(found)})")
    if data is None and meta.get("result_count") == 0:
        return []
    if not isinstance(data, list) or not all(isinstance(one, dict) and name_of(one) for one in data):
        raise Doubt("cannot look through our own posts, because X did not answer with a list of posts")
    return data


def name_of(post: Json) -> str | None:
    """Its id."""
    found = post.get("id")
    return found if isinstance(found, str) and SAFE_ID.fullmatch(found) else None


def presence(answer: Answer, platform_id: str) -> Presence:
    """Gone only when X itself says, of this very id, that it has no such post; there when it shows it; else unknown."""
    found = document(answer.body)
    post = thing_in(found)
    if answer.status == OK and post is not None and post["id"] == platform_id:
        return Presence.THERE
    if (
        answer.status in (OK, NOT_FOUND)
        and post is None
        and any(_is_missing(one, platform_id) for one in errors(found))
    ):
        return Presence.GONE
    return Presence.UNKNOWN


def _is_missing(error: Json, platform_id: str) -> bool:
    of_it = platform_id in (error.get("resource_id"), error.get("value"))
    return of_it and str(error.get("type")).endswith(PROBLEM + "resource-not-found")


def author(body: bytes) -> str | None:
    """The id of who wrote it."""
    return author_of(post_in(body) or {})


def author_of(post: Json) -> str | None:
    """The same, of a post."""
    said = post.get("author_id")
    return said if isinstance(said, str) and SAFE_ID.fullmatch(said) else None


def began_by(body: bytes) -> str | None:
    """The id of whose post began the conversation of the one in an answer; None where the answer does not show it."""
    root = (post_in(body) or {}).get("conversation_id")
    included = document(body).get("includes")
    said = included.get("tweets") if isinstance(included, dict) else None
    posts = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return next((author_of(one) for one in posts if root is not None and one.get("id") == root), None)


def files(body: bytes) -> tuple[Shown, ...]:
    """Its pictures and films; of a film the best copy there is, else its poster."""
    included = document(body).get("includes")
    media = included.get("media") if isinstance(included, dict) else None
    found = (_shown(one) for one in media if isinstance(one, dict)) if isinstance(media, list) else ()
    return tuple(one for one in found if one is not None)


def _shown(one: Json) -> Shown | None:
    said = one.get("variants")
    films = [film for film in said if isinstance(film, dict)] if isinstance(said, list) else []
    films = [film for film in films if film.get("content_type") == "video/mp4" and _is_web(film.get("url"))]
    best = max(films, key=lambda film: film["bit_rate"] if isinstance(film.get("bit_rate"), int) else 0, default={})
    url = next((url for url in (best.get("url"), one.get("url"), one.get("preview_image_url")) if _is_web(url)), None)
    kind, alt = one.get("type"), one.get("alt_text")
    if url is None:
        return None
    return Shown(url=url, type=kind if isinstance(kind, str) else "unknown", alt=alt if isinstance(alt, str) else None)


def _is_web(url: object) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://"))


def made_at(post: Json) -> int:
    """When it was made, in ms. Raises Doubt when it does not say."""
    try:
        found = datetime.fromisoformat(post["created_at"])
    except (KeyError, TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise Doubt(f"cannot say when {post.get('id')} was made, because X names no time for it")
    return round(found.timestamp() * 1000)


def is_repost(post: Json) -> bool:
    """Whether it is somebody else's post, shown again."""
    return any(one.get("type") == "retweeted" for one in _references(post))


def reposted(post: Json) -> str | None:
    """The id of the post that a repost of an account shows; None: it is no repost, or of nobody."""
    said = next((one.get("id") for one in _references(post) if one.get("type") == "retweeted"), None)
    return said if isinstance(said, str) and SAFE_ID.fullmatch(said) and author_of(post) else None


def parent_of(post: Json) -> str | None:
    """The post that it replies to."""
    return next((str(one.get("id")) for one in _references(post) if one.get("type") == "replied_to"), None)


def _references(post: Json) -> list[Json]:
    said = post.get("referenced_tweets")
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
