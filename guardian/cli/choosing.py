"""Which posts a command means: ids, ids from stdin, or a filter; shown and asked about before many are changed."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from guardian.cli import completion, render
from guardian.client import Client
from guardian.errors import Mistake
from guardian.model import State

STDIN = "-"
MAX_STDIN = 1 << 20
MOST_IDS = 10_000
FIRST = 10
HELD = "held"
WITHIN = 300.0  # very many posts are one transaction

Document = dict[str, Any]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="The guardian's ids; - reads them from stdin.")
]
Account = Annotated[
    str | None, typer.Option("--account", metavar="A", help="Only of this account.", autocompletion=completion.accounts)
]
Brand = Annotated[str | None, typer.Option("--brand", metavar="B", help="Only of this brand's accounts.")]
Tag = Annotated[str | None, typer.Option("--tag", metavar="T", help="Only with this label of yours.")]
Campaign = Annotated[str | None, typer.Option("--campaign", metavar="C", help="Only the variants of this campaign.")]
States = Annotated[
    list[str] | None,
    typer.Option(
        "--state", metavar="S", help="Only in this state, or held; again for more.", autocompletion=completion.states
    ),
]
After = Annotated[str | None, typer.Option("--after", metavar="TIME", help="Only due then or later.")]
Before = Annotated[str | None, typer.Option("--before", metavar="TIME", help="Only due before then.")]
Everything = Annotated[bool, typer.Option("--all", help="All that there are.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was given on the command line to choose by."""

    ids: list[str] | None = None
    account: str | None = None
    brand: str | None = None
    tag: str | None = None
    campaign: str | None = None
    states: list[str] | None = None
    after: str | None = None
    before: str | None = None
    everything: bool = False

    @property
    def is_filter(self) -> bool:
        """Whether it is by what posts have in common."""
        given = (self.account, self.brand, self.tag, self.campaign, self.states, self.after, self.before)
        return self.everything or any(given)

    @property
    def is_tag_alone(self) -> bool:
        """Whether a tag is all that was given."""
        return self.tag is not None and self == Wanted(tag=self.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What to send to the daemon; None for `body` when the person said no."""

    body: Document | None
    count: int | None = None


def query(wanted: Wanted) -> Document:
    """The filter of a list."""
    states, held = states_of(wanted.states)
    found = {
        "account": wanted.account,
        "brand": wanted.brand,
        "tag": wanted.tag,
        "campaign": wanted.campaign,
        "state": states or None,
        "after": wanted.after,
        "before": wanted.before,
        "held": "true" if held else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def states_of(given: list[str] | None) -> tuple[list[str], bool]:
    """The states, and whether only what is held is meant. Raises Mistake for a name that is none."""
    for one in given or []:
        if one not in (HELD, *State):
            raise Mistake(
                f"cannot use the state {one!r}, because no state is called so", fix=f"use: {', '.join((HELD, *State))}"
            )
    return [one for one in given or [] if one != HELD], HELD in (given or [])


def which(client: Client, act: str, wanted: Wanted, *, yes: bool) -> Meant:
    """The ids, or the filter after it was shown and agreed to.

    More than one post by a filter are shown and asked about on a terminal; off one it takes --yes. Raises Mistake when
    nothing, or both ids and a filter, were given.
    """
    if bool(wanted.ids) is wanted.is_filter:
        raise Mistake(
            f"cannot tell what to {act}, because neither or both of ids and a filter are given",
            fix="give ids, or a filter, or --all",
        )
    if wanted.ids:
        return Meant(body={"ids": read_ids(wanted.ids)})
    body: Document = {"select": _select(wanted)}
    if yes:
        return Meant(body=body)
    if not sys.stdin.isatty():
        raise Mistake(f"cannot ask whether to {act} what fits, because this is no terminal", fix="add --yes")
    seen = client.post(f"/v1/posts/{act}", {**body, "preview": True})
    body["shown"] = seen["mark"]
    if seen["count"] > 1 and not _agreed(act, seen):
        render.tell(f"Nothing was done: {act} was not confirmed.")
        return Meant(body=None)
    return Meant(body=body, count=seen["count"])


def read_ids(given: list[str]) -> list[str]:
    """The ids as they were given, those of stdin in the place of the dash. Raises Mistake."""
    found = list(dict.fromkeys(one for word in given for one in (_from_stdin() if word == STDIN else [word])))
    if any(not one.strip() for one in found):
        raise Mistake("cannot find the post, because its id is empty", fix="look it up: guardian queue list")
    if not found:
        raise Mistake("cannot do that with no post, because stdin named none", fix="look: guardian queue list --ids")
    if len(found) > MOST_IDS:
        raise Mistake(f"cannot take so many ids, because more than {MOST_IDS} were given", fix="use a filter")
    return found


def _from_stdin() -> list[str]:
    text = sys.stdin.read(MAX_STDIN + 1)
    if len(text) > MAX_STDIN:
        raise Mistake("cannot read the ids, because stdin has more than 1 MiB", fix="use a filter")
    return text.split()


def _select(wanted: Wanted) -> Document:
    states, held = states_of(wanted.states)
    found = {
        "account": wanted.account,
        "brand": wanted.brand,
        "tag": wanted.tag,
        "campaign": wanted.campaign,
        "states": states,
        "after": wanted.after,
        "before": wanted.before,
        "held": held,
        "all": wanted.everything,
    }
    return {key: value for key, value in found.items() if value}


def _agreed(act: str, seen: Document) -> bool:
    """Show and ask, on stderr, so that stdout holds the answer alone. Only yes is yes."""
    for line in _preview(act, seen):
        render.tell(line)
    print(f"{act.capitalize()} {render.count(seen['count'], 'post')}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _preview(act: str, seen: Document) -> Iterator[str]:
    yield f"To {act}: {render.count(seen['count'], 'post')}"
    yield from table(seen["posts"][:FIRST], seen["count"])
    if seen["left"]:
        yield f"  {render.count(seen['left'], 'post')} on hold: left as they are"


def table(posts: list[Document], in_all: int) -> Iterator[str]:
    """The first of many posts, and how many more there are."""
    rows = [(one["id"], render.local(one["at"]), one["account"], render.state(one), one["text"]) for one in posts]
    if rows:
        yield from render.indented(render.table(("id", "when", "account", "state", "text"), rows), "  ")
    if in_all > len(posts):
        yield f"  and {in_all - len(posts)} more"
