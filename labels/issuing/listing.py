"""The batches that were issued, each in a line, or as JSON has it. Pure."""

from labels.batch import Serials
from labels.book import Book, IssuedBatch
from labels.signature import date_of
from ledger.terminal import printable

_SERIALS = {Serials.RANDOM: "", Serials.OWN: "own serials", Serials.GUESSABLE: "serials that can be guessed"}


def line(book: Book, issued: IssuedBatch, issuer: str | None) -> str:
    """GTIN, lot, size, day, registry entry, root and key; by whose token; and what there is to know of it."""
    batch = issued.batch
    of = "label " if batch.size == 1 else "labels"
    said = f"{batch.gtin}  {printable(batch.lot):<20}  {batch.size:>9,} {of}  {date_of(batch.day)}"
    by = f"entry {issued.index:<6}  root {batch.root.hex()[:16]}…  key {batch.kid.hex()[:16]}…"
    token = [f"by {printable(issuer)}"] if issuer else []
    return "  ".join([said, by, *token, *notes(book, issued)]).rstrip()


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
