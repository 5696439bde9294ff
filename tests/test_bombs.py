"""Messages that are made to cost are given up early: counted, not timed. `make bench-bombs` times them."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.judge import Admitted, Refused
from ledger import cbor, cose, ed25519, message, senml
from ledger.cbor_reader import Reader
from ledger.errors import MalformedError
from ledger.message import MESSAGE_BYTES_MAX
from ledger.projection.content import READINGS_MAX, Rows
from ledger.section import Line, Privacy
from ledger.statement import LINES_MAX, NAME_CHARS_MAX, UINT63_MAX, Statement
from tests import cast
from tests.bench.bombs import judged
from tests.bombs import KIB, bombs, colliding, colliding_map, good
from tests.hostile import plain

BOMBS = dict(bombs(60 * KIB))


class Counter:
    """Counts the calls of a function, which still does its work."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.calls, self._called = 0, getattr(owner, name)
        monkeypatch.setattr(owner, name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self._called(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else partial(self, instance)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_one_verification_and_few_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in it: one signature at most is verified, and no section gives more rows than may be."""
    verified = Counter(monkeypatch, ed25519, "verify")
    verdict = judged(BOMBS[name])
    assert verified.calls <= 1
    assert len(BOMBS[name]) <= MESSAGE_BYTES_MAX
    if isinstance(verdict, Admitted):
        rows = Rows()
        rows.read(verdict.statement, verdict.sections, 1)
        assert sum(len(pack.readings.times) for pack in rows.packs) <= READINGS_MAX * len(verdict.sections)
        assert len(rows.findings) <= len(verdict.sections)
    else:
        assert isinstance(verdict, Refused)
        assert verdict.statement is None and not verified.calls


@pytest.mark.parametrize("size", [1, 4, 60, 180])
def test_a_good_message_is_admitted_whole(size: int) -> None:
    """What bombs are measured against is as good as it says."""
    verdict = judged(good(size * KIB))
    assert isinstance(verdict, Admitted) and None not in verdict.sections
    rows = Rows()
    rows.read(verdict.statement, verdict.sections, 1)
    assert sum(len(pack.readings.times) for pack in rows.packs) >= 100 and not rows.findings


# Keys that collide


def test_the_colliding_keys_collide() -> None:
    """By the table's own rule of probing, they take many times the steps of others: else the bomb were a dud."""
    keys = colliding(3000)
    assert len(keys) > 2_500
    assert _steps(keys) > 100 * _steps(list(range(len(keys))))


def _steps(keys: list[int]) -> int:
    """How many taken places an insertion of each meets in a table that holds them all (CPython, dictobject.c)."""
    mask, steps = (1 << (len(keys) * 3 // 2).bit_length()) - 1, 0
    taken: set[int] = set()
    for key in keys:
        slot, perturb = key & mask, key
        while slot in taken:
            perturb >>= 5
            slot, steps = slot * 5 + perturb + 1 & mask, steps + 1
        taken.add(slot)
    return steps + len(keys)


@pytest.mark.parametrize("where", ["{}", "[{}]", "[1, {}]", "{'a': {}}"])
def test_a_large_map_has_strings_for_keys(where: str) -> None:
    """Wherever it stands: nobody can foretell how their hashes fall. Small maps have any keys."""
    for count, key, is_read in ((256, int, False), (256, str, True), (255, int, True)):
        large = {key(n): "x" * 10 for n in range(count)}
        value = eval(where.replace("{}", "large"), {"large": large})  # as written above
        if is_read:
            assert cbor.decode(cbor.encode(value)) == value
        else:
            with pytest.raises(MalformedError, match="not plain CBOR"):
                cbor.decode(cbor.encode(value))


@given(plain, plain, st.integers(200, 300), st.booleans(), st.text() | st.binary(max_size=300))
def test_large_maps_are_found(before: Any, after: Any, count: int, is_map: bool, text: str | bytes) -> None:
    """A map of more than 255 pairs, wherever it stands; and nothing else that looks like one."""
    large: Any = dict.fromkeys(range(count), text) if is_map else [text] * count
    data = cbor.encode([before, text, {"large": large}, after, b"\xba\xff\xff\xff\xff" * 500])
    assert cbor._has_large_map(data) == (is_map and count > cbor.PAIRS_MAX)


@given(st.binary(max_size=3000))
def test_looking_for_large_maps_is_total(data: bytes) -> None:
    """Of any bytes."""
    assert cbor._has_large_map(data) in (True, False)


def test_colliding_keys_are_refused_wherever_they_come() -> None:
    """In no decoder do they reach the table."""
    with pytest.raises(MalformedError):
        cbor.decode(colliding_map(60 * KIB), depth_max=1)


# What is looked at first


def test_a_message_of_another_shape_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has more sections than a message may have is given up by their number: only what fits is read."""
    read = Counter(monkeypatch, Reader, "skips")  # called for each section
    for data in (b"\x80", b"\x82\x40\x98\x41" + b"\xf6" * 65, b"\x83\x40\x80\x00"):
        with pytest.raises(MalformedError):
            message.decode(data)
    assert not read.calls
    assert message.decode(b"\x82\x40\x98\x40" + b"\xf6" * 64).sections == (None,) * LINES_MAX
    assert read.calls == LINES_MAX
    with pytest.raises(MalformedError, match="one encoding"):
        message.decode(b"\x82\x58\x01x\x80")


def test_the_largest_statement_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever names and lines a statement may have, it is read; what is larger is not even looked into."""
    lines = [Line(Privacy.PRIVATE, 65_535, bytes([n]) * 32) for n in range(LINES_MAX)]
    name = "\U0010ffff" * NAME_CHARS_MAX
    largest = cast.sign(
        seq=UINT63_MAX, prev=b"x" * 32, issuer=name, subject=name, audience=name, issued_at=UINT63_MAX, manifest=lines
    ).encode()
    looked = Counter(monkeypatch, cose, "split")
    assert Statement.decode(largest).issuer == name and looked.calls == 1
    with pytest.raises(MalformedError, match="so many bytes"):
        Statement.decode(largest + bytes(8 * KIB + 1 - len(largest)))
    assert looked.calls == 1


def test_a_pack_of_too_many_records_is_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted first."""
    resolved = Counter(monkeypatch, senml, "_labels")
    for count in (senml.RECORDS_MAX + 1, 50_000):
        with pytest.raises(MalformedError, match="at most 10000 records"):
            senml.decode(cbor.encode([{senml.N: "x", senml.V: 0}] * count), now=0)
    assert not resolved.calls
    assert len(senml.decode(cbor.encode([{senml.N: "x", senml.V: 0}] * senml.RECORDS_MAX), now=0)) == 10_000
