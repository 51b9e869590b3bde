"""No secret of an account is in what a takedown leaves behind: files of evidence, the journal, the log, the report."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from typing import TYPE_CHECKING

from guardian.duties import incident_facts
from guardian.model import Secret
from guardian.report import figures, markdown, page
from guardian.report.lines import read
from guardian.report.paper import paper
from guardian.report.words import Words
from guardian.store import journal
from tests.duties.urgent import READING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from guardian.rehearsal import RehearsalPlatform
    from tests.duties.urgent import Urgent

CANARY = "canary-8f3a6b"


def everything(urgent: Urgent) -> Iterator[tuple[str, bytes]]:
    """Every file of the evidence but its keys, as it lies there and unpacked; every byte of the store."""
    for path in urgent.shelf.root.rglob("*"):
        if path.is_file() and "key" not in path.parts:
            data = path.read_bytes()
            yield str(path), data
            if path.suffix == ".gz":
                yield f"{path} unpacked", gzip.decompress(data)
    for path in urgent.database.path.parent.glob("guardian.db*"):
        yield str(path), path.read_bytes()


def test_a_token_is_in_nothing_that_a_takedown_leaves_behind(
    urgent: Urgent, platform: RehearsalPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    token = platform.token("acme", CANARY)  # another application's token; its name is no secret
    settings = urgent.scene.in_force.settings
    acme, beta = settings.accounts
    swapped = dataclasses.replace(acme, secrets={"token": Secret(token)})
    urgent.scene.in_force.swap(dataclasses.replace(settings, accounts=(swapped, beta)), at=0)
    urgent.scene.accounts = (swapped, beta)
    one, two, three = (urgent.publish(text) for text in ("one", "two", "three"))
    first = urgent.take_down(f"{urgent.scene.post(one).url}?access_token={token}#{token}")[0]
    platform.fault("status", path=r"/api/v1/statuses/\d+/history", status=503, **READING)
    platform.fault("lose", method="DELETE", path=r"/api/v1/statuses/\d+")
    second = urgent.take_down(two.id, given={"host": "desk-7", "replies": 5})[0]
    hidden = urgent.take_down(three.id, decision="hide")[0]
    urgent.undoing.undo(hidden.id, reason="it was fine", who="the night shift")
    for target in (first, second, hidden):
        urgent.sealed(target)
    urgent.scene.clock.off += 61_000
    urgent.looking.poll(urgent.scene.clock())
    spellings = [word.encode() for word in (token, base64.b64encode(token.encode()).decode())]
    found = [name for name, data in everything(urgent) if any(word in data for word in spellings)]
    assert found == []
    with urgent.database.reading() as tx:
        lines = json.dumps([dataclasses.asdict(entry) for entry in journal.after(tx, 0)])
    told = paper(figures.record(read(incident_facts.gather(urgent.database, "current"))), Words())
    said = capsys.readouterr()
    assert token not in lines + said.out + said.err + markdown.written(told) + page.written(told)
