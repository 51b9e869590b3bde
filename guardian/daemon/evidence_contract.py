"""What the routes of evidence take and answer, as models. A document may have more keys than are named."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from guardian.daemon.bodies import Body

Why = Annotated[str, Field(min_length=1, max_length=1000)]


class EraseBody(Body):
    """POST /v1/evidence/NAME/erase: on which ground."""

    ground: Why


class HoldEvidenceBody(Body):
    """POST /v1/evidence/NAME/hold and unhold: why."""

    reason: Why


class Bundle(BaseModel):
    """A bundle of evidence. `sha256` is of the list that its last seal signs; `held` says why a legal hold keeps it."""

    name: str
    incident: str | None
    account: str
    platform: str
    platform_id: str
    url: str | None
    post: str | None
    grade: str
    created_at: str
    seals: int
    sha256: str | None
    held: str | None
    erased_at: str | None
    purge_at: str | None


class Bundles(BaseModel):
    """A page of bundles, the latest first; `next` is the cursor of the next page."""

    bundles: list[Bundle]
    next: str | None


class Shown(Bundle):
    """One bundle with its directory, its time stamps, and the journal's lines about it."""

    directory: str
    stamps: list[dict[str, Any]]
    custody: list[dict[str, Any]]


class Found(BaseModel):
    """One thing that is wrong: in which file, and what."""

    file: str
    what: str


class Verified(BaseModel):
    """Whether it is what was sealed; what is wrong, and what merely is not proven (yet)."""

    name: str
    whole: bool
    wrong: list[Found]
    gaps: list[str]


class Erased(BaseModel):
    """What other people wrote is gone: these files."""

    name: str
    files: list[str]


class Key(BaseModel):
    """The key that seals: its fingerprint, its public line, and the list of all keys of the house."""

    fingerprint: str
    public: str
    allowed_signers: str


class Rotated(Key):
    """The new key; `before` is the fingerprint of the one that seals no more."""

    before: str


DONE: dict[tuple[str, str], Any] = {
    ("GET", "/v1/evidence"): Bundles,
    ("GET", "/v1/evidence/key"): Key,
    ("POST", "/v1/evidence/key/rotate"): Rotated,
    ("GET", "/v1/evidence/{name}"): Shown,
    ("POST", "/v1/evidence/{name}/verify"): Verified,
    ("POST", "/v1/evidence/{name}/erase"): Erased,
    ("POST", "/v1/evidence/{name}/hold"): Bundle,
    ("POST", "/v1/evidence/{name}/unhold"): Bundle,
}
