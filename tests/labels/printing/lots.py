"""Issued lots for printing: their labels are in the database, without a gateway that seals them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from labels.batch import Batch, Label
from labels.printing.journal import Journal
from labels.serial import new_serials
from labels.signature import LabelKey
from ledger.database import connect, migrate
from ledger.keys import SigningKey
from tests.labels.made import commit, sign_labels

GTIN, LOT, DAY, HOST = "09506000134352", "L2511-A", 2151, "id.example.com"
KEY = SigningKey(bytes(range(32)))
LINE = LabelKey(KEY.public, "https://example.com", (GTIN,), DAY, DAY)


def store_labels(dsn: str, count: int) -> Batch:
    """Store a batch of labels of the lot."""
    labels = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=new_serials(count))
    batch = commit(labels, gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)
    store(dsn, batch, labels)
    return batch


def store(dsn: str, batch: Batch, labels: Sequence[Label]) -> None:
    """Store the labels of a batch."""
    into = "copy label (batch_root, index, path, signature) from stdin"
    with connect(dsn) as connection, connection.cursor() as cursor, cursor.copy(into) as copy:
        for index, label in enumerate(labels):
            copy.write_row((batch.root, index, label.path, label.digits))


def issued(dsn: str, *counts: int) -> list[Batch]:
    """A database with a lot of so many labels in each of its batches."""
    migrate(dsn)
    return [store_labels(dsn, count) for count in counts]


@contextmanager
def journal(dsn: str, batches: list[Batch]) -> Iterator[Journal]:
    """The lot's journal, in a session of its own."""
    with connect(dsn) as connection:
        yield Journal(connection, batches, gtin=GTIN, lot=LOT)


def serials(dsn: str, batches: list[Batch]) -> list[str]:
    """The serials of a lot of which nothing is printed, in order."""
    with journal(dsn, batches) as taken:
        return [label.serial for label in taken.due()]
