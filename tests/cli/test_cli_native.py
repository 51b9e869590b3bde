"""`guardian native`: what the platforms would publish is listed after a freeze, and taken back after the thaw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Place


def test_what_was_put_off_is_listed_and_can_be_taken_back_after_the_thaw(
    guardian: Callable[..., Any], place: Place
) -> None:
    item = place.platform.schedule(account="acme", text="Buy now\n\x1b[2J", seconds=3600)
    assert place.program("freeze", "why", "--native", "--wait", "20").returncode == 0
    ran = guardian("native", "list")
    assert ran.code == 0
    (line,) = ran.out.splitlines()
    assert f"  acme/{item}  " in line
    assert line.endswith("  deferred  Buy now \\u001b[2J")
    native = line.split()[0]
    frozen = guardian("native", "restore", native)
    assert frozen.code == 1
    assert "guardian thaw" in frozen.err
    assert place.program("thaw", "--yes", "--reason", "over").returncode == 0
    assert guardian("native", "restore", native, "--json").json["native"]["state"] == "listed"
    assert guardian("native", "list", "--json").json == place.get("/v1/natives")


def test_one_that_nobody_knows_is_an_error_and_no_traceback(guardian: Callable[..., Any], place: Place) -> None:
    assert place.get("/v1/status")
    for words in (("restore", "n-nothing"), ("restore", "../status"), ("list", "--incident", "i-nothing")):
        ran = guardian("native", *words)
        assert ran.code == 2, words
        assert ran.err.startswith("cannot "), ran.err
