"""A verdict in words, for a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ledger import epcis, senml, stream
from ledger.proof.verdict import Shown, Verdict
from ledger.proof.verify import Step
from ledger.section import ContentFormat

READINGS_SHOWN = 5
_CLOCKS = ("of unknown quality", "free-running since it was set", "set by NTP", "set by satellite")
_LANES = ("events", "telemetry")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def printable(text: object) -> str:
    """The same without what a terminal would obey: these texts come from others."""
    return "".join(character if character.isprintable() else "�" for character in str(text))


def ticks(steps: Sequence[Step], *, anchored: bool = True) -> list[str]:
    """A line for each step that passed."""
    return [f"  {_tick(step, anchored=anchored)}" for step in steps]


def _tick(step: Step, *, anchored: bool) -> str:
    if step is Step.ANCHOR and not anchored:
        return f"? {step}  the block is not in the anchor yet"
    return f"✓ {step}  {step.claim}"


def lines(verdict: Verdict) -> list[str]:
    """What the statement says, and whose word it is."""
    statement, tally = verdict.statement, verdict.statement.tally
    organisation = f" ({verdict.organisation})" if verdict.organisation else ""
    told = [
        ("statement", statement.hash.hex()),
        ("entry", f"{verdict.index} of {verdict.chain}"),
        (str(verdict.role), f"{verdict.device} ({verdict.urn})"),
        ("for", f"{statement.issuer}{organisation}"),
        ("its key", f"{statement.kid.hex()}, {verdict.key_status} at registry size {verdict.registry_size}"),
        ("stream", f"{_LANES[tally.lane]} {tally.stream.hex()}, seq {tally.seq}"),
        ("signed", f"{_time(verdict.issued_at)} by its own clock, {_CLOCKS[tally.clock]}"),
        ("sealed", f"{_time(verdict.block_time_ms // 1000)} by the chain's, in block {verdict.height}"),
        *((f"section {section.line}", text) for section in verdict.sections for text in _said(section)),
        ("word", verdict.word),
    ]
    return [printable(f"{name:<10} {text}") for name, text in told]


def _said(section: Shown) -> list[str]:
    head = f"{section.privacy.name.lower()}, {_content(section.content_format)}"
    if section.body is None:
        return [f"{head}: not shown"]
    if section.fault is not None:
        return [f"{head}: cannot be read: {section.fault}"]
    match section.said:
        case tuple() as readings:
            more = len(readings) - READINGS_SHOWN
            shown = [f"  {_reading(reading)}" for reading in readings[:READINGS_SHOWN]]
            return [f"{head}: {len(readings)}", *shown, *([f"  and {more} more"] if more > 0 else [])]
        case epcis.Event() as event:
            return [f"{head}: {event.type} {event.action} {event.biz_step or ''}", *(f"  {epc}" for epc in event.epcs)]
        case stream.Opening(reason):
            return [f"{head}: it opens the stream, reason {reason}"]
        case dict() as entry:
            return [f"{head}: {entry['type']} {entry.get('name', '')}"]
    return [f"{head}: {len(section.body)} bytes"]


def _reading(reading: senml.Reading) -> str:
    value = reading.value.hex() if isinstance(reading.value, bytes) else reading.value
    return f"{_time(reading.time)}  {reading.name.rpartition(':')[2]} {value} {reading.unit}".rstrip()


def _content(content_format: int) -> str:
    names = {
        ContentFormat.SENML_CBOR: "readings",
        ContentFormat.EPCIS: "event",
        ContentFormat.STREAM: "about the stream",
        ContentFormat.REGISTRY: "registry entry",
    }
    return names.get(ContentFormat(content_format), "") if content_format in tuple(ContentFormat) else "unknown content"


def _time(seconds: float) -> str:
    try:
        return f"{_EPOCH + timedelta(seconds=int(seconds)):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:  # a clock may claim anything
        return f"{int(seconds)} s after 1970"
