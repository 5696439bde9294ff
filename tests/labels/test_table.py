"""Tables for a terminal."""

from labels import table


def test_columns_are_as_wide_as_they_must_be() -> None:
    """By the widest of a title and its cells; no line ends in spaces."""
    rows = [["A", "1,000", "first"], ["LONGER", "1", ""]]
    assert table.lines(["lot", "n", "of it"], rows, right=["n"]) == [
        "lot         n  of it",
        "A       1,000  first",
        "LONGER      1",
    ]
    assert table.lines(["lot", "labels"], [], right=["labels"]) == ["lot  labels"]
