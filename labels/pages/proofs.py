"""Proofs that a label is one of its batch, from what the database has of the batch's tree."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import psycopg

from labels import listed, tree
from labels.listed import StoredLabel
from ledger.errors import ProofError

_KEPT_BYTES = 16 * 1024 * 1024  # of subtrees' hashes: those of a hundred million labels


@dataclass(frozen=True, slots=True)
class _Shape:
    """A batch as its proofs need it: how many labels it has, and the hashes of its subtrees."""

    size: int
    subtrees: bytes


class Proofs:
    """Makes proofs, and remembers the shapes of batches: they never change. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, _Shape] = OrderedDict()

    def prove(self, connection: psycopg.Connection, stored: StoredLabel) -> list[bytes]:
        """The proof for a label that was issued; one of no hash if labels beside it are not here."""
        shape = self._shape(connection, stored.batch_root)
        runs = tree.needed(stored.index, shape.size)
        leaves = {
            label.index: label.label.leaf_hash
            for run in runs
            for label in listed.run(connection, stored.batch_root, run.start, run.stop)
        }
        try:
            return tree.prove(stored.index, shape.size, leaves=leaves, subtrees=shape.subtrees)
        except (KeyError, ProofError):
            return []

    def _shape(self, connection: psycopg.Connection, root: bytes) -> _Shape:
        with self._lock:
            if root in self._kept:
                self._kept.move_to_end(root)
                return self._kept[root]
        shape = _read(connection, root)
        with self._lock:
            self._kept[root] = shape
            while len(self._kept) > 1 and sum(len(kept.subtrees) for kept in self._kept.values()) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        return shape


def _read(connection: psycopg.Connection, root: bytes) -> _Shape:
    """As it was stored when the batch was issued; an older batch's is made of its labels, once."""
    found = listed.subtrees(connection, root)
    if found is not None:
        return _Shape(*found)
    hashes = [label.leaf_hash for label in listed.batch_labels(connection, root)]
    return _Shape(len(hashes), tree.subtrees_of(hashes))
