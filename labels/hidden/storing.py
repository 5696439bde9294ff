"""What a batch commits to of its hidden codes: made while it is issued, and stored in the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg

from labels.hidden.code import commitments
from labels.tree import Growing
from ledger import merkle

Runs = Iterable[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Hiding:
    """The hidden key of a batch, and the tree over its commitments."""

    key: bytes
    tree: Growing


def hide(key: bytes, runs: Runs) -> Hiding:
    """Make the tree over the commitments of a batch's labels, by their canonical paths in order."""
    tree = Growing()
    for paths in runs:
        tree.extend([merkle.leaf_hash(commitment) for _, commitment in commitments(key, paths)])
    return Hiding(key, tree)


def store(connection: psycopg.Connection, batch_root: bytes, hiding: Hiding, runs: Runs) -> None:
    """Store the commitments of the same labels, with their secret bytes, and what their proofs are made of."""
    values = [batch_root, hiding.tree.root(), hiding.tree.subtrees]
    connection.execute("insert into hidden_batch (batch_root, root, hashes) values (%s, %s, %s)", values)
    index, into = 0, "copy hidden_code (batch_root, index, secret, commitment) from stdin"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for paths in runs:
            for secret, commitment in commitments(hiding.key, paths):
                copy.write_row((batch_root, index, secret, commitment))
                index += 1
