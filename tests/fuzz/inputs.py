"""Inputs that nobody thought of: hypothesis strategies for what is nearly right, and mutations of what they made.

A strategy makes a few thousand inputs with structure; mutating those makes a million cheaply, from one seed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

TOKENS: tuple[bytes, ...] = (
    *(b"", b"\0", b"\n", b"\r\n", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b[31m", b"\\ud800"),
    *(sign.encode() for sign in ("\u2028", "\u00b2", "\u0663", "\u202e", "\U0001f9e8")),
    *(b"9" * 5000, b"-1", b"1e400", b"NaN", b"inf", b"null", b"true", b"[" * 200, b'{"a":' * 60),
    *(b'"', b"'", b"\\", b"[", b"]", b"{", b"}", b"=", b":", b",", b"..", b"/", b"../../etc/passwd"),
    *(b"all", b"account:a", b"brand:", b"platform:mastodon", b"--scope", b"--drain=", b"--json", b"--"),
    *(b"0001-01-01T00:00", b"9999-12-31T23:59:59.999999", b"2026-03-29T02:30", b"2026-10-25T02:30", b"+24:00"),
    *(b"Z", b"Europe/Stockholm", b"now", b"1d", b"999999999d", b"0s"),
    *(b"text", b"account", b"at", b"ref", b"zone", b"tags", b"campaign", b"media", b"parts"),
    *(b"state_dir", b"runtime_dir", b"scope=", b"epoch=", b"boot=", b"gate=", b"mark="),
)

anything = st.binary(max_size=80) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
token = st.sampled_from(TOKENS)
soup = st.lists(token | st.binary(max_size=6), max_size=12).map(b"".join)


def either(*near: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Mostly what is nearly right, sometimes anything at all."""
    return st.one_of(*near, soup, anything)


def _lines(*keys: str) -> st.SearchStrategy[bytes]:
    value = token | st.integers().map(lambda number: str(number).encode()) | st.binary(max_size=10)
    line = st.tuples(st.sampled_from(keys), value).map(lambda pair: pair[0].encode() + b"=" + pair[1])
    return st.lists(line, max_size=7).map(b"\n".join)


permit = _lines("guardian-permit 1", "scope", "epoch", "boot", "gate", "").map(
    lambda rest: b"guardian-permit 1\n" + rest
)
marker = _lines("mark", "by", "at", "reason", "x")
scopes = st.lists(token | st.sampled_from([b"account:north-a", b"brand:north", b"all"]), max_size=8).map(b"\n".join)

_word = st.sampled_from([one.decode("utf-8", "surrogateescape") for one in TOKENS]) | st.text(max_size=12)
_key = st.sampled_from(
    ["account", "at", "zone", "text", "warning", "language", "visibility", "tags", "campaign", "ref", "media", "parts"]
)
_value = st.recursive(
    _word | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_word, inner, max_size=3),
    max_leaves=6,
)
_right = {
    "account": "north-a",
    "at": "2099-01-01T00:00:00Z",
    "text": "words",
    "ref": "r1",
    "tags": ["a"],
    "campaign": "c",
    "zone": "UTC",
}


def _dumped(found: object) -> bytes:
    return json.dumps(found, ensure_ascii=True).encode()


