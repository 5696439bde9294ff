"""Marking labels: by link, serial or number, all of them or none."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from labels import gs1
from labels.batch import Batch
from labels.listed import StoredLabel, batch_labels
from labels.reconciling.mark import find, lines, mark, named, numbered
from labels.use import Use
from ledger.database import connect
from ledger.errors import UserError
from tests.labels.made import recorded
from tests.labels.printing.lots import GTIN, LOT, issued

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def batches(postgres_dsn: str) -> list[Batch]:
    """A lot in two batches."""
    return issued(postgres_dsn, 3, 2)


@pytest.fixture
def connection(postgres_dsn: str, batches: list[Batch]) -> Iterator[psycopg.Connection]:
    """A session with their database."""
    with connect(postgres_dsn) as opened:
        yield opened


def found(connection: psycopg.Connection, *texts: str, gtin: str | None = GTIN) -> list[StoredLabel]:
    """The labels of these texts."""
    return find(connection, [named(text, f"line {n}", gtin=gtin, lot=LOT) for n, text in enumerate(texts, 1)])


def test_a_label_is_found_by_link_and_by_serial(connection: psycopg.Connection, batches: list[Batch]) -> None:
    """A scanner gives the link with any host, a person the serial; each label counts once."""
    label = batch_labels(connection, batches[0].root)[1]
    link = label.link("any.example.org")
    serial = gs1.parse(link).serial or ""
    for texts in ([link], [serial], [link, serial, link]):
        assert [(one.batch_root, one.index) for one in found(connection, *texts)] == [(batches[0].root, 1)]
    assert found(connection, link, gtin=None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("7K3M9QX2AB", "line 1: no label '7K3M9QX2AB' was issued here"),
        ("no serial", "line 1: serial 'no serial' is not GS1's"),
        ("https://id.example.com/01/09506000134353/21/A", "line 1: that is no label's link"),
        ("https://id.example.com/01/09506000134352/21/A", "was issued here"),
    ],
)
def test_what_is_not_known_is_refused(connection: psycopg.Connection, text: str, complaint: str) -> None:
    """The place of the first that is none is told."""
    with pytest.raises(UserError, match=complaint):
        found(connection, text)


def test_a_made_up_signature_marks_no_label(connection: psycopg.Connection, batches: list[Batch]) -> None:
    """A counterfeit with the serial of an issued label, or a link that was cut short, is not that label."""
    link = batch_labels(connection, batches[0].root)[1].link("any.example.org")
    for wrong in (link[:-1], f"{link[:-1]}{(int(link[-1]) + 1) % 10}"):
        with pytest.raises(UserError, match="line 1: the signature in"):
            found(connection, wrong)
    assert found(connection, link.partition("?")[0])


def test_a_serial_needs_its_product(connection: psycopg.Connection) -> None:
    """Without a GTIN a serial names nothing."""
    with pytest.raises(UserError, match="is no link") as refused:
        found(connection, "7K3M9QX2AB", gtin=None)
    assert "--gtin" in refused.value.hint


def test_lines_of_a_file() -> None:
    """Empty lines and a byte order mark name no label; places count all lines."""
    assert list(lines("\ufeffA1\r\n\r\n  B2 \n", "a file")) == [("line 1 of a file", "A1"), ("line 3 of a file", "B2")]


def test_numbers_go_on_over_a_lots_batches(batches: list[Batch]) -> None:
    """Number 4 is the first of the second batch, and there is no number 6."""
    first, second = batches
    assert numbered(batches, 3, 5) == [(first.root, 2), (second.root, 0), (second.root, 1)]
    assert numbered(batches, 4, 4) == [(second.root, 0)]
    for wrong in ((0, 2), (3, 2), (5, 6)):
        with pytest.raises(UserError, match="the lot has labels 1 to 5"):
            numbered(batches, *wrong)


def test_what_is_marked_is_recorded(connection: psycopg.Connection, batches: list[Batch], postgres_dsn: str) -> None:
    """With its note and time, and seen by another session."""
    mark(connection, numbered(batches, 1, 2), Use.SPOILED, at=NOW, note="jam")
    with connect(postgres_dsn) as other:
        assert recorded(other, batches[0].root, 1) == [(Use.SPOILED, NOW, "jam")]
