"""`[evidence]`: what it takes, what it refuses, and that nobody is asked for the time who was not named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardian.config import check, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str], Path]

AUTHORITIES = ["https://tsa.example/tsr", "http://tsa.example:8080/path?policy=1", "http://[::1]:3161"]


def test_no_authority_is_asked_that_nobody_named(write: Write) -> None:
    assert load(write("")).evidence.authorities == ()


@pytest.mark.parametrize("url", AUTHORITIES)
def test_an_authority_may_be_reached_by_https_or_http(write: Write, url: str) -> None:
    assert load(write(f'[evidence]\nauthorities = ["{url}"]')).evidence.authorities == (url,)


@pytest.mark.parametrize(
    "value",
    [
        '["tsa.example"]',
        '["ftp://tsa.example"]',
        '["https://canary@tsa.example"]',
        '["https://tsa.example/#canary"]',
        '["https://tsa.example:99999"]',
        '["https://tsa.example/ canary"]',
        f'["https://tsa.example/{"x" * 500}"]',
        '["https://a.example", "https://a.example"]',
        '["1", "2", "3", "4", "5", "6", "7", "8", "9"]',
        '"https://tsa.example"',
        "[1]",
    ],
)
def test_what_is_no_list_of_authorities_is_refused_and_not_repeated(write: Write, value: str) -> None:
    faults = check(write(f"[evidence]\nauthorities = {value}"))
    assert {(fault.line, fault.key) for fault in faults} == {(2, "evidence.authorities")}
    assert "canary" not in " ".join(map(str, faults))


def test_more_authorities_than_can_be_waited_for_are_refused(write: Write) -> None:
    many = ", ".join(f'"https://tsa{number}.example"' for number in range(9))
    assert "at most 8" in str(check(write(f"[evidence]\nauthorities = [{many}]"))[0])


@pytest.mark.parametrize(
    "line",
    [
        'within = "400ms"',
        'within = "11s"',
        'capture = "skip"',
        'capture = "Require"',
        "replies = -1",
        "replies = 201",
        'render = "yes"',
        "render = 1",
        'chromium = "chromium"',
        'roots = "roots.pem"',
        'keep_own = "3y"',
        'keep_own = "0s"',
        'keep_others = "10000d"',
    ],
)
def test_what_a_takedown_could_not_keep_to_is_refused_with_its_line(write: Write, line: str) -> None:
    (fault,) = check(write(f"[evidence]\n{line}"))
    assert (fault.line, fault.key) == (2, f"evidence.{line.partition(' ')[0]}")
    assert fault.message.startswith("cannot use ")
    assert ", because " in fault.message
    assert ", do " in fault.message


def test_to_skip_the_evidence_is_decided_order_by_order_and_never_for_everything(write: Write) -> None:
    (fault,) = check(write('[evidence]\ncapture = "skip"'))
    assert '"best-effort" or "require"' in fault.message
