"""The linters of the syntax dictionary: what each takes, and what it refuses, by which rule and where."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import gs1
from labels.gs1.errors import Rule
from labels.gs1.lint import LINTS
from labels.gs1.syntax_dictionary import ENTRY_LINES

# (8110): issuer, offer, save value 5, and five of family 123 to be bought; then its optional fields.
_COUPON = "012345612345615150123"
_SECOND = "131511239"
_THIRD = "21511230123456"
_LAST_DAY, _FIRST_DAY = "3270630", "4270601"
_SERIAL, _RETAILER, _MORE = "50123456", "611234567", "90000"

GOOD = {
    "csum": "09506000134352 106141412345678908 9520123456788 00000000000000 02345673",
    "csumalpha": "1987654Ad4X4bL5ttr2310c2K 22",
    "gcppos1": "9520 9520A 00001",
    "gcppos2": "19520 A95201",
    "zero": "0 00",
    "nonzero": "1 0010",
    "nozeroprefix": "1 10",
    "hasnondigit": "A 1A -1",
    "hyphen": "- --",
    "pieceoftotal": "0101 0102 9999 001002",
    "posinseqslash": "1/1 1/2 9/10 99/100",
    "latitude": "0000000000 1800000000 0900000000",
    "longitude": "0000000000 3600000000",
    "importeridx": "0 9 A z - _",
    "cset64": "QUJD QUJDRA _ AB= A==",
    "yymmd0": "270630 270600 000229 240229 990131 960229 270228",
    "yymmdd": "270630 000229 240229 991231",
    "yyyymmdd": "20240229 20000229 19000228 21000228 00010101",
    "hh": "00 23",
    "mi": "00 59",
    "ss": "00 59",
    "hhmi": "0000 2359",
    "iso3166": "004 276 894",
    "iso3166999": "004 999",
    "iso3166alpha2": "AD ZW",
    "iso4217": "008 978 999",
    "iso5218": "0 1 2 9",
    "yesno": "0 1",
    "winding": "0 1 9",
    "mediatype": "01 10 80 99",
    "packagetype": "1A 200 8 X20 ZZ",
    "iban": "DE89370400440532013000 GB82WEST12345698765432 NO9386011117947",
    "pcenc": "A %20 Ulm%2fNeu%2D",
    "couponcode": " ".join(
        _COUPON + more
        for more in (
            "",
            _SECOND,
            _THIRD,
            _LAST_DAY + _FIRST_DAY,
            _FIRST_DAY,
            _SECOND + _THIRD + _LAST_DAY + _FIRST_DAY + _SERIAL + _RETAILER + _MORE,
        )
    ),
    "couponposoffer": "001234561234560123456 161234567890121234569123456789012345",
}

# Text, rule, and the offset of the fault.
BAD = {
    "csum": [("09506000134353", Rule.CHECK_DIGIT, 13), ("02345674", Rule.CHECK_DIGIT, 7)],
    "csumalpha": [
        ("1987654Ad4X4bL5ttr2310c2J", Rule.CHECK_PAIR, 23),
        ("23", Rule.CHECK_PAIR, 0),
        ("2", Rule.CHECK_PAIR, 0),
    ],
    "gcppos1": [("952", Rule.PREFIX, 0), ("95A01", Rule.PREFIX, 2), ("A9520", Rule.PREFIX, 0)],
    "gcppos2": [("1952", Rule.PREFIX, 1), ("195A01", Rule.PREFIX, 3)],
    "zero": [("1", Rule.ZERO, 0), ("01", Rule.ZERO, 0)],
    "nonzero": [("0000", Rule.ZERO, 0)],
    "nozeroprefix": [("0", Rule.ZERO, 0), ("01", Rule.ZERO, 0)],
    "hasnondigit": [("12", Rule.CHARACTER, 0)],
    "hyphen": [("+", Rule.CHARACTER, 0)],
    "pieceoftotal": [
        ("0001", Rule.PIECE, 0),
        ("0100", Rule.PIECE, 2),
        ("0000", Rule.PIECE, 0),
        ("0201", Rule.PIECE, 0),
    ],
    "posinseqslash": [
        ("12", Rule.PIECE, 0),
        ("/1", Rule.PIECE, 0),
        ("1/", Rule.PIECE, 0),
        ("1/2/3", Rule.PIECE, 0),
        ("0/1", Rule.ZERO, 0),
        ("1/01", Rule.ZERO, 2),
        ("2/1", Rule.PIECE, 0),
        ("10/9", Rule.PIECE, 0),
    ],
    "latitude": [("1800000001", Rule.RANGE, 0)],
    "longitude": [("3600000001", Rule.RANGE, 0)],
    "importeridx": [("*", Rule.CHARACTER, 0), ("AB", Rule.CHARACTER, 0)],
    "cset64": [
        ("ABC=", Rule.CHARACTER, 3),
        ("===", Rule.CHARACTER, 0),
        ("A=B", Rule.CHARACTER, 1),
        ("=A", Rule.CHARACTER, 0),
    ],
    "yymmd0": [
        ("270030", Rule.DATE, 2),
        ("271330", Rule.DATE, 2),
        ("270631", Rule.DATE, 4),
        ("270229", Rule.DATE, 4),
        ("000230", Rule.DATE, 4),
    ],
    "yymmdd": [("270600", Rule.DATE, 4), ("270229", Rule.DATE, 4), ("271301", Rule.DATE, 2)],
    "yyyymmdd": [("20230229", Rule.DATE, 6), ("19000229", Rule.DATE, 6), ("20241301", Rule.DATE, 4)],
    "hh": [("24", Rule.TIME, 0)],
    "mi": [("60", Rule.TIME, 0)],
    "ss": [("60", Rule.TIME, 0)],
    "hhmi": [("2400", Rule.TIME, 0), ("2360", Rule.TIME, 2)],
    "iso3166": [("000", Rule.CODE, 0), ("999", Rule.CODE, 0), ("277", Rule.CODE, 0)],
    "iso3166999": [("998", Rule.CODE, 0)],
    "iso3166alpha2": [("XX", Rule.CODE, 0), ("de", Rule.CODE, 0)],
    "iso4217": [("000", Rule.CODE, 0), ("191", Rule.CODE, 0), ("932", Rule.CODE, 0)],
    "iso5218": [("3", Rule.CODE, 0)],
    "yesno": [("2", Rule.CODE, 0)],
    "winding": [("2", Rule.CODE, 0)],
    "mediatype": [("00", Rule.CODE, 0), ("11", Rule.CODE, 0)],
    "packagetype": [("1C", Rule.CODE, 0), ("1a", Rule.CODE, 0), ("0", Rule.CODE, 0)],
    "iban": [
        ("DE88370400440532013000", Rule.IBAN, 2),
        ("XX89370400440532013000", Rule.IBAN, 0),
        ("DE89370400440532013O00", Rule.IBAN, 2),
        ("DE89370400440532013o00", Rule.IBAN, 19),
        ("DE89-70400440532013000", Rule.IBAN, 4),
        ("DE89370400", Rule.IBAN, 0),
        ("DE8", Rule.IBAN, 0),
    ],
    "pcenc": [("A%", Rule.ENCODING, 1), ("%2", Rule.ENCODING, 0), ("AB%G0", Rule.ENCODING, 2)],
    "couponcode": [
        (_COUPON[:1], Rule.COUPON, 0),
        ("7" + _COUPON[1:], Rule.COUPON, 0),
        (_COUPON[:5], Rule.COUPON, 1),
        (_COUPON[:13], Rule.COUPON, 0),
        (_COUPON[:13] + "6" + _COUPON[14:], Rule.COUPON, 13),
        (_COUPON[:17] + "5123", Rule.COUPON, 17),
        (_COUPON + "7", Rule.COUPON, 21),
        (_COUPON + _THIRD + _SECOND, Rule.COUPON, 35),
        (_COUPON + "14", Rule.COUPON, 22),
        (_COUPON + "3270631", Rule.COUPON, 22),
        (_COUPON + "3270630" + "4270701", Rule.COUPON, 21),
        (_COUPON + "60", Rule.COUPON, 22),
        (_COUPON + "93", Rule.COUPON, 22),
        (_COUPON + "A", Rule.CHARACTER, 21),
    ],
    "couponposoffer": [
        ("2", Rule.COUPON, 0),
        ("07", Rule.COUPON, 1),
        ("0012345612345", Rule.COUPON, 8),
        ("0012345612345601234567", Rule.COUPON, 21),
        ("001234561234560123", Rule.COUPON, 15),
    ],
}


def test_each_is_named_by_the_dictionary_and_tried_here() -> None:
    """The linters are those that its lines name, and base 64's own; each has good and bad examples."""
    named = {name for line in ENTRY_LINES for name in re.findall(",([a-z][a-z0-9]*)", line.partition("#")[0])}
    assert LINTS.keys() == named | {"cset64"} == GOOD.keys() == BAD.keys()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts.split()])
