"""Whole files: good ones become settings, in bad ones every mistake is named with its line and the way out."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from guardian.config import Settings, check, load
from guardian.errors import ConfigMistake
from guardian.fence.house import find_house
from guardian.model import Account

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str], Path]

WHOLE = """\
state_dir   = "/srv/guardian/"
runtime_dir = "/run/house"
[store]
url = "sqlite"
[queue]
zone = "Europe/Stockholm"
late_after = "1h"
gap = "1m"
release_gap = "10s"
[fence]
drain = "2s"
[gate]
answer_within = "20s"
[reconcile]
looks = 5
over = "3m"
[metrics]
listen = "127.0.0.1:9464"
[rights]
read = ["all-staff", "guardian"]
freeze = []
[accounts.acme]
platform = "mastodon"
brand = "acme"
base_url = "https://Mastodon.example/"
identity = "@acme@mastodon.example"
[accounts.beta]
platform = "bluesky"
brand = "acme"
base_url = "https://bsky.example"
identity = "acme.example"
"""


def test_everything_written_arrives(write: Write) -> None:
    settings = load(write(WHOLE))
    assert (settings.state_dir, settings.runtime_dir) == (Path("/srv/guardian"), Path("/run/house"))
    assert settings.queue.model_dump() == {
        "zone": "Europe/Stockholm",
        "late_after": 3_600_000,
        "gap": 60_000,
        "release_gap": 10_000,
    }
    assert (settings.fence.drain, settings.gate.answer_within) == (2_000, 20_000)
    assert (settings.reconcile.looks, settings.reconcile.over) == (5, 180_000)
    assert (settings.store.url, settings.metrics.listen) == ("sqlite", "127.0.0.1:9464")
    assert (settings.rights.read, settings.rights.freeze) == (("all-staff", "guardian"), ())
    assert settings.accounts[0] == Account(
        name="acme",
        platform="mastodon",
        brand="acme",
        base_url="https://mastodon.example",
        identity="@acme@mastodon.example",
    )
    assert settings.scopes == (
        "account:acme",
        "account:beta",
        "all",
        "brand:acme",
        "platform:bluesky",
        "platform:mastodon",
    )


def test_an_empty_file_is_a_new_house_with_the_documented_defaults(write: Write) -> None:
    settings = load(write(""))
    assert (settings.state_dir, settings.runtime_dir) == (Path("/var/lib/guardian"), Path("/run/guardian"))
    assert (settings.queue.zone, settings.queue.late_after) == ("UTC", 900_000)
    assert (settings.queue.gap, settings.queue.release_gap) == (0, 30_000)
    assert (settings.fence.drain, settings.gate.answer_within) == (5_000, 10_000)
    assert (settings.reconcile.looks, settings.reconcile.over) == (3, 120_000)
    assert settings.rights.model_dump() == {
        "read": ("guardian",),
        "freeze": ("guardian",),
        "operate": ("guardian-operate",),
        "takedown": ("guardian-takedown",),
    }
    assert (settings.metrics.listen, settings.accounts, settings.scopes) == (None, (), ("all",))


def test_nobody_changes_the_settings_of_a_running_house(write: Write) -> None:
    settings = load(write(""))
    with pytest.raises(FrozenInstanceError):
        settings.state_dir = Path("/elsewhere")  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.queue.gap = 5  # type: ignore[misc]


def test_the_daemon_and_the_stop_stand_in_the_same_house(write: Write) -> None:
    path = write(WHOLE)
    assert load(path).house == find_house(str(path), None, None)


def test_a_relative_path_to_the_configuration_stays_valid_elsewhere(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("")
    monkeypatch.chdir(path.parent)
    assert load(Path("guardian.toml")).path == path


BAD = [
    # the text, the line, the key, and what the message must contain
    ('state_dir = "var"', 1, "state_dir", "no absolute path"),
    ('state_dir = "/a\\u0000"', 1, "state_dir", "printable"),
    ("state_dir = 5", 1, "state_dir", "no text"),
    ('state_dir = "/x"\nruntime_dir = "/x/"', 2, "runtime_dir", "same directory"),
    ('state_dir = "/run/guardian"', 0, "runtime_dir", "same directory"),
    (f'runtime_dir = "/{"x" * 100}"', 1, "runtime_dir", "shorter path"),
    ('state_dri = "/x"', 1, "state_dri", "do write state_dir"),
    ('\n[queue]\nzome = "UTC"', 3, "queue.zome", "do write zone"),
    ('[queue]\ndrain = "5s"', 2, "queue.drain", "move it to [fence]"),
    ('[store]\nruntime_dir = "/x"', 2, "store.runtime_dir", "above the first table"),
    ("[queue]\nxyzzy = 1", 2, "queue.xyzzy", "late_after"),
    ("[qeue]", 1, "qeue", "do write queue"),
    ('[store]\nurl = "postgresql://me:canary@db/x"', 2, "store.url", "SQLite is the only store"),
    ('[queue]\nzone = "Europe/Stokholm"', 2, "queue.zone", '"Europe/Stockholm"'),
    ('[queue]\nlate_after = "15 minutes"', 2, "queue.late_after", "whole numbers with units"),
    ("[queue]\nlate_after = 15", 2, "queue.late_after", "in quotes"),
    ('[queue]\nlate_after = "0s"', 2, "queue.late_after", 'from "1s"'),
    ('[queue]\ngap = "8d"', 2, "queue.gap", 'to "7d"'),
    ('fence.drain = "2m"', 1, "fence.drain", 'to "1m"'),
    ('gate = { answer_within = "61s" }', 1, "gate.answer_within", 'from "1s" to "60s"'),
    ('[gate]\nanswer_within = "999ms"', 2, "gate.answer_within", 'from "1s" to "60s"'),
    ("[reconcile]\nlooks = 0", 2, "reconcile.looks", "at least 1"),
    ("[reconcile]\nlooks = 21", 2, "reconcile.looks", "at most 20"),
    ("[reconcile]\nlooks = true", 2, "reconcile.looks", "whole number"),
    ("[reconcile]\nlooks = 2.0", 2, "reconcile.looks", "whole number"),
    ('[metrics]\nlisten = "9464"', 2, "metrics.listen", "host with a port"),
    ('[rights]\nread = "guardian"', 2, "rights.read", "no list"),
    ('[rights]\nread = [\n"a",\n"b c",\n]', 2, "rights.read", "group"),
    ("[rights]\nread = [1]", 2, "rights.read", "no text"),
    ("queue = 5", 1, "queue", "no table"),
    ("accounts = []", 1, "accounts", "no table"),
    ("[accounts]\nacme = 5", 2, "accounts.acme", "no table"),
    ('[accounts."a..b"]', 1, "accounts.'a..b'", "names a file of the fence"),
    ('[accounts."\\u202eevil"]', 1, "accounts.'\\u202eevil'", "names a file of the fence"),
    ("[accounts.acme]", 1, "accounts.acme.platform", "it is missing"),
    ("[[queue]]", 1, "queue", "no table"),
]


@pytest.mark.parametrize(("text", "line", "key", "words"), BAD)
def test_a_mistake_is_named_with_its_line_and_the_way_out(
    write: Write, text: str, line: int, key: str, words: str
) -> None:
    path = write(text)
    found = [fault for fault in check(path) if fault.key == key]
    assert found, check(path)
    assert found[0].line == line
    assert words in found[0].message
    assert found[0].message.startswith(f"cannot use {key}, because ")
    assert ", do " in found[0].message
    with pytest.raises(ConfigMistake) as caught:
        load(path)
    assert str(found[0]) in str(caught.value)
    assert "canary" not in str(caught.value)


ACCOUNT_LINES = [
    ('platform = "Mastodon"', 2, "platform"),
    ('brand = "a/b"', 3, "brand"),
    ('base_url = "http://mastodon.example"', 4, "base_url"),
    ('base_url = "https://me:canary@mastodon.example"', 4, "base_url"),
    ('identity = "acme"', 5, "identity"),
    ('identity = ""', 5, "identity"),
]


@pytest.mark.parametrize(("replacement", "line", "key"), ACCOUNT_LINES)
def test_a_wrong_line_of_an_account_is_found(write: Write, account: str, replacement: str, line: int, key: str) -> None:
    lines = account.splitlines()
    lines[line - 1] = replacement
    (fault,) = check(write("\n".join(lines)))
    assert (fault.line, fault.key) == (line, f"accounts.acme.{key}")
    assert "canary" not in fault.message


def test_all_mistakes_come_at_once_in_the_order_of_their_lines(write: Write, account: str) -> None:
    text = (
        f'state_dir = "relative"\n{account}colour = "red"\n[queue]\ngap = 5\n[accounts.acme.secrets]\nt = "file:/none"'
    )
    path = write(text)
    assert [(fault.line, fault.key) for fault in check(path)] == [
        (1, "state_dir"),
        (7, "accounts.acme.colour"),
        (9, "queue.gap"),
        (11, "accounts.acme.secrets.t"),
    ]
    with pytest.raises(ConfigMistake, match="4 mistakes") as caught:
        load(path)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "  line 1",
        "  line 7",
        "  line 9",
        "  line 11",
    ]
    assert caught.value.code == "bad_config"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('a = "x"\n[queue]\nzone = UTC\n', 3, 8),
        ("[queue\n", 1, 7),
        ('x = "abc', 1, 9),
        ('x = 1\ny = """abc\n\n', 2, 11),
        ("x = 1\nx = 2", 2, 6),
        ("x = 1\nx = 2\n", 2, 6),
        ("x = [1,\n2", 2, 2),
        ("[a]\n[a]\n", 2, 3),
    ],
)
def test_what_is_no_toml_is_named_with_line_and_column(write: Write, text: str, line: int, column: int) -> None:
    (fault,) = check(write(text))
    assert (fault.line, fault.key) == (line, "")
    assert f"from column {column}, because" in fault.message


