"""What is told of a chain: findings, shreddings and rollbacks. None changes a key."""

from typing import Any

from ledger import cbor
from ledger.errors import MalformedError, RegistryError
from ledger.registry import fields
from ledger.registry.fields import LOG_SIZE_MAX
from ledger.registry.state import ANCHOR, REGISTRY, Rollback, State
from ledger.statement import LINES_MAX

NOTE_CHARS_MAX = 64 * 1024


def finding(registry: State, entry: dict[str, Any], index: int) -> None:
    """A finding stands for itself: it changes no key. Its items are [index, line, reason]."""
    if fields.text(entry, "chain") not in registry.chains:
        raise RegistryError("a finding is about a chain of the ledger")
    items = entry.get("items")
    if not isinstance(items, list) or not items or not all(map(_is_finding, items)):
        raise MalformedError("a finding's items are a list of [index, line, reason]")


def _is_finding(item: Any) -> bool:
    match item:
        case [about, line, str(reason)]:
            numbers = cbor.is_count(about) and about < LOG_SIZE_MAX and cbor.is_count(line)
            return numbers and 0 < len(reason) <= 256 and "\x00" not in reason
    return False


def shredding(registry: State, entry: dict[str, Any], index: int) -> None:
    """Sections whose content is deleted. Its items are [index, line]; to shred twice changes nothing."""
    chain, items = fields.text(entry, "chain"), entry.get("items")
    if chain not in registry.chains.keys() - {REGISTRY, ANCHOR}:
        raise RegistryError("what is shredded is of a chain of the ledger, and never of the registry or the anchor")
    if not isinstance(items, list) or not items or not all(map(_is_place, items)):
        raise MalformedError("a shredding's items are a list of [index, line]")
    fields.text(entry, "reason")
    for about, line in items:
        registry.shredded.setdefault((chain, about, line), index)


def _is_place(item: Any) -> bool:
    match item:
        case [about, line]:
            return cbor.is_count(about) and about < LOG_SIZE_MAX and cbor.is_count(line) and line < LINES_MAX
    return False


def rollback(registry: State, entry: dict[str, Any], index: int) -> None:
    """A chain goes on from an older state than was published: said by whoever decided it. It changes no key."""
    chain, lost = fields.text(entry, "chain"), entry.get("lost")
    if chain not in registry.chains:
        raise RegistryError("a rollback is of a chain of the ledger")
    if lost is not None and not (isinstance(lost, str) and len(lost) <= NOTE_CHARS_MAX):
        raise MalformedError("a rollback's lost checkpoint is a signed note, or null")
    match entry.get("accepted"):
        case [size, bytes(root)] if cbor.is_count(size) and size < LOG_SIZE_MAX and len(root) == 32:
            fields.text(entry, "reason")
            registry.rollbacks.append(Rollback(chain, lost, size, root, index))
        case _:
            raise MalformedError("a rollback's accepted state is [size, root]")
