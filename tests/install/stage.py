"""What is done on a private host, from the first dry run to the last undo; all that was seen goes to stdout as JSON.

Run as root: unshare --mount --propagation private python -m tests.install.stage. It judges nothing: the tests do.
"""

from __future__ import annotations

import grp
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.install import household
from tests.install.household import CONTROL, FENCE, Household, as_number, as_them, asked
from tests.install.private_host import LONGEST, PrivateHost, install_the_program

PROGRAM = Path("/opt/guardian/bin/guardian")
INSTALL = (str(PROGRAM), "init", "--system", "--bin", str(PROGRAM.parent))  # the interpreter may lie in /root here
CONFIG = Path("/etc/guardian/guardian.toml")
GROUPS = ("guardian", "guardian-operate", "guardian-takedown")
PEOPLE = {
    "in `guardian`": ("gus", ["guardian"]),
    "in `guardian` and `guardian-operate`": ("olga", ["guardian", "guardian-operate"]),
    "in `guardian` and `guardian-takedown`": ("tilda", ["guardian", "guardian-takedown"]),
    "in `guardian-operate` alone": ("otto", ["guardian-operate"]),
    "in `guardian-takedown` alone": ("tom", ["guardian-takedown"]),
    "in none of these": ("nina", []),
    "in `guardian` and `guardian-freeze`": ("fred", ["guardian", "guardian-freeze"]),
}
FENCE_CALLS = (("GET", "/v1/fence", ""), ("POST", "/v1/freeze", "{}"))


def typed(*words: str) -> dict[str, Any]:
    """A command, typed by root."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST, check=False, cwd="/")
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def installation(host: PrivateHost, seen: dict[str, Any]) -> None:
    """A dry run, twice for real, and once more after a person changed a unit."""
    tried = {"start": ["--start"], "dry": ["--dry-run"], "first": [], "second": ["--json"], "dry again": ["--dry-run"]}
    for name, more in tried.items():
        seen[name] = typed(*INSTALL, *more)
        seen[f"after {name}"] = host.snapshot()
    timer = household.UNITS / "guardian-doctor.timer"
    text = timer.read_text("utf-8")
    timer.write_text(text.replace("05:00:00", "04:00:00"), "utf-8")
    seen["changed"] = typed(*INSTALL)
    beside = timer.with_name(f"{timer.name}.new").read_text("utf-8")
    seen["timers"] = {"before": text, "after": timer.read_text("utf-8"), "beside": beside}


def make_people() -> dict[str, list[str]]:
    """Logins as an administrator makes them; how to become each, by the words of the table in docs/security.md."""
    subprocess.run(["groupadd", "guardian-freeze"], check=True, timeout=LONGEST)
    for name, groups in PEOPLE.values():
        inside = ["--groups", ",".join(groups)] if groups else []
        words = ["useradd", "--no-create-home", "--user-group", *inside, name]
        subprocess.run(words, check=True, capture_output=True, timeout=LONGEST)
    become = {who: as_them(name) for who, (name, _) in PEOPLE.items()}
    become["uid 65534, in all of these"] = as_number(65534, [grp.getgrnam(name).gr_gid for name in GROUPS])
    return become | {"the user `guardian`": as_them("guardian"), "root": []}


def rights(people: dict[str, list[str]], home: Household, seen: dict[str, Any]) -> None:
    """Everybody asks for everything: under the usual rights, then with a group of its own for the freeze."""
    api = household.as_root("GET", "/openapi.json")[1]["paths"]
    routes = [(method.upper(), path, one) for path, kinds in api.items() for method, one in kinds.items()]
    seen["api"] = [[f"{method} {path}", one["description"]] for method, path, one in routes]
    targets = [(method, path.translate({123: "", 125: ""})) for method, path, _ in routes]  # an id that nothing has
    calls = [(method, target, "" if method == "GET" else "{}") for method, target in targets]
    calls.append(("GET", "/openapi.json", ""))
    seen["usual rights"] = {who: answers(them, calls) for who, them in people.items()}
    text = CONFIG.read_text("utf-8")
    CONFIG.write_text(text.replace('freeze = ["guardian"]', 'freeze = ["guardian-freeze"]'), "utf-8")
    home.reload()
    few = ("in `guardian`", "in `guardian` and `guardian-freeze`")
    seen["few may freeze"] = {who: answers(people[who], calls) for who in few}
    CONFIG.write_text(text, "utf-8")


def answers(become: list[str], calls: list[tuple[str, str, str]]) -> dict[str, list[Any]]:
    """Every call's status and, of an error, its code."""
    return {
        "control": [[status, code(body)] for status, body in asked(become, CONTROL, calls)],
        "fence": [[status, code(body)] for status, body in asked(become, FENCE, FENCE_CALLS)],
    }


def code(body: str) -> str:
    """The code of an error; empty for any other answer."""
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def undoing(host: PrivateHost, seen: dict[str, Any]) -> None:
    """A dry run, twice for real; then it is installed once more."""
    words = (str(PROGRAM), "init", "--system", "--undo")
    seen["before undo"] = host.snapshot()
    for name, more in (("undo dry", ["--dry-run"]), ("undo", []), ("undo again", ["--json"])):
        seen[name] = typed(*words, *more)
        seen[f"after {name}"] = host.snapshot()
    seen["installed again"] = typed(*INSTALL)
    seen["status"] = typed(str(PROGRAM), "status")


def main() -> int:
    """Everything, in order."""
    host = PrivateHost()
    install_the_program(host.memory)
    seen: dict[str, Any] = {"at first": host.snapshot()}
    installation(host, seen)
    people = make_people()
    with Household(host.memory / "household.log") as home:
        rights(people, home, seen)
        seen["undo while it runs"] = typed(str(PROGRAM), "init", "--system", "--undo")
        seen["pid"] = home.pid
        seen["after undo while it runs"] = {path: Path(path).exists() for path in (str(household.UNITS), CONTROL)}
    undoing(host, seen)
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
