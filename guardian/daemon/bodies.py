"""What the control socket accepts, as models.

Unknown keys are errors, sizes are bounded, defaults are the contract's.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from guardian.config import parse_duration
from guardian.duties.import_lines import FORMATS
from guardian.duties.record_form import MAX_PATH, Record

Scope = Annotated[str, Field(max_length=80)]
Reason = Annotated[str, Field(max_length=1000)]
Name = Annotated[str, Field(max_length=100)]
Tag = Annotated[str, Field(pattern=r"^[^\s,]{1,64}$")]  # as a record's
LONGEST_WAIT = 60.0


class Body(BaseModel):
    """What every body is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FreezeBody(Body):
    """POST /v1/freeze. `told` says that another door has stopped already, and only the books are left to do.

    `native` is what becomes of posts that the platforms themselves would publish; more than to list them takes the
    right to take posts down.
    """

    reason: Reason = ""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=1000)] = ["all"]
    drain: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] | None = None
    wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] = 3.0
    by: Annotated[str, Field(max_length=200)] | None = None
    told: bool = False
    native: Annotated[str, Field(pattern="^(list|hold|delete)$")] = "list"


class ThawBody(Body):
    """POST /v1/thaw. `freezes` are the ids that the person was shown: a scope that was frozen again since stays so."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=1000)] = ["all"]
    freezes: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=10_000)] | None = None


class ImportBody(Body):
    """POST /v1/posts/import: a file that was staged (POST /v1/imports), or the whole of it as text.

    `media` says what became of each file that it shows, by the path in it: the SHA-256, or why there is none.
    `account` and `dates` (day or month, whichever comes first) are for the tables of other tools.
    """

    text: str | None = None
    staged: Annotated[str, Field(max_length=80)] | None = None
    format: Annotated[str, Field(pattern=f"^({'|'.join(FORMATS)})$")] = "jsonl"
    account: Annotated[str, Field(max_length=200)] | None = None
    zone: Annotated[str, Field(max_length=100)] | None = None
    dates: Annotated[str, Field(pattern="^(day|month)$")] | None = None
    media: dict[Annotated[str, Field(max_length=MAX_PATH)], Annotated[str, Field(max_length=1000)]] | None = None


class Select(Body):
    """Which posts, by what they have in common. Empty chooses nothing: whoever means every post says `all`."""

    account: Name | None = None
    brand: Name | None = None
    tag: Name | None = None
    campaign: Name | None = None
    states: Annotated[list[Name], Field(max_length=20)] = []
    after: Name | None = None
    before: Name | None = None
    held: bool = False
    all: bool = False


class Which(Body):
    """Either `ids` or `select`. `preview` only says what would be chosen; its `mark` comes back as `shown`."""

    ids: Annotated[list[Name], Field(max_length=10_000)] | None = None
    select: Select | None = None
    preview: bool = False
    shown: Name | None = None


class HoldBody(Which):
    """POST /v1/posts/hold: posts, or a tag (with every post that gets it later)."""

    tag: Tag | None = None
    reason: Reason = ""


class UnholdBody(Which):
    """POST /v1/posts/unhold: posts, or a tag, or what a restore has put on hold (and nobody else)."""

    tag: Tag | None = None
    restored: bool = False


class ReleaseBody(Which):
    """POST /v1/posts/release."""

    gap: Name | None = None

    def gap_ms(self) -> int | None:
        """The gap in milliseconds. Raises Mistake."""
        return None if self.gap is None else parse_duration(self.gap)


class RescheduleBody(Which):
    """POST /v1/posts/reschedule: to a time (`at`, `zone`) or by a shift, as `+1d 2h`."""

    at: Name | None = None
    zone: Name | None = None
    by: Name | None = None


class CancelBody(Which):
    """POST /v1/posts/cancel."""


class HoldOneBody(Body):
    """POST /v1/posts/ID/hold."""

    reason: Reason = ""


class ReleaseOneBody(Body):
    """POST /v1/posts/ID/release."""

    gap: Name | None = None


class RescheduleOneBody(Body):
    """POST /v1/posts/ID/reschedule: to a time or by a shift."""

    at: Name | None = None
    zone: Name | None = None
    by: Name | None = None


class NoBody(Body):
    """A route that takes nothing."""


AnyRecord = Annotated[dict[str, Any], WithJsonSchema(Record.model_json_schema())]  # read, with words, by the queue
