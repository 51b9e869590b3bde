"""`guardian incident`: the record of a crisis; looked at, opened, closed here, written into by `incident_telling`."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from guardian.cli import incident_telling, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.client import Client
from guardian.errors import Unfound
from guardian.report import figures, lines, markdown, page, redacting
from guardian.report.paper import paper
from guardian.report.phrases import Phrases
from guardian.report.words import Words

USUAL, LARGEST = 20, 200
MOST_SHOWN = 20
WITHIN = 60.0  # a long incident has many lines

Document = dict[str, Any]
Name = Annotated[str | None, typer.Argument(metavar="[ID]", help="Which one. Default: the open one, else the last.")]


class Language(StrEnum):
    """In which language a report can be written."""

    EN = "en"
    FR = "fr"


class Form(StrEnum):
    """What a report can be written as."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


app = typer.Typer(
    help="The record of a crisis: who did what when, and its report.",
    epilog="Example: guardian incident note legal has been told",
    rich_markup_mode=None,
)
incident_telling.register(app)


@app.command("list", epilog="Example: guardian incident list --limit 5")
def list_(
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=LARGEST, help="How many.")] = USUAL,
    cursor: Annotated[
        int | None, typer.Option("--cursor", metavar="N", min=0, help="Go on where an earlier page ended.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Incidents, newest first."""
    desk = Desk(config, as_json)
    found = desk.client().get("/v1/incidents", limit=limit, cursor=cursor)
    desk.answer(found, _list_lines(found))


@app.command("show", epilog="Example: guardian incident show")
def show(incident: Name = None, *, config: Config = None, as_json: AsJson = False) -> None:
    """One incident: what was done, how long it took, what is left to do."""
    desk = Desk(config, as_json)
    found = _ask(desk.client(within=WITHIN), incident, "")
    desk.answer(found, show_lines(found))


@app.command("open", epilog="Example: guardian incident open a customer says that we insulted her")
def open_(
    reason: Annotated[list[str], typer.Argument(metavar="REASON...", help="What happened, in a few words.")],
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Open an incident without stopping anything.

    A freeze or a takedown opens one by itself. If one is open already, this joins it.
    """
    desk = Desk(config, as_json)
    found = desk.client().post("/v1/incidents", {"reason": " ".join(reason)})
    one = found["incident"]
    told = "opened" if found["new"] else "was open already; everything joins it"
    desk.answer(found, [f"{one['id']} {told}", *_head_lines(one)])


@app.command("close", epilog="Example: guardian incident close the statement is out and the posts are gone")
def close(
    reason: Annotated[list[str], typer.Argument(metavar="REASON...", help="Why it is over.")],
    *,
    incident: incident_telling.Which = incident_telling.CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """End an incident.

    It thaws nothing. Notes and actions can still be added, with --incident ID.
    """
    desk = Desk(config, as_json)
    found = desk.client().post(incident_telling.path(incident, "close"), {"reason": " ".join(reason)})
    desk.answer(found, _closed_lines(found))


@app.command("report", epilog="Example: guardian incident report --format html --redact")
def report(
    incident: Name = None,
    *,
    form: Annotated[Form, typer.Option("--format", help="What it is written as.")] = Form.MARKDOWN,
    redact: Annotated[
        bool, typer.Option("--redact", help="Names, third parties' texts and places of proof as pseudonyms.")
    ] = False,
    language: Annotated[Language, typer.Option("--language", help="In which language.")] = Language.EN,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of an incident to stdout.

    Computed from the journal alone, each figure with its lines: the same journal gives the same bytes.
    """
    desk = Desk(config, as_json)
    facts = _ask(desk.client(within=WITHIN), incident, "/report")
    given = redacting.redacted(facts) if redact else facts
    record = figures.record(lines.read(given))
    if desk.as_json or form is Form.JSON:
        render.document({**record, "redacted": redact})
        return
    made = paper(record, Words(str(language)), redacted=redact)
    written = page.written(made) if form is Form.HTML else markdown.written(made)
    render.say(written.rstrip("\n"))


def _ask(client: Client, incident: str | None, of: str) -> Document:
    """One incident, or what it names. Without a name the open one, and where none is open the last."""
    if incident is not None:
        return dict(client.get(incident_telling.path(incident, of.strip("/"))))
    try:
        return dict(client.get(f"/v1/incidents/current{of}"))
    except Unfound:
        return dict(client.get(f"/v1/incidents/latest{of}"))


def _list_lines(found: Document) -> Iterator[str]:
    rows = [
        (one["id"], one["state"], render.local(one["opened_at"]), one["by"], one["reason"] or "no reason given")
        for one in found["incidents"]
    ]
    if not rows:
        yield "There was no incident"
        return
    yield from render.table(("incident", "state", "opened", "by", "reason"), rows)
    if found["next"] is not None:
        yield render.field("more", f"guardian incident list --cursor {found['next']}")


def _head_lines(one: Document) -> Iterator[str]:
    yield render.field("opened", f"{render.local(one['opened_at'])} by {one['by']}: {one['reason'] or 'no reason'}")


def _closed_lines(found: Document) -> Iterator[str]:
    one = found["incident"]
    yield f"{one['id']} closed"
    yield render.field("lines", f"{one['opened_seq']} to {one['closed_seq']} of the journal are its own")
    for freeze in found["freezes"]:
        yield render.field("still frozen", f"{freeze['scope']}: {freeze['reason'] or 'no reason given'}")
    yield render.field("report", f"guardian incident report {one['id']}")


def show_lines(found: Document) -> Iterator[str]:
    """The record for people at a terminal. Every text passes the renderer."""
    says = Phrases(Words())
    yield f"INCIDENT  {render.one_line(found['incident'])}  {found['state']}"
    for label, one in (("opened", found["opened"]), ("closed", found["closed"])):
        if one:
            words = f"{render.local(one['at'])} by {one['who']}: {one['reason'] or 'no reason given'}"
            yield render.field(label, words)
    for key in ("class", "severity"):
        if found[key]:
            yield render.field(key, found[key]["value"])
    for one in found["freezes"][:MOST_SHOWN]:
        lifted = f"lifted {render.local(one['lifted_at'])}" if one["lifted_at"] else "not lifted"
        yield render.field("frozen", f"{one['scope']}, {render.local(one['at'])}; {lifted}")
    for one in found["measures"]:
        yield render.field("took", f"{says.words('measure_' + one['measure'])}: {says.length(one['ms'])}")
    yield from _posts(found, says)
    for one in found["hindered"][:MOST_SHOWN]:
        about = " ".join(str(part) for part in (one["about"], one["why"]) if part)
        yield render.field("hindered", f"{says.words.known(one['what'])}: {about}".rstrip(": "))
    yield from _people(found)
    first, *_, last = [found["timeline"][0], found["timeline"][-1]]
    yield render.field("timeline", f"{render.count(len(found['timeline']), 'line')}, {first['seq']} to {last['seq']}")
    yield render.field("", f"guardian incident report {found['incident']}")


def _posts(found: Document, says: Phrases) -> Iterator[str]:
    for one in found["takedowns"][:MOST_SHOWN]:
        name = one["url"] or one["platform_id"] or one["target"]
        seen = f"visible {says.length(one['visible_ms'])}" if one["visible_ms"] is not None else "visible: not recorded"
        yield render.field(
            "takedown", f"{name}  {says.words.known(one['state'])}; {seen}; proof {one['bundle'] or '-'}"
        )
    for one in found["landed"][:MOST_SHOWN]:
        name = one["url"] or one["platform_id"] or one["post"]
        more = one["takedown"] or f"guardian takedown {one['post'] or one['url']} --delete"
        yield render.field("landed", f"{name}  {more}")
    for one in found["strangers"][:MOST_SHOWN]:
        yield render.field("not ours", f"{one['url'] or one['platform_id']}  {one['text'] or ''}")
    told = [f"{one['value']} {key}" for key, one in found["counts"].items() if one is not None]
    yield render.field("posts", ", ".join(told) or "not recorded")


def _people(found: Document) -> Iterator[str]:
    for one in found["roles"]:
        yield render.field("role", f"{one['role']}: {one['person']}")
    for one in found["decisions"][-MOST_SHOWN:]:
        agreed = f"; agreed: {', '.join(one['agreed'])}" if one["agreed"] else ""
        yield render.field("decision", f"{one['decision']}{agreed}")
    for one in found["actions"][-MOST_SHOWN:]:
        yield render.field("action", f"{one['text']} ({one['owner'] or 'nobody'}, due {one['due'] or 'not said'})")
    if found["statement"]:
        one = found["statement"]
        yield render.field("statement", f"{render.local(one['at'])}  {one['post'] or one['url'] or one['text']}")
    for one in found["notes"][-MOST_SHOWN:]:
        yield render.field("note", f"{render.local(one['at'])} {one['who']}: {one['text']}")
    if len(found["notes"]) > MOST_SHOWN:
        yield render.field("", f"and {len(found['notes']) - MOST_SHOWN} notes before these")
