"""What a page says, for people and for machines. Pure."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from labels.catalogue.place import Level
from labels.judgement import Standing


@dataclass(frozen=True, slots=True)
class Proof:
    """Where a statement stands, and whether it verifies. `bundle` is its hash, by which the proof is fetched."""

    what: str
    verified: bool
    complaint: str
    chain: str
    index: int
    block: int | None
    sealed: str
    anchored: bool
    device: str
    organisation: str
    bundle: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the history. `about` is the identifier of what it was said of: the item's, or what it was in."""

    number: int
    title: str
    detail: str
    about: str
    time: str
    when: str
    place: str
    place_id: str
    notes: tuple[str, ...]
    proof: Proof


@dataclass(frozen=True, slots=True)
class SensorView:
    """A sensor that was with the item, by the word of the steps `because`."""

    device: str
    organisation: str
    urn: str
    start: str
    end: str
    span: str
    because: tuple[int, ...]
    readings: int
    statements: int
    verified: int


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A metric's chart, and the same in numbers."""

    metric: str
    unit: str
    readings: int
    lowest: float
    highest: float
    low: float | None
    high: float | None
    outside: int
    lines: tuple[str, ...]
    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class LotView:
    """A batch of labels, as anyone may know of it."""

    lot: str
    labels: int
    issued: str
    organisation: str
    root: str
    entry: int
    bundle: str
    recalled: bool


@dataclass(frozen=True, slots=True)
class LinkView:
    """Where more is said; `kind` is its link type in words, `level` of what it is said."""

    rel: str
    kind: str
    title: str
    href: str
    host: str
    lang: str
    media: str
    level: Level


@dataclass(frozen=True, slots=True)
class LimitView:
    """Between which values a metric's readings are good."""

    metric: str
    unit: str
    low: float | None
    high: float | None
    level: Level


@dataclass(frozen=True, slots=True)
class SaidView:
    """A registry entry that says something of the product, the lot or the item, and its proof."""

    level: Level
    what: str
    of: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class ProductView:
    """What the catalogue says. `picture` is a path here, and "" if there is none, or if it `lacks` what was signed.

    `below` are the product's lots and items that are recalled, each with the path of its page.
    """

    name: str
    text: str
    picture: str
    width: int
    height: int
    lacks: bool
    links: tuple[LinkView, ...]
    limits: tuple[LimitView, ...]
    said: tuple[SaidView, ...]
    below: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecallView:
    """That it must not be used; `perhaps` if it may be of another lot."""

    level: Level
    what: str
    reason: str
    since: str
    advice: str
    href: str
    host: str
    perhaps: bool
    proof: Proof


@dataclass(frozen=True, slots=True)
class Counts:
    """Statements: all that the page rests on, those that verify, and those whose block is anchored."""

    total: int
    verified: int
    anchored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """Where a thing was, what sensors said there, and the proofs of all that a page tells.

    `clock` says what clock its readings' times are by; a step's time is by its event's own.
    """

    epc: str
    counts: Counts
    steps: tuple[StepView, ...]
    sensors: tuple[SensorView, ...]
    series: tuple[SeriesView, ...]
    replayed: tuple[str, ...]
    replayed_headline: str
    proofs: tuple[Proof, ...]
    route: tuple[str, ...]
    clock: str
    cut: tuple[str, ...]
    checkpoints: tuple[tuple[str, int, str], ...]

    @property
    def fields(self) -> dict[str, Any]:
        """Its fields by name, as a page takes them."""
        return {field.name: getattr(self, field.name) for field in fields(HistoryView)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyPage(HistoryView):
    """What every page says. `unsigned` is what else stands in the link, by name."""

    standing: Standing
    headline: str
    reason: str
    not_proven: tuple[str, ...]
    unsigned: tuple[tuple[str, str], ...]

    @property
    def document(self) -> dict[str, Any]:
        """The page as JSON holds it: everything but the drawings."""
        said = asdict(self)
        for series in said["series"]:
            del series["wide"], series["narrow"]
        said["verdict"] = str(said.pop("standing"))
        said["checkpoints"] = [{"origin": o, "size": s, "root": r} for o, s, r in self.checkpoints]
        said["unsigned"] = [list(pair) for pair in self.unsigned]
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(AnyPage):
    """The page of a product, a lot or an item.

    `label` says of the label what `headline` says where nothing is recalled, `redeemable` whether a hidden code may be
    redeemed of it.
    """

    level: Level
    label: str
    recalls: tuple[RecallView, ...]
    fault: str
    gtin: str
    lot: str
    serial: str
    product: str
    described: ProductView
    issued: str
    issuer: str
    number: str
    lots: tuple[LotView, ...]
    meaning: tuple[str, ...]
    redeemable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage(AnyPage):
    """The page of a logistic unit, such as a pallet, by its SSCC."""

    sscc: str
