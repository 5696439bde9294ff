"""Reading content: rows for the tables, findings for the rest, and never an exception."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import cbor, epcis, senml, stream
from ledger.projection.content import DAYS_MAX, READINGS_MAX, EventRow, Finding, Pack, Rows
from ledger.section import ContentFormat, Privacy, Section
from ledger.senml import BN, BT, TIME_MAX, VS, Columns, N, Reading, T, V
from ledger.statement import Statement
from tests.cast import DEVICE, NOW, URN, sign
from tests.hostile import NASTY, briefly, bytes_near

EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "action": "ADD",
    "eventTime": "2023-11-14T22:13:20Z",
    "eventTimeZoneOffset": "+00:00",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
}
PACK = senml.encode([Reading("t", "Cel", NOW, 21.5), Reading("door", "", NOW + 1, True)], base_name=f"{URN}:")
SENML, EPCIS, STREAM = ContentFormat.SENML_CBOR, ContentFormat.EPCIS, ContentFormat.STREAM


def _read(*bodies: tuple[int, bytes | None], issued_at: int = NOW) -> Rows:
    """The rows of one statement, entry 7, with these sections; a body of None did not arrive."""
    sections = [None if body is None else Section(bytes(16), body) for _, body in bodies]
    lines = [
        (section or Section(bytes(16), b"")).line(kid=DEVICE.kid, privacy=Privacy.PUBLIC, content_format=form)
        for (form, _), section in zip(bodies, sections, strict=True)
    ]
    rows = Rows()
    rows.read(sign(manifest=lines, issued_at=issued_at), sections, 7)
    return rows


def test_readings_become_rows() -> None:
    """By device and metric, with the signing clock's quality and the way back to their proof."""
    rows = _read((EPCIS, None), (SENML, PACK))
    series = [(f"{URN}:t", "Cel"), (f"{URN}:door", "")]
    assert rows.packs == [Pack(7, 1, URN, 2, Columns(series, [NOW, NOW + 1], [21.5, True], set(series)))]
    assert (rows.events, rows.findings, rows.sources) == ([], [], {(7, 1)})


def test_events_become_rows() -> None:
    """One a section."""
    rows = _read((EPCIS, epcis.encode(EVENT)), (SENML, PACK))
    assert rows.events == [EventRow(7, 0, epcis.read(EVENT), is_public=True)]
    assert rows.sources == {(7, 0), (7, 1)}


def test_times_are_relative_to_the_signing() -> None:
    """A device without a clock says how long ago."""
    body = cbor.encode([{BN: f"{URN}:t", BT: -5, V: 1}])
    assert _read((SENML, body)).packs[0].readings.times == [NOW - 5]


def test_a_stream_section_is_checked_and_brings_no_rows() -> None:
    """Of the three kinds, or a finding."""
    for body in (stream.opening("new", None), stream.evicted([]), stream.refused(b"x")):
        assert _read((STREAM, body)) == Rows()
    assert _read((STREAM, b"\xa0")).findings == [Finding(7, 0, "not a stream section")]


@pytest.mark.parametrize("form", [0, 1, 96, 65002, 65010, 65_535])
def test_what_is_not_ours_to_read_is_kept_and_passed_over(form: int) -> None:
    """Reserved and unknown content formats are no findings."""
    assert _read((form, b"\xff")) == Rows()


def test_one_bad_section_spoils_no_other() -> None:
    """Nor the statements before and after it."""
    rows = Rows()
    for entry, body in enumerate([PACK, b"\xff", PACK]):
        section = Section(bytes(16), body)
        line = section.line(kid=DEVICE.kid, privacy=Privacy.PUBLIC, content_format=SENML)
        rows.read(sign(manifest=[line]), [section], entry)
    assert {pack.entry_id for pack in rows.packs} == {0, 2}
    assert [finding.entry_id for finding in rows.findings] == [1]


@pytest.mark.parametrize(
    "names",
    [
        ["urn:x:other:t"],
        [URN],
        [f"{URN}:"],
        [f"{URN}t"],
        [f"{URN}:t", "urn:x:other:t"],
        [f"{URN.upper()}:t"],
    ],
)
def test_nobody_reads_a_neighbours_sensors(names: list[str]) -> None:
    """A pack is of its signer's device, every record of it, and each metric has a name."""
    rows = _read((SENML, cbor.encode([{N: name, V: 1} for name in names])))
    assert rows.packs == []
    assert rows.findings == [Finding(7, 0, "a pack names readings of another device, or of none")]


