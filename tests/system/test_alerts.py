"""The alert rules and docs/alerts.md name what a real daemon shows: a rule about nothing never wakes anybody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.daemon.scraping import told
from tests.torture.house import TorturedHouse

pytestmark = pytest.mark.outsider
ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs" / "alerts.md").read_text("utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "config" / "guardian-alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
NAME = re.compile(r"\bguardian_[a-z_]+")
SELECTED = re.compile(r"\b(guardian_[a-z_]+)\{([^}]*)\}")
MATCHED = re.compile(r'([a-z_]+)(=~?|!=)"([^"]*)"')
OF_A_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def shown() -> str:
    """A scrape of a daemon that works, frozen so that it shows since when."""
    with TorturedHouse() as house:
        house.start()
        house.freeze()
        return told(house).partition(b"\r\n\r\n")[2].decode()


def samples(shown: str) -> set[str]:
    return {line.partition("{")[0].partition(" ")[0] for line in shown.splitlines() if not line.startswith("#")}


def families(shown: str) -> set[str]:
    return {line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE")}


def test_every_rule_asks_for_what_a_daemon_shows(shown: str) -> None:
    assert len(RULES) > 15
    for rule in RULES:
        named = set(NAME.findall(rule["expr"]))
        assert named <= samples(shown), rule["alert"]
        assert named or rule["alert"] == "GuardianDown"


def test_every_label_that_a_rule_asks_for_has_a_value_that_a_daemon_shows(shown: str) -> None:
    for rule in RULES:
        for name, labels in SELECTED.findall(rule["expr"]):
            for label, sign, wanted in MATCHED.findall(labels):
                values = set(re.findall(rf'^{name}\{{.*?\b{label}="([^"]*)"', shown, re.MULTILINE))
                words = set(wanted.split("|")) if sign == "=~" else {wanted}
                assert words <= values, (rule["alert"], label, wanted)


def test_the_page_names_every_metric_and_no_other(shown: str) -> None:
    named = {OF_A_HISTOGRAM.sub("", name) if name not in families(shown) else name for name in NAME.findall(DOCS)}
    assert named == families(shown)


def test_every_value_of_a_label_that_the_page_names_is_one(shown: str) -> None:
    for name, labels in SELECTED.findall(DOCS):
        for label, _, value in MATCHED.findall(labels):
            assert re.search(rf'^{name}\{{.*\b{label}="{value}"', shown, re.MULTILINE), (name, label, value)


def test_every_alert_has_its_place_on_the_page_and_leads_to_it() -> None:
    headings = re.findall(r"^### (\w+)$", DOCS, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket", "info")
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"].endswith((".", "?"))
        section = DOCS.partition(f"### {rule['alert']}\n")[2].partition("\n###")[0]
        assert "**Do:**" in section
