"""`guardian evidence`: what is kept of posts, who touched it, and a copy for whoever asks."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from guardian.cli import choosing, endings, evidence_verify, render
from guardian.cli.given import AsJson, Config, Desk
from guardian.errors import Mistake

WITHIN = 600.0  # a copy of a film, or a look at one, takes its time
MOST = 500
Document = dict[str, Any]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The bundle: guardian evidence list.")]

app = typer.Typer(
    help="What is kept of posts that are taken down: sealed, verified, handed out.",
    epilog="Example: guardian evidence verify --all",
    rich_markup_mode=None,
)
app.command("verify", epilog="Example: guardian evidence verify ./ev-20261120T114501Z-mastodon-1145-abcd")(
    evidence_verify.verify
)


@app.command("list", epilog="Example: guardian evidence list --held")
def evidence_list(
    *,
    account: choosing.Account = None,
    incident: Annotated[str | None, typer.Option("--incident", metavar="ID", help="Only of this incident.")] = None,
    held: Annotated[bool, typer.Option("--held", help="Only what a legal hold keeps.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=MOST, help="How many.")] = 50,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bundles of evidence, the latest first."""
    desk = Desk(config, as_json)
    query = {"account": account, "incident": incident, "held": "true" if held else None, "limit": limit}
    found = desk.client().get("/v1/evidence", **query)
    desk.answer(found, _listed(found))


@app.command("show", epilog="Example: guardian evidence show ev-20261120T114501Z-mastodon-1145-abcd")
def show(name: Name, *, config: Config = None, as_json: AsJson = False) -> None:
    """One bundle: its seals and stamps, how long it is kept, and who did what with it."""
    desk = Desk(config, as_json)
    found = desk.client().get(f"/v1/evidence/{_plain(name)}")
    desk.answer(found, _shown(found))