def test_a_pack_has_so_many_readings() -> None:
    """5,000; a larger one is a finding, whole."""
    records = [{BN: f"{URN}:t", V: 0}, *[{V: 0}] * (READINGS_MAX - 1)]
    assert len(_read((SENML, cbor.encode(records))).packs[0].readings.times) == READINGS_MAX
    rows = _read((SENML, cbor.encode([*records, {V: 0}])))
    assert (rows.packs, len(rows.findings)) == ([], 1)


def test_a_pack_is_of_so_many_days() -> None:
    """100, wherever they lie: each new day costs the time-series store a table."""
    records = [{BN: f"{URN}:t", BT: NOW, V: 0}, *[{T: day * 86_400, V: 0} for day in range(1, DAYS_MAX)]]
    assert len(_read((SENML, cbor.encode(records))).packs[0].readings.times) == DAYS_MAX
    rows = _read((SENML, cbor.encode([*records, {T: -86_400, V: 0}])))
    assert (rows.packs, len(rows.findings)) == ([], 1)


@pytest.mark.parametrize(
    "records",
    [
        [{N: f"{URN}:t", V: math.inf}],
        [{N: f"{URN}:t", V: math.nan}],
        [{N: f"{URN}:t", V: 1.7e308, -5: 1.7e308}],
        [{N: f"{URN}:t", V: 1}, {N: f"{URN}:t", V: "x"}],
        [{N: f"{URN}:t", BT: 2**60, V: 1}],
        [{N: f"{URN}:t"}],
        {},
    ],
)
def test_a_pack_that_contradicts_itself_is_a_finding_whole(records: Any) -> None:
    """Half a pack would be a claim that nobody made."""
    rows = _read((SENML, cbor.encode(records)))
    assert (rows.packs, len(rows.findings)) == ([], 1)


@pytest.mark.parametrize("issued_at", [0, 2**31, 253_402_300_800, 2**63 - 1])
def test_whatever_the_clock_says(issued_at: int) -> None:
    """A claimed signing time beyond any calendar makes a relative time a finding, not an error."""
    rows = _read((SENML, cbor.encode([{N: f"{URN}:t", V: 1}])), issued_at=issued_at)
    assert len(rows.packs) + len(rows.findings) == 1


def _check(rows: Rows) -> None:
    """What the tables, and the finding's own registry entry, can hold."""
    for pack in rows.packs:
        assert pack.device == URN
        for (name, _), time, value in zip(*pack.readings[:3], strict=True):
            assert name.startswith(f"{URN}:") and name != f"{URN}:" and 0 <= time <= TIME_MAX
            assert not isinstance(value, float) or math.isfinite(value)
    for finding in rows.findings:
        assert finding.reason
        assert "\x00" not in finding.reason
        assert cbor.decode(cbor.encode(finding.reason)) == finding.reason


def _statement(form: int, section: Section) -> Statement:
    return sign(manifest=[section.line(kid=DEVICE.kid, privacy=Privacy.PUBLIC, content_format=form)])


@pytest.mark.parametrize("form", [SENML, EPCIS, STREAM])
@pytest.mark.parametrize("body", NASTY, ids=briefly)
def test_the_nasty_ones(form: int, body: bytes) -> None:
    """Each is a finding, and stops nothing."""
    rows = _read((form, body))
    _check(rows)
    assert len(rows.findings) == 1


@settings(max_examples=400)
@given(
    st.sampled_from([SENML, EPCIS, STREAM]),
    bytes_near(PACK, epcis.encode(EVENT), stream.opening("new", None), cbor.encode([{N: f"{URN}:t", VS: "\x00"}])),
)
def test_reading_is_total(form: int, body: bytes) -> None:
    """Any body gives rows, or exactly one finding."""
    rows = _read((form, body))
    _check(rows)
    assert len(rows.findings) <= 1
    assert not (rows.findings and (rows.packs or rows.events))


@given(st.text(), st.text())
def test_a_findings_reason_can_always_be_written_down(one: str, other: str) -> None:
    """Whatever a device puts into the words that we quote."""
    for body in (
        [{f"{one}_": 1, N: "a", V: 1}],
        {**EVENT, "bizStep": one},
        {**EVENT, "eventTime": one},
        {**EVENT, "type": one},
        {one: 1, f"{other}\x00": b""},
    ):
        for form in (SENML, EPCIS, STREAM):
            _check(_read((form, cbor.encode(body))))
    key = cbor.encode(f"{one}\x00{other}")
    for form in (SENML, EPCIS, STREAM):
        _check(_read((form, b"\xa2" + key + b"\x00" + key + b"\x00")))
