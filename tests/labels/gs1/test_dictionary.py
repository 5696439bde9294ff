"""The syntax dictionary: what its file says is what is known of each application identifier."""

import re

import pytest

from labels.gs1.dictionary import AI_DIGITS, ENTRIES, JOINING, QUALIFIERS, SEQUENCES
from labels.gs1.format import compile_format
from labels.gs1.syntax_dictionary import CODE_LISTS, ENTRY_LINES

# GS1 General Specifications 26, Figure 7.8.5-2: by the first two digits, how long AI and value are together.
PREDEFINED = {
    "00": 20, "01": 16, "02": 16, "03": 16, "11": 8, "12": 8, "13": 8, "15": 8, "16": 8, "17": 8, "20": 4,
    "31": 10, "32": 10, "33": 10, "34": 10, "35": 10, "36": 10, "41": 16,
}  # fmt: skip

# GS1 Digital Link URI Syntax 1.6, 4.10: what no query may hold.
NO_ATTRIBUTES = "03 21 22 235 254 7040 7041 8011 8014 8019 8020 8040 8041 8042 8043 8200"


def test_holds_all_identifiers() -> None:
    """Release 2026-01-27 has 541 of them, in order, each once."""
    assert len(ENTRIES) == 541
    assert list(ENTRIES) == sorted(ENTRIES)
    assert {"717", "7041", "8030", "8043"} <= ENTRIES.keys()


def test_the_first_digits_tell_the_length() -> None:
    """The first two digits of an AI say how many it has: else an element string could not be read."""
    assert all(len(ai) == AI_DIGITS[ai[:2]] for ai in ENTRIES)


def test_predefined_lengths_are_those_of_the_specifications() -> None:
    """Exactly the AIs whose first digits are in GS1's table need no FNC1, and are as long as it says."""
    assert {ai[:2]: len(ai) + entry.size for ai, entry in ENTRIES.items() if entry.size is not None} == PREDEFINED
    assert all((entry.size is not None) == (ai[:2] in PREDEFINED) for ai, entry in ENTRIES.items())


def test_some_identifiers_are_no_attributes() -> None:
    """A link's query may hold all but those that the standard names."""
    assert [ai for ai, entry in ENTRIES.items() if not entry.attribute] == sorted(NO_ATTRIBUTES.split())


def test_keys_and_qualifiers() -> None:
    """The primary keys of links, and what may stand behind them, in order."""
    assert QUALIFIERS["01"] == (("22", "10", "21"), ("235",))
    assert QUALIFIERS["414"] == (("254",), ("7040",))
    assert QUALIFIERS["415"] == (("8020",),)
    none = [key for key, rows in QUALIFIERS.items() if not any(rows)]
    assert none == ["00", "253", "255", "401", "402", "8003", "8013"]
    assert ("01", "22", "21") in SEQUENCES
    assert ("01", "21", "22") not in SEQUENCES
    assert JOINING["01", "21"] == {"22", "10"}


@pytest.mark.parametrize("line", ENTRY_LINES, ids=lambda line: str(line).split()[0])
def test_a_line_says_nothing_else(line: str) -> None:
    """Each word of an entry is known: the format's components compile, and attributes name AIs that there are."""
    body, _, _ = line.partition("#")
    ais, *words = body.split()
    flags = words.pop(0) if set(words[0]) <= set("*?") else ""
    assert flags in ("", "*", "?", "*?")
    spec = [word for word in words if re.match(r"\[?[NXYZ]", word)]
    entry = ENTRIES[ais.partition("-")[0]]
    assert compile_format(" ".join(spec)) is entry.format
    named = {word for text in words[len(spec) :] for word in re.findall("[0-9]+n*", text.partition("=")[2])}
    for pattern in named:
        assert any(len(ai) == len(pattern) and ai.startswith(pattern.rstrip("n")) for ai in ENTRIES), pattern
    kinds = {text.partition("=")[0] for text in words[len(spec) :]}
    assert kinds <= {"req", "ex", "dlpkey"}


def test_code_lists_are_whole() -> None:
    """The lists have as many codes as their sources: 249 countries, 30 media types."""
    assert {name: len(codes) for name, codes in CODE_LISTS.items()} == {
        "iso3166": 249,
        "iso3166alpha2": 249,
        "iso4217": 179,
        "mediatype": 30,
        "packagetype": 431,
    }
    assert {"276", "840"} <= CODE_LISTS["iso3166"]
    assert {"978", "975", "924"} <= CODE_LISTS["iso4217"]
    assert not {"191", "694", "932"} & CODE_LISTS["iso4217"]