@pytest.mark.parametrize("text", ["x = " + "[" * 50_000, "x = " + "9" * 5_000])
def test_toml_beyond_measure_is_a_mistake_and_no_crash(write: Write, text: str) -> None:
    assert len(check(write(text))) == 1


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large"
    large.write_bytes(b"#" * (1 << 20) + b"\n")
    latin = tmp_path / "latin"
    latin.write_bytes(b"# one\n# \xe5\n")
    cases = [(tmp_path / "none", 0), (tmp_path, 0), (pipe, 0), (Path("/a\0b"), 0), (large, 0), (latin, 2)]
    for path, line in cases:
        (fault,) = check(path)
        assert fault.line == line
        assert fault.message.startswith("cannot read ")


def test_a_file_of_one_mebibyte_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "guardian.toml"
    path.write_bytes(b"#" * ((1 << 20) - 1) + b"\n")
    assert isinstance(load(path), Settings)


@pytest.mark.parametrize(
    "text",
    [
        'state_dir = "/srv/\\u0061cme"',
        'state_dir = """/srv/acme"""',
        'state_dir = """\n/srv/acme"""',
        '"state_\\u0064ir" = "/srv/acme"',
        'state_dir = "/srv/acme" # \u2028state_dir = "/srv/other"',
    ],
)
def test_a_directory_that_the_stop_would_read_otherwise_is_refused(write: Write, text: str) -> None:
    (fault,) = check(write(text))
    assert (fault.line, fault.key) == (1, "state_dir")


