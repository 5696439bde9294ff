"""Specimens: as large as what they stand for, and nobody's."""

from urllib.parse import urlsplit

import pytest

from labels import gs1
from labels.printing import qr, specimen
from labels.serial import new_serials
from labels.signature import DIGITS
from tests.labels.printing.lots import GTIN


@pytest.mark.parametrize(
    "host", ["t.co", "id.example.com", "labels.a-rather-long-name.example.com", f"{'a.' * 120}com"]
)
def test_a_specimen_leads_nowhere(host: str) -> None:
    """Its host cannot be, and is as long as the real one where that can be; its product is GS1's to show."""
    [face] = specimen.faces(1, host=host, lot="L1", hidden=True)
    for link in (face.link, face.hidden):
        found = urlsplit(link).hostname or ""
        assert found.endswith(".invalid") and found.count(".") == 1 and len(found.split(".")[0]) <= 63
        assert len(found) == len(host) or not 9 <= len(host) <= 71
        assert (gs1.parse(link).gtin or "").startswith("0952")
    assert face.title == "SPECIMEN" and "(21) SPECIMEN01" in face.lines and face.spoken == ("XXXX XXXX",) * 2


@pytest.mark.parametrize("host", ["id.example.com", "labels.a-rather-long-name.example.com"])
def test_its_codes_are_as_large_as_real_ones(host: str) -> None:
    """The same count of modules, to hold a sheet against the labels."""
    [face] = specimen.faces(1, host=host, lot="L1")
    item = gs1.item(GTIN, serial=new_serials(1)[0])
    assert qr.encode(face.link).version == qr.encode(f"https://{host}{item.canonical_path}?s={'7' * DIGITS}").version
