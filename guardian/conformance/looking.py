"""What is seen of a post: the proof is whole, and nothing but the platform's own plain word says that it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardian.adapter import Kind
from guardian.conformance.case import Cases
from guardian.conformance.doubt import NO_ANSWERS
from guardian.conformance.front import answer, loses, says
from guardian.conformance.sending import books
from guardian.conformance.stage import Broken, expect
from guardian.model import Presence

if TYPE_CHECKING:
    from guardian.conformance.stage import Stage

CASES = Cases()
OK = 200
MISSING = 404
READS = frozenset({Kind.READ})
MORE = {
    "a page that is a 404": says(answer(MISSING, body=b"<html>404</html>", media_type="text/html")),
    "half an answer": says(answer(OK, body=b'{"id": "1", ')[:-4]),
    "a list": says(answer(OK, body=b"[]")),
    "a null": says(answer(OK, body=b"null")),
    "a lost answer": loses,
}


@CASES.add()
def only_the_platforms_own_word_says_that_a_post_is_gone(stage: Stage) -> None:
    ref, adapter = stage.published(), stage.door.adapter
    expect(adapter.presence(ref) is Presence.THERE, "it is there, and presence does not say so")
    for name, act in {**NO_ANSWERS, **MORE}.items():
        with stage.front.always(act, READS):
            seen = adapter.presence(ref)
        expect(seen is Presence.UNKNOWN, f"the platform answered {name}, and the post is said to be {seen}")
    expect(adapter.presence(ref) is Presence.THERE, "it is there, and presence has forgotten it")


@CASES.add()
def presence_asks_once(stage: Stage) -> None:
    ref, adapter = stage.published(), stage.door.adapter
    adapter.whoami()
    before = len(stage.front.arrived())
    adapter.presence(ref)
    expect(len(stage.front.arrived()) == before + 1, f"it asked {len(stage.front.arrived()) - before} times")


@CASES.add()
def the_proof_is_whole_and_as_it_came(stage: Stage) -> None:
    door, ref = stage.plain, stage.published()
    me = door.adapter.whoami()
    before = len(stage.exchanges)
    looks = door.adapter.looks(ref)
    expect(len(stage.exchanges) == before, "to say what will be looked at asked something")
    names = [look.name for look in looks]
    expect(len(set(names)) == len(names), f"two looks have one name: {names}")
    expect("status" in names, f"no look is the post itself, called status: {names}")
    for look in looks:
        before = len(stage.exchanges)
        found = door.adapter.fetch(look)
        asked = stage.exchanges[before:]
        reads = [one for one in asked if one.method == "GET"]
        expect(len(reads) == 1, f"the look {look.name} asked {len(reads)} times")
        expect(reads[-1].status == found.status, f"the look {look.name} was answered {reads[-1].status}")
        expect(len(reads[-1].body) == len(found.body), f"the record of {look.name} has other bytes")
        fine = found.status == OK or (found.status == MISSING and look.may_be_missing)
        fine = fine or not look.essential or look.name in stage.bench.cannot_show
        expect(fine, f"the look {look.name} was answered {found.status}")
        if look.name == "status":
            expect(door.adapter.author(found.body) == me.id, f"its author is {door.adapter.author(found.body)}")
            expect(not door.adapter.files(found.body), "it shows files that it does not have")


@CASES.add(lambda able: able.media is not None)
def every_file_is_in_the_proof(stage: Stage) -> None:
    data, media = stage.bench.picture()
    door = stage.plain
    ref = door.made(stage.part(media=(media,)), uploads=(door.uploaded(data, media),))
    books(stage, ref)
    files = door.adapter.files(door.looked(ref)["status"].body)
    expect(len(files) == 1, f"the post shows one file, and the proof {len(files)}")
    expect(files[0].url.startswith(("http://", "https://")), f"the file lies at {files[0].url!r}")
    expect(files[0].type, "nothing says what the file is")


@CASES.add()
def what_is_no_post_has_no_author_and_no_files(stage: Stage) -> None:
    for body in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b"\xff\xfe",
        b'{"account": [], "media_attachments": 7}',
        b"[" * 9999,
    ):
        expect(stage.plain.adapter.author(body) is None, f"{body[:20]!r} has an author")
        expect(not stage.plain.adapter.files(body), f"{body[:20]!r} shows files")


@CASES.add(lambda able: able.proof is not None)
def what_others_vouch_for_is_in_the_proof(stage: Stage) -> None:
    ref, proof = stage.published(), stage.bench.maker.abilities.proof
    if proof is None:
        raise Broken("no proof is declared")
    looks = {look.name: look for look in stage.plain.adapter.looks(ref)}
    expect(proof.look in looks, f"no look is called {proof.look}: {sorted(looks)}")
    found = stage.plain.adapter.fetch(looks[proof.look])
    expect(found.status == OK and found.body, f"the proof was answered {found.status}")


@CASES.add()
def what_was_published_lately_is_listed_newest_first(stage: Stage) -> None:
    since = stage.now()
    refs = [stage.published() for _ in range(3)]
    seen = stage.plain.adapter.recent(since=since - 60_000)
    ours = [one.ref.id for one in seen if one.ref.id in {ref.id for ref in refs}]
    expect(sorted(ours) == sorted(ref.id for ref in refs), f"three posts were published, and {len(ours)} are listed")
    expect([one.at for one in seen] == sorted((one.at for one in seen), reverse=True), "they are in no order")
    expect(all(one.text for one in seen if one.ref.id in ours), "they are listed without words")


@CASES.add()
def a_platform_that_cannot_be_asked_lists_nothing_as_all_there_is(stage: Stage) -> None:
    since = stage.now() - 60_000
    stage.published()
    for name, act in NO_ANSWERS.items():
        with stage.front.always(act, READS):
            try:
                found = stage.door.adapter.recent(since=since)
            except Exception as error:  # noqa: BLE001 (any is a doubt)
                stage.heard(error)
            else:
                expect(False, f"the platform answered {name}, and {found} is said to be all that is there")
