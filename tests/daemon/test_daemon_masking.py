"""No secret gets through the log, by whatever way it comes into it, and nothing that is logged can steer or forge."""

from __future__ import annotations

import ast
import base64
import html
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian import masking
from guardian.masking import HIDDEN, Known

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s3cr3t/Of+Ours=and&more-0815"
ROTATED = "r0tated-1a2b3c4d5e6f-handed-out-at-run-time"
LETTERS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=8, max_size=60)
ENCODED = [
    lambda secret: secret,
    quote,
    quote_plus,
    lambda secret: quote(secret, safe=""),
    lambda secret: json.dumps(secret)[1:-1],
    html.escape,
    lambda secret: base64.b64encode(f"user:{secret}".encode()).decode(),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
]

BEGIN = f"""
import logging, sys, threading, warnings
from guardian.daemon import log
from guardian.model import Secret
from guardian import masking
import structlog
SECRET, ROTATED = {SECRET!r}, {ROTATED!r}
log.set_up([Secret(SECRET)])
masking.keep_what_is_handed_out(b'{{"accessJwt": "' + ROTATED.encode() + b'"}}')
logger = structlog.get_logger()
"""
END = """
logger.info("the end")
"""


def said(program: str) -> list[dict[str, object]]:
    """Every event that a program logs; each is one line of JSON and nothing else is written."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program + END], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT
    )
    assert done.stdout == ""
    assert SECRET not in done.stderr
    assert ROTATED not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["event"] == "the end"
    return lines[:-1]


@given(LETTERS, st.text(max_size=20), st.text(max_size=20), st.sampled_from(ENCODED))
def test_a_secret_is_in_no_text_in_whatever_spelling(secret: str, before: str, after: str, encode: object) -> None:
    known = Known()
    known.keep([secret])
    spelled = encode(secret)  # type: ignore[operator]
    assert spelled not in known.without(f"{before} {spelled} {after}")


@given(st.integers(12, len(ROTATED)))
def test_the_beginning_of_a_long_secret_that_was_cut_off_is_taken_out_too(letters: int) -> None:
    """Errors are cut to a length before they come to the log."""
    known = Known()
    known.keep([ROTATED])
    assert known.without(f"the answer was {ROTATED[:letters]}") == f"the answer was {HIDDEN}"


def test_only_so_many_tokens_that_were_handed_out_are_known_and_what_was_configured_is_for_ever() -> None:
    known = Known()
    known.keep(["configured-once"])
    for number in range(200):
        known.keep_for_now([f"handed-out-{number:05}"])
    assert known.without("configured-once handed-out-00199 handed-out-00100") == "*** *** ***"
    assert len(known._handed_out) == 128


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/x?access_token=unknown-to-us&b=1",
        "https://me:unknown-to-us@a.example/",
        '{"refresh_token": "unknown-to-us"}',
        "Authorization: Bearer unknown-to-us",
        "{'Authorization': 'Basic unknown-to-us'}",
        "Set-Cookie: session=unknown-to-us; path=/",
        "sent with Bearer unknown-to-us to somebody",
    ],
)
def test_what_is_a_secret_by_its_place_is_taken_out_although_nobody_knows_it(text: str) -> None:
    assert "unknown-to-us" not in masking.without(text)


def test_a_sentence_without_a_secret_stays_as_it_is() -> None:
    known = Known()
    known.keep([SECRET, "short", ""])
    for text in (
        "cannot publish as @acme@m.example, because the token belongs to @beta@m.example, do correct it",
        "https://m.example/@acme/112 and //m.example/@a, short words, code 404, key: value",
        "the cookie was eaten, an authorization is missing",
    ):
        assert known.without(text).startswith(text[:40])
    assert known.without("short") == "short"


@pytest.mark.parametrize(
    "key", ["token", "access_token", "client_secret", "password", "Authorization", "cookie", "refresh", "apiKey", "jwt"]
)
def test_what_is_a_secret_by_its_key_is_masked_however_deep_it_lies(key: str) -> None:
    (line,) = said(f"logger.info('x', {key}='a', deep={{'list': [{{{key!r}: 'b', 'other': 'seen'}}]}}, tokens_left=3)")
    assert line[key] == HIDDEN
    assert line["deep"] == {"list": [{key: HIDDEN, "other": "seen"}]}
    assert line["tokens_left"] == 3


def test_a_secret_inside_of_anything_that_is_logged_is_masked() -> None:
    lines = said(
        "from pathlib import Path\n"
        "class Odd:\n"
        "    def __repr__(self): return f'<odd {SECRET}>'\n"
        "logger.info('x', a=[SECRET, (ROTATED,)], b={SECRET: Odd()}, c=SECRET.encode(), d=ValueError(ROTATED))\n"
        "logger.info('x', why=Path('/x') / SECRET.replace('/', '_'), s={SECRET})\n"
    )
    assert HIDDEN in str(lines[0]["a"])
    assert HIDDEN in str(lines[0]["b"])
    assert HIDDEN in str(lines[0]["d"])


def test_a_traceback_with_an_address_that_carries_a_token_shows_neither() -> None:
    (line,) = said(
        "import requests\n"
        "try:\n"
        "    requests.get(f'http://127.0.0.1:9/x?token={SECRET}&t={ROTATED}', timeout=1)\n"
        "except requests.RequestException:\n"
        "    logger.exception('a loop failed')\n"
    )
    assert "Traceback" in str(line["exception"])
    assert "127.0.0.1" in str(line["exception"])


def test_libraries_log_through_the_same_and_only_what_is_worth_it() -> None:
    lines = said(
        "for name in ('urllib3.connectionpool', 'prawcore', 'tweepy.client', 'httpx', 'uvicorn.error', 'mastodon'):\n"
        "    found = logging.getLogger(name)\n"
        "    found.debug('token %s', SECRET)\n"
        "    found.info('token %s', SECRET)\n"
        "    found.warning('Retrying %s\\n{\"event\": \"forged\"}', f'https://m.example/?access_token={ROTATED}')\n"
        "logging.getLogger('asyncio').error('x', exc_info=ValueError(SECRET))\n"
        "warnings.warn(f'deprecated {SECRET}')\n"
    )
    assert [line["event"] for line in lines] == ["a library says"] * 8
    assert {line["library"] for line in lines} >= {"urllib3.connectionpool", "tweepy.client", "py.warnings"}
    assert all("forged" in str(line["said"]) for line in lines[:6])
    assert HIDDEN in str(lines[6]["exception"])


def test_an_error_that_nobody_caught_is_an_event_too() -> None:
    lines = said(
        "def fail(): raise ValueError(SECRET)\n"
        "thread = threading.Thread(target=fail)\n"
        "thread.start(); thread.join()\n"
        "class Bad:\n"
        "    def __del__(self): raise ValueError(ROTATED)\n"
        "Bad()\n"
    )
    assert [line["event"] for line in lines] == ["uncaught", "uncaught"]
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + "raise ValueError(SECRET)"], capture_output=True, text=True, check=False,
        timeout=30, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stderr)["event"] == "uncaught"
    assert SECRET not in done.stderr


HOSTILE = 'x\r\n{"event": "forged"}\x1b[2J\x1b]0;pwned\x07\x9b31m\u2028\u202egnp\u2066\u200b\ud800'


def test_a_hostile_value_forges_no_line_and_steers_nothing_in_json() -> None:
    program = f"text = {HOSTILE!r}\nlogger.info('x', why=text, **{{text: text}})\n"
    (line,) = said(program)
    assert line["event"] == "x"
    assert line["why"] == HOSTILE


def test_on_a_terminal_nothing_that_is_logged_steers_it_but_our_own_colours() -> None:
    program = (
        f"{BEGIN}\ntext = {HOSTILE!r}\n"
        "logger.info('x', why='\\x1b[2Jno-blank-in-it', more=text, deep={'a': [text]})\n"
        "logger.info('x', **{text.replace(' ', ''): text})\n"
        "try:\n"
        "    raise ValueError(text + SECRET)\n"
        "except ValueError:\n"
        "    logger.exception('y')\n"
        "logging.getLogger('urllib3').warning(text + ROTATED)\n"
    )
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run([sys.executable, "-c", program], stderr=theirs, check=False, timeout=30, cwd=ROOT)
    finally:
        os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:
            break
        shown += chunk
    os.close(ours)
    assert done.returncode == 0, shown
    text = shown.decode()
    for colour in range(100):
        text = text.replace(f"\x1b[{colour}m", "")
    assert {one for one in text if not one.isprintable()} <= {"\r", "\n"}
    assert SECRET not in text
    assert ROTATED not in text
    assert "forged" in text
    assert not any(line.startswith("{") for line in text.splitlines())


def test_the_name_of_every_event_is_written_in_the_source_and_never_made_of_anything() -> None:
    """A name that holds somebody's words could forge a line on a terminal, and nobody could search for it."""
    wrong = []
    for path in (*ROOT.glob("guardian/**/*.py"), *ROOT.glob("adapters/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in ("debug", "info", "warning", "error", "exception", "critical"):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "logger")):
                continue
            name = node.args[0]
            if not (isinstance(name, ast.Constant) or (isinstance(name, ast.Name) and name.id.isupper())):
                wrong.append(f"{path}:{node.lineno}")
    assert wrong == []
