"""A batch: the labels that were issued together, and the Merkle root that commits to each of them.

A leaf is the whole signed label as ASCII, without a host, since a label is the same whichever host its link names:

    /01/09506000134352/21/7K3M9QX2AB?s=<169 digits>

The tree is RFC 9162's, in the order of issue. As a leaf holds a signature, which nobody can guess, a proof says
nothing of the labels beside it. The registry entry says how many labels there are: one more is provably too many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from urllib.parse import unquote

from labels import gs1
from labels.signature import DAYS_MAX, DIGITS
from ledger import merkle
from ledger.errors import MalformedError

ENTRY_TYPE = "label-batch"


class Serials(StrEnum):
    """Where a batch's serials are from, and so what one says of its item.

    A serial of the maker's own that can be guessed, such as a running number, is one that others can write, too: its
    label is good for its lot, and never for an item alone.
    """

    RANDOM = "random"  # drawn here, at least 48 random bits
    OWN = "own"  # the maker's, of a form that has room for 48 random bits
    GUESSABLE = "guessable"  # the maker's, of a form that has not


@dataclass(frozen=True, slots=True)
class Label:
    """A signed label: a canonical path, and the digits that sign it."""

    path: str
    digits: str

    @property
    def serial(self) -> str:
        """What a person knows it by."""
        return serial_in(self.path)

    @property
    def leaf(self) -> bytes:
        """What a batch commits to."""
        return f"{self.path}?s={self.digits}".encode("ascii")

    @property
    def leaf_hash(self) -> bytes:
        """The hash of the leaf (RFC 9162, 2.1.1)."""
        return merkle.leaf_hash(self.leaf)

    def link(self, host: str, *, scheme: str = "https") -> str:
        """The text of this label's code: a GS1 Digital Link at `host` (and port)."""
        return f"{scheme}://{host}{self.path}?s={self.digits}"

    @classmethod
    def of(cls, link: gs1.DigitalLink) -> Self:
        """The label that a link carries, whatever its host; MalformedError if it carries no one signature."""
        found = [value for name, value in link.query if name == "s"]
        if len(found) != 1 or len(found[0]) != DIGITS:
            raise MalformedError("the link carries no label")
        return cls(link.canonical_path, found[0])


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's registry entry: `size` labels of one lot, signed by the key `kid` on `day`, and their root.

    `hidden` is the root of what is committed to of their hidden codes (`labels.hidden.code`), if they have some.
    """

    gtin: str
    lot: str
    size: int
    root: bytes
    kid: bytes
    day: int
    serials: Serials = Serials.RANDOM
    hidden: bytes | None = None

    def entry(self) -> dict[str, Any]:
        """The registry entry, as a map."""
        serials = {} if self.serials is Serials.RANDOM else {"serials": self.serials.value}
        hidden = {} if self.hidden is None else {"hidden": self.hidden}
        return {
            "type": ENTRY_TYPE,
            "gtin": self.gtin,
            "lot": self.lot,
            "size": self.size,
            "root": self.root,
            "kid": self.kid,
            "day": self.day,
            **serials,
            **hidden,
        }

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Read a registry entry's map, or raise MalformedError."""
        if entry.get("type") != ENTRY_TYPE:
            raise MalformedError("not the entry of a batch of labels")
        gtin, lot = _product(entry)
        size, day = _count(entry, "size", merkle.SIZE_MAX), _count(entry, "day", DAYS_MAX)
        root, kid = _bytes32(entry, "root"), _bytes32(entry, "kid")
        hidden = _bytes32(entry, "hidden") if "hidden" in entry else None
        return cls(gtin, lot, size, root, kid, day, _serials(entry), hidden)

    def verify(self, label: Label, *, index: int, proof: Sequence[bytes]) -> None:
        """Check that `label` is number `index` of this batch; ProofError unless the proof is exactly right."""
        merkle.verify_inclusion(proof, leaf=label.leaf_hash, index=index, size=self.size, root=self.root)


def serial_in(path: str) -> str:
    """The serial in a label's canonical path: of many, at a tenth of what it costs to read the link."""
    return unquote(path.rpartition("/21/")[2])


def _product(entry: Mapping[str, Any]) -> tuple[str, str]:
    gtin, lot = entry.get("gtin"), entry.get("lot")
    if not isinstance(gtin, str) or not isinstance(lot, str):
        raise MalformedError("a batch of labels is of a GTIN and a lot")
    try:
        link = gs1.item(gtin, lot=lot)
    except gs1.Gs1Error as error:
        raise MalformedError(f"a batch of labels is of no product: {error}") from error
    if link.gtin != gtin:
        raise MalformedError("a batch's GTIN has 14 digits")
    return gtin, lot


def _serials(entry: Mapping[str, Any]) -> Serials:
    """Only what an entry names may be more than guessable: of a later version's word the least is believed."""
    if "serials" not in entry:
        return Serials.RANDOM
    if not isinstance(entry["serials"], str):
        raise MalformedError("a batch's serials are a word")
    return Serials.OWN if entry["serials"] == Serials.OWN else Serials.GUESSABLE


def _count(entry: Mapping[str, Any], name: str, most: int) -> int:
    value = entry.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedError(f"a batch's {name} is a number from 0 to {most}")
    return value


def _bytes32(entry: Mapping[str, Any], name: str) -> bytes:
    value = entry.get(name)
    if type(value) is not bytes or len(value) != 32:
        raise MalformedError(f"a batch's {name} is 32 bytes")
    return value
