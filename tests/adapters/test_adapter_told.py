"""What a record says of a post is what the server told, whatever the server tells."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters import mastodon_told
from adapters.mastodon_answers import natives
from guardian.adapter import Answer
from guardian.evidence import canonical
from guardian.evidence.record import Subject, plain
from guardian.model import Poll

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    *("content", "spoiler_text", "language", "visibility", "application", "account", "created_at", "edited_at"),
    *("card", "reblog", "quote", "poll", "media_attachments"),
)


def answer(document: object, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())


def told(status: dict[str, Any], **more: Answer) -> Any:  # noqa: ANN401 (a Told, or the test fails)
    found = mastodon_told.told({"status": answer({"id": "1", **status}), **more})
    assert found is not None
    return found


def test_words_are_those_that_were_typed_and_without_a_source_those_that_are_shown() -> None:
    shown = {"content": "<p>Fresh &amp; <b>warm</b><br>bread</p>"}
    assert (told(shown).text, told(shown).as_written) == ("Fresh & warm\nbread", False)
    source = answer({"id": "1", "text": "Fresh & **warm**"})
    assert (told(shown, source=source).text, told(shown, source=source).as_written) == ("Fresh & **warm**", True)
    assert told(shown, source=answer({"text": "an error page's"}, status=503)).as_written is False


def test_a_boost_has_the_words_of_the_boosted_post_and_says_so() -> None:
    found = told({"content": "", "reblog": {"id": "2", "content": "<p>theirs</p>", "url": "https://a.example/2"}})
    assert (found.text, found.about) == ("theirs", ("boost", "https://a.example/2"))


def test_votes_that_are_no_numbers_are_not_said() -> None:
    votes: dict[str, object] = {"rye": 3, "wheat": None, "x": -1}
    options = [{"title": title, "votes_count": count} for title, count in votes.items()]
    found = told({"poll": {"options": options, "multiple": True, "expires_at": "soon"}})
    assert found.poll == Poll(options=(("rye", 3), ("wheat", None), ("x", None)), multiple=True, closes_at="soon")
    assert ("poll: wheat", "votes not said") in plain(found)


def test_nothing_is_told_by_what_is_no_post() -> None:
    for status in (answer({"error": "no"}, status=404), answer([]), answer({}), Answer(status=200, body=b"<html>")):
        assert mastodon_told.told({"status": status}) is None
    assert mastodon_told.told({}) is None


@given(st.dictionaries(st.sampled_from(NAMES), JSON), JSON, JSON)
def test_whatever_a_server_tells_can_be_written_into_a_record(
    status: dict[str, Any], source: object, history: object
) -> None:
    found = told(status, source=answer(source), history=answer(history))
    subject = Subject(account="a", platform="mastodon", platform_id="1", url=None, told=found)
    canonical.written(asdict(subject))
    plain(found)


def test_files_that_are_named_and_not_shown_are_counted() -> None:
    item = {"id": "1", "scheduled_at": "2027-01-04T09:00:00Z", "params": {"text": "x", "media_ids": ["4", "5"]}}
    picture = {"id": "4", "type": "image", "url": "https://files.example/4.png", "description": None}
    assert [one.unshown for one in natives([item, {**item, "id": "2", "media_attachments": [picture]}])] == [2, 1]
