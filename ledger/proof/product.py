"""The product bundle: the proof bundles of all statements with an event about one product, in one file.

    {"tallystick-product-bundle": 1, "uri", "checkpoints": [note, …], "registry": [entry, …], "bundles": [bundle, …]}

The bundles stand in the order of chain and index. In each, a checkpoint is a number into `checkpoints`, and an entry of
its registry part one into `registry`: these are the same for most. In both tables things stand in the order of their
first use, so that a file has one encoding.

All bundles together name at most 32,768 registry entries, however often one is named.

Verified, it shows each statement, that each has an event which names the product, and that all of it tells one history.
It cannot show that nothing was left out. What happened to a container while the product was in it, and readings, are
not in it: the product's page follows those.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from ledger import cbor, epcis
from ledger.epc_urn import as_link, by_links
from ledger.errors import MalformedError, OutsideError, ProofError, TrustError
from ledger.proof.bundle import BUNDLE_BYTES_MAX, Bundle, ProvenEntry, entry_value, read_checkpoint, read_entry
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.verdict import Verdict
from ledger.proof.verify import Claim, verify
from ledger.trust.trust_file import Trust

VERSION = 1
BUNDLES_MAX = 1_000
ENTRIES_MAX = 32 * 1024  # of the registry, in all bundles together: each costs the check of a signature
URI_CHARS_MAX = 1_000
LEFT_OUT = "that no statement about the product was left out is for an audit to see"
NOT_IN_IT = "events of what it was packed in, which do not name it, and readings are not in this file"
_DEPTH_MAX = 8

_Kept = TypeVar("_Kept")


class ProductStep(Claim):
    """The steps of a product bundle, after the nine of each bundle in it."""

    PRODUCT = 10, "each statement shows an event that names the product"
    HISTORY = 11, "of each block there is one header, so that all statements are of one history"


@dataclass(frozen=True, slots=True)
class ProductBundle:
    """What is about `uri`, an identifier as events have it; one bundle at least, 1,000 at most, each once."""

    uri: str
    bundles: tuple[Bundle, ...]

    @classmethod
    def of(cls, uri: str, bundles: Iterable[Bundle]) -> "ProductBundle":
        """These bundles in their order."""
        return cls(uri, tuple(sorted(bundles, key=_place)))

    def encode(self) -> bytes:
        """The deterministic CBOR map."""
        checkpoints, entries = _Table[str](), _Table[ProvenEntry]()
        bundles = [bundle.value(checkpoint=checkpoints.number, entry=entries.number) for bundle in self.bundles]
        return cbor.encode(
            {
                "tallystick-product-bundle": VERSION,
                "uri": self.uri,
                "checkpoints": checkpoints.items,
                "registry": [entry_value(entry) for entry in entries.items],
                "bundles": bundles,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "ProductBundle":
        """Read a product bundle of at most 4 MiB in its one encoding; any bytes give one or MalformedError."""
        if not isinstance(data, bytes) or len(data) > BUNDLE_BYTES_MAX:
            raise MalformedError(f"a product bundle is at most {BUNDLE_BYTES_MAX} bytes")
        value = cbor.decode(data, depth_max=_DEPTH_MAX, by_name=True)
        match value:
            case {
                "tallystick-product-bundle": version,
                "uri": str(uri),
                "checkpoints": list(notes),
                "registry": list(values),
                "bundles": [_, *_] as bundles,
            } if len(value) == 5 and 0 < len(uri) <= URI_CHARS_MAX and len(bundles) <= BUNDLES_MAX:
                if type(version) is not int or version != VERSION:
                    raise MalformedError(f"a product bundle of version {version}: this reads version {VERSION}")
                checkpoint = partial(_item, [read_checkpoint(note) for note in notes])
                entry = partial(_item, [read_entry(value) for value in values])
                product = cls(uri, _bundles(Bundle.of(item, checkpoint=checkpoint, entry=entry) for item in bundles))
                product._require_order()
                if product.encode() != data:
                    raise MalformedError("a product bundle is not in its one encoding")
                return product
        raise MalformedError(f"a product bundle is a map of its five fields, with 1 to {BUNDLES_MAX} bundles")

    @property
    def is_bounded(self) -> bool:
        """Whether it can be checked within seconds."""
        return sum(len(bundle.registry.entries) for bundle in self.bundles) <= ENTRIES_MAX

    def _require_order(self) -> None:
        places = [_place(bundle) for bundle in self.bundles]
        if places != sorted(set(places)):
            raise MalformedError("a product bundle's statements are in order of chain and index, each once")


@dataclass(frozen=True, slots=True)
class ProductVerdict:
    """The statements about `uri` in the order of their events' own times; one at least."""

    uri: str
    statements: tuple[Verdict, ...]

    @property
    def word(self) -> str:
        """Whose word it all is, and what no file can show."""
        weakest = min(self.statements, key=lambda verdict: verdict.anchored)
        return f"{weakest.word}; {LEFT_OUT}; {NOT_IN_IT}"

    @property
    def document(self) -> dict[str, Any]:
        """The history as JSON holds it."""
        return {"uri": self.uri, "statements": [one.document for one in self.statements], "word": self.word}


