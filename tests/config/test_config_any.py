"""Whatever the file holds, the answer is settings or the list of mistakes, never a traceback."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.config import Fault, Settings, check, load
from guardian.config.places import DEEP, Places
from guardian.config.tables import Document, keys_of
from guardian.errors import ConfigMistake

if TYPE_CHECKING:
    from pathlib import Path

UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
KNOWN = {"mastodon": ("token",)}
WORDS = sorted({key for table in ((), *((name,) for name in Document.model_fields)) for key in keys_of(table)})
WORDS += ["acme", "token", "xyz"]
VALUES = [
    "mastodon",
    "acme",
    "/a",
    "/b",
    "15m",
    "UTC",
    "sqlite",
    "@a@b",
    "https://a.example",
    "127.0.0.1:1",
    "file:/x",
    "",
]

keys = st.sampled_from(WORDS) | st.text(max_size=5)
scalars = st.one_of(
    st.sampled_from(VALUES).map(json.dumps),
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).map(json.dumps),
    st.integers().map(str),
    st.sampled_from(["true", "1.5", "inf", "nan", "1979-05-27", "07:32:00", "'''a\nb'''"]),
)
inline = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{', '.join(each)}]")
        | st.dictionaries(keys.map(json.dumps), inner, max_size=3).map(
            lambda each: f"{{{', '.join(f'{key} = {value}' for key, value in each.items())}}}"
        )
    ),
    max_leaves=4,
)
dotted = st.lists(keys.map(json.dumps), min_size=1, max_size=4).map(".".join)
pairs = st.tuples(dotted, inline).map(lambda pair: f"{pair[0]} = {pair[1]}")
headers = dotted.map(lambda name: f"[{name}]") | dotted.map(lambda name: f"[[{name}]]")
documents = st.lists(st.one_of(pairs, headers, st.just("")), max_size=8).map("\n".join)


def judge(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    faults = check(path, known=KNOWN)
    assert all(isinstance(fault, Fault) and 0 <= fault.line <= content.count(b"\n") + 1 for fault in faults)
    if not faults:
        assert isinstance(load(path, known=KNOWN), Settings)
        return
    with pytest.raises(ConfigMistake) as caught:
        load(path, known=KNOWN)
    assert all(str(fault) in str(caught.value) for fault in faults)


@settings(suppress_health_check=UNHURRIED, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_never_crash_the_start(tmp_path: Path, content: bytes) -> None:
    judge(tmp_path / "guardian.toml", content)


@settings(suppress_health_check=UNHURRIED, deadline=None, max_examples=300)
@given(text=documents)
def test_arbitrary_documents_never_crash_the_start(tmp_path: Path, text: str) -> None:
    judge(tmp_path / "guardian.toml", text.encode())


def paths_of(table: dict[str, object], base: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in table.items():
        found.append((*base, key))
        found += paths_of(value, (*base, key)) if isinstance(value, dict) else []
    return found


@settings(deadline=None, max_examples=300)
@given(text=documents)
def test_every_key_that_tomllib_finds_has_a_place_of_its_own(text: str) -> None:
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    places = Places(text)
    for path in paths_of(parsed):
        assert path in places.lines or len(path) > DEEP
