"""Making a page of what was found and checked. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby

from labels import gs1, words
from labels.book import Book, IssuedBatch
from labels.judgement import UNCOUNTED, UNPUBLISHED, LabelVerdict, Standing, headline, level_of
from labels.pages import chart, product_view
from labels.pages.described import Described
from labels.pages.history import History, Source, Stay, Step, Window
from labels.pages.page import Counts, LotView, Page, Proof, SensorView, SeriesView, StepView
from labels.pages.readings import Readings, Series
from labels.pages.verdicts import Checked
from labels.signature import LabelFault, date_of
from ledger.checkpoint import Checkpoint
from ledger.epcis import Event
from ledger.registry import Status

ENTRIES_TOLD = 5
ROUTE_MAX = 6
LOTS_MAX = 20


@dataclass
class Found:
    """All that was read and checked for a link. `checked` is by entry id, as are `findings`."""

    link: gs1.DigitalLink
    now: float
    book: Book
    label: LabelVerdict
    checkpoints: Mapping[str, Checkpoint]
    history: History = field(default_factory=History)
    checked: dict[int, Checked] = field(default_factory=dict)
    readings: Readings = field(default_factory=Readings)
    packs: dict[Window, tuple[int, ...]] = field(default_factory=dict)
    issue: tuple[tuple[str, Checked], ...] = ()
    described: Described = field(default_factory=Described)
    picture: tuple[int, int] | None = None  # the size of the one that is described, in pixels, if it is here
    findings: Mapping[int, Sequence[str]] = field(default_factory=dict)


def compose(found: Found) -> Page:
    """The page of what was found."""
    maker, level = _Maker(found), level_of(found.link, found.label)
    steps = tuple(maker.step(number, step) for number, step in enumerate(found.history.steps, 1))
    proofs = maker.proofs(steps)
    counts = Counts(
        len(proofs), sum(proof.verified for proof in proofs), sum(proof.verified and proof.anchored for proof in proofs)
    )
    standing, reason = _overall(found.label, counts)
    series = tuple(maker.series(series, steps) for series in found.readings.series)
    batch, link = found.label.batch, found.link
    signer = found.label.key if found.label.is_signed else None
    label_says = headline(standing, level)
    return Page(
        standing=standing,
        level=level,
        headline=product_view.headline(label_says, standing, found.described.recalls),
        label=label_says,
        reason=reason,
        recalls=tuple(product_view.recall(one, prove=maker.proof) for one in found.described.recalls),
        fault=found.label.fault or ("" if standing is not Standing.PROBLEM else "unverified"),
        gtin=link.gtin or "",
        lot=batch.batch.lot if batch else link.lot or "",
        serial=link.serial or "",
        product=found.described.name or maker.product(),
        described=product_view.product(
            found.described, found.picture, organisation=found.book.organisation, prove=maker.proof
        ),
        epc=link.epc,
        issued=date_of(found.label.day).isoformat() if signer and found.label.day is not None else "",
        issuer=found.book.organisation(signer.organisation) if signer else "",
        number=f"{found.label.index + 1} of {batch.batch.size}" if batch and found.label.index is not None else "",
        counts=counts,
        steps=steps,
        sensors=tuple(maker.sensor(window, steps) for window in found.history.windows),
        series=tuple(view for view in series if view.wide),
        replayed=tuple(words.clipped(words.replayed(note)) for note in found.readings.notes),
        replayed_headline=_replayed(found.readings),
        lots=tuple(maker.lot(issued) for issued in maker.lots()),
        proofs=proofs,
        route=tuple(_route(steps)),
        clock=maker.clock(),
        meaning=tuple(_meaning(standing, found.label)),
        not_proven=tuple(_not_proven(found, counts)),
        cut=tuple(_cut(found)),
        unsigned=tuple((words.clipped(n), words.clipped(v)) for n, v in link.query if n not in ("s", "format")),
        checkpoints=tuple((c.origin, c.size, c.root.hex()) for c in found.checkpoints.values()),
        redeemable=_is_redeemable(found, standing),
    )


def _overall(label: LabelVerdict, counts: Counts) -> tuple[Standing, str]:
    failed = counts.total - counts.verified
    if not label.is_signed or not failed:
        return label.standing, label.reason
    return Standing.PROBLEM, f"{words.plural(failed, 'record')} behind this page cannot be verified. See below which."


def _is_redeemable(found: Found, standing: Standing) -> bool:
    """Whether the label's batch has hidden codes. Without a signature the same is said of every serial of a product."""
    if standing is Standing.GENUINE and found.label.batch is not None:
        return found.label.batch.batch.hidden is not None
    link, is_unsigned = found.link, found.label.fault == LabelFault.UNSIGNED and found.link.serial is not None
    return is_unsigned and any(issued.batch.hidden is not None for issued in found.book.lots(link.gtin or ""))


