"""A file of one's own serials: read, or refused with the line and the reason."""

from io import BytesIO
from pathlib import Path

import pytest

from labels.batch import Serials
from labels.issuing import drawing
from labels.issuing.drawing import Drawn, draw
from labels.issuing.order import Own, Random
from labels.issuing.refused import Refused, TooMany
from labels.issuing.serial_file import LINE_BYTES_MAX, read_serials
from labels.issuing.spool import Spool

GTIN = "09506000134352"


@pytest.mark.parametrize(
    ("data", "column", "serials"),
    [
        (b"A\nB\n", None, [(1, "A"), (2, "B")]),
        (b"A\r\nB", None, [(1, "A"), (2, "B")]),
        (b"\xef\xbb\xbfA\n\n  \nB \n", None, [(1, "A"), (4, "B")]),
        (b"A\nB,C\n", None, [(1, "A"), (2, "B,C")]),
        (b"serial\nA\n", None, [(2, "A")]),
        (b"name,Serial\nx,A\ny,B\n", None, [(2, "A"), (3, "B")]),
        (b'Serial;name\r\n"A;1";"x ""y"""\r\n', None, [(2, "A;1")]),
        (b"serial\tsn\nA\tB\n", "SN", [(2, "B")]),
        (b"sn\nB\n", "sn", [(2, "B")]),
        (b'"serial","name"\n"A","x"\n', None, [(2, "A")]),
    ],
)
def test_serials_are_read_with_their_lines(data: bytes, column: str | None, serials: list[tuple[int, str]]) -> None:
    """One a line or in a column, by whatever wrote the file; empty lines are nothing."""
    assert list(read_serials(BytesIO(data), column)) == serials


@pytest.mark.parametrize(
    ("data", "column", "complaint"),
    [
        (b"", None, "the file of serials is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", None, "the file of serials is empty"),
        (b"name,number\nx,A\n", None, "line 1 names no column 'serial'"),
        (b"A\nB\n", "sn", "line 1 names no column 'sn'"),
        (b"serial,name,Serial\nA,x,B\n", None, "line 1 names 2 columns 'serial'"),
        (b"sn;serial;sn\nA;B;A\n", "SN", "line 1 names 2 columns 'SN'"),
        (b"serial,name\nA\n", None, "line 2 has 1 cells, and the first line names 2 columns"),
        (b"serial,name\n,x\n", None, "line 2 has no serial"),
        (b'serial,name\nA,x\n"B,x\n', None, "line 3 is no line of a CSV"),
        (b"A\n\xff\n", None, "line 2 is not UTF-8"),
        ("A\n".encode("utf-16"), None, "line 1 is not UTF-8"),
        (b"A\nB\x00\n", None, "line 2 has a control character"),
        (b"A\rB\rC\n", None, "line 1 has a control character"),
        (b"A\n" + b"x" * (LINE_BYTES_MAX + 1), None, f"line 2 is longer than {LINE_BYTES_MAX} bytes"),
        (b"x" * 10_000_000, None, "line 1 is longer"),
    ],
)
def test_what_is_no_file_of_serials_is_refused(data: bytes, column: str | None, complaint: str) -> None:
    """With the line, the reason and a hint."""
    with pytest.raises(Refused, match=complaint) as error:
        list(read_serials(BytesIO(data), column))
    assert error.value.hint


def drawn(tmp_path: Path, *serials: str) -> tuple[Drawn, list[str]]:
    """What is to be said of serials, and the lines of their spool."""
    with Spool(tmp_path) as spool:
        return draw(Own(enumerate(serials, 1)), spool, gtin=GTIN), list(spool)


def test_own_serials_are_spooled_as_a_path_has_them(tmp_path: Path) -> None:
    """Any of GS1's characters, percent-encoded where a path needs it."""
    assert drawn(tmp_path, "A/1", "b-2", "%.")[1] == ["1\tA%2F1", "2\tb-2", "3\t%25."]


@pytest.mark.parametrize("serial", ["", "a b", "x" * 21, "é", ".", "..", "\x1b[2J", "~"])
def test_a_serial_that_is_none_is_refused_with_its_line(tmp_path: Path, serial: str) -> None:
    """GS1's characters, twenty at most; what a terminal would obey is not repeated."""
    with pytest.raises(Refused, match="line 2: serial") as error:
        drawn(tmp_path, "A", serial)
    assert "\x1b" not in str(error.value)


def test_more_than_a_batch_has_is_refused_before_all_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless file ends there."""
    monkeypatch.setattr(drawing, "LABELS_MAX", 3)
    endless = ((line, f"S{line}") for line in iter(lambda: 1, 2))
    with Spool(tmp_path) as spool, pytest.raises(TooMany, match="line 1: a batch has at most 3"):
        draw(Own(endless), spool, gtin=GTIN)


@pytest.mark.parametrize(
    ("serials", "kind"),
    [
        ([f"{number:020d}" for number in range(1000)], Serials.GUESSABLE),
        ([f"L2606A-{number}" for number in range(1, 200)], Serials.GUESSABLE),
        (["1", "2", "3"], Serials.GUESSABLE),
        ([f"2026112614{number:06d}" for number in range(0, 900_000, 7_000)], Serials.GUESSABLE),
        (["SERIAL1"], Serials.GUESSABLE),
        (["A7K3M9QX2B"], Serials.OWN),
        (["7K3M9QX2AB", "ZDD74CLGZH", "DDYVFLQU28", "847MBXRRS6"], Serials.OWN),
        (["48151623421234567890", "98237410293847560192", "10293847565647382910"], Serials.OWN),
        ([f"{number * 2654435761 % 10**12:012d}" for number in range(500)], Serials.GUESSABLE),
        (["x" * 20, "7K3M9QX2AB", "A"], Serials.GUESSABLE),
    ],
)
def test_a_form_without_room_for_48_random_bits_is_guessable(tmp_path: Path, serials: list[str], kind: Serials) -> None:
    """A running number, whatever stands before it, a short one, one of twelve digits; and then it is said."""
    said, _ = drawn(tmp_path, *serials)
    assert said.serials is kind and bool(said.warning) == (kind is Serials.GUESSABLE)


def test_random_serials_are_never_guessable(tmp_path: Path) -> None:
    """What is drawn here passes what is asked of others."""
    with Spool(tmp_path) as spool:
        assert draw(Random(2_500), spool, gtin=GTIN) == Drawn(Serials.RANDOM)
        lines = list(spool)
    assert [int(line.split("\t")[0]) for line in lines] == list(range(1, 2_501))
    assert drawn(tmp_path, *(line.split("\t")[1] for line in lines))[0] == Drawn(Serials.OWN)
