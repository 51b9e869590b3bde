"""What `GET /v1/capabilities` answers, as models: the abilities that each platform's adapter declares."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class Act(BaseModel):
    """What a decision does on a platform, in words, and whether it can be undone."""

    name: str
    reversible: bool
    words: str


class LimitAct(Act):
    """What a limit does to a post that stays there."""

    decision: Literal["close-replies", "detach-quotes", "lock", "spoiler"]


class Budget(BaseModel):
    """How many takedowns a platform takes from one account in any window of so many ms."""

    count: int
    window_ms: int


class ScheduledThere(BaseModel):
    """What can be done about posts that are scheduled at the platform itself."""

    listed: bool
    deferred: bool


class Files(BaseModel):
    """What a post may show; `alt_text`: whether its words for those who cannot see it reach anybody."""

    words: str
    alt_text: bool


class LostAnswer(BaseModel):
    """What is known of a post whose answer was lost, when the platform is asked; one-sided: nobody can say no."""

    certainty: Literal["exact", "listed", "one-sided"]
    words: str


class Proof(BaseModel):
    """Evidence that others vouch for, and the look of a bundle that holds it."""

    look: str
    words: str


class Server(BaseModel):
    """What the account's own server has said of itself: its name (null: it has none), its limits, what is different."""

    name: str | None
    characters: int
    files: int
    remarks: list[str]


class AccountCapabilities(BaseModel):
    """What can be done on one account's platform (null: nothing), and what no freeze reaches there.

    `server` is null until it has been asked.
    """

    account: str
    platform: str
    brand: str
    server: Server | None
    publish: str | None
    media: Files | None
    thread: str | None
    sent_twice: str | None
    lost_answer: LostAnswer | None
    delete: Act | None
    hide: Act | None
    overwrite: str | None
    limits: list[LimitAct]
    budget: Budget
    scheduled_there: ScheduledThere
    proof: Proof | None
    not_covered: list[str]


class CapabilitiesOfAll(BaseModel):
    """Every account in force."""

    accounts: list[AccountCapabilities]


DONE: dict[tuple[str, str], Any] = {("GET", "/v1/capabilities"): CapabilitiesOfAll}