def _replayed(readings: Readings) -> str:
    return f"recorded {', '.join(readings.years) or 'earlier'}, replayed" if readings.notes else ""


def _cut(found: Found) -> list[str]:
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


def _meaning(standing: Standing, label: LabelVerdict) -> list[str]:
    """What to make of a label that is not genuine."""
    if standing is Standing.PROBLEM and label.is_signed:
        return ["The label itself is signed, but what is told below is not all in the ledger as it was signed."]
    if standing is Standing.PROBLEM:
        return [
            "Nothing is shown of this item, because nothing about it is proven.",
            "Scan the code on the label itself once more. If it says the same, do not rely on this label, and ask "
            "whom you have the product from.",
        ]
    if label.fault == LabelFault.UNSIGNED and standing is Standing.NOT_PROVEN:
        return [
            "Without a label's signature this page says the same of every serial, whether there is such an item or "
            "not.",
            "Scan the code on the label: its link ends in ?s= and a long number.",
        ]
    if label.fault == UNPUBLISHED:
        return ["Wait a minute, and scan it again. If it says the same, more labels are about than were declared."]
    if label.fault == UNCOUNTED:
        return [
            "A key that may sign labels of this product has signed this one. A label too many, signed by the same key, "
            "would look the same here.",
            "The label service that issued it can count its labels: where that is still there, ask it.",
        ]
    return []


def _not_proven(found: Found, counts: Counts) -> list[str]:
    """What is said, always, on every page that says anything of an item."""
    if not found.label.is_signed:
        return []
    operator = found.book.organisation(found.book.operator)
    said = [
        "That the object in your hand is the labelled one: a label can be copied, or moved to another.",
        "That a sensor measured rightly, or that an event took place as told: a signature proves who said it, and "
        "that it was not changed since.",
        f"That the ledger's history was not rewritten as a whole: no witness has cosigned it yet, so this is the word "
        f"of its operator alone ({operator}).",
    ]
    if waiting := counts.verified - counts.anchored:
        said.append(f"When {words.plural(waiting, 'record was', 'records were')} sealed: not in the anchor yet.")
    if shredded := found.book.shredded:
        said.append(
            f"That all is still here: the operator has deleted what {words.plural(len(shredded), 'statement')} in this "
            f"ledger said, by signed entries ({_entries(shredded.values())}). Nobody can tell from here whether it was "
            "about this item."
        )
    said.append("That there is nothing more: events and readings that their owners keep private are not shown.")
    return said


def _entries(shredded: Iterable[Mapping[int, int]]) -> str:
    """The registry entries that say so, the newest first; the first few of many."""
    entries = sorted({entry for lines in shredded for entry in lines.values()}, reverse=True)
    told = ", ".join(str(entry) for entry in entries[:ENTRIES_TOLD])
    return f"registry {'entry' if len(entries) == 1 else 'entries'} {told}{'…' if len(entries) > ENTRIES_TOLD else ''}"


