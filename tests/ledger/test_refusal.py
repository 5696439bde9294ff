"""Refusals: the log's word, and nobody else's."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor, cose
from ledger.errors import MalformedError, SignatureError
from ledger.refusal import CONTENT_TYPE, Reason, Refusal
from tests.cast import DEVICE, LOG, NEIGHBOUR, ORIGIN, STREAM, sign
from tests.hostile import NASTY, briefly, bytes_near, spoiled

REFUSAL = Refusal(ORIGIN, DEVICE.kid, 1, STREAM, 7, sign().hash, Reason.LINK, 12)
DATA = REFUSAL.sign(LOG)
HEADER: dict[Any, Any] = {cose.ALG: -8, cose.CONTENT_TYPE: CONTENT_TYPE, cose.KID: LOG.kid}
PAYLOAD = [ORIGIN, DEVICE.kid, 1, STREAM, 7, sign().hash, "broken-link", 12]


def _data(payload: Any = PAYLOAD, header: dict[Any, Any] = HEADER, **rest: Any) -> bytes:
    return cose.sign1(LOG, header, cbor.encode(payload), **rest).encode()


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_reads_back(reason: Reason) -> None:
    """For each reason."""
    refusal = replace(REFUSAL, reason=reason)
    assert Refusal.open(refusal.sign(LOG), LOG.public) == refusal


def test_a_refusal_is_what_the_design_says() -> None:
    """[aud, kid, lane, stream, seq, SHA-256(bytes), reason, tree size], signed."""
    assert _data() == DATA


def test_three_reasons_stop_the_key() -> None:
    """For those the agent stops; for the others it goes on in a new stream."""
    assert {reason for reason in Reason if reason.stops_the_key} == {Reason.SUSPENDED, Reason.REVOKED, Reason.FORK}


def test_only_the_log_refuses() -> None:
    """Another's signature, or a changed one, is no refusal."""
    with pytest.raises(MalformedError, match="by which key"):
        Refusal.open(REFUSAL.sign(NEIGHBOUR), LOG.public)
    forged = cose.sign1(NEIGHBOUR, HEADER, cbor.encode(PAYLOAD)).encode()
    with pytest.raises(SignatureError):
        Refusal.open(forged, LOG.public)
    for public_key in (b"", bytes(32), LOG.public[:31]):
        with pytest.raises((MalformedError, SignatureError)):
            Refusal.open(DATA, public_key)


@pytest.mark.parametrize("at", range(len(DATA)))
def test_no_byte_may_change(at: int) -> None:
    """A changed byte anywhere is malformed, or the signature fails."""
    with pytest.raises((MalformedError, SignatureError)):
        Refusal.open(DATA[:at] + bytes([DATA[at] ^ 1]) + DATA[at + 1 :], LOG.public)


@pytest.mark.parametrize(
    "header",
    [
        {cose.ALG: -8, cose.KID: LOG.kid},
        {**HEADER, cose.CONTENT_TYPE: "application/vnd.tallystick+cbor"},
        {**HEADER, cose.KID: DEVICE.kid},
        {**HEADER, cose.ALG: -7},
        {**HEADER, cose.ALG: True},
        {**HEADER, 2: ["x"], "x": 1},
    ],
)
def test_a_refusals_header_is_exactly_its_own(header: dict[Any, Any]) -> None:
    """Nothing else that the log signs passes for a refusal, and no critical label is overlooked (RFC 9052, 3.1)."""
    with pytest.raises(MalformedError, match="says that it is one"):
        Refusal.open(_data(header=header), LOG.public)


def test_nothing_unprotected_and_nothing_detached() -> None:
    """Else one refusal had many forms."""
    for rest in ({"unprotected": {1: 1}}, {"detached": True}):
        with pytest.raises(MalformedError, match="says that it is one"):
            Refusal.open(_data(**rest), LOG.public)


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (0, [b"x", None, 1]),
        (1, [bytes(31), bytes(33), "x"]),
        (2, [True, False, 2, -1, 1.0]),
        (3, [bytes(7), bytes(9), b""]),
        (4, [True, -1, 2**63, 7.0]),
        (5, [bytes(31), b"", None]),
        (6, ["", "unheard-of", "LINK", b"broken-link", None]),
        (7, [True, -1, 2**63, None]),
    ],
)
def test_each_field_has_its_range(place: int, values: list[Any]) -> None:
    """Though the log has signed it; True is not 1."""
    for value in values:
        with pytest.raises(MalformedError, match="a refusal is"):
            Refusal.open(_data([*PAYLOAD[:place], value, *PAYLOAD[place + 1 :]]), LOG.public)


def test_nothing_odd_in_any_place() -> None:
    """Each odd value in each place of a payload that the log has signed is refused, or reads back."""
    for odd in spoiled(PAYLOAD):
        try:
            refusal = Refusal.open(_data(odd), LOG.public)
        except MalformedError:
            continue
        assert refusal.sign(LOG) == _data(odd)


@given(bytes_near(DATA))
def test_opening_is_total(data: bytes) -> None:
    """Any bytes give the refusal that the log signed, MalformedError or SignatureError."""
    try:
        refusal = Refusal.open(data, LOG.public)
    except (MalformedError, SignatureError):
        return
    assert (refusal, data) == (REFUSAL, DATA)


@given(st.binary(max_size=60))
def test_opening_is_total_for_what_the_log_has_signed(payload: bytes) -> None:
    """A payload that is no refusal is MalformedError."""
    with pytest.raises(MalformedError):
        Refusal.open(cose.sign1(LOG, HEADER, payload).encode(), LOG.public)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """Bare, and signed by the log."""
    for hostile in (data, cose.sign1(LOG, HEADER, data).encode()):
        with pytest.raises(MalformedError):
            Refusal.open(hostile, LOG.public)


def test_a_refusal_is_bounded() -> None:
    """Before it is parsed."""
    for data in (bytes(5000), None):
        with pytest.raises(MalformedError, match="over its size"):
            Refusal.open(data, LOG.public)  # type: ignore[arg-type]