KNOWN = {"mastodon": ("token",), "x": ("consumer_key", "consumer_secret")}


def test_a_platform_that_nobody_serves_is_answered_with_the_nearest(write: Write, account: str) -> None:
    (fault,) = check(write(account.replace('"mastodon"', '"mastodn"')), known=KNOWN)
    assert (fault.line, fault.key) == (2, "accounts.acme.platform")
    assert 'do write "mastodon"' in fault.message
    (fault,) = check(write(account.replace('"mastodon"', '"qqq"')), known=KNOWN)
    assert "choose one of: mastodon, x" in fault.message
    (fault,) = check(write(account), known={})
    assert "do install one" in fault.message


def test_an_account_cannot_start_without_the_secrets_of_its_adapter(write: Write, account: str) -> None:
    (fault,) = check(write(account), known=KNOWN)
    assert (fault.line, fault.key) == (1, "accounts.acme.secrets.token")
    assert "it is missing" in fault.message


def test_of_two_secrets_that_are_for_the_same_one_is_wanted_and_not_both(write: Write, account: str) -> None:
    known = {"mastodon": ("client", "refresh_token|password")}
    table = f'{account}[accounts.acme.secrets]\nclient = "file:/c"\n'
    (fault,) = check(write(table), known=known, with_secrets=False)
    assert fault.key == "accounts.acme.secrets.refresh_token"
    assert "it is missing" in fault.message
    for one in ("refresh_token", "password"):
        assert check(write(f'{table}{one} = "file:/s"\n'), known=known, with_secrets=False) == []
    both = f'{table}password = "file:/p"\nrefresh_token = "file:/r"\n'
    (fault,) = check(write(both), known=known, with_secrets=False)
    assert fault.key == "accounts.acme.secrets.refresh_token"
    assert "keep one of: refresh_token, password" in fault.message


def test_an_account_of_reddit_is_named_as_reddit_names_it(write: Write, account: str) -> None:
    text = account.replace('"mastodon"', '"reddit"').replace("@acme@mastodon.example", "{}")
    for wrong in ("acme", "@acme", "u/a", "r/acme", "u/acme brand"):
        (fault,) = check(write(text.format(wrong)), with_secrets=False)
        assert fault.key == "accounts.acme.identity"
        assert 'like "u/acme_official"' in fault.message
    assert check(write(text.format("u/acme_brand")), with_secrets=False) == []


def test_a_secret_that_no_adapter_asks_for_is_a_mistake(write: Write, account: str) -> None:
    text = f'{account}[accounts.acme.secrets]\ntoken = "file:/t"\ntokn = "file:/t"\n'
    (fault,) = check(write(text), known=KNOWN, with_secrets=False)
    assert (fault.line, fault.key) == (8, "accounts.acme.secrets.tokn")
    assert 'do write "token"' in fault.message
    assert check(write(text), with_secrets=False) == []