def verify_product(product: ProductBundle, trust: Trust) -> ProductVerdict:
    """Check every bundle, that each is about the product, and that they tell one history.

    Raises an OutsideError that names the statement and the step that fails.
    """
    checkpoints, headers, verdicts = Checkpoints(), dict[tuple[str, int], bytes](), list[Verdict]()
    for number, bundle in enumerate(product.bundles, 1):
        try:
            verdict = verify(bundle, trust, checkpoints=checkpoints)
            _require_about(verdict, product.uri)
            _require_one_header(headers, verdict, bundle)
        except OutsideError as error:
            where = f"statement {number} of {len(product.bundles)} (entry {bundle.entry.index} of {bundle.chain!r})"
            raise type(error)(f"{where}: {error}") from error
        verdicts.append(verdict)
    verdicts.sort(key=lambda verdict: (_time(verdict, product.uri), verdict.chain, verdict.index))
    return ProductVerdict(product.uri, tuple(verdicts))


def events_about(verdict: Verdict, uri: str) -> list[epcis.Event]:
    """The events that a statement shows and that name `uri`, by URN or link: as an object, a child or the parent."""
    shown = [section.said for section in verdict.sections if isinstance(section.said, epcis.Event)]
    return [event for event in shown if _names(by_links(event), as_link(uri))]


def _names(event: epcis.Event, link: str) -> bool:
    return link in event.epcs or link == event.parent


def _require_about(verdict: Verdict, uri: str) -> None:
    if not events_about(verdict, uri):
        step = ProductStep.PRODUCT
        raise ProofError(f"step {step} ({step.claim}) fails: it shows no event that names {uri}")


def _require_one_header(headers: dict[tuple[str, int], bytes], verdict: Verdict, bundle: Bundle) -> None:
    if headers.setdefault((verdict.chain, verdict.height), bundle.header) != bundle.header:
        step = ProductStep.HISTORY
        raise TrustError(f"step {step} ({step.claim}) fails: two truths: block {verdict.height} has two headers")


def _time(verdict: Verdict, uri: str) -> float:
    return min(event.time for event in events_about(verdict, uri))


def _bundles(found: Iterable[Bundle]) -> tuple[Bundle, ...]:
    """All of them, unless they name too much of the registry."""
    bundles, named = list[Bundle](), 0
    for bundle in found:
        named += len(bundle.registry.entries)
        if named > ENTRIES_MAX:
            raise MalformedError(f"a product bundle names at most {ENTRIES_MAX:,} registry entries in all its bundles")
        bundles.append(bundle)
    return tuple(bundles)


def _place(bundle: Bundle) -> tuple[str, int]:
    return bundle.chain, bundle.entry.index


class _Table(Generic[_Kept]):
    """Things in the order of their first use, each once."""

    def __init__(self) -> None:
        self.items = list[_Kept]()
        self._numbers = dict[_Kept, int]()

    def number(self, item: _Kept) -> int:
        """Where `item` stands."""
        number = self._numbers.setdefault(item, len(self.items))
        if number == len(self.items):
            self.items.append(item)
        return number


def _item(table: list[_Kept], number: Any) -> _Kept:
    if type(number) is not int or not 0 <= number < len(table):
        raise MalformedError("a product bundle names what is not in its table")
    return table[number]
