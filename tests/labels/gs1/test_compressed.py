"""Compressed Digital Links: those of GS1's own toolkit are read, and bad ones are refused by the rule they break."""

import random

import pytest

from labels import gs1
from labels.gs1.compressed import NotCompressed, decode
from labels.gs1.errors import Rule
from tests.labels.gs1.samples import GTIN

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def bits(*parts: tuple[int, int]) -> str:
    """A segment of numbers, each in so many bits, filled up with zeros."""
    text = "".join(f"{number:0{width}b}" for number, width in parts)
    text += "0" * (-len(text) % 6)
    return "".join(ALPHABET[int(text[at : at + 6], 2)] for at in range(0, len(text), 6))


_GTIN = (int(GTIN), 47)
_AI_01, _AI_10, _AI_21 = (0x01, 8), (0x10, 8), (0x21, 8)


def text7(value: str) -> list[tuple[int, int]]:
    """A value of up to twenty characters, as ASCII."""
    return [(4, 3), (len(value), 5), *((ord(char), 7) for char in value)]


@pytest.mark.parametrize(
    ("segment", "pairs"),
    [
        # Two examples in the comments of GS1's toolkit.
        (
            "AQnYUc1gmiERBhQ0ytiyZuAGOLc1TQ",
            [("01", "05412345000013"), ("10", "ABC&+123"), ("7003", "1903061658")],
        ),
        (
            "AQnYUc1gmiERBhQ0ytiyZuAGOLc1TXhXsaXbQKHFuaprwUmrBX6g",
            [("01", "05412345000013"), ("10", "ABC&+123"), ("7003", "1903061658")],
        ),
        # Ours, by the standard: one AI; a sequence, in both orders; each way to write characters.
        (bits(_AI_01, _GTIN), [("01", GTIN)]),
        (bits((0x0C, 8), _GTIN, *text7("s/1")), [("01", GTIN), ("21", "s/1")]),
        (
            bits((0x1A, 8), _GTIN, *text7("L"), (270630, 20), *text7("S")),
            [("01", GTIN), ("10", "L"), ("21", "S"), ("17", "270630")],
        ),
        (
            bits((0x1A, 8), _GTIN, *text7("L"), *text7("S"), (270630, 20)),
            [("01", GTIN), ("10", "L"), ("21", "S"), ("17", "270630")],
        ),
        (bits(_AI_01, _GTIN, _AI_10, (0, 3), (4, 5), (12, 14)), [("01", GTIN), ("10", "0012")]),
        (bits(_AI_01, _GTIN, _AI_10, (1, 3), (2, 5), (0xAB, 8)), [("01", GTIN), ("10", "ab")]),
        (bits(_AI_01, _GTIN, _AI_10, (2, 3), (2, 5), (0xAB, 8)), [("01", GTIN), ("10", "AB")]),
        (bits(_AI_01, _GTIN, _AI_10, (3, 3), (2, 5), (0, 6), (63, 6)), [("01", GTIN), ("10", "A_")]),
        (bits(_AI_10, *text7("L"), _AI_01, _GTIN), [("01", GTIN), ("10", "L")]),
    ],
)
def test_reads(segment: str, pairs: list[tuple[str, str]]) -> None:
    """A link whose last segment is a compressed message says what that says."""
    link = gs1.parse(f"https://example.org/some/prefix/{segment}")
    assert list(link.elements.pairs) == pairs
    assert link.path_prefix == "/some/prefix"


def test_a_key_may_stand_before_it() -> None:
    """A link may hide all but its primary key, and what else it says in its query is read beside."""
    link = gs1.parse(f"https://example.org/01/{GTIN}/{bits(_AI_21, *text7('S'))}?17=270630&linkType=all")
    assert link.canonical_path == f"/01/{GTIN}/21/S"
    assert link.query == (("17", "270630"), ("linkType", "all"))


def test_what_is_not_gs1s_is_an_extra() -> None:
    """Names and values of others are kept, encoded as in any query."""
    link = gs1.parse("https://example.org/AQnYUc1gmiERBhQ0ytiyZuAGOLc1TXhXsaXbQKHFuaprwUmrBX6g")
    assert link.extras == (("expdt", "1903061658"), ("k1", "v1"))