record = st.dictionaries(_key | _word, _value, max_size=3).map(lambda more: _dumped({**_right, **more}))
record_without = st.sets(st.sampled_from(sorted(_right))).map(
    lambda gone: _dumped({key: value for key, value in _right.items() if key not in gone})
)
_media = st.lists(
    st.dictionaries(
        st.sampled_from(["path", "sha256", "alt"]), _word | st.just("a.png") | st.just("0" * 64), max_size=3
    ),
    max_size=3,
)
_part = st.fixed_dictionaries({"text": _word}, optional={"media": _media})
record_shown = st.fixed_dictionaries({}, optional={"media": _media, "parts": st.lists(_part, max_size=4)}).map(
    lambda more: _dumped({**{key: value for key, value in _right.items() if key != "text"}, **more})
)
_cell = st.sampled_from(
    [b"", b"x", b"north-a", b"now", b"a.png", b'"a, b"', b'"two\r\nlines"', b'"""', b"2099-01-01T00:00"]
)
_name = st.sampled_from(
    [
        "account",
        "at",
        "text",
        "zone",
        "tags",
        "campaign",
        "ref",
        "media1_path",
        "media1_alt",
        "part2_text",
        "part3_media1_sha256",
    ]
)
_header = st.lists(_name, max_size=6).map(lambda names: ",".join(["account", "at", "text", *names]).encode())
_cells = st.lists(_cell | token, max_size=8).map(b",".join)
table = st.tuples(_header, st.lists(_cells, max_size=4)).map(lambda rows: b"\r\n".join([rows[0], *rows[1]]))
_when = st.sampled_from(
    [b"25/11/2031 9:00", b"11/12/31 12:00 am", b"2031-01-02 09:00", b"0/0/0000 0:00", b"99/99/99 99:99 pm"]
)
_bulk_row = st.tuples(_when | token, _cell | token, _cell | token, _when | _cell).map(b",".join)
bulk = st.tuples(
    st.sampled_from([b"Text,Image URL,Tags,Posting Time", b"Date,Message,Link"]) | token,
    st.lists(_bulk_row, max_size=4),
).map(lambda rows: b"\n".join([rows[0], *rows[1]]))
records = st.lists(record_shown | record | record_without | soup, max_size=5).map(b"\n".join)

words = st.lists(
    st.sampled_from(
        [
            b"--scope",
            b"all",
            b"--drain",
            b"5",
            b"--wait=1s",
            b"--json",
            b"--config",
            b"/x",
            b"--takedown",
            b"why",
            b"--",
        ]
    )
    | token,
    max_size=8,
).map(b"\n".join)

_date = st.datetimes().map(lambda when: when.isoformat().encode())
_zone = st.sampled_from(
    [
        b"",
        b"UTC",
        b"Europe/Stockholm",
        b"America/New_York",
        b"Australia/Lord_Howe",
        b"Africa/Monrovia",
        b"Europe",
        b"posixrules",
    ]
)
times = st.tuples(
    _date | token | anything, st.sampled_from([b"", b"Z", b"+01:00", b"-23:59", b" "]), _zone | token
).map(lambda three: three[0] + three[1] + b"\n" + three[2])
durations = st.lists(
    st.tuples(st.integers(-1, 10**12), st.sampled_from(["d", "h", "m", "s", "ms", "", "w"])), max_size=4
).map(lambda parts: "".join(f"{amount}{unit}" for amount, unit in parts).encode())
nested = st.recursive(
    _word | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_word, inner, max_size=2),
    max_leaves=30,
).map(_dumped)
deep = st.tuples(st.integers(0, 14), st.sampled_from([(b"[", b"]"), (b'{"[{":', b"}")])).map(
    lambda pair: pair[1][0] * pair[0] + b"1" + pair[1][1] * pair[0]
)


def mutated(dice: random.Random, pool: Sequence[bytes]) -> bytes:
    """One of the pool with one to six things done to it."""
    found = bytearray(dice.choice(pool))
    for _ in range(dice.randint(1, 6)):
        start = dice.randint(0, len(found))
        end = min(len(found), start + dice.randint(0, 8))
        what = dice.randrange(6)
        if what == 0:
            del found[start:end]
        elif what == 1:
            found[start:start] = found[start:end] * dice.randint(1, 4)
        elif what == 2:
            found[start:end] = dice.choice(TOKENS)
        elif what == 3:
            found[start:end] = dice.randbytes(dice.randint(0, 3))
        elif what == 4:
            other = dice.choice(pool)
            cut = dice.randint(0, len(other))
            found[start:] = other[cut:]
        elif found:
            found[start - 1] ^= 1 << dice.randrange(8)
    return bytes(found)
