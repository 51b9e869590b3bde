"""What the control socket answers, as models: the part of /openapi.json that no handler's signature can tell.

Only the keys that a client may rely on are named; a document may have more. Times are UTC in ISO 8601.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from guardian.daemon import capabilities_contract, doctor, evidence_contract, incident_forms, takedown_forms


class Fault(BaseModel):
    """Why not: a stable code, *cannot ..., because ...*, and what to do."""

    code: str
    message: str
    fix: str


class Error(BaseModel):
    """Every error has this form."""

    error: Fault


class Freeze(BaseModel):
    """A freeze in force."""

    id: str
    scope: str
    reason: str
    by: str
    at: str
    epoch: int


class Hold(BaseModel):
    """A hold in force: of one post, or of every post with a tag."""

    id: str
    post: str | None = None
    tag: str | None = None
    reason: str
    by: str
    at: str


class Config(BaseModel):
    """What became of the configuration when it was last read: `in force` since `at`, or `refused` then, and why."""

    state: str
    at: str
    why: str


class Status(BaseModel):
    """The state of everything."""

    state: str
    daemon: str
    version: str
    config: Config
    incident: dict[str, Any] | None = None
    takedowns: dict[str, Any]
    freezes: list[Freeze]
    counts: dict[str, int]
    held: int
    holds: list[Hold]
    holds_in_all: int
    in_flight: list[dict[str, Any]]
    next: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    metrics: dict[str, Any]
    without_account: list[dict[str, Any]]


class NativePost(BaseModel):
    """A post that its platform would publish by itself, and what became of it."""

    native: str
    account: str
    id: str
    due: str
    state: str
    text: str
    why: str


class Natives(BaseModel):
    """Those that an incident found."""

    incident: str | None
    natives: list[NativePost]


class Restored(BaseModel):
    """One whose deferral was taken back."""

    native: NativePost


class Frozen(BaseModel):
    """A freeze's result, confirmed or not. `held` and `in_flight` null: not known."""

    state: str
    confirmed: bool
    durable: bool
    scopes: list[str]
    elapsed_ms: float | None
    door: str
    daemon_killed: bool
    epoch: int | None = None
    incident: str | None = None
    held: int | None = None
    in_flight: list[dict[str, Any]] | None = None
    not_covered: list[str]
    unconfirmed: list[dict[str, Any]]
    native: list[NativePost] | None = None
    takedown: list[Any]


class Thawed(BaseModel):
    """What was lifted, what was not, what stays frozen, what was missed."""

    state: str
    thawed: list[str]
    refused: list[dict[str, Any]]
    freezes: list[Freeze]
    missed: list[str]
    incident: dict[str, Any] | None = None


class Post(BaseModel):
    """One post."""

    id: str
    account: str
    state: str
    held_by: str | None
    at: str
    ref: str | None
    url: str | None
    text: str
    why: str | None
    tags: list[str]
    campaign: str | None


class Posts(BaseModel):
    """A page of posts; `next` is the cursor of the next page."""

    posts: list[Post]
    next: str | None


class Preview(BaseModel):
    """What would be chosen: how many, the first of them, and a mark that stands for exactly these."""

    preview: bool
    count: int
    left: int
    mark: str
    posts: list[Post]


class Decided(BaseModel):
    """What was changed: how many, the first of them; what was left because it is on hold; what could not be."""

    posts: list[Post]
    count: int
    left: list[str]
    left_in_all: int
    notes: list[dict[str, str]]
    errors: list[dict[str, str]]


class Held(BaseModel):
    """What is on hold now: by new holds, or by those that were there; and what it comes too late for."""

    holds: list[Hold]
    placed: int
    joined: list[Hold]
    joined_in_all: int
    too_late: list[dict[str, Any]]
    waiting: int


class Lifted(BaseModel):
    """What was lifted, what was on no hold, what still covers some of it, and what was missed meanwhile."""

    lifted: list[Hold]
    count: int
    not_held: list[str]
    still: list[Hold]
    missed: list[str]
    missed_in_all: int


class Changed(BaseModel):
    """A post that was entered or changed."""

    post: Post


class Story(Post):
    """One post with everything that it says, that was tried, that covers it, that was done with it and can be."""

    content: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    freezes: list[Freeze]
    holds: list[Hold]
    journal: list[dict[str, Any]]
    journal_in_all: int
    advice: list[dict[str, Any]]
    takedowns: list[dict[str, Any]]


class Staged(BaseModel):
    """A file that waits to be imported by this id."""

    id: str = Field(alias="import")


