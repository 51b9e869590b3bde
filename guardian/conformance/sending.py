"""What is published is there: once, with its files and their words, each part below the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.conformance.bench import ALT
from guardian.conformance.case import Cases
from guardian.conformance.stage import Broken, expect
from guardian.gate.verdicts import Accepted
from guardian.model import Presence

if TYPE_CHECKING:
    from guardian.conformance.bench import Held
    from guardian.conformance.stage import Stage
    from guardian.model import PostRef

CASES = Cases()


def books(stage: Stage, ref: PostRef) -> Held:
    """What the platform has of a post that must be there."""
    held = stage.held(ref)
    if held is None:
        raise Broken(f"the platform has no post {ref.id}")
    return held


@CASES.add()
def a_post_is_published_by_one_request_and_named(stage: Stage) -> None:
    part = stage.part()
    sent = stage.door.send(part)
    expect(isinstance(sent.verdict, Accepted), f"an honest publish came to {sent.verdict} and {sent.error!r}")
    expect(stage.creates() == 1, f"{stage.creates()} requests would make a post")
    ref = sent.ref
    if ref is None:
        raise Broken(f"it was published, and the adapter does not name it: {sent.error!r}")
    expect(isinstance(ref.id, str) and ref.id, "the id is no string")
    expect((ref.url or "").startswith(("http://", "https://")), f"its address is {ref.url!r}")
    expect(part.text.strip().splitlines()[-1] in books(stage, ref).words, "the platform has other words")
    expect(stage.door.adapter.presence(ref) is Presence.THERE, "it is there, and presence does not say so")


@CASES.add(lambda able: able.media is not None)
def a_file_is_shown_with_what_is_said_of_it(stage: Stage) -> None:
    data, media = stage.bench.picture()
    door = stage.plain
    ref = door.made(stage.part(media=(media,)), uploads=(door.uploaded(data, media),))
    held = books(stage, ref)
    expect(len(held.alts) == 1, f"the platform shows {len(held.alts)} files")
    media_said = stage.bench.maker.abilities.media
    if media_said is not None and media_said.alt:
        expect(held.alts == (ALT,), f"the platform says {held.alts} of it")
        files = door.adapter.files(door.looked(ref)["status"].body)
        expect([one.alt for one in files] == [ALT], f"read back, {files} is said of it")


@CASES.add(lambda able: able.media is not None)
def an_upload_alone_publishes_nothing(stage: Stage) -> None:
    data, media = stage.bench.picture()
    found, came = stage.door.upload(data, media)
    expect(found and isinstance(came, Accepted), f"an honest upload came to {came}")
    expect(stage.creates() == 0, "an upload made a post")
    expect(stage.front.arrived(Kind.UPLOAD), "nothing was handed over")


@CASES.add(lambda able: bool(able.threads))
def the_parts_of_a_thread_hang_together(stage: Stage) -> None:
    first = stage.published()
    second = stage.plain.made(stage.part(follows=True), reply_to=first.id)
    third = stage.plain.made(stage.part(follows=True), reply_to=second.id)
    expect(books(stage, second).parent == first.id, f"the second part is below {books(stage, second).parent}")
    expect(books(stage, third).parent == second.id, f"the third part is below {books(stage, third).parent}")


@CASES.add(lambda able: bool(able.idempotent))
def the_same_post_sent_twice_is_one_post(stage: Stage) -> None:
    part = stage.part()
    first = stage.plain.send(part)
    second = stage.plain.send(part, key=first.key)
    expect(first.ref and second.ref, f"an honest publish came to {first.error!r} and {second.error!r}")
    expect(first.ref and second.ref and first.ref.id == second.ref.id, "the same key made two posts")
