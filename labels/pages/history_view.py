"""Making the part of a page that tells where a thing was, and what sensors said there. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

from labels import gs1, words
from labels.pages import chart
from labels.pages.found import Trail
from labels.pages.history import Source, Stay, Step, Window
from labels.pages.page import Counts, HistoryView, Proof, SensorView, SeriesView, StepView
from labels.pages.readings import Readings, Series
from labels.pages.verdicts import Checked
from ledger.epc_urn import by_links
from ledger.epcis import Event
from ledger.registry import Status

ENTRIES_TOLD = 5
ROUTE_MAX = 6


def unsigned(link: gs1.DigitalLink, *, signed: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """What else stands in a link, but for what is `signed` and what asks for a page's form."""
    return tuple(
        (words.clipped(name), words.clipped(value)) for name, value in link.query if name not in ("format", *signed)
    )


def failing(counts: Counts) -> str:
    """That some of what a page tells cannot be proven, or ""."""
    failed = words.plural(counts.total - counts.verified, "record")
    return "" if counts.verified == counts.total else f"{failed} behind this page cannot be verified. See below which."


def not_proven(found: Trail, counts: Counts) -> list[str]:
    """What no history proves, and what is not said of this one."""
    said = _claims(found, counts) if counts.total else []
    if shredded := found.book.shredded:
        said.append(
            f"That all is still here: the operator has deleted what {words.plural(len(shredded), 'statement')} in this "
            f"ledger said, by signed entries ({entries(shredded.values())}). Nobody can tell from here whether it was "
            f"about this {found.noun}."
        )
    return [*said, "That there is nothing more: events and readings that their owners keep private are not shown."]


def _claims(found: Trail, counts: Counts) -> list[str]:
    operator = found.book.organisation(found.book.operator)
    said = [
        "That a sensor measured rightly, or that an event took place as told: a signature proves who said it, and "
        "that it was not changed since.",
        f"That the ledger's history was not rewritten as a whole: no witness has cosigned it yet, so this is the word "
        f"of its operator alone ({operator}).",
    ]
    if waiting := counts.verified - counts.anchored:
        said.append(f"When {words.plural(waiting, 'record was', 'records were')} sealed: not in the anchor yet.")
    return said


def _counts(proofs: Sequence[Proof]) -> Counts:
    verified = [proof for proof in proofs if proof.verified]
    return Counts(len(proofs), len(verified), sum(proof.anchored for proof in verified))


def _once(proofs: Iterable[Proof]) -> tuple[Proof, ...]:
    """Every statement once: as not verified, if anything of it is not."""
    once: dict[tuple[str, int], Proof] = {}
    for proof in proofs:
        known = once.setdefault((proof.chain, proof.index), proof)
        if known.verified and not proof.verified:
            once[proof.chain, proof.index] = proof
    return tuple(once.values())


def _replayed(readings: Readings) -> str:
    return f"recorded {', '.join(readings.years) or 'earlier'}, replayed" if readings.notes else ""


def _cut(found: Trail) -> list[str]:
    said = []
    if found.history.cut:
        said.append("There are more events than one page shows: the later ones are left out.")
    if found.readings.cut:
        said.append("There are more readings than one page shows: the older ones are left out.")
    return said


def _route(steps: Sequence[StepView]) -> list[str]:
    """The places one after the other, each once while it stays there; of a long way the first and the last."""
    places = [place for place, _ in groupby(step.place for step in steps if step.place and step.proof.verified)]
    return places if len(places) <= ROUTE_MAX else [*places[: ROUTE_MAX - 2], "…", places[-1]]


def entries(shredded: Iterable[Mapping[int, int]]) -> str:
    """The registry entries that say so, the newest first; the first few of many."""
    entries = sorted({entry for lines in shredded for entry in lines.values()}, reverse=True)
    told = ", ".join(str(entry) for entry in entries[:ENTRIES_TOLD])
    return f"registry {'entry' if len(entries) == 1 else 'entries'} {told}{'…' if len(entries) > ENTRIES_TOLD else ''}"


