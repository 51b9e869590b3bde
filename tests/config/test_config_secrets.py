"""Secrets: fetched from where the configuration points, and shown to nobody, whatever goes wrong."""

from __future__ import annotations

import os
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest

from guardian import masking
from guardian.config import check, load
from guardian.errors import ConfigMistake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], Path]

CANARY = "cAnArY-5f2e"


def with_secret(account: str, value: str) -> str:
    return f"{account}[accounts.acme.secrets]\ntoken = {value}\n"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "acme.token"
    path.write_text(f"  {CANARY}\n")
    path.chmod(0o600)
    return path


def test_a_secret_is_read_from_its_file(write: Write, account: str, stored: Path) -> None:
    (found,) = load(write(with_secret(account, f'"file:{stored}"'))).accounts
    assert found.secrets["token"].reveal() == CANARY
    assert masking.without(f"it is {CANARY}") == f"it is {masking.HIDDEN}", (
        "whoever logs knows it from the first moment"
    )


def test_a_secret_is_read_through_a_link(write: Write, account: str, stored: Path) -> None:
    link = stored.with_name("link")
    link.symlink_to(stored)
    (found,) = load(write(with_secret(account, f'"file:{link}"'))).accounts
    assert found.secrets["token"].reveal() == CANARY


def test_a_secret_is_read_from_systemd(
    write: Write, account: str, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(stored.parent))
    (found,) = load(write(with_secret(account, '"credential:acme.token"'))).accounts
    assert found.secrets["token"].reveal() == CANARY


def test_a_credential_outside_systemd_is_a_mistake_and_not_a_guess(
    write: Write, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path = write(with_secret(account, f'"credential:{CANARY}"'))
    (fault,) = check(path)
    assert fault.line == 7
    assert "LoadCredential=" in fault.message
    assert CANARY not in fault.message
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/nowhere")
    (fault,) = check(path)
    assert CANARY not in fault.message


def test_programs_that_need_no_secrets_do_not_touch_them(write: Write, account: str) -> None:
    (found,) = load(write(with_secret(account, '"file:/nowhere/at/all"')), with_secrets=False).accounts
    assert found.secrets == {}


def test_a_house_with_secrets_shows_none_of_them(write: Write, account: str, stored: Path) -> None:
    settings = load(write(with_secret(account, f'"file:{stored}"')))
    assert CANARY not in f"{settings!r}{settings}{settings.accounts[0].secrets}"
    with pytest.raises(TypeError):
        pickle.dumps(settings)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o644, 0o666])
def test_a_secret_that_everybody_can_reach_is_refused(write: Write, account: str, stored: Path, mode: int) -> None:
    stored.chmod(mode)
    (fault,) = check(write(with_secret(account, f'"file:{stored}"')))
    assert (fault.line, fault.key) == (7, "accounts.acme.secrets.token")
    assert f"chmod o= {stored}" in fault.message


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
def test_a_secret_for_the_service_and_its_group_is_fine(write: Write, account: str, stored: Path, mode: int) -> None:
    stored.chmod(mode)
    assert check(write(with_secret(account, f'"file:{stored}"'))) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (f"{CANARY}\nsecond\n".encode(), "more than one line"),
        (f"{CANARY}\0".encode(), "cannot be printed"),
        (CANARY.encode() + b"\xff", "holds no text"),
        (CANARY.encode() * 7_000, "more than 64 KiB"),
    ],
)
def test_a_spoilt_secret_is_refused_without_being_shown(
    write: Write, account: str, stored: Path, content: bytes, words: str
) -> None:
    stored.write_bytes(content)
    path = write(with_secret(account, f'"file:{stored}"'))
    (fault,) = check(path)
    assert words in fault.message
    with pytest.raises(ConfigMistake) as caught:
        load(path)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_what_is_no_file_cannot_hang_the_start(write: Write, account: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("pipe", "none", "."):
        (fault,) = check(write(with_secret(account, f'"file:{tmp_path}/{name}"')))
        assert "cannot be read" in fault.message


LITERALS = [
    f'"{CANARY}"',
    f'"file:{CANARY}"',
    f'"file:relative/{CANARY}"',
    f'"credential:../{CANARY}"',
    f'"credential:{CANARY} x"',
    f'"env:{CANARY}"',
    f'"FILE:/{CANARY}"',
    f'["{CANARY}"]',
    f'{{ value = "{CANARY}" }}',
    f'"""\n{CANARY}"""',
    "5252525252",
    '""',
]


@pytest.mark.parametrize("with_secrets", [True, False])
@pytest.mark.parametrize("value", LITERALS)
def test_a_secret_written_into_the_configuration_is_refused_and_not_repeated(
    write: Write, account: str, value: str, with_secrets: bool
) -> None:
    path = write(with_secret(account, value))
    (fault,) = check(path, with_secrets=with_secrets)
    assert (fault.line, fault.key) == (7, "accounts.acme.secrets.token")
    with pytest.raises(ConfigMistake) as caught:
        load(path, with_secrets=with_secrets)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(fault)
    assert CANARY not in shown
    assert "5252525252" not in shown


PLACES = [
    "state_dir",
    "runtime_dir",
    "store.url",
    "queue.zone",
    "queue.gap",
    "metrics.listen",
    "reconcile.looks",
    "rights.read",
    "accounts.acme.platform",
    "accounts.acme.brand",
    "accounts.acme.base_url",
    "accounts.acme.identity",
    "accounts.acme.token",
    "accounts.acme.secrets",
    "token",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", ['"{}"', '["{}"]', '" @{}"', '"https://u:{}@h"', "{} x", '"{}', '{{ a = "{}" }}'])
def test_a_secret_pasted_into_the_wrong_place_is_not_repeated(write: Write, place: str, form: str) -> None:
    path = write(f"{place} = {form.format(CANARY)}\n")
    outcome = "".join(str(fault) for fault in check(path, known={"mastodon": ("token",)}))
    assert CANARY not in outcome
