"""The tables of the configuration as pydantic reads them: which keys there are, their defaults and their bounds.

The field names are the contract (design, section 8). Durations become milliseconds, lists become tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from guardian.config import values
from guardian.config.secrets import Reference, reference, secret_name
from guardian.fence.house import DEFAULTS
from guardian.model import Capture

if TYPE_CHECKING:
    from pydantic import ValidationInfo


class Table(BaseModel):
    """What every table is: closed to unknown keys, strict about types, frozen, and silent about what was written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


def _between(least: str, most: str) -> BeforeValidator:
    """A duration within bounds, written in the same words as in the configuration."""

    def read(value: object) -> int:
        return values.duration(value, least, most)

    return BeforeValidator(read)


def _milliseconds(text: str) -> int:
    return values.parse_duration(text)


Name = Annotated[str, AfterValidator(values.name)]
Groups = Annotated[tuple[Annotated[str, AfterValidator(values.group)], ...], Field(strict=False)]  # TOML has lists only


class Store(Table):
    """`[store]`: where the posts are kept."""

    url: Annotated[str, AfterValidator(values.store_url)] = "sqlite"


class Queue(Table):
    """`[queue]`: when posts go out, and when they no longer do."""

    zone: Annotated[str, AfterValidator(values.zone)] = "UTC"
    late_after: Annotated[int, _between("1s", "30d")] = _milliseconds("15m")
    gap: Annotated[int, _between("0s", "7d")] = 0
    release_gap: Annotated[int, _between("0s", "7d")] = _milliseconds("30s")


class Fence(Table):
    """`[fence]`: how long a freeze waits for what is on the wire."""

    drain: Annotated[int, _between("100ms", "1m")] = _milliseconds("5s")


class Gate(Table):
    """`[gate]`: how long a platform has for its whole answer."""

    answer_within: Annotated[int, _between("1s", "60s")] = _milliseconds("10s")


class Reconcile(Table):
    """`[reconcile]`: how often, and over which time, a platform is asked before a post counts as absent."""

    looks: Annotated[int, Field(ge=1, le=20)] = 3
    over: Annotated[int, _between("1s", "1d")] = _milliseconds("2m")


class Metrics(Table):
    """`[metrics]`: where to serve them besides the control socket; None means nowhere."""

    listen: Annotated[str, AfterValidator(values.listen)] | None = None


class Evidence(Table):
    """`[evidence]`: what is kept of a post that is taken down, how long, and who says when it was sealed."""

    within: Annotated[int, _between("500ms", "10s")] = _milliseconds("2s")
    capture: Annotated[str, AfterValidator(values.capture)] = Capture.BEST_EFFORT.value
    replies: Annotated[int, Field(ge=0, le=200)] = 0
    render: bool = True
    chromium: Annotated[str, AfterValidator(values.whole_path)] = ""
    authorities: Annotated[
        tuple[Annotated[str, AfterValidator(values.authority)], ...],
        Field(strict=False),
        AfterValidator(values.authorities),
    ] = ()
    roots: Annotated[str, AfterValidator(values.whole_path)] = ""
    keep_own: Annotated[int, _between("1d", "36500d")] = _milliseconds("1095d")
    keep_others: Annotated[int, _between("1d", "3650d")] = _milliseconds("90d")


class Rights(Table):
    """`[rights]`: which Unix groups may do what; root and the service user may do all."""

    read: Groups = ("guardian",)
    freeze: Groups = ("guardian",)
    operate: Groups = ("guardian-operate",)
    takedown: Groups = ("guardian-takedown",)


class AccountTable(Table):
    """`[accounts.NAME]`: one account of a brand on a platform."""

    platform: Name
    brand: Name
    base_url: Annotated[str, AfterValidator(values.base_url)]
    identity: str
    secrets: dict[
        Annotated[str, AfterValidator(secret_name)],
        Annotated[Reference, BeforeValidator(reference)],
    ] = Field(default_factory=dict)

    @field_validator("identity")
    @classmethod
    def _whole(cls, text: str, info: ValidationInfo) -> str:
        return values.identity(text, info.data.get("platform"))


class Document(Table):
    """The whole file."""

    state_dir: Annotated[str, AfterValidator(values.directory)] = DEFAULTS["state_dir"]
    runtime_dir: Annotated[str, AfterValidator(values.runtime_directory)] = Field(
        default=DEFAULTS["runtime_dir"], validate_default=True
    )
    store: Store = Field(default_factory=Store)
    queue: Queue = Field(default_factory=Queue)
    fence: Fence = Field(default_factory=Fence)
    gate: Gate = Field(default_factory=Gate)
    reconcile: Reconcile = Field(default_factory=Reconcile)
    metrics: Metrics = Field(default_factory=Metrics)
    evidence: Evidence = Field(default_factory=Evidence)
    rights: Rights = Field(default_factory=Rights)
    accounts: dict[Name, AccountTable] = Field(default_factory=dict)

    @field_validator("runtime_dir")
    @classmethod
    def _apart(cls, path: str, info: ValidationInfo) -> str:
        # volatile and durable permits have the same names: in one directory, removing one would be removing both
        if path == info.data.get("state_dir"):
            raise values.Bad("it is the same directory as state_dir", "name another, such as a folder inside it")
        return path


def keys_of(table: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that the table at this place may have; none where no table belongs."""
    if not table:
        return tuple(Document.model_fields)
    if table[0] == "accounts":
        return tuple(AccountTable.model_fields)
    section = Document.model_fields[table[0]].annotation if table[0] in Document.model_fields else None
    return tuple(section.model_fields) if isinstance(section, type) and issubclass(section, Table) else ()
