"""Specimens for a test print: as large as real labels, and genuine to nobody. Pure."""

from collections.abc import Iterator

from labels import gs1
from labels.batch import Label
from labels.listed import StoredLabel
from labels.printing.outlet import Numbered
from labels.signature import DIGITS


def specimens(gtin: str, count: int) -> Iterator[Numbered]:
    """So many labels of the product that no key has signed."""
    for number in range(1, count + 1):
        path = gs1.item(gtin, serial=f"SAMPLE{number:04}").canonical_path
        yield Numbered(number, StoredLabel(Label(path, "0" * DIGITS), b"", number - 1))
