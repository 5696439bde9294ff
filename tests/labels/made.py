"""Labels and batches made in memory, and what a database has recorded of one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from labels import gs1
from labels.batch import Batch, Label
from labels.signature import sign_label
from labels.use import Use
from ledger import merkle
from ledger.keys import SigningKey


def sign_labels(
    key: SigningKey, day: int, *, gtin: str, lot: str, serials: Iterable[str], lot_in_link: bool = False
) -> list[Label]:
    """A label for each serial of a lot."""
    said = {"lot": lot} if lot_in_link else {}
    paths = (gs1.item(gtin, serial=serial, **said).canonical_path for serial in serials)
    return [Label(path, sign_label(key, day, path)) for path in paths]


def commit(labels: Sequence[Label], *, gtin: str, lot: str, kid: bytes, day: int) -> Batch:
    """The batch that these labels make, in this order."""
    return Batch(gtin, lot, len(labels), merkle.root([label.leaf_hash for label in labels]), kid, day)


class Recorded(NamedTuple):
    """One thing that became of a label."""

    use: Use
    at: datetime
    note: str


def recorded(connection: psycopg.Connection, batch_root: bytes, index: int) -> list[Recorded]:
    """What became of a label, in order."""
    query = "select use, at, note from label_use where batch_root = %s and index = %s order by use_id"
    rows = connection.execute(query, [batch_root, index])
    return [Recorded(Use(use), at, note) for use, at, note in rows]
