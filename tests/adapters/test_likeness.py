"""What a server shows of a post, against what we sent: the same, another, or nobody can say."""

from __future__ import annotations

import html

import pytest
from hypothesis import given, strategies

from adapters.likeness import Likeness, likeness

LETTERS = strategies.text(strategies.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cc"]))
MASTODONS_LINK = (
    '<p>Our statement: <a href="https://www.example.org/a/rather/long/path/indeed" rel="nofollow"><span '
    'class="invisible">https://www.</span><span class="ellipsis">example.org/a/rather/long/path</span><span '
    'class="invisible">/indeed</span></a></p>'
)


@pytest.mark.parametrize(
    ("shown", "sent"),
    [
        ("<p>Good morning</p>", "Good morning"),
        ("<p>One</p><p>Two<br />three</p>", "One\n\nTwo\nthree"),
        ("<p>a &amp; b &lt;c&gt; &#39;d&#39;</p>", "a & b <c> 'd'"),
        (MASTODONS_LINK, "Our statement: https://www.example.org/a/rather/long/path/indeed"),
        ('<p>hi <img class="emoji" alt=":blobcat:" src="x"></p>', "hi :blobcat:"),
        ('<p>on <a href="x" class="mention hashtag">#<span>caturday</span></a></p>', "on #caturday"),
        ("plain words of Pixelfed's", "plain words of Pixelfed's"),
        ("<p>Caf\u00e9</p>", "  Cafe\u0301 "),
        ("", " \n"),
        ("<p>\U0001f44d</p>", "\U0001f44d"),
    ],
)
def test_what_only_the_server_added_makes_no_other_post(shown: str, sent: str) -> None:
    assert likeness(shown, sent) is Likeness.SAME


@pytest.mark.parametrize(
    ("shown", "sent"),
    [
        ('<p><a href="https://example.org/x">our statement</a></p>', "[our statement](https://example.org/x)"),
        ("<p>thanks <a>@<span>bob</span></a>, well done</p>", "thanks @bob@far.example, well done"),
        ("<p>Good morning!</p>", "Good morning"),
        ("<p><strong>Good</strong> morning</p>", "**Good** morning"),
        ("<p>Good morning, all \U0001f44d</p>", "Good morning, all \U0001f389"),
        ("<p>\U0001f44d</p>", "\U0001f389"),
        ("<p>no</p>", "yes"),
        ("", "Good morning"),
    ],
)
def test_what_could_be_our_post_in_the_servers_own_dress_is_never_called_another(shown: str, sent: str) -> None:
    assert likeness(shown, sent) is Likeness.UNSURE


@pytest.mark.parametrize(
    ("shown", "sent"),
    [
        ("<p>The office is closed on Friday.</p>", "Our new catalogue has arrived, have a look!"),
        ("<p>Good night, everybody</p>", "We are hiring: three engineers in Uppsala"),
        ("<p>本日は晴天なり</p>", "新しい製品を発表しました"),
    ],
)
def test_other_words_are_another_post(shown: str, sent: str) -> None:
    assert likeness(shown, sent) is Likeness.OTHER


@given(LETTERS)
def test_our_own_words_as_html_are_never_another_post(text: str) -> None:
    shown = "".join(f"<p>{html.escape(block)}</p>" for block in text.split("\n\n"))
    assert likeness(shown, text) is Likeness.SAME


@given(strategies.text(), strategies.text())
def test_no_html_is_too_odd_to_be_compared(shown: str, sent: str) -> None:
    assert likeness(shown, sent) in Likeness
