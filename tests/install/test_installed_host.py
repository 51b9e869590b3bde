"""`guardian init --system` on a host of its own, as root, from a wheel's content: twice, then used, then undone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.install.private_host import ROOT
from tests.install.stage import FENCE_CALLS

NEEDED = ("systemd-sysusers", "systemd-tmpfiles", "systemd-socket-activate", "unshare", "setpriv", "useradd")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
pytestmark = [
    pytest.mark.root,
    pytest.mark.outsider,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a mount namespace and other users"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
]
LONGEST = 240
CODE = re.compile(r"`([^`]+)`")
PAGE, INSTALLING = ROOT / "docs" / "security.md", ROOT / "docs" / "installing.md"
RIGHTS = ("read", "freeze", "operate", "takedown")
CONNECT = "connect"
NO_SUCH_LINE = 405


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.install.stage"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(heads: str) -> list[list[str]]:
    """The rows of a table in docs/security.md, by the beginning of its first line."""
    lines = PAGE.read_text("utf-8").splitlines()
    rows = lines[next(place for place, line in enumerate(lines) if line.startswith(heads)) + 2 :]
    end = next(place for place, line in enumerate(rows) if not line.startswith("|"))
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[:end]]


def people() -> dict[str, set[str]]:
    """Who has which rights, as the page says it."""
    return {who: {right for right in RIGHTS if right in said.split(":")[0]} for who, said in table("| who | rights")}


def doors() -> tuple[dict[str, str], dict[str, set[str]]]:
    """The right that each route of the control socket needs, and those that open each of the fence's."""
    control: dict[str, str] = {}
    fence: dict[str, set[str]] = {}
    for right, _, here, there in table("| right | lets you"):
        for route in CODE.findall(here):
            assert route not in control, f"{route} stands in two rows"
            control[route] = right
        for route in CODE.findall(there):
            fence.setdefault(route, set()).add(right)
    return control, fence


def lines_of(ran: dict[str, Any]) -> list[str]:
    """The steps that were said."""
    return [line.strip() for line in ran["out"].splitlines() if re.match(r"  (write|run|make|remove|link|look) ", line)]


def test_every_route_of_the_program_stands_in_the_page_with_the_right_that_it_needs(seen: dict[str, Any]) -> None:
    control, _ = doors()
    needed = {route: re.search(r"`(\w+)`", said) for route, said in seen["api"]}
    assert {route: found and found[1] for route, found in needed.items()} == {
        route: right for route, right in control.items() if right != CONNECT
    }


def allowed(answered: list[Any]) -> bool:
    """Whether it was let in: what it asked for may still not be there, or be badly said."""
    status, code = answered
    assert status >= 0, "it was cut off without an answer"
    assert status != NO_SUCH_LINE
    assert status < 500, answered
    assert (status == 403) == (code == "not_allowed")
    return status not in (0, 403)


def judge(answered: dict[str, Any], rights: set[str], who: str, routes: list[str]) -> None:
    control, fence = doors()
    found = {route: allowed(one) for route, one in zip(routes, answered["control"], strict=True)}
    connects = answered["control"][-1][0] != 0
    held = rights | ({CONNECT} if connects else set())
    assert found == {route: control.get(route) in held for route in routes}, who
    asked = [f"{method} {path}" for method, path, _ in FENCE_CALLS]
    there = {route: allowed(one) for route, one in zip(asked, answered["fence"], strict=True)}
    assert there == {route: bool(needed & rights) for route, needed in fence.items()}, who


def routes_in(seen: dict[str, Any]) -> list[str]:
    return [*(route for route, _ in seen["api"]), "GET /openapi.json"]


def test_everybody_can_do_exactly_what_the_page_says_over_the_real_sockets(seen: dict[str, Any]) -> None:
    said = people()
    assert set(seen["usual rights"]) - set(said) == {"in `guardian` and `guardian-freeze`"}
    for who, rights in said.items():
        judge(seen["usual rights"][who], rights, who, routes_in(seen))


def test_who_may_not_open_the_socket_does_not_even_get_a_connection(seen: dict[str, Any]) -> None:
    for who in ("in none of these", "in `guardian-operate` alone", "in `guardian-takedown` alone"):
        everything = [*seen["usual rights"][who]["control"], *seen["usual rights"][who]["fence"]]
        assert {status for status, _ in everything} == {0}, who


def test_with_a_group_of_its_own_for_the_freeze_the_others_only_look(seen: dict[str, Any]) -> None:
    assert '`[rights] freeze = ["guardian-freeze"]`' in PAGE.read_text("utf-8")
    judge(seen["few may freeze"]["in `guardian`"], {"read"}, "looks", routes_in(seen))
    fred = "in `guardian` and `guardian-freeze`"
    judge(seen["few may freeze"][fred], {"read", "freeze"}, fred, routes_in(seen))


