"""The batches that were issued, each in a line, or as JSON has it. Pure."""

from collections.abc import Sequence

from labels import table
from labels.batch import Serials
from labels.book import Book, IssuedBatch
from labels.signature import date_of
from ledger.terminal import printable

_DIGITS = 8  # of a root or a key: 'labels export --batch' and 'labels revoke-key' take as many
_SERIALS = {Serials.RANDOM: "", Serials.OWN: "own serials", Serials.GUESSABLE: "serials that can be guessed"}


def lines(book: Book, issued: Sequence[tuple[IssuedBatch, str | None]]) -> list[str]:
    """A table of batches, each with the name of the token that had it issued: their titles, and a line for each."""
    if not issued:
        return []
    titles = ("GTIN", "lot", "labels", "issued", "entry", "root", "key", "")
    return table.lines(titles, [_row(book, *one) for one in issued], right=("labels", "entry"))


def _row(book: Book, issued: IssuedBatch, issuer: str | None) -> list[str]:
    batch = issued.batch
    of = [batch.gtin, printable(batch.lot), f"{batch.size:,}", str(date_of(batch.day)), str(issued.index)]
    told = [f"by {printable(issuer)}"] if issuer else []
    begin = [f"{digest.hex()[:_DIGITS]}…" for digest in (batch.root, batch.kid)]
    return [*of, *begin, ", ".join([*told, *notes(book, issued)])]


def notes(book: Book, issued: IssuedBatch) -> list[str]:
    """What is to be known of a batch: of its serials, its key and its lot."""
    batch = issued.batch
    told = [_SERIALS[batch.serials]] if _SERIALS[batch.serials] else []
    told += ["hidden codes"] if batch.hidden is not None else []
    told += ["key revoked"] if batch.kid in book.revoked_at else []
    return [*told, "RECALLED"] if book.recalled(batch.gtin, batch.lot) else told


def document(book: Book, issued: IssuedBatch, issuer: str | None) -> dict[str, object]:
    """The same for JSON."""
    batch = issued.batch
    return {
        "gtin": batch.gtin,
        "lot": batch.lot,
        "size": batch.size,
        "issued": date_of(batch.day).isoformat(),
        "registry_entry": issued.index,
        "root": batch.root.hex(),
        "key": batch.kid.hex(),
        "issuer": issuer,
        "serials": batch.serials.value,
        "hidden": batch.hidden is not None,
        "key_revoked": batch.kid in book.revoked_at,
        "recalled": book.recalled(batch.gtin, batch.lot) is not None,
    }
