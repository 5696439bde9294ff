"""Registration files: what becomes a registry entry, and what its giver is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor, registration
from ledger.errors import UserError
from ledger.registration import FILE_BYTES_MAX
from tests.cast import DEVICE_ENTRY, ORGANISATION_ENTRY, founded, say

ORGANISATION = {"tallystick-registration": 1, **ORGANISATION_ENTRY}
DEVICE: dict[str, Any] = {"tallystick-registration": 1, **DEVICE_ENTRY, "key": bytes(DEVICE_ENTRY["key"]).hex()}  # type: ignore[arg-type]


def test_a_registration_becomes_an_entry_that_the_registry_takes() -> None:
    """One object or a list of them, in order."""
    assert registration.read(json.dumps(ORGANISATION)) == [ORGANISATION_ENTRY]
    entries = registration.read(json.dumps([ORGANISATION, DEVICE]))
    assert entries == [ORGANISATION_ENTRY, DEVICE_ENTRY]
    state = founded()
    for entry in entries:
        say(state, entry)
    assert state.key_named("line-1") is not None


def test_nothing_else_gets_into_the_entry() -> None:
    """A file cannot say what its giver may not: it has no say in role, status or index."""
    extra = {"role": "operator", "status": "good", "type": "device", "index": 0}
    assert registration.read(json.dumps({**DEVICE, **extra})) == [DEVICE_ENTRY]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tallystick-registration": 2}, "tallystick-registration"),
        ({"tallystick-registration": True}, "tallystick-registration"),
        ({"tallystick-registration": 1.0}, "tallystick-registration"),
        ({"type": "revocation"}, "neither"),
        ({"type": None}, "neither"),
        ({"name": None}, "neither"),
        ({"name": ""}, "neither"),
        ({"name": "a\x00"}, "neither"),
        ({"urn": "\ud800"}, "neither"),
        ({"urn": "x" * 257}, "neither"),
        ({"organisation": 1}, "neither"),
        ({"chains": "production"}, "neither"),
        ({"chains": [1]}, "neither"),
        ({"chains": ["\ud800"]}, "neither"),
        ({"key": None}, "neither"),
        ({"key": ""}, "public key"),
        ({"key": "zz" * 32}, "public key"),
        ({"key": "00" * 31}, "public key"),
        ({"key": "00" * 32}, "public key"),
        ({"urn": "press 1"}, "neither"),
        ({"organisation": "example"}, "neither"),
        ({"key": "0 " * 64}, "public key"),
        ({"key": "\u0660" * 64}, "public key"),
    ],
)
def test_what_is_no_registration_is_refused(changes: dict[str, Any], complaint: str) -> None:
    """The user is told what a registration has."""
    with pytest.raises(UserError, match=complaint) as caught:
        registration.read(json.dumps({**DEVICE, **changes}))
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "{", "1", "null", '"x"', "[]", "[1]", "[[]]", "[" * 100_000, "1" * 5000, "\ud800"]
)
def test_hostile_json_is_refused(text: str) -> None:
    """Deep, long, broken or of another kind."""
    with pytest.raises(UserError):
        registration.read(text)


def test_a_file_is_bounded() -> None:
    """It is not cut: half a list would be another list."""
    with pytest.raises(UserError, match="over its size"):
        registration.read(json.dumps([ORGANISATION] * 1000).ljust(FILE_BYTES_MAX + 1))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(DEVICE)), inner),
    max_leaves=8,
)


@given(
    st.text()
    | json_values.map(json.dumps)
    | st.tuples(st.sampled_from([ORGANISATION, DEVICE]), st.sampled_from(sorted(DEVICE)), json_values).map(
        lambda c: json.dumps({**c[0], c[1]: c[2]})
    )
)
def test_reading_is_total(text: str) -> None:
    """Any text gives entries that can be signed, or UserError."""
    try:
        entries = registration.read(text)
    except UserError:
        return
    assert cbor.decode_canonical(cbor.encode(entries)) == entries
