"""Labels: the keys that sign them, and the batches that were issued."""

from typing import Any

from ledger.errors import RegistryError
from ledger.keys import thumbprint
from ledger.registry import fields, prefixes
from ledger.registry.keys import require_new_key
from ledger.registry.state import LabelScope, State


def label_key(registry: State, entry: dict[str, Any], index: int) -> None:
    """A key that signs labels of an organisation: of these GTINs, on these days; of one batch alone, if it says so."""
    public_key, organisation = fields.bytes32(entry, "key"), fields.text(entry, "organisation")
    kid = thumbprint(public_key)
    if organisation not in registry.organisations:
        raise RegistryError(f"organisation {organisation} is not registered")
    require_new_key(registry, kid)
    gtins = tuple(fields.texts(entry, "gtins"))
    if not gtins or not all(gtin.isascii() and gtin.isdigit() and len(gtin) <= 14 for gtin in gtins):
        raise RegistryError("a label key signs for GTINs of 14 digits, or prefixes of them")
    if complaint := prefixes.complaint(registry.prefixes, organisation, gtins):
        raise RegistryError(complaint)
    first, last = fields.count(entry, "first_day"), fields.count(entry, "last_day")
    if first > last:
        raise RegistryError("a label key's last day is before its first")
    lot = fields.text(entry, "lot") if "lot" in entry else None
    batch = fields.bytes32(entry, "batch") if "batch" in entry else None
    registry.label_keys[kid] = LabelScope(public_key, organisation, gtins, first, last, lot=lot, batch=batch)


def label_batch(registry: State, entry: dict[str, Any], index: int) -> None:
    """A batch of labels stands for itself: it changes no key. A key that is for one batch has no other."""
    gtin = fields.text(entry, "gtin")
    if not (len(gtin) == 14 and gtin.isascii() and gtin.isdigit()):
        raise RegistryError("a batch of labels is of a GTIN of 14 digits")
    fields.text(entry, "lot"), fields.count(entry, "size")
    root, scope = fields.bytes32(entry, "root"), registry.label_keys.get(fields.bytes32(entry, "kid"))
    if scope is not None and scope.batch not in (None, root):
        raise RegistryError("the key of this batch of labels is for another one alone")
    if "serials" in entry:
        fields.text(entry, "serials")
    if "hidden" in entry:
        fields.bytes32(entry, "hidden")


def label_finding(registry: State, entry: dict[str, Any], index: int) -> None:
    """What does not fit together with a batch of labels. It stands for itself: it changes no key."""
    fields.bytes32(entry, "root"), fields.text(entry, "finding"), fields.text(entry, "reason")