@app.command("export", epilog="Example: guardian evidence export ev-20261120T114501Z-mastodon-1145-abcd --to case.tar")
def export(
    name: Name,
    *,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="A file that is not there yet.")],
    wacz: Annotated[
        bool, typer.Option("--wacz", help="The archive alone, for ReplayWeb.page; else a tar of all.")
    ] = False,
    others: Annotated[bool, typer.Option("--others", help="With --wacz: what other people wrote, too.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """A copy of a bundle, as a tar of its directory with the journal's lines about it, or as WACZ.

    A tar holds what other people wrote, too, unless it was erased. That it was handed out stands in the journal.
    """
    desk = Desk(config, as_json)
    out = Path(to)
    if os.path.lexists(out):
        raise Mistake(f"cannot write {to}, because it is there already", fix="name another one")
    if others and not wacz:
        raise Mistake("cannot leave anything out of a tar, because its seals would not fit", fix="add --wacz")
    form = "wacz" if wacz else "tar"
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            client = desk.client(within=WITHIN)
            sha256 = client.export(_plain(name), file, form=form, others=others)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, out)  # never over a file that came meanwhile
    finally:
        beside.unlink(missing_ok=True)
    size = out.stat().st_size
    document = {"name": name, "file": str(out), "form": form, "bytes": size, "sha256": sha256}
    desk.answer(document, [f"Written to {render.one_line(out)}, {size} bytes", render.field("sha256", sha256)])


@app.command(
    "erase", epilog='Example: guardian evidence erase ev-20261120T114501Z-mastodon-1145-abcd --ground "GDPR 17"'
)
def erase(
    name: Name,
    *,
    ground: Annotated[str, typer.Option("--ground", metavar="TEXT", help="On which legal ground.")],
    yes: choosing.Yes = False,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    """Erase what other people wrote from a bundle, for good.

    A sealed tombstone stays: which files, who, when, why; the rest verifies as before. Refused under a legal hold.
    """
    desk = Desk(config, as_json)
    if not yes and not _agreed(f"Erase what other people wrote from {name}, for good?"):
        render.tell("Nothing was done: erase was not confirmed.")
        return endings.FAILED
    found = desk.client(within=WITHIN).post(f"/v1/evidence/{_plain(name)}/erase", {"ground": ground})
    lines = [f"{render.count(len(found['files']), 'file')} erased from {render.one_line(name)}"]
    desk.answer(found, [*lines, *(render.one_line(f"  {file}") for file in found["files"])])
    return endings.DONE


@app.command("hold", epilog='Example: guardian evidence hold ev-20261120T114501Z-mastodon-1145-abcd --reason "case 12"')
def hold(
    name: Name,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: the case, and who asked.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Keep all of a bundle, whatever its time says, until the hold is lifted."""
    desk = Desk(config, as_json)
    found = desk.client().post(f"/v1/evidence/{_plain(name)}/hold", {"reason": reason})
    desk.answer(found, [render.one_line(f"{name} is on legal hold: nothing of it is erased or purged")])


@app.command(
    "unhold", epilog="Example: guardian evidence unhold ev-20261120T114501Z-mastodon-1145-abcd --reason settled"
)
def unhold(
    name: Name,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, and who agreed.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Lift the legal hold of a bundle; what is over by its time goes within hours."""
    desk = Desk(config, as_json)
    found = desk.client().post(f"/v1/evidence/{_plain(name)}/unhold", {"reason": reason})
    desk.answer(
        found, [render.one_line(f"{name} is on hold no more"), render.field("kept until", _time(found["purge_at"]))]
    )


@app.command("key", epilog="Example: guardian evidence key")
def key(*, config: Config = None, as_json: AsJson = False) -> None:
    """The key that seals: its fingerprint and its public half.

    Give the fingerprint to your lawyer on paper, today: one that arrives together with the evidence proves nothing.
    """
    desk = Desk(config, as_json)
    found = desk.client().get("/v1/evidence/key")
    desk.answer(found, [found["fingerprint"], found["public"]])


@app.command("rotate-key", epilog="Example: guardian evidence rotate-key --yes")
def rotate(*, yes: choosing.Yes = False, config: Config = None, as_json: AsJson = False) -> int:
    """Seal with a new key from now on.

    What the old one has sealed stays good; its private half is destroyed. The new fingerprint must reach your lawyer.
    """
    desk = Desk(config, as_json)
    if not yes and not _agreed("Begin a new key, and destroy the private half of the old one?"):
        render.tell("Nothing was done: rotate-key was not confirmed.")
        return endings.FAILED
    found = desk.client().post("/v1/evidence/key/rotate", {})
    desk.answer(found, [f"Seals from now on: {found['fingerprint']}", render.field("before", found["before"])])
    return endings.DONE


def _agreed(question: str) -> bool:
    """Ask on stderr. Only yes is yes."""
    if not sys.stdin.isatty():
        raise Mistake("cannot ask whether to do that, because this is no terminal", fix="add --yes")
    print(f"{render.one_line(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _plain(name: str) -> str:
    """A name as it may stand in a path. Raises Mistake."""
    return evidence_verify.plain(name)


def _time(at: str | None) -> str:
    return "until somebody decides" if at is None else render.local(at)


def _listed(found: Document) -> Iterator[str]:
    rows = [
        (one["name"], render.local(one["created_at"]), one["account"], one["grade"], _kept(one), one["url"] or "-")
        for one in found["bundles"]
    ]
    if not rows:
        yield "There is no evidence"
        return
    yield from render.table(("bundle", "sealed", "account", "grade", "kept", "post"), rows)
    if found["next"]:
        yield "  and more: --limit"


def _kept(one: Document) -> str:
    if one["held"] is not None:
        return "on hold"
    return "-" if one["purge_at"] is None else one["purge_at"][:10]


def _shown(found: Document) -> Iterator[str]:
    yield render.one_line(found["name"])
    yield render.field("post", found["url"] or f"{found['platform']} {found['platform_id']}")
    yield render.field("account", found["account"])
    yield render.field("incident", found["incident"] or "-")
    yield render.field("grade", found["grade"])
    yield render.field("seals", f"{found['seals']}, the last one over {found['sha256'] or 'nothing yet'}")
    for one in found["stamps"]:
        yield render.field("stamp", _stamp(one))
    if found["held"] is not None:
        yield render.field("LEGAL HOLD", found["held"])
    yield render.field("kept until", _time(found["purge_at"]))
    if found["erased_at"]:
        yield render.field("erased", f"what other people wrote, {render.local(found['erased_at'])}")
    yield render.field("directory", found["directory"])
    yield "Custody"
    for line in found["custody"]:
        data = line["data"]
        more = ", ".join(f"{key}={value}" for key, value in data.items() if key not in ("bundle", "event"))
        what = data.get("event") or line["kind"]
        yield render.one_line(
            f"  {line['seq']:>6}  {render.local(line['at'])}  {what} by {line['who']}  {more}"
        ).rstrip()


def _stamp(one: Document) -> str:
    if one["done_at"]:
        return f"seal {one['seal']} by {one['authority']}"
    why = f", because {one['why']}" if one["why"] else ""
    return f"seal {one['seal']} NOT YET by {one['authority']}{why}; asked again {render.local(one['due_at'])}"
