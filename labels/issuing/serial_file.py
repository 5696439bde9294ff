"""A file of one's own serials: one a line, or a CSV with a column of them. Whatever is in it, it is read or refused.

A file whose first line names the wanted column, alone or between commas, semicolons or tabs, is a CSV (RFC 4180); if it
names that twice, it is refused. Any other whose first line has none of these has a serial on each line, whatever signs
are in it. Empty lines are nothing. The text is UTF-8, with a byte order mark or without; lines end in LF or CRLF.
"""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from labels.issuing.refused import Refused

COLUMN = "serial"
LINE_BYTES_MAX = 4096
_DELIMITERS = ",;\t"
_MARK = b"\xef\xbb\xbf"
_HINT = "save it as UTF-8 text: one serial a line, or a CSV with a column named serial"


def read_serials(file: BinaryIO, column: str | None = None) -> Iterator[tuple[int, str]]:
    """The serials of a file with the line on which each stands, from 1; raises Refused with the line and the reason.

    With a `column` named, the file is a CSV that has it. What a serial may be is not looked at.
    """
    lines = _lines(file)
    first = next(lines, None)
    if first is None:
        raise Refused("the file of serials is empty", _HINT)
    if (delimiter := _delimiter(first[1], column or COLUMN)) is not None:
        return _column(lines, first[1], column or COLUMN, delimiter)
    if column is not None or any(delimiter in first[1] for delimiter in _DELIMITERS):
        told = f"line {first[0]} names no column {column or COLUMN!r}"
        raise Refused(told, "name the column of the serials with --column, or begin with a line 'serial'")
    return _plain(first, lines)


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers, without their ends."""
    number = 0
    while data := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(data) > LINE_BYTES_MAX:
            raise Refused(f"line {number} is longer than {LINE_BYTES_MAX} bytes", _HINT)
        text = _text(data.removeprefix(_MARK) if number == 1 else data, number)
        if text.strip():
            yield number, text


def _text(data: bytes, number: int) -> str:
    try:
        text = data.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Refused(f"line {number} is not UTF-8 text", _HINT) from error
    if "\x00" in text or "\r" in text:
        raise Refused(f"line {number} has a control character in it", _HINT)
    return text


def _delimiter(line: str, column: str) -> str | None:
    """By what the first line's cells are apart, if one of them is the column's name."""
    cells = {delimiter: _cells(line, delimiter, 1) for delimiter in _DELIMITERS if delimiter in line} or {",": [line]}
    return next((one for one, names in cells.items() if _places(names, column)), None)


def _places(names: list[str], column: str) -> list[int]:
    wanted = column.strip().lower()
    return [place for place, name in enumerate(names) if name.strip().strip('"').lower() == wanted]


def _cells(line: str, delimiter: str, number: int) -> list[str]:
    """One line's cells: no cell goes on in the next, as none of a list of serials need."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise Refused(
            f"line {number} is no line of a CSV: {error}", "a quotation mark begins and ends a cell"
        ) from error


def _column(lines: Iterator[tuple[int, str]], header: str, column: str, delimiter: str) -> Iterator[tuple[int, str]]:
    names = _cells(header, delimiter, 1)
    place, *more = _places(names, column)
    if more:
        told = f"line 1 names {1 + len(more)} columns {column!r}"
        raise Refused(told, "which one is meant cannot be told: give the others another name")
    for number, line in lines:
        cells = _cells(line, delimiter, number)
        if len(cells) != len(names):
            told = f"line {number} has {len(cells)} cells, and the first line names {len(names)} columns"
            raise Refused(told, "write a cell with a comma in it between quotation marks")
        if not (serial := cells[place].strip()):
            raise Refused(f"line {number} has no serial", "leave the line out, or fill its cell in")
        yield number, serial


def _plain(first: tuple[int, str], lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield first[0], first[1].strip()
    for number, line in lines:
        yield number, line.strip()
