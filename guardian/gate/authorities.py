"""Time stamping authorities: one hash goes out, one signed time comes back. Any thread.

Publishes nothing (a query is a number that nobody can read), so it passes while frozen. The address is the operator's.
"""

from __future__ import annotations

import os
from http.client import HTTPException
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from guardian.adapter import Kind
from guardian.errors import ConfigMistake, Doubt, Mistake
from guardian.gate import recording, wire
from guardian.gate.blanks import Blanks
from guardian.gate.connection import Errand
from guardian.gate.exchange import HTTP, HTTPS, Question, exchange
from guardian.gate.intents import Trace
from guardian.gate.wire import Deadline, Trust

MAX_QUERY = 4 * 1024
MAX_TOKEN = 64 * 1024
OK = 200
HEADERS = {
    "User-Agent": "post-guardian",
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class Unstamped(Doubt):
    """cannot stamp the time, because the authority did not answer, do nothing: it is asked again"""

    code = "unstamped"


def ask(url: str, query: bytes, *, within: float) -> bytes:
    """Send an RFC 3161 query (DER) to an authority; its answer as it came, not looked into. `within` is in seconds.

    No redirect is followed, no credential is sent. Raises ConfigMistake for an address that is none, Mistake for a
    query that is too long, Unstamped for everything that comes of asking.
    """
    if len(query) > MAX_QUERY:
        raise Mistake(f"cannot stamp that, because the query has {len(query)} bytes, and {MAX_QUERY} are allowed")
    question, tls = _question(url, query)
    deadline = Deadline(recording.within(within))
    errand = Errand(Trace(Kind.READ, "POST", question.path), deadline, None, tls=tls, look_up=wire.of_an_incident)
    blanks = Blanks()
    try:
        raw, token = exchange(errand, question, Trust(os.environ.get("SSL_CERT_FILE")), blanks, most=MAX_TOKEN)
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        why = blanks.text(f"{type(error).__name__}: {error}")
        raise Unstamped(f"cannot stamp the time, because {question.host} did not answer ({why})") from None
    if raw.status != OK:
        raise Unstamped(f"cannot stamp the time, because {question.host} answered {raw.status}")
    return token


def _question(url: str, query: bytes) -> tuple[Question, bool]:
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, {})
        parts = urlsplit(prepared.url or "")
        port = parts.port
    except (ValueError, requests.RequestException):
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ConfigMistake(
            "cannot ask that authority, because its address is no plain http or https address", fix="correct it"
        )
    tls = parts.scheme == "https"
    question = Question(
        url=parts.geturl(),
        host=parts.hostname,
        port=port or (HTTPS if tls else HTTP),
        path=prepared.path_url,
        headers=HEADERS,
        body=query,
    )
    return question, tls