class Importing(BaseModel):
    """How far an import is: bytes while it is `checking`, posts while it is `entering`."""

    phase: str
    done: int
    of: int


class Imported(BaseModel):
    """What came of an import: with `errors`, nothing was entered. `ids` are the first 500."""

    entered: int
    known: int
    ids: list[str]
    notes: list[dict[str, Any]]
    notes_in_all: int
    errors: list[dict[str, Any]]
    errors_in_all: int


class Handed(BaseModel):
    """A file that lies in the spool; `known` if it did before. Films and sounds have no width, no height, no frames."""

    sha256: str
    type: str
    size: int
    width: int | None
    height: int | None
    frames: int | None
    known: bool
    notes: list[str]


class Records(BaseModel):
    """A page of posts as import records; `next` is the cursor of the next page."""

    records: list[dict[str, Any]]
    next: str | None


class Journal(BaseModel):
    """A page of the journal."""

    entries: list[dict[str, Any]]


DONE: dict[tuple[str, str], Any] = {
    ("GET", "/v1/status"): Status,
    ("POST", "/v1/freeze"): Frozen,
    ("POST", "/v1/thaw"): Thawed,
    ("GET", "/v1/posts"): Posts,
    ("POST", "/v1/posts"): Changed,
    ("POST", "/v1/posts/import"): Imported,
    ("POST", "/v1/posts/hold"): Held | Preview,
    ("POST", "/v1/posts/unhold"): Lifted | Preview,
    ("POST", "/v1/posts/release"): Decided | Preview,
    ("POST", "/v1/posts/reschedule"): Decided | Preview,
    ("POST", "/v1/posts/cancel"): Decided | Preview,
    ("GET", "/v1/posts/{post_id}"): Story,
    ("POST", "/v1/posts/{post_id}/hold"): Held,
    ("POST", "/v1/posts/{post_id}/unhold"): Lifted,
    ("POST", "/v1/posts/{post_id}/release"): Decided,
    ("POST", "/v1/posts/{post_id}/reschedule"): Changed,
    ("POST", "/v1/posts/{post_id}/cancel"): Changed,
    ("POST", "/v1/media"): Handed,
    ("POST", "/v1/imports"): Staged,
    ("GET", "/v1/imports/{name}"): Importing,
    ("GET", "/v1/records"): Records,
    ("GET", "/v1/journal"): Journal,
    **evidence_contract.DONE,
    **capabilities_contract.DONE,
    ("GET", "/v1/natives"): Natives,
    ("POST", "/v1/natives/{native_id}/restore"): Restored,
    **incident_forms.DONE,
    **takedown_forms.DONE,
    **doctor.DONE,
}
ERRORS = {
    400: "It is no HTTP",
    403: "The right to it is missing",
    404: "There is no such thing",
    405: "There is no such method here",
    408: "The request came too slowly",
    409: "Not in this state",
    413: "The body is too large",
    422: "Something in the request is wrong",
    431: "The head is too large",
    503: "Not now, or in doubt: see `code`",
}
LINKS = {
    name: {"operationId": operation, "parameters": {"post_id": "$response.body#/post/id"}}
    for name, operation in (("Story", "post"), ("Cancel", "cancel"), ("Move", "reschedule"), ("Release", "release_one"))
}
UPLOADS = (("POST", "/v1/media"), ("POST", "/v1/imports"))
TEXT = {"text/plain": {"schema": {"type": "string"}}}
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_Answers = dict[int | str, dict[str, Any]]


def answers_of(method: str, path: str) -> _Answers:
    """Every status that a route can answer with, for its entry in the document."""
    found: _Answers = {status: {"model": Error, "description": words} for status, words in ERRORS.items()}
    told = TEXT if path == "/metrics" else BYTES
    model = DONE.get((method, path))
    found[200] = {"description": "Done", **({"content": told} if model is None else {"model": model})}
    if path == "/v1/freeze":
        found[504] = {"model": Frozen, "description": "Not confirmed: the same document"}
    if path in ("/v1/media", "/v1/imports"):
        found[507] = {"model": Error, "description": "The disk or the spool is full, or cannot be written"}
    if path == "/v1/posts/import":
        found[422] = {"model": Imported | Error, "description": "Nothing was entered, and why"}
    if (method, path) == ("POST", "/v1/posts"):
        found[200]["links"] = LINKS
    return found


def request_of(method: str, path: str) -> dict[str, Any] | None:
    """What no model can say of a route's body."""
    return {"requestBody": {"required": True, "content": BYTES}} if (method, path) in UPLOADS else None
