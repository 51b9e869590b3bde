"""The form of a record: its keys and what may stand in each, as models. Pure.

The names are the contract; the socket's OpenAPI document shows them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_TEXT = 20_000
MAX_TEXT_BYTES, MAX_WARNING_BYTES = 32 * 1024, 8 * 1024  # three times that, encoded, still passes the gate in one piece
MOST_FILES, MOST_PARTS, MAX_PATH = 100, 100, 4096
FEWEST_PARTS = 2
LONGEST_NAME = 100  # of a campaign: as long as a filter may be


def _clean(text: str) -> str:
    """Refuse what no platform takes and no terminal should see."""
    if "\0" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):  # noqa: PLR2004 (lone surrogates)
        raise ValueError("it has a NUL or half a character in it")
    return text


def _worded(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return _clean(text)


def _a_name(text: str) -> str:
    """Refuse what looks like another name: it is typed again by whoever holds or takes down what has it."""
    if not text.isprintable() or text != text.strip():
        raise ValueError("it has a blank at one end, or a sign in it that nobody sees")
    return text


def _small(limit: int) -> AfterValidator:
    """Long in bytes though short in signs: the gate would stop it for ever."""

    def check(text: str) -> str:
        if len(text.encode()) > limit:
            raise ValueError(f"it has more than {limit} bytes")
        return text

    return AfterValidator(check)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Word = Annotated[str, Field(max_length=200), AfterValidator(_worded)]
Campaign = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_a_name)]
Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_clean), _small(MAX_TEXT_BYTES)]
Alt = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_clean)]


class FileRecord(_Closed):
    """A file that a part shows: handed over with the record (`path`) or before it (`sha256`)."""

    path: Annotated[str, Field(max_length=MAX_PATH), AfterValidator(_worded)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    alt: Alt | None = None


Files = Annotated[list[FileRecord], Field(max_length=MOST_FILES)]


class PartRecord(_Closed):
    """One part of a thread."""

    text: Text = ""
    media: Files = []


class Record(_Closed):
    """One record as it is handed in."""

    account: Word
    at: Word
    zone: Word | None = None
    text: Text | None = None
    media: Files = []
    parts: Annotated[list[PartRecord], Field(min_length=FEWEST_PARTS, max_length=MOST_PARTS)] | None = None
    warning: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_clean), _small(MAX_WARNING_BYTES)] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    visibility: Word | None = None
    tags: list[Annotated[str, Field(pattern=r"^[^\s,]{1,64}$"), AfterValidator(_clean)]] = []
    campaign: Campaign | None = None
    ref: Word | None = None
