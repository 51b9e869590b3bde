"""What people write into an incident from the shell: notes, decisions, class, roles, actions, the first statement."""

import re
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from guardian.cli import render
from guardian.cli.given import AsJson, Config, Desk
from guardian.errors import Mistake, Unfound

CURRENT = "current"
STDIN = "-"
NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
LONGEST = 20_000  # letters of a note
ADDRESSES = ("https://", "http://")

Document = dict[str, Any]
Which = Annotated[
    str, typer.Option("--incident", metavar="ID", help="Which incident: an id, or latest. Default: the open one.")
]


class Class(StrEnum):
    """What kind of crisis it is."""

    PRODUCT = "product"
    SERVICE = "service"
    BRAND = "brand"
    STATEMENT = "statement"


class Severity(StrEnum):
    """How bad it is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


def register(app: typer.Typer) -> None:
    """Put the commands into the incident's family."""
    app.command("note", epilog="Example: guardian incident note the client has been told")(note)
    app.command(
        "decide",
        epilog='Example: guardian incident decide delete it --option "leave it" --option "hide it" --agreed anna',
    )(decide)
    app.command("class", epilog="Example: guardian incident class brand --severity high")(classify)
    app.command("role", epilog="Example: guardian incident role scribe anna")(role)
    app.command(
        "action", epilog="Example: guardian incident action two people read every post --owner anna --due 2026-12-01"
    )(action)
    app.command("statement", epilog="Example: guardian incident statement https://mastodon.example/@acme/1")(statement)


def note(
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="The note; - reads it from stdin.")],
    *,
    incident: Which = CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write a note into the incident.

    Whoever may stop may write one. It cannot be changed afterwards: correct it with another.
    """
    text = _stdin() if words == [STDIN] else " ".join(words)
    _tell(Desk(config, as_json), incident, "notes", {"text": text})


def decide(
    decision: Annotated[list[str], typer.Argument(metavar="DECISION...", help="What was decided.")],
    *,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="TEXT", help="What was weighed; again for more.")
    ] = None,
    agreed: Annotated[
        list[str] | None, typer.Option("--agreed", metavar="NAME", help="Who agreed; again for more.")
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why this and not another.")] = "",
    incident: Which = CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Record a decision, what was weighed and who agreed."""
    body = {"decision": " ".join(decision), "options": option or [], "agreed": agreed or [], "reason": why}
    _tell(Desk(config, as_json), incident, "decisions", body)


def classify(
    class_: Annotated[
        Class | None, typer.Argument(metavar="[CLASS]", help="Product, service, brand or statement.")
    ] = None,
    *,
    severity: Annotated[Severity | None, typer.Option("--severity", help="How bad it is.")] = None,
    incident: Which = CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what kind of crisis it is, and how severe.

    The last word counts; the earlier ones stay in the record.
    """
    if class_ is None and severity is None:
        raise Mistake("cannot class the incident, because you named no class and no severity", fix="name one of them")
    body = {"class": class_ and str(class_), "severity": severity and str(severity)}
    _tell(Desk(config, as_json), incident, "class", {key: value for key, value in body.items() if value})


def role(
    name: Annotated[str, typer.Argument(metavar="ROLE", help="Such as lead, scribe, legal, spokesperson.")],
    person: Annotated[list[str], typer.Argument(metavar="PERSON...", help="Who has it now.")],
    *,
    incident: Which = CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say who has which role in the incident."""
    _tell(Desk(config, as_json), incident, "roles", {"role": name, "person": " ".join(person)})


def action(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="What is to be done.")],
    *,
    owner: Annotated[str | None, typer.Option("--owner", metavar="NAME", help="Who does it.")] = None,
    due: Annotated[str | None, typer.Option("--due", metavar="YYYY-MM-DD", help="Until when.")] = None,
    incident: Which = CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Record what is to be done so that it does not happen again."""
    body = {"text": " ".join(text), "owner": owner, "due": due}
    _tell(Desk(config, as_json), incident, "actions", {key: value for key, value in body.items() if value is not None})


def statement(
    what: Annotated[
        list[str], typer.Argument(metavar="REF|TEXT...", help="A post's id (p-...), an address, or the words.")
    ],
    *,
    incident: Which = CURRENT,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Record the first public statement.

    Its time is that of the post, where it is one of ours; else the time of this command.
    """
    words = " ".join(what)
    alone = len(what) == 1
    key = "post" if alone and words.startswith("p-") else "url" if alone and words.startswith(ADDRESSES) else "text"
    _tell(Desk(config, as_json), incident, "statement", {key: words})


def path(incident: str, act: str) -> str:
    """The address of an incident, or of something that it has. Raises Unfound for what cannot be its name."""
    if not NAME.fullmatch(incident):
        raise Unfound(f"cannot find the incident {incident!r}, because there is none", fix="guardian incident list")
    return f"/v1/incidents/{incident}" + (f"/{act}" if act else "")


def _stdin() -> str:
    """The note as somebody piped it in."""
    text = sys.stdin.read(LONGEST + 1).strip()
    if len(text) > LONGEST:
        raise Mistake(f"cannot take the note, because it has more than {LONGEST} letters", fix="write several")
    if not text:
        raise Mistake("cannot take the note, because there is nothing on stdin", fix="pipe some words in")
    return text


def _tell(desk: Desk, incident: str, act: str, body: Document) -> None:
    done = desk.client().post(path(incident, act), body)
    one, line = done["incident"], done["line"]
    desk.answer(done, [f"{render.one_line(one['id'])}  {line['kind']}, line {line['seq']} of the journal"])
