"""What leaves for printers: serials as they are, and what a spreadsheet would make of them told."""

from io import BytesIO

import pytest

from labels.book import IssuedBatch
from labels.issuing.export import Format, lines
from labels.issuing.serial_file import read_serials
from ledger.database import connect, migrate
from tests.labels.made import commit, sign_labels
from tests.labels.printing.lots import DAY, GTIN, HOST, KEY, LOT, store


@pytest.mark.parametrize(
    ("serials", "told"),
    [(["A1", "=1+1", "-5", "+49"], "'=1+1'"), (["A-1", "A=", "'=1"], ""), (['-"x",', "="], "'-\"x\",'")],
)
def test_a_csv_is_read_back_as_it_was(
    serials: list[str], told: str, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every serial; of one that would be a formula whoever asks hears once, by its name. The library says nothing."""
    migrate(postgres_dsn)
    labels = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=serials)
    batch = commit(labels, gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)
    store(postgres_dsn, batch, labels)
    with connect(postgres_dsn) as connection:
        for form in Format:
            heard, issued = list[str](), [IssuedBatch(batch, 0, bytes(32), 0)]
            text = "".join(lines(connection, issued, form, host=HOST, warn=heard.append))
            assert len(heard) == (form is Format.CSV and told != "")
            if form is Format.CSV:
                assert [serial for _, serial in read_serials(BytesIO(text.encode()))] == serials
                assert all(told in one for one in heard)
            assert text == "".join(lines(connection, issued, form, host=HOST))
    assert capsys.readouterr() == ("", "")