def test_takes(name: str, text: str) -> None:
    """A linter has nothing to say of what is good."""
    assert LINTS[name](text) is None


@pytest.mark.parametrize(
    ("name", "text", "rule", "at"), [(name, *case) for name, cases in BAD.items() for case in cases]
)
def test_refuses(name: str, text: str, rule: Rule, at: int) -> None:
    """What is bad is refused by its rule, at the character where it goes wrong."""
    fault = LINTS[name](text)
    assert fault is not None
    assert (fault.rule, fault.at) == (rule, at)


@given(st.dates())
def test_every_day_is_a_date(day: object) -> None:
    """Each day of the calendar is a date in both forms; the day after a month's last is none."""
    text = f"{day:%Y%m%d}".zfill(8)
    assert LINTS["yyyymmdd"](text) is None
    if 1951 <= int(text[:4]) <= 2050:
        assert LINTS["yymmdd"](text[2:]) is None
        assert LINTS["yymmd0"](text[2:6] + "00") is None
        assert LINTS["yymmdd"](text[2:6] + "00") is not None


@pytest.mark.parametrize(
    ("digits", "check"),
    [
        ("0950600013435", "2"),
        ("061414112345", "2"),
        ("10614141234567890", "8"),
        ("95201234567891234", "5"),
        ("629104150021", "3"),
    ],
)
def test_check_digits(digits: str, check: str) -> None:
    """Check digits are those of numbers that are in use."""
    assert gs1.check_digit(digits) == check


def test_check_digit_of_no_digits() -> None:
    """What is not made of ASCII digits has no check digit."""
    for text in ("", "1a", "\u0663\u0664"):
        with pytest.raises(gs1.Gs1Error, match="not made of digits"):
            gs1.check_digit(text)
