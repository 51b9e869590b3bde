"""Polls as Mastodon takes them, and as it shows them; pure."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from guardian.rehearsal.forms import Form, as_text
from guardian.rehearsal.messages import Refused
from guardian.rehearsal.posts import Poll

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_OPTIONS = 4
MOST_CHARACTERS = 50
SHORTEST = 300
LONGEST = 2_629_746
_FIELDS = ("options", "expires_in", "multiple", "hide_totals")


def poll_of(form: Form, *, next_id: Callable[[], int], before: Poll | None = None) -> Poll | None:
    """The poll that a form asks for, None if it asks for none; 422 for what Mastodon would not take.

    An edit that leaves the options as they were keeps the votes; any other poll begins at nothing.
    """
    asked = _asked(form)
    options = tuple(asked.many("options"))
    if not options:
        return None
    seconds = asked.number("expires_in") or 0
    _check(options, seconds)
    poll = Poll(
        id=next_id() if before is None else before.id,
        options=options,
        votes=(0,) * len(options),
        expires_ms=time.time_ns() // 1_000_000 + seconds * 1000,
        multiple=asked.flag("multiple"),
        hide_totals=asked.flag("hide_totals"),
    )
    if before is not None and (before.options, before.multiple) == (poll.options, poll.multiple):
        return replace(poll, votes=before.votes)
    return poll


def _asked(form: Form) -> Form:
    """`poll` as an object in JSON, or `poll[options][]` and the like in a form."""
    text = form.one("poll")
    found = json.loads(text) if text else None
    if not isinstance(found, dict):
        return Form({name: form.many(f"poll[{name}]") for name in _FIELDS})
    lists = {name: value if isinstance(value, list) else [value] for name, value in found.items()}
    return Form({name: [as_text(one) for one in values if one is not None] for name, values in lists.items()})


def _check(options: tuple[str, ...], seconds: int) -> None:
    if not 1 < len(options) <= MOST_OPTIONS:
        raise Refused(422, f"Validation failed: Options must be from 2 to {MOST_OPTIONS}")
    if any(not option.strip() for option in options) or len(set(options)) < len(options):
        raise Refused(422, "Validation failed: Options contain duplicates or nothing")
    if any(len(option) > MOST_CHARACTERS for option in options):
        raise Refused(422, f"Validation failed: Options can be no longer than {MOST_CHARACTERS} characters each")
    if not SHORTEST <= seconds <= LONGEST:
        raise Refused(422, "Validation failed: Expiration is too soon or too far into the future")