@dataclass
class _Maker:
    """Makes the parts of one page."""

    found: Found

    @property
    def _offsets(self) -> list[str]:
        return [step.row.event.document["eventTimeZoneOffset"] for step in self.found.history.steps]

    @property
    def _offset(self) -> str:
        """The clock where the item was last: all its readings are told by that one."""
        return self._offsets[-1] if self._offsets else "+00:00"

    def clock(self) -> str:
        """What clock that is."""
        said = f"times in {words.zone(self._offset)}"
        return f"{said}, as at step {len(self._offsets)}" if len(set(self._offsets)) > 1 else said

    def step(self, number: int, step: Step) -> StepView:
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
        """What was done to the item, or to what it was in."""
        inside = f"{words.kind(stay.uri)} {words.thing(stay.uri)}" if stay.inside else ""
        if event.type == "AssociationEvent":
            names = [self._device(urn)[0] for urn in (*event.epcs, event.parent or "") if urn and urn != stay.uri]
            return f"{', '.join(names[:3])} on {inside or 'the item'}"
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
            notes.append(f"What else this statement said the operator has deleted, by {_entries([gone])}.")
        return notes

    def _step_proof(self, what: str, source: Source, event: Event) -> Proof:
        checked = self.found.checked[source.entry_id]
        proof = self.proof(what, checked)
        if checked.verdict is not None and checked.said(source.line) != event:
            return _failed(proof, "the event in the database is not the one that was signed")
        return proof

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

    def proofs(self, steps: Sequence[StepView]) -> tuple[Proof, ...]:
        """Every statement that the page rests on, once."""
        proofs = [self.proof(what, checked) for what, checked in self.found.issue]
        proofs += [self.proof("recall", recalled.checked) for recalled in self.found.described.recalls]
        proofs += [self.proof(f"{said.level} description", said.checked) for said in self.found.described.said]
        proofs += [step.proof for step in steps]
        proofs += [
            self.proof("readings", self.found.checked[entry])
            for entry in dict.fromkeys(entry for entries in self.found.packs.values() for entry in entries)
        ]
        once: dict[tuple[str, int], Proof] = {}
        for proof in proofs:
            known = once.setdefault((proof.chain, proof.index), proof)
            if known.verified and not proof.verified:
                once[proof.chain, proof.index] = proof
        return tuple(once.values())

    def sensor(self, window: Window, steps: Sequence[StepView]) -> SensorView:
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

    def series(self, series: Series, steps: Sequence[StepView]) -> SeriesView:
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

    def lots(self) -> list[IssuedBatch]:
        """The batches to be told of: where no label was shown, those of the product or lot."""
        link, label = self.found.link, self.found.label
        if label.standing is Standing.PROBLEM or not link.gtin:
            return []
        if label.batch:
            return [label.batch]
        return list(label.uncounted or self.found.book.lots(link.gtin, link.lot))[-LOTS_MAX:][::-1]

    def lot(self, issued: IssuedBatch) -> LotView:
        batch = issued.batch
        signer = next((key for key in self.found.book.label_keys if key.thumbprint == batch.kid), None)
        return LotView(
            lot=batch.lot,
            labels=batch.size,
            issued=date_of(batch.day).isoformat(),
            organisation=self.found.book.organisation(signer.organisation) if signer else "",
            root=batch.root.hex(),
            entry=issued.index,
            bundle=issued.statement_hash.hex(),
            recalled=self.found.book.recalled(batch.gtin, batch.lot) is not None,
        )

    def product(self) -> str:
        """The product's name, as the first proven event says that does."""
        for step in self.found.history.steps:
            if self.found.checked[step.row.source.entry_id].verdict and (
                name := words.product(step.row.event.document)
            ):
                return name
        return ""

    def _device(self, urn: str) -> tuple[str, str]:
        """A device's registered name and its organisation's."""
        key = next((key for key in reversed(list(self.found.book.keys.values())) if key.subject == urn), None)
        if key is None:
            return words.clipped(urn), ""
        return key.name, self.found.book.organisation(key.issuer)


def _failed(proof: Proof, complaint: str) -> Proof:
    fields = asdict(proof) | {"verified": False, "complaint": complaint}
    return Proof(**fields)
