"""What the registry says over time: whose key was what at which of its sizes, and what was shredded.

The registry is read first, and once: then each range of entries can be judged by itself, in any order.
"""

from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from ledger import fold, key_history, note
from ledger.audit.content import leaf_of, whole
from ledger.audit.rows import EntryRow
from ledger.errors import MalformedError
from ledger.fold import Stored
from ledger.frontier import Frontier
from ledger.merkle import EMPTY_ROOT
from ledger.registry import Chain, Key, Registry

Shredded = dict[int, dict[int, int]]  # by index, and by line: the registry entry that says so


@dataclass
class Voices:
    """What each key was, by the registry sizes from which on it was so; and what was shredded, by chain."""

    _sizes: dict[bytes, list[int]] = field(default_factory=dict)
    _keys: dict[bytes, list[Key]] = field(default_factory=dict)
    shredded: dict[str, Shredded] = field(default_factory=dict)

    def key(self, kid: bytes, size: int) -> Key | None:
        """What `kid` was when the registry had `size` entries, or None."""
        place = bisect_right(self._sizes.get(kid, ()), size)
        return self._keys[kid][place - 1] if place else None

    def add(self, size: int, key: Key) -> None:
        """From `size` on, a key is this."""
        self._sizes.setdefault(key.kid, []).append(size)
        self._keys.setdefault(key.kid, []).append(key)

    def shred(self, chain: str, index: int, line: int, by: int) -> None:
        """A line was shredded, as registry entry `by` says."""
        self.shredded.setdefault(chain, {}).setdefault(index, {}).setdefault(line, by)


@dataclass
class Histories:
    """The registry's entries, read to their end."""

    voices: Voices = field(default_factory=Voices)
    leaves: list[bytes] = field(default_factory=list)
    genesis_vkeys: dict[str, str] = field(default_factory=dict)  # the logs' keys by chain
    genesis_row: EntryRow | None = None
    genesis_fault: str | None = None
    registry: Registry = field(default_factory=Registry)
    hidden: list[tuple[int, str]] = field(default_factory=list)  # entries whose word is not here, and why
    _logs: dict[str, list[tuple[int, Chain]]] = field(default_factory=dict)  # as each was from a size on

    @classmethod
    def read(cls, rows: Iterable[EntryRow]) -> "Histories":
        """Read the registry."""
        histories = cls()
        for row in rows:
            histories.leaves.append(leaf_of(row))
            histories._add(row)
        return histories

    @property
    def size(self) -> int:
        """How many entries the registry has."""
        return len(self.leaves)

    def signers(self, chain: str, registry: int, size: int) -> frozenset[note.Verifier]:
        """Who has to sign a chain's checkpoint for `size`, by the registry's state of `registry` entries."""
        known = [log for since, log in self._logs.get(chain, ()) if since <= registry]
        return frozenset(key.verifier for key in known[-1].log_keys if key.holds(size)) if known else frozenset()

    def _add(self, row: EntryRow) -> None:
        stored = whole(row)
        subjects, _ = key_history.subjects(stored)
        before = {kid: self.registry.key(kid) for kid in subjects}
        fault = fold.apply(self.registry, stored)
        self._listen(stored)
        if self.genesis_row is None:
            self.genesis_row, self.genesis_fault, subjects = row, fault, set(self.registry.keys)
            self.genesis_vkeys = {name: chain.vkey for name, chain in self.registry.chains.items()}
        for kid in subjects:
            key = self.registry.key(kid)
            if key is not None and key != before.get(kid):
                self.voices.add(self.size, key)
        for name, log in self.registry.chains.items():
            seen = self._logs.setdefault(name, [])
            if not seen or seen[-1][1] is not log:
                seen.append((self.size, log))
        if fault is None:
            self._shred(stored)

    def _listen(self, stored: Stored) -> None:
        """The registry is all public, and never shredded: by what of it is hidden, others' keys were judged."""
        with suppress(MalformedError):  # which is told as that
            if (why := fold.unsaid(stored)) is not None:
                self.hidden.append((stored.index, why))

    def _shred(self, stored: Stored) -> None:
        for body in key_history.bodies(stored):
            match body:
                case {"type": "shredding", "chain": str(chain), "items": list(items)}:
                    for index, line in items:
                        self.voices.shred(chain, index, line, stored.index)


class Roots:
    """The registry's root at one size after another, never back."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves, self._frontier, self.root = leaves, Frontier(), EMPTY_ROOT

    def at(self, size: int) -> bytes:
        """The root at `size`, or at the size before if that is larger."""
        if size > self._frontier.size:
            self._frontier.extend(self._leaves[self._frontier.size : size])
            self._frontier.take_full_tiles()
            self.root = self._frontier.root()
        return self.root
