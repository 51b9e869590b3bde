"""A post as Bluesky's record: counted, checked, its links, tags and mentions marked, its pictures shown. Pure.

Any thread may call. The words are never changed: what is marked is marked beside them, by places in bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import grapheme
from atproto_client.models.utils import get_model_as_dict
from atproto_client.utils.facet_detection import MentionMatch, detect_facets, detect_mentions

from adapters import bluesky_gates as gates
from adapters.bluesky_answers import IMAGES, VIDEO
from adapters.bluesky_names import POST
from guardian.errors import Doubt
from guardian.model import Limits, MediaLimits, Problem
from guardian.rules.media import problems as media_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from guardian.model import Media, Part

Json = dict[str, Any]

GRAPHEMES = 300
BYTES = 3_000
LIMITS = Limits(
    characters=GRAPHEMES,
    media=MediaLimits(
        count=4,
        types=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4"}),
        image_bytes=2_000_001,  # fewer than that
        video_bytes=100_000_001,  # what every PDS that is up to date lets a post show
        alt_characters=2_000,  # what bsky.app lets people write; the protocol has no limit
    ),
)
FILM_ALT, FILM_ALT_BYTES = 1_000, 10_000
LABELS = ("sexual", "nudity", "porn", "graphic-media")  # what a post may say of itself, and apps hide it behind
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
MOST_MENTIONS = 10  # each is asked for before the post leaves
UPLOAD = re.compile(r"(?P<link>[a-z0-9]{20,100}) (?P<type>[a-z0-9.+-]+/[a-z0-9.+-]+) (?P<size>[0-9]{1,9})")


def length(text: str) -> int:
    """What a person would call letters: an emoji of seven signs is one, a flag is one, a Han letter is one."""
    return len(text) if text.isascii() and "\r" not in text else int(grapheme.length(text))


def check(part: Part, limits: Limits) -> list[Problem]:
    """What a PDS would refuse of it, or could not show."""
    found = [*_words(part, limits)]
    if gates.asked_for(part.visibility) is None:
        ways = ", ".join([*gates.WORDS, gates.BETWEEN.join(gates.WORDS)])
        message = f"everything on Bluesky is public: leave it empty, or limit the post from the start: {ways}"
        found.append(Problem(field="visibility", message=message))
    if part.warning and part.warning not in LABELS:
        message = f"Bluesky shows no warning in words of your own; write one of {', '.join(LABELS)}, or nothing"
        found.append(Problem(field="warning", message=message))
    if part.language and not LANGUAGE.fullmatch(part.language):
        found.append(Problem(field="language", message="it is no language code, like en or pt-BR"))
    return [*found, *media_problems(part.media, limits=limits.media), *_films(part)]


def _films(part: Part) -> Iterator[Problem]:
    """What is said of a film is counted otherwise than what is said of a picture."""
    for place, one in enumerate(part.media, start=1):
        alt = one.alt or ""
        if _is_film(one) and (length(alt) > FILM_ALT or len(alt.encode("utf-8", "surrogatepass")) > FILM_ALT_BYTES):
            message = f"its alt text has {length(alt)} characters, and {FILM_ALT} are allowed of a film"
            yield Problem(field=f"media{place}_alt", message=message)


def _words(part: Part, limits: Limits) -> list[Problem]:
    found = []
    letters, size = length(part.text), len(part.text.encode("utf-8", "surrogatepass"))
    if letters > limits.characters:
        found.append(f"it has {letters} characters, and {limits.characters} are allowed")
    if size > BYTES:
        found.append(f"it has {size} bytes, and {BYTES} are allowed")
    if not part.text.strip() and not part.media:
        found.append("it says nothing, and shows nothing")
    mentions = len({one.handle.lower() for one in detect_mentions(part.text)})
    if mentions > MOST_MENTIONS:
        found.append(f"it mentions {mentions} accounts, and {MOST_MENTIONS} are allowed")
    return [Problem(field="text", message=message) for message in found]


def mentioned(text: str) -> tuple[MentionMatch, ...]:
    """Every handle that stands in it, with its place; nobody has been asked whether there is one."""
    return tuple(detect_mentions(text))


def facets(text: str, dids: Mapping[str, str | None]) -> list[Json]:
    """What in the text is a link, a tag or a mention. `dids` says who a handle (small letters) is; None: nobody."""
    found = [get_model_as_dict(facet) for facet in detect_facets(text)]
    found += [_mention(one, did) for one in mentioned(text) if (did := dids.get(one.handle.lower())) is not None]
    return sorted(found, key=lambda facet: int(facet["index"]["byteStart"]))


def _mention(one: MentionMatch, did: str) -> Json:
    return {
        "$type": "app.bsky.richtext.facet",
        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": did}],
        "index": {
            "$type": "app.bsky.richtext.facet#byteSlice",
            "byteStart": one.byte_start,
            "byteEnd": one.byte_end,
        },
    }


def compose(
    part: Part, *, made: str, marked: Sequence[Json], uploads: Sequence[str], reply: Mapping[str, object] | None
) -> Json:
    """The whole record. `made` is its time, `marked` its facets, `reply` its root and parent."""
    record: Json = {"$type": POST, "text": part.text, "createdAt": made}
    if part.language:
        record["langs"] = [part.language]
    if marked:
        record["facets"] = list(marked)
    if part.warning:
        label = {"$type": "com.atproto.label.defs#selfLabel", "val": part.warning}
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [label]}
    if uploads:
        record["embed"] = _embed(list(zip(uploads, part.media, strict=True)))
    if reply is not None:
        record["reply"] = dict(reply)
    return record


def upload_of(link: str, media_type: str, size: int) -> str:
    """What we call a blob: everything that a record must say of it."""
    return f"{link} {media_type} {size}"


def _embed(shown: Sequence[tuple[str, Media]]) -> Json:
    """One film, or pictures."""
    upload, media = shown[0]
    if not _is_film(media):
        return {"$type": IMAGES, "images": [_image(*one) for one in shown]}
    return {"$type": VIDEO, "video": _blob(upload), **({"alt": media.alt} if media.alt else {}), **_shape(media)}


def _image(upload: str, media: Media) -> Json:
    return {"$type": f"{IMAGES}#image", "alt": media.alt or "", "image": _blob(upload), **_shape(media)}


def _is_film(media: Media) -> bool:
    return media.type.startswith("video/")


def _blob(upload: str) -> Json:
    said = UPLOAD.fullmatch(upload)
    if said is None:
        raise Doubt("cannot show that file, because what it is called at the platform is no name of a blob")
    return {"$type": "blob", "ref": {"$link": said["link"]}, "mimeType": said["type"], "size": int(said["size"])}


def _shape(media: Media) -> Json:
    """Its width and height, where they are known."""
    if not media.width or not media.height:
        return {}
    ratio = {"$type": "app.bsky.embed.defs#aspectRatio", "width": media.width, "height": media.height}
    return {"aspectRatio": ratio}


def is_part(value: Mapping[str, Any], part: Part, parent: str | None) -> bool:
    """Whether a record is this part: the same words, in the same place. A PDS keeps what it was given, to the byte."""
    reply = value.get("reply")
    there = reply.get("parent", {}).get("uri") if isinstance(reply, dict) else None
    return value.get("text") == part.text and there == parent
