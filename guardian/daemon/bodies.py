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
LONGEST_WAIT = 60.0


class Body(BaseModel):
    """What every body is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FreezeBody(Body):
    """POST /v1/freeze. `told` says that another door has stopped already, and only the books are left to do."""

    reason: Reason = ""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=1000)] = ["all"]
    drain: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] | None = None
    wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] = 3.0
    by: Annotated[str, Field(max_length=200)] | None = None
    told: bool = False


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


class ReleaseBody(Body):
    """POST /v1/posts/release and /v1/posts/ID/release. `ids` null means every missed post."""

    ids: Annotated[list[str], Field(max_length=100_000)] | None = None
    gap: str | None = None

    def gap_ms(self) -> int | None:
        """The gap in milliseconds. Raises Mistake."""
        return None if self.gap is None else parse_duration(self.gap)


class RescheduleBody(Body):
    """POST /v1/posts/ID/reschedule."""

    at: Annotated[str, Field(max_length=100)]
    zone: Annotated[str, Field(max_length=100)] | None = None


class NoBody(Body):
    """A route that takes nothing."""


AnyRecord = Annotated[dict[str, Any], WithJsonSchema(Record.model_json_schema())]  # read, with words, by the queue
