"""The trust file: one text, strict and total."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import TrustError, UserError
from ledger.keys import thumbprint
from ledger.log import Log
from ledger.note import Signer, Verifier
from ledger.trust.trust_file import Trust
from tests.cast import CHAINS, key

TRUST = Trust("example.com", bytes(range(32)), {c.name: Log(c.name, Verifier.parse(c.vkey)) for c in CHAINS})
FIELDS: dict[str, Any] = json.loads(TRUST.text)


def test_a_trust_file_reads_back() -> None:
    """Writing and reading are inverse."""
    assert Trust.parse(TRUST.text) == TRUST
    assert TRUST.text.endswith("}\n")
    assert FIELDS["genesis"] == bytes(range(32)).hex()


def test_a_log_is_known_by_its_chain_and_by_its_origin() -> None:
    """Its origin, key and kid are its verifier's."""
    log = TRUST.log("production")
    assert log == TRUST.log_of("example.com/tallystick/production")
    assert (log.origin, log.public_key, log.kid) == (CHAINS[0].origin, key(10).public, thumbprint(key(10).public))
    with pytest.raises(TrustError, match="no log for the chain 'x'"):
        TRUST.log("x")
    with pytest.raises(TrustError, match="no log with the origin 'production'"):
        TRUST.log_of("production")


VKEY = CHAINS[0].vkey


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tallystick-trust": 2}, "version"),
        ({"tallystick-trust": True}, "version"),
        ({"tallystick-trust": 1.0}, "whole numbers"),
        ({"tallystick-trust": "1"}, "version"),
        ({"name": None}, "fields"),
        ({"genesis": 1}, "fields"),
        ({"genesis": ""}, "SHA-256"),
        ({"genesis": "00" * 31}, "SHA-256"),
        ({"genesis": "00" * 33}, "SHA-256"),
        ({"genesis": "0 " * 64}, "SHA-256"),
        ({"genesis": "AB" * 32}, "SHA-256"),
        ({"genesis": "\u0660" * 64}, "SHA-256"),
        ({"logs": None}, "fields"),
        ({"logs": []}, "fields"),
        ({"logs": {"production": None}}, "no verifier key"),
        ({"logs": {"production": ""}}, "no verifier key"),
        ({"logs": {"production": VKEY[:-1]}}, "no verifier key"),
        ({"logs": {"Production": VKEY}}, "match"),
        ({"logs": {"": VKEY}}, "match"),
        ({"logs": {"a/b": VKEY}}, "match"),
        ({"logs": {"production": VKEY, "trade": VKEY}}, "one origin"),
        ({"logs": {"a": VKEY, "b": Signer(CHAINS[0].origin, key(77)).vkey}}, "one origin"),
    ],
)
def test_what_is_no_trust_file_is_refused(changes: dict[str, Any], complaint: str) -> None:
    """A pin that is not exactly one is none; True is not 1."""
    with pytest.raises(TrustError, match=complaint):
        Trust.parse(json.dumps({**FIELDS, **changes}))


@pytest.mark.parametrize("missing", FIELDS)
def test_every_field_is_needed(missing: str) -> None:
    """Without it nothing is trusted."""
    with pytest.raises(TrustError, match="has not the fields"):
        Trust.parse(json.dumps({name: value for name, value in FIELDS.items() if name != missing}))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "1" * 5000, "[" * 100_000, '{"a":' * 100_000, "\ud800", "NaN", " " * 2**21]
)
def test_hostile_json_is_refused(text: str) -> None:
    """Deep, long, broken or of another kind."""
    with pytest.raises(TrustError):
        Trust.parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(VKEY),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from([*FIELDS, "production"]), inner),
    max_leaves=8,
)


@given(
    st.text()
    | json_values.map(json.dumps)
    | st.tuples(st.sampled_from(sorted(FIELDS)), json_values).map(lambda c: json.dumps({**FIELDS, c[0]: c[1]}))
)
def test_parsing_is_total(text: str) -> None:
    """Any text gives a trust file that reads back, or TrustError."""
    try:
        trust = Trust.parse(text)
    except TrustError:
        return
    assert Trust.parse(trust.text) == trust


def test_a_file_is_loaded_or_the_user_is_told(tmp_path: Path) -> None:
    """Where it is missing, not text, or no trust file."""
    path = tmp_path / "trust.json"
    with pytest.raises(UserError, match=r"cannot read the trust file .* No such file"):
        Trust.load(path)
    path.write_text(TRUST.text)
    assert Trust.load(path) == TRUST
    for content in (b"\xff", b"{}"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is not a trust file"):
            Trust.load(path)
