"""The file that a newcomer meets first: complete, loadable, and the same in the package and in the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.config import load, template
from guardian.config.tables import Document, keys_of
from guardian.errors import ConfigMistake
from guardian.fence.house import find_house
from guardian.installed import Installed, SecretsOf
from guardian.rules import secret_names

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[str], Path]

EXAMPLE = Path(__file__).parents[2] / "config" / "guardian.toml"


def test_the_example_in_the_repository_is_what_init_writes() -> None:
    assert EXAMPLE.read_text("utf-8") == template("/var/lib/guardian", "/run/guardian")


def test_the_example_loads_and_holds_the_defaults(write: Write) -> None:
    example, empty = load(EXAMPLE), load(write(""))
    for name in Document.model_fields:
        assert getattr(example, name) == getattr(empty, name), name


def test_the_example_shows_every_section_and_every_key() -> None:
    text = EXAMPLE.read_text("utf-8")
    for table in ((), *((key,) for key in Document.model_fields)):
        for key in keys_of(table):
            assert re.search(rf"^(# )?(\[{key}\]|{key} *=|\[accounts\.)", text, re.MULTILINE), (table, key)


def uncommented(text: str) -> tuple[str, list[str]]:
    """The file with every line of an example account taken out of its comment; the pages that it points to."""
    lines, inside = [], False
    for line in text.splitlines():
        inside = line.startswith("# [accounts.") or (inside and line.startswith("#"))
        lines.append(line.removeprefix("#").strip() if inside else line)
    named = re.findall(r"docs/accounts/([a-z]+)\.md", text) + re.findall(r"(?<![/\w])([a-z]+)\.md", text)
    return "\n".join(lines) + "\n", named


def test_the_example_accounts_load_once_their_comments_are_taken_away(write: Write) -> None:
    text, _ = uncommented(EXAMPLE.read_text("utf-8"))
    known = SecretsOf(Installed())
    accounts = load(write(text), with_secrets=False, known=known).accounts
    assert {account.name: account.platform for account in accounts} == {f"acme-{name}": name for name in known}


def test_each_platform_that_is_installed_has_an_example_and_a_page_that_says_how_to_get_its_secrets() -> None:
    text, pages = uncommented(EXAMPLE.read_text("utf-8"))
    for platform, maker in Installed().items():
        section = text.partition(f"[accounts.acme-{platform}.secrets]")[2].partition("[")[0]
        usual, *others = secret_names.sets_of(maker.secrets)
        for secret in usual:
            assert re.search(rf"^({secret}) += \"file:", section, re.MULTILINE), (platform, secret)
        assert platform in pages
        page = (EXAMPLE.parents[1] / "docs" / "accounts" / f"{platform}.md").read_text("utf-8")
        assert f"[accounts.acme-{platform}.secrets]" in page
        for secret in (name for one in others for word in one for name in secret_names.slot(word)):
            assert re.search(rf"^{secret} += \"file:", page, re.MULTILINE), (platform, secret)


def test_the_example_keeps_its_lines_short() -> None:
    assert max(map(len, EXAMPLE.read_text("utf-8").splitlines())) <= 120


@pytest.mark.parametrize("directory", ["/srv/acme", '/srv/"a"', "/srv/a\\b", "/srv/$x", "/srv/å ä", "/srv/a#b='c'"])
def test_init_writes_directories_that_both_readers_understand(write: Write, directory: str) -> None:
    path = write(template(directory, f"{directory}/run"))
    assert load(path).state_dir == Path(directory)
    assert load(path).house == find_house(str(path), None, None)


def test_the_example_account_names_the_secrets_of_the_house_that_it_is_written_for() -> None:
    text = template("/srv/acme/state", "/srv/acme/run", secrets="/srv/acme/secrets")
    assert 'token = "file:/srv/acme/secrets/acme-mastodon.token"' in text
    assert "/etc/guardian/secrets" not in text


@pytest.mark.parametrize("directory", ["", "relative", "/a\nb", "/a\0b", "/\udcff"])
def test_init_refuses_directories_that_no_file_could_name(directory: str) -> None:
    with pytest.raises(ConfigMistake):
        template(directory, "/run/guardian")
    with pytest.raises(ConfigMistake):
        template("/var/lib/guardian", directory)