def test_a_dry_run_says_exactly_what_will_be_done_and_changes_nothing(seen: dict[str, Any]) -> None:
    assert seen["after dry"] == seen["at first"]
    assert lines_of(seen["dry"]) == lines_of(seen["first"]) != []
    assert seen["after undo dry"] == seen["before undo"]
    assert lines_of(seen["undo dry"]) == lines_of(seen["undo"]) != []


def test_to_start_without_systemd_is_wrong_use_and_installs_nothing(seen: dict[str, Any]) -> None:
    assert seen["start"]["code"] == 2
    assert "systemd does not run here" in seen["start"]["err"]
    assert seen["after start"] == seen["at first"]


def test_a_second_time_changes_nothing(seen: dict[str, Any]) -> None:
    assert seen["after second"] == seen["after first"] == seen["after dry again"]
    assert json.loads(seen["second"]["out"])["steps"] == []
    assert "nothing was changed" in seen["dry again"]["out"]


def test_secrets_and_state_are_closed_to_others_and_programs_belong_to_root(seen: dict[str, Any]) -> None:
    made = {path: what.split()[:2] for path, what in seen["after first"].items()}
    guardian = made["/var/lib/guardian"][1].split(":")[0]
    assert guardian != "0"
    assert made["/var/lib/guardian"] == ["drwx------", f"{guardian}:{guardian}"]
    assert made["/run/guardian/fence"] == ["drwx------", f"{guardian}:{guardian}"]
    assert made["/etc/guardian/guardian.toml"] == ["-rw-r--r--", "0:0"]
    assert made["/etc/guardian/secrets"] == ["drwxr-x---", f"0:{guardian}"]
    assert made["/usr/local/lib/systemd/system/guardian.service"] == ["-rw-r--r--", "0:0"]


def test_what_a_person_changed_is_kept_and_ours_lies_beside_it(seen: dict[str, Any]) -> None:
    before, after, beside = (seen["timers"][key] for key in ("before", "after", "beside"))
    assert "04:00:00" in after
    assert beside == before
    said = " ".join(seen["changed"]["out"].split())
    assert "guardian-doctor.timer is kept, because it was changed" in said
    kept = {one["path"]: one["what"] for one in json.loads(seen["undo again"]["out"])["kept"]}
    assert kept["/usr/local/lib/systemd/system/guardian-doctor.timer"] == "changed by a person"


def test_the_undo_touches_nothing_while_a_daemon_runs_that_systemd_did_not_start(seen: dict[str, Any]) -> None:
    assert seen["undo while it runs"]["code"] == 1
    assert f"kill {seen['pid']}" in seen["undo while it runs"]["err"]
    assert set(seen["after undo while it runs"].values()) == {True}


def test_after_the_undo_nothing_is_left_but_what_the_page_of_the_installation_names(seen: dict[str, Any]) -> None:
    assert seen["after undo"] == seen["after undo again"]
    changed_by_the_test = ("/usr/local/lib/systemd", "/etc/subuid", "/etc/subgid")
    _, _, rest = INSTALLING.read_text("utf-8").partition("\n## Undo")
    named = [path.rstrip("/") for path in CODE.findall(rest.partition("\n## ")[0]) if path.startswith("/")]
    assert named
    left = {path for path in seen["after undo"] if path not in seen["at first"]}
    left = {path for path in left if not Path(path).is_dir()}  # what this machine has anyway was only passed through
    unnamed = [path for path in left if not path.startswith((*named, *changed_by_the_test))]
    assert unnamed == []
    assert not [path for path in left if path.startswith("/run")]


def test_the_list_of_what_is_kept_names_every_place_that_is_left(seen: dict[str, Any]) -> None:
    kept = {one["path"] for one in json.loads(seen["undo again"]["out"])["kept"]}
    left = [path for path in seen["after undo"] if path.startswith(("/var/lib/guardian", "/etc/guardian"))]
    assert {"/".join(path.split("/")[:5]) for path in left} - kept == {"/var/lib/guardian", "/etc/guardian"} - kept
    assert {"user guardian", "group guardian-operate", "group guardian-takedown"} <= kept
    assert not [one for one in json.loads(seen["undo again"]["out"])["kept"] if "not known" in one["what"]]


def test_a_house_that_was_frozen_is_frozen_when_it_is_installed_again(seen: dict[str, Any]) -> None:
    assert seen["installed again"]["code"] == 0
    assert seen["status"]["code"] == 20
    assert "arm " not in "".join(lines_of(seen["installed again"]))
