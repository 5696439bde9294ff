"""Serials: random, legible, and never twice."""

import re

import pytest

from labels import gs1
from labels.serial import ALPHABET, new_serials


def test_serials_are_legible() -> None:
    """A serial is ten upper-case characters of which none looks like another, and fit for a link as it is."""
    for serial in new_serials(200):
        assert re.fullmatch(r"[2-9A-HJ-NP-Z]{10}", serial)
        assert gs1.item("09506000134352", serial=serial).canonical_path.endswith(f"/21/{serial}")


def test_serials_hold_fifty_bits() -> None:
    """Each character carries five random bits: 50 in all."""
    assert len(set(ALPHABET)) == 32
    every = bytes(range(256))
    assert new_serials(1, lambda n: every[:n]) == [ALPHABET[:10]]
    assert new_serials(1, lambda n: every[-n:]) == [ALPHABET[-10:]]


def test_no_serial_occurs_twice() -> None:
    """A serial that was drawn already, now or for the same lot before, is drawn again."""
    draws = iter([b"\0" * 10, b"\0" * 10, b"\1" * 10, b"\2" * 10])
    assert new_serials(2, lambda n: next(draws), taken={ALPHABET[1] * 10}) == [ALPHABET[0] * 10, ALPHABET[2] * 10]
    assert len(set(new_serials(10_000))) == 10_000


def test_randomness_that_is_none() -> None:
    """A source that repeats itself is an error, not a lot with serials that anyone can guess."""
    with pytest.raises(RuntimeError, match="repeats itself"):
        new_serials(2, lambda n: b"\0" * n)