@pytest.mark.parametrize(
    "segment",
    [
        "A",
        "AA",
        "robots.txt",
        "verify",
        bits(_AI_01, (10**14, 47)),  # fifteen digits
        bits(_AI_01, (int(GTIN), 47))[:-1],  # cut
        bits(_AI_01, _GTIN, (1, 7)),  # what is left is not zero
        bits(_AI_10, *text7("L")),  # no key
        bits((0xB0, 8), _GTIN),  # no such sequence
        bits((0x04, 8), _GTIN),  # no such AI
        bits(_AI_01, _GTIN, _AI_10, (5, 3), (1, 5), (1, 7)),  # no such way to write characters
        bits(_AI_01, _GTIN, (15, 4), (2, 7), (53, 6), (52, 6), (4, 3), (1, 7), (33, 7)),  # a name (10)
        bits(_AI_01, _GTIN, (15, 4), (0, 7), (4, 3), (1, 7), (33, 7)),  # a name of nothing
    ],
)
def test_what_is_none_has_no_key(segment: str) -> None:
    """A segment that is no whole message with a key is a path without one."""
    with pytest.raises(gs1.Gs1Error) as caught:
        gs1.parse(f"https://example.org/{segment}")
    assert caught.value.rule is Rule.NO_KEY


@pytest.mark.parametrize(
    ("segment", "ai", "rule", "offset"),
    [
        (bits(_AI_01, (int(GTIN) + 1, 47)), "01", Rule.CHECK_DIGIT, 1),
        (bits(_AI_01, _GTIN, _AI_10, *text7(" ")), "10", Rule.CHARACTER, 10),
        (bits(_AI_01, _GTIN, _AI_10, *text7("..")), "10", Rule.DOT, 10),
        (bits(_AI_01, _GTIN, (0x17, 8), (271332, 20)), "17", Rule.DATE, 10),
        (bits((0x1A, 8), _GTIN, *text7("L"), (271332, 20), *text7("S")), "17", Rule.DATE, 11),
        (bits(_AI_01, _GTIN, _AI_10, *text7("A"), _AI_10, *text7("B")), "10", Rule.DIFFERENT, 14),
        (bits(_AI_01, _GTIN, (0x15, 8), (270630, 20), (0x15, 8), (270630, 20)), "15", Rule.DUPLICATE, 15),
        (bits(_AI_01, _GTIN, (0x37, 8), (1, 4), (5, 4)), "01", Rule.EXCLUDED, 1),
        (bits(_AI_01, _GTIN, (0x254, 12), *text7("E")), "254", Rule.NOT_ATTRIBUTE, 11),
    ],
)
def test_a_bad_one_is_told_as_any_link(segment: str, ai: str, rule: Rule, offset: int) -> None:
    """A whole message that is against a rule is refused by that rule, and the place is where its value begins."""
    with pytest.raises(gs1.Gs1Error) as caught:
        gs1.parse(f"https://example.org/x/{segment}")
    assert (caught.value.ai, caught.value.rule) == (ai, rule)
    assert caught.value.place == len("https://example.org/x/") + offset


def test_a_bad_key_before_one_is_told() -> None:
    """A primary key that stands in the path before a compressed message is checked where it stands."""
    with pytest.raises(gs1.Gs1Error) as caught:
        gs1.parse(f"https://example.org/01/{int(GTIN) + 1:014}/{bits(_AI_21, *text7('S'))}")
    assert (caught.value.ai, caught.value.rule) == ("01", Rule.CHECK_DIGIT)
    assert caught.value.place == len("https://example.org/01/")


def test_other_addresses_are_hardly_ever_taken_for_one() -> None:
    """Of random words of one address's length, as short links have, not one in fifty is a bad link of GS1's."""
    drawn = random.Random(6)
    taken = 0
    for size in range(1, 33):
        for _ in range(100):
            try:
                gs1.parse("https://example.org/" + "".join(drawn.choices(ALPHABET, k=size)))
                taken += 1
            except gs1.Gs1Error as error:
                taken += error.rule is not Rule.NO_KEY
    assert taken < 32


def test_every_cut_of_one_is_refused() -> None:
    """Of a compressed message no part is one."""
    segment = bits(_AI_01, _GTIN, _AI_10, *text7("LOT"), _AI_21, *text7("SERIAL"))
    assert decode(segment, ordered=True)[0] == [("01", GTIN, 1), ("10", "LOT", 10), ("21", "SERIAL", 16)]
    for size in range(len(segment)):
        try:
            found, _ = decode(segment[:size], ordered=True)
        except NotCompressed:
            continue
        assert found in ([("01", GTIN, 1)], [("01", GTIN, 1), ("10", "LOT", 10)])