@dataclass
class HistoryMaker:
    """Makes the parts of one history."""

    found: Trail

    def view(self, before: Sequence[Proof] = ()) -> HistoryView:
        """All of it; its proofs stand behind those of what else the page rests on, `before`."""
        found, steps = self.found, self._steps()
        proofs = _once([*before, *(step.proof for step in steps), *self._of_readings()])
        series = tuple(map(self._series, found.readings.series))
        return HistoryView(
            epc=found.link.epc,
            counts=_counts(proofs),
            steps=steps,
            sensors=tuple(map(self._sensor, found.history.windows)),
            series=tuple(view for view in series if view.wide),
            replayed=tuple(words.clipped(words.replayed(note)) for note in found.readings.notes),
            replayed_headline=_replayed(found.readings),
            proofs=proofs,
            route=tuple(_route(steps)),
            clock=self._clock(),
            cut=tuple(_cut(found)),
            checkpoints=tuple((c.origin, c.size, c.root.hex()) for c in found.checkpoints.values()),
        )

    def proof(self, what: str, checked: Checked) -> Proof:
        """What is to be said of a statement that was checked."""
        verdict = checked.verdict
        if verdict is None:
            complaint = words.clipped(checked.complaint)
            return Proof(what, False, complaint, checked.chain, checked.index, None, "", False, "", "", "")
        return Proof(
            what=what,
            verified=True,
            complaint="",
            chain=checked.chain,
            index=checked.index,
            block=verdict.height,
            sealed=words.iso(verdict.block_time_ms / 1000),
            anchored=verdict.anchored,
            device=verdict.device,
            organisation=self.found.book.organisation(verdict.statement.issuer),
            bundle=verdict.statement.hash.hex(),
        )

    @property
    def _offsets(self) -> list[str]:
        return [step.row.event.document["eventTimeZoneOffset"] for step in self.found.history.steps]

    @property
    def _offset(self) -> str:
        """The clock where the thing was last: all its readings are told by that one."""
        return self._offsets[-1] if self._offsets else "+00:00"

    def _clock(self) -> str:
        """What clock that is."""
        said = f"times in {words.zone(self._offset)}"
        return f"{said}, as at step {len(self._offsets)}" if len(set(self._offsets)) > 1 else said

    def _steps(self) -> tuple[StepView, ...]:
        """The events, in the order of time."""
        return tuple(self._step(number, step) for number, step in enumerate(self.found.history.steps, 1))

    def _step(self, number: int, step: Step) -> StepView:
        row, document = step.row, step.row.event.document
        name, identifier = words.place(document)
        return StepView(
            number=number,
            title=words.title(row.event),
            detail=self._detail(row.event, step.stay),
            about=words.clipped(step.stay.uri),
            time=words.iso(row.event.time),
            when=words.moment(row.event.time, document["eventTimeZoneOffset"]),
            place=name or (words.thing(identifier) if identifier else ""),
            place_id=identifier,
            notes=tuple(self._notes(row.source)),
            proof=self._step_proof(f"event {number}", row.source, row.event),
        )

    def _detail(self, event: Event, stay: Stay) -> str:
        """What was done to the thing, or to what it was in."""
        inside = f"{words.kind(stay.uri)} {words.thing(stay.uri)}" if stay.inside else ""
        if event.type == "AssociationEvent":
            names = [self._device(urn)[0] for urn in (*event.epcs, event.parent or "") if urn and urn != stay.uri]
            return f"{', '.join(names[:3])} on {inside or f'the {self.found.noun}'}"
        if event.type == "AggregationEvent" and event.parent == self.found.link.epc:
            return _content(event)
        if event.type == "AggregationEvent" and event.parent:
            into = {"ADD": "into", "DELETE": "out of"}.get(event.action, "in")
            others = len(event.epcs) - 1
            beside = f", with {words.plural(others, 'other')}" if others > 0 else ""
            return f"{into} {words.kind(event.parent)} {words.thing(event.parent)}{beside}"
        parts = (f"in {inside}" if inside else "", words.disposition(event))
        return ", ".join(part for part in parts if part)

    def _notes(self, source: Source) -> list[str]:
        """What speaks against a statement, though it verifies."""
        notes = [
            f"The gateway's finding: {words.clipped(reason)}" for reason in self.found.findings.get(source.entry_id, ())
        ]
        checked = self.found.checked.get(source.entry_id)
        key = self.found.book.keys.get(checked.verdict.statement.kid) if checked and checked.verdict else None
        if key is not None and key.status is not Status.GOOD:
            notes.append(f"The device's key was {key.status} later, by registry entry {key.since}.")
        if checked and (gone := self.found.book.shredded.get((checked.chain, checked.index))):
            notes.append(f"What else this statement said the operator has deleted, by {entries([gone])}.")
        return notes

    def _step_proof(self, what: str, source: Source, event: Event) -> Proof:
        checked = self.found.checked[source.entry_id]
        proof = self.proof(what, checked)
        said = checked.said(source.line)
        if checked.verdict is not None and not (isinstance(said, Event) and by_links(said) == event):
            return _failed(proof, "the event in the database is not the one that was signed")
        return proof

    def _of_readings(self) -> list[Proof]:
        """Of the statements that hold the readings."""
        packs = dict.fromkeys(entry for entries in self.found.packs.values() for entry in entries)
        return [self.proof("readings", self.found.checked[entry]) for entry in packs]

    def _sensor(self, window: Window) -> SensorView:
        """A sensor that was with it."""
        name, organisation = self._device(window.device)
        entries = dict.fromkeys(self.found.packs.get(window, ()))
        said = {step.row.source: number for number, step in enumerate(self.found.history.steps, 1)}
        return SensorView(
            device=name,
            organisation=organisation,
            urn=words.clipped(window.device),
            start=words.iso(window.start),
            end=words.iso(window.end),
            span=words.span(window.start, window.end, self._offset),
            because=tuple(sorted(said[source] for source in window.sources if source in said)),
            readings=self.found.readings.counts.get(window, 0),
            statements=len(entries),
            verified=sum(self.found.checked[entry].verdict is not None for entry in entries),
        )

    def _series(self, series: Series) -> SeriesView:
        """A metric's readings."""
        unit, (low, high) = words.unit(series.unit), series.limits
        lines = [chart.Line(self._device(line.name)[0], line.points) for line in series.lines]
        marks = [chart.Mark(s.row.event.time, str(n)) for n, s in enumerate(self.found.history.steps, 1)]
        title = f"{words.metric(series.metric).capitalize()} in {unit or 'numbers'}"
        shift_s = words.shift_s(self._offset)
        wide, narrow = (
            chart.svg(lines, title=title, unit=unit, low=low, high=high, marks=marks, size=size, shift_s=shift_s)
            for size in (chart.WIDE, chart.NARROW)
        )
        values = series.values
        return SeriesView(
            metric=words.metric(series.metric),
            unit=unit,
            readings=len(values),
            lowest=min(values),
            highest=max(values),
            low=low,
            high=high,
            outside=series.outside,
            lines=tuple(line.name for line in lines),
            wide=wide,
            narrow=narrow,
        )

    def _device(self, urn: str) -> tuple[str, str]:
        """A device's registered name and its organisation's."""
        key = next((key for key in reversed(list(self.found.book.keys.values())) if key.subject == urn), None)
        if key is None:
            return words.clipped(urn), ""
        return key.name, self.found.book.organisation(key.issuer)


def _content(event: Event) -> str:
    """How many things an event about a container itself is of; which, is in its proof."""
    how = {"ADD": "put in", "DELETE": "taken out"}.get(event.action, "in it")
    if event.epcs:
        return f"{words.plural(len(event.epcs), 'thing')} {how}"
    return (
        f"all that was in it {how}" if event.action == "DELETE" and not event.document.get("childQuantityList") else ""
    )


def _failed(proof: Proof, complaint: str) -> Proof:
    fields = asdict(proof) | {"verified": False, "complaint": complaint}
    return Proof(**fields)
