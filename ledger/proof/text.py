"""A verdict in words, for a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ledger import epcis, senml, stream
from ledger.proof.inclusion import CLAIMS, SHOWN, Form, Inclusion
from ledger.proof.product import ProductStep, ProductVerdict, events_about
from ledger.proof.verdict import Shown, Verdict
from ledger.proof.verify import Step
from ledger.section import ContentFormat
from ledger.terminal import printable

READINGS_SHOWN = 5
DISPUTED = "  ! DISPUTED: a thief may have signed this, says the operator: see 'revoked' below"
_CLOCKS = ("of unknown quality", "free-running since it was set", "set by NTP", "set by satellite")
_LANES = ("events", "telemetry")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ticks(steps: Sequence[Step], *, form: Form = Form.BUNDLE, anchored: bool = True) -> list[str]:
    """A line for each step that passed."""
    return [f"  {_tick(step, CLAIMS[form].get(step, step.claim), anchored=anchored)}" for step in steps]


def _tick(step: Step, claim: str, *, anchored: bool) -> str:
    if step is Step.ANCHOR and not anchored:
        return f"? {step}  the block is not in the anchor yet"
    return f"✓ {step}  {claim}"


def told(found: Verdict | Inclusion | ProductVerdict, *, disputed: bool = False) -> list[str]:
    """The steps that passed, what speaks against it all the same, and what they show."""
    match found:
        case Verdict():
            steps, table = ticks(list(Step), anchored=found.anchored), lines(found)
        case Inclusion():
            steps, table = inclusion(found)
        case _:
            steps, table = product(found)
    return [*steps, *([DISPUTED] if disputed else []), "", *table]


def inclusion(found: Inclusion) -> tuple[list[str], list[str]]:
    """The steps that passed, those that its format does not show, and what the statement says of itself."""
    statement, tally = found.statement, found.statement.tally
    missing = [f"  - {step}  not shown: {step.claim}" for step in Step if step not in SHOWN]
    table = [
        ("statement", statement.hash.hex()),
        ("entry", f"{found.index} of {found.chain}, whose tree had {found.size}"),
        ("by itself", f"{statement.subject} for {statement.issuer}"),
        ("its key", f"{statement.kid.hex()}, not checked"),
        ("stream", f"{_LANES[tally.lane]} {tally.stream.hex()}, seq {tally.seq}"),
        ("signed", f"{_time(statement.issued_at)} by its own clock, {_CLOCKS[tally.clock]}"),
        ("word", found.word),
    ]
    return [*ticks(SHOWN, form=found.form), *missing], _table(table)


def product(verdict: ProductVerdict) -> tuple[list[str], list[str]]:
    """What was shown of all statements about a product, and its history in the order of the events' own times."""
    count = f"each of {len(verdict.statements)} statements" if len(verdict.statements) > 1 else "the one statement"
    steps = [f"  ✓ 1 to {len(Step)}  {count} is proven by its bundle", *(f"  ✓ {s}  {s.claim}" for s in ProductStep)]
    events = [line for one in verdict.statements for line in _history(verdict.uri, one)]
    return steps, _table([("product", verdict.uri), *events, ("word", verdict.word)])


def _history(uri: str, verdict: Verdict) -> list[tuple[str, str]]:
    """A line for each event: when it was, by its own word; what; and who says so, where in the ledger."""
    who = f"said by {verdict.device}, entry {verdict.index} of {verdict.chain}"
    open_ = "" if verdict.anchored else ", not anchored yet"
    return [
        ("event", f"{_time(event.time)}  {event.type} {event.action} {event.biz_step or ''}  {who}{open_}")
        for event in events_about(verdict, uri)
    ]


def lines(verdict: Verdict) -> list[str]:
    """What the statement says, and whose word it is."""
    statement, tally = verdict.statement, verdict.statement.tally
    organisation = f" ({verdict.organisation})" if verdict.organisation else ""
    table = [
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
    return _table(table)


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [printable(f"{name:<10} {text}") for name, text in rows]


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
