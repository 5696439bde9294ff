"""The labels that were issued, as the database lists them: no log holds them."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from labels.batch import Batch, Label

RUN = 5_000  # labels that are read at once


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A label that was issued, and its place in its batch."""

    label: Label
    batch_root: bytes
    index: int


def label(connection: psycopg.Connection, path: str) -> StoredLabel | None:
    """The label that was issued for a canonical path."""
    row = connection.execute("select path, signature, batch_root, index from label where path = %s", [path]).fetchone()
    return StoredLabel(Label(row[0], row[1]), bytes(row[2]), row[3]) if row else None


def run(connection: psycopg.Connection, root: bytes, first: int, end: int) -> list[StoredLabel]:
    """The labels of a batch from number `first` up to `end`, in order; fewer if there are no more."""
    query = (
        "select path, signature, index from label where batch_root = %s and index >= %s and index < %s order by index"
    )
    rows = connection.execute(query, [root, first, end])
    return [StoredLabel(Label(path, digits), root, index) for path, digits, index in rows]


def stream(connection: psycopg.Connection, root: bytes) -> Iterator[StoredLabel]:
    """All labels of a batch, in order; few of them are in memory at a time."""
    first = 0
    while found := run(connection, root, first, first + RUN):
        yield from found
        first += RUN


def subtrees(connection: psycopg.Connection, root: bytes) -> tuple[int, bytes] | None:
    """How many labels a batch has, and its subtrees' hashes (`labels.tree`); None of one that was issued without."""
    row = connection.execute("select size, hashes from label_subtree where batch_root = %s", [root]).fetchone()
    return (row[0], bytes(row[1])) if row else None


def has_all(connection: psycopg.Connection, batch: Batch) -> bool:
    """Whether the labels of a batch are here: a database that was filled from a copy has none, as no log holds them."""
    row = connection.execute("select count(*) from label where batch_root = %s", [batch.root]).fetchone()
    return row is not None and row[0] >= batch.size


def batch_labels(connection: psycopg.Connection, root: bytes) -> list[Label]:
    """The labels of a batch, in order."""
    query = "select path, signature from label where batch_root = %s order by index"
    return [Label(path, digits) for path, digits in connection.execute(query, [root])]


def of_paths(connection: psycopg.Connection, paths: list[str]) -> dict[str, StoredLabel]:
    """The labels that were issued for some of these canonical paths, by path."""
    query = "select path, signature, batch_root, index from label where path = any(%s)"
    rows = connection.execute(query, [paths])
    return {path: StoredLabel(Label(path, digits), bytes(root), index) for path, digits, root, index in rows}
