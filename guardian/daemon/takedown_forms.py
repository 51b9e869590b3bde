"""What the routes of takedowns accept and answer, as models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from guardian.daemon.bodies import LONGEST_WAIT, Body, Reason

Ref = Annotated[str, Field(min_length=1, max_length=2000)]
Person = Annotated[str, Field(max_length=200)]
SEVERITIES = ("low", "usual", "high", "critical")


class Caller(Body):
    """Where the person sits, as their own client says; who they are, the kernel says."""

    login: Person = ""
    tty: Person = ""
    host: Person = ""


class TakedownBody(Body):
    """POST /v1/takedowns: evidence first, then the act, then reading back.

    `refs` in their order: the first is taken down first. `wait` is for how many seconds the answer may take; what is
    not over by then goes on, and GET /v1/takedowns/ID tells of it. The same `key` names the same order. `siblings`:
    also what says the same on other accounts, the other parts of a thread, the other variants of a campaign.
    `evidence_only`: a snapshot. `overwrite`: of what is to be deleted the words are overwritten before, where the
    platform can. The last four decisions are limits: the post stays, and is *kept* once one is in force.
    """

    refs: Annotated[list[Ref], Field(min_length=1, max_length=1000)]
    decision: Literal["delete", "hide", "keep", "close-replies", "detach-quotes", "lock", "spoiler"] = "keep"
    capture: Literal["best-effort", "require", "skip"] | None = None
    reason: Reason = ""
    severity: Literal["low", "usual", "high", "critical"] = "usual"
    agreed: Annotated[list[Person], Field(max_length=20, default_factory=list)]
    siblings: bool = False
    replies: Annotated[int, Field(ge=0, le=200)] | None = None
    evidence_only: bool = False
    overwrite: bool = False
    with_freeze: bool = False
    wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT)] = 10.0
    key: Annotated[str, Field(min_length=8, max_length=100)] | None = None
    caller: Caller = Caller()


class UndoBody(Body):
    """POST /v1/takedowns/ID/undo: show again what was hidden, or lift a limit.

    Of an order with one target, or of this target.
    """

    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    target: Annotated[str, Field(max_length=100)] | None = None


class Target(BaseModel):
    """One post of an order. `due`: when it can be acted on at the earliest, where it has to wait."""

    id: str
    ref: str
    account: str
    platform_id: str
    url: str | None
    post: str | None
    part: int | None
    state: str
    why: str
    evidence: str | None
    grade: str | None
    due: str | None
    reversible: bool


class WaitingVariants(BaseModel):
    """Posts of a campaign that are still to go out."""

    campaign: str
    posts: int


class Takedown(BaseModel):
    """An order and what came of it. `state` is running or done; `complete`: everything is as it was ordered.

    `lost` are references of an order with a freeze that named nothing, each with the reason. `waiting`: how many
    variants of its campaigns are still to go out; a hold keeps them back, a takedown does not.
    """

    id: str
    incident: str | None
    decision: str
    overwrite: bool
    capture: str
    severity: str
    reason: str
    by: str
    agreed: list[str]
    at: str
    state: str
    complete: bool
    lost: list[dict[str, Any]]
    targets: list[Target]
    siblings: list[dict[str, Any]]
    waiting: list[WaitingVariants]


class Takedowns(BaseModel):
    """A page of orders, newest first; `next` is the cursor of the next page."""

    takedowns: list[Takedown]
    next: int | None


DONE: dict[tuple[str, str], Any] = {
    ("POST", "/v1/takedowns"): Takedown,
    ("GET", "/v1/takedowns"): Takedowns,
    ("GET", "/v1/takedowns/{takedown}"): Takedown,
    ("POST", "/v1/takedowns/{takedown}/undo"): Takedown,
}
