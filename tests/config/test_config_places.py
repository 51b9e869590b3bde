"""The line that a mistake is reported at is the line where it stands, however the file is written."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.config.places import Places

TEXT = '''\
# [not.a.table]
state_dir = "/a # [no]"
fence.drain = "5s"
"runtime_dir" = """
[fake]
x = 1
"""
[ queue ]   # words
zone = 'a = "b"'
gap = "0s"

[rights]
read = [
  "a", # ]
  "b",
]
freeze = ["c"]
[accounts."acme.x"]
platform = "p"
secrets = { token = "file:/x", "other one" = { deep = 1 } }
list = [{ a = 1, b = 2 }, { c = 3 }]
empty = {}
after = """a"""""
[accounts.two.secrets]
token = "x"
[accounts.two]
brand = "b"
[[many]]
x = 1
[[many]]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("state_dir",), 2),
        (("fence",), 3),
        (("fence", "drain"), 3),
        (("runtime_dir",), 4),
        (("queue",), 8),
        (("queue", "zone"), 9),
        (("queue", "gap"), 10),
        (("rights", "read"), 13),
        (("rights", "freeze"), 17),
        (("accounts", "acme.x"), 18),
        (("accounts", "acme.x", "secrets"), 20),
        (("accounts", "acme.x", "secrets", "token"), 20),
        (("accounts", "acme.x", "secrets", "other one", "deep"), 20),
        (("accounts", "acme.x", "list", "b"), 21),
        (("accounts", "acme.x", "list", "c"), 21),
        (("accounts", "acme.x", "after"), 23),
        (("accounts", "two", "secrets", "token"), 25),
        (("accounts", "two"), 26),
        (("accounts", "two", "brand"), 27),
        (("accounts", "two", "missing"), 26),
        (("many",), 30),
        (("fake", "x"), 0),
        (("not",), 0),
    ],
)
def test_every_key_is_found_where_it_stands(path: tuple[str, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert Places(TEXT).line(path) == line


def test_line_ends_of_other_systems_count_once() -> None:
    assert Places('a = 1\r\n"b" = 2\r\n').line(("b",)) == 2


@given(st.text(alphabet="ab=[]{}.,\"'#\\ \n", max_size=60))
def test_no_text_breaks_the_scan(text: str) -> None:
    assert Places(text).line(("a", "b")) <= text.count("\n") + 1


def test_a_key_without_end_takes_no_time() -> None:
    assert Places(".".join(["a"] * 200_000) + " = 1").line(("a",)) == 1
