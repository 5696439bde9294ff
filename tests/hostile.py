"""Bytes that nobody means well: what every decoder must answer with a value or its named error, and nothing else."""

import math
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from ledger import cbor

# Each once made some decoder loop, recurse, allocate or raise what it should not.
NASTY = tuple(
    bytes.fromhex(text)
    for text in (
        "", "f6", "f7", "ff", "1c", "5bffffffffffffffff", "7bffffffffffffffff", "9bffffffffffffffff",
        "bbffffffffffffffff", "9a40000000", "5a40000000", "ba40000000", "5f", "7f", "9f", "bf", "9fff", "c000",
        "c1fb7ff0000000000000", "c24101", "c482391fff01", "d81c81d81d00", "d81d00", "d81e820100", "d82361ff",
        "d8256100", "d9010081a0", "dbffffffffffffffff00", "61ff", "63eda080", "a201000100", "a2010018010a", "a1f500",
        "a10100f5", "fb7ff0000000000000", "f97e00", "fb7ff8000000000001", "3bffffffffffffffff", "81" * 50_000,
        "a100" * 50_000, "c1" * 50_000, "d2845fff", "d28440a0f640", "d28441a0a0f65840" + "00" * 64,
        "d284" + "81" * 50_000,
    )
)  # fmt: skip
NASTY += tuple(piece * 50_000 for piece in (b"[", b'{"":')) + tuple(
    b"x = " + piece * 50_000 for piece in (b"[", b"{x=")
)
NASTY += (b"x." * 5_000,)  # tomllib takes the square of it


def briefly(value: object) -> str | None:
    """A test's id that stays short: the beginning of its bytes."""
    return f"{value[:8].hex()}-{len(value)}" if isinstance(value, bytes) else None


_ints = st.integers(-(2**64), 2**64 - 1) | st.sampled_from([0, 1, -1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), -(2**64)])
_scalars = (
    st.none() | st.booleans() | _ints | st.floats() | st.text(max_size=8) | st.binary(max_size=40) | st.just(bytes(32))
)
_keys = st.integers(-20, 500) | st.text(max_size=4) | st.binary(max_size=4)

plain: st.SearchStrategy[Any] = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_keys, inner, max_size=5), max_leaves=15
)


def bytes_near(*valid: bytes) -> st.SearchStrategy[bytes]:
    """Any bytes, any plain CBOR, the nasty ones, and what a few changes make of valid ones."""
    pieces = st.binary(max_size=3) | st.sampled_from(
        [b"\xf5", b"\xf6", b"\x20", b"\x80", b"\xa0", b"\x1b" + b"\xff" * 8]
    )
    changes = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 3), pieces), min_size=1, max_size=3)
    mutated = st.builds(_change, st.sampled_from(valid), changes)
    return st.binary(max_size=200) | plain.map(cbor.encode) | st.sampled_from(NASTY) | mutated


def _change(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for position, cut, piece in changes:
        at = position % (len(data) + 1)
        data = data[:at] + piece + data[at + cut :]
    return data


# What stands where something else should: each type, and the ends of each range.
ODD: tuple[Any, ...] = (
    None, True, False, -1, 2**63, 2**64 - 1, -(2**64), 0.0, 1.0, math.nan, math.inf, "", "x", "\x00", "x" * 300, b"",
    b"x", bytes(31), bytes(33), [], [1], [[]], {}, {1: 1}, {"x": None},
)  # fmt: skip


def spoiled(value: Any) -> Iterator[Any]:
    """Every value with something odd in one place of `value`, or with one element or key too few or too many."""
    for odd in ODD:
        if cbor.encode(odd) != cbor.encode(value):
            yield odd
    if isinstance(value, list):
        yield [*value, None]
        for place, item in enumerate(value):
            before, after = value[:place], value[place + 1 :]
            yield before + after
            yield from ([*before, other, *after] for other in spoiled(item))
    elif isinstance(value, dict):
        yield {**value, "x": 1}
        yield {**value, 99: None}
        for key, item in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            yield from ({**value, key: other} for other in spoiled(item))
