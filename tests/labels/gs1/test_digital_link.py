"""GS1 Digital Link: the standard's own examples, the Syntax Engine's verdicts, and every way to be wrong."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import gs1
from labels.gs1 import Gs1Error, Rule
from labels.gs1.dictionary import QUALIFIERS

GTIN = "09506000134352"

# Links and what GS1's Barcode Syntax Engine (tests of its Digital Link parser) reads in them; the first block are
# the examples of the Digital Link standard.
READ_BY_THE_ENGINE = {
    "https://id.gs1.org/01/09520123456788": [("01", "09520123456788")],
    "https://id.gs1.org/01/09520123456788/22/2A": [("01", "09520123456788"), ("22", "2A")],
    "https://id.gs1.org/01/09520123456788/10/ABC123": [("01", "09520123456788"), ("10", "ABC123")],
    "https://id.gs1.org/01/09520123456788/21/12345": [("01", "09520123456788"), ("21", "12345")],
    "https://id.gs1.org/01/09520123456788/10/ABC1/21/12345?17=180426": [
        ("01", "09520123456788"),
        ("10", "ABC1"),
        ("21", "12345"),
        ("17", "180426"),
    ],
    "https://id.gs1.org/01/09520123456788?3103=000195": [("01", "09520123456788"), ("3103", "000195")],
    "https://example.com/01/09520123456788?3103=000195&3922=0299&17=201225": [
        ("01", "09520123456788"),
        ("3103", "000195"),
        ("3922", "0299"),
        ("17", "201225"),
    ],
    "https://id.gs1.org/00/952012345678912345": [("00", "952012345678912345")],
    "https://id.gs1.org/00/952012345678912345?02=09520123456788&37=25&10=ABC123": [
        ("00", "952012345678912345"),
        ("02", "09520123456788"),
        ("37", "25"),
        ("10", "ABC123"),
    ],
    "https://id.gs1.org/414/9520123456788": [("414", "9520123456788")],
    "https://id.gs1.org/414/9520123456788/254/32a%2Fb": [("414", "9520123456788"), ("254", "32a/b")],
    "https://example.com/8004/9520614141234567?01=09520123456788": [
        ("8004", "9520614141234567"),
        ("01", "09520123456788"),
    ],
    "https://id.gs1.org/01/09520123456788/235/XYZ?10=ABC123": [
        ("01", "09520123456788"),
        ("235", "XYZ"),
        ("10", "ABC123"),
    ],
    # Schemes, hosts and prefixes.
    "http://a/00/006141411234567890": [("00", "006141411234567890")],
    "HTTP://a/00/006141411234567890": [("00", "006141411234567890")],
    "HTTPS://a/00/006141411234567890": [("00", "006141411234567890")],
    "https://xn--fsq.xn--0zwm56d/01/12312312312333": [("01", "12312312312333")],
    "https://a./01/12312312312333": [("01", "12312312312333")],
    "https://a:65535/01/12312312312333": [("01", "12312312312333")],
    "https://192.0.2.1/01/12312312312333": [("01", "12312312312333")],
    "https://3232235777/01/12312312312333": [("01", "12312312312333")],
    "https://0xC0.0xA8.0x01.0x01/01/12312312312333": [("01", "12312312312333")],
    "https://[2001:db8::1]/01/12312312312333": [("01", "12312312312333")],
    "https://a/stem/00/006141411234567890": [("00", "006141411234567890")],
    "https://a/more/stem/00/006141411234567890": [("00", "006141411234567890")],
    "https://a/00/faux/00/006141411234567890": [("00", "006141411234567890")],
    # Qualifiers, queries, percent signs and fragments.
    "https://a/01/12312312312333/22/TEST/10/ABC/21/XYZ": [
        ("01", "12312312312333"),
        ("22", "TEST"),
        ("10", "ABC"),
        ("21", "XYZ"),
    ],
    "https://a/253/1231231231232": [("253", "1231231231232")],
    "https://a/253/1231231231232TEST5678901234567": [("253", "1231231231232TEST5678901234567")],
    "https://a/8018/123456789012345675/8019/123": [("8018", "123456789012345675"), ("8019", "123")],
    "https://a/stem/00/006141411234567890?": [("00", "006141411234567890")],
    "https://a/stem/401/12345678?99=ABC": [("401", "12345678"), ("99", "ABC")],
    "https://a/01/12312312312333?&&&99=ABC&&&&&&98=XYZ&&&": [
        ("01", "12312312312333"),
        ("99", "ABC"),
        ("98", "XYZ"),
    ],
    "https://a/01/12312312312333?one&two=5&99=ABC&three&four=6666&98=XYZ&five=7&six": [
        ("01", "12312312312333"),
        ("99", "ABC"),
        ("98", "XYZ"),
    ],
    "https://a/01/12312312312333/22/ABC%2d123?99=ABC&98=XYZ%2f987": [
        ("01", "12312312312333"),
        ("22", "ABC-123"),
        ("99", "ABC"),
        ("98", "XYZ/987"),
    ],
    "https://a/01/12312312312333/22/ABC+123": [("01", "12312312312333"), ("22", "ABC+123")],
    "https://a/01/12312312312333/22/test/10/abc/21/xyz#": [
        ("01", "12312312312333"),
        ("22", "test"),
        ("10", "abc"),
        ("21", "xyz"),
    ],
    "https://a/stem/00/006141411234567890?99=ABC#fragment": [("00", "006141411234567890"), ("99", "ABC")],
    f"https://a/01/12312312312333?99={'A' * 90}": [("01", "12312312312333"), ("99", "A" * 90)],
}

REFUSED_BY_THE_ENGINE = {
    "": Rule.SCHEME,
    "ftp://": Rule.SCHEME,
    "http://": Rule.HOST,
    "http:///": Rule.HOST,
    "http://a": Rule.NO_KEY,
    "http://a/": Rule.NO_KEY,
    "http://a/b": Rule.NO_KEY,
    "http://a/b/": Rule.NO_KEY,
    "HtTp://a/b/00/006141411234567890": Rule.SCHEME,
    "https://00/006141411234567890": Rule.NO_KEY,
    "https://[fe80::1%25lo]/01/12312312312333": Rule.HOST,
    "https://$a/00/006141411234567890": Rule.HOST,
    "https://a$/00/006141411234567890": Rule.HOST,
    **{f"https://a/01/12312312312333{char}bad": Rule.URI for char in "<>{}\\^`"},
    "https://a/gtin/12312312312333": Rule.NO_KEY,
    "https://a/01/2112345678900": Rule.LENGTH,
    "https://a/01/416000336108": Rule.LENGTH,
    "https://a/01/02345673": Rule.LENGTH,
    "https://a/8004/9520614141234567?01=2112345678900": Rule.LENGTH,
    "https://a/253/1231231231232TEST56789012345678": Rule.LENGTH,
    "https://a/stem/00/006141411234567890/": Rule.NO_KEY,
    "https://a/01/12312312312333?99=": Rule.EMPTY,
    "https://a/01/12312312312333?99=ABC&999=faux": Rule.UNKNOWN_AI,
    "https://a/01/12312312312333/22/ABC%2d123?99=ABC&98=XYZ+987": Rule.CHARACTER,
    "https://example.com/01/09520123456788?10=ABC123": Rule.NOT_ATTRIBUTE,
    "https://id.gs1.org/01/09520123456788/10/ABC123?99=XYZ789&01=09520123456788": Rule.DUPLICATE,
    "https://id.gs1.org/01/09520123456788/10/ABC123?99=XYZ789&10=ABC123": Rule.DUPLICATE,
    "https://id.gs1.org/01/09520123456788/10/ABC123?99=XYZ789&99=XYZ789": Rule.DUPLICATE,
    "https://example.com/01/09520123456788/89/ABC123?99=XYZ": Rule.NO_KEY,
    "https://example.com/01/09520123456788?99=XYZ&89=ABC123": Rule.UNKNOWN_AI,
    "https://a/01//12312312312333": Rule.NO_KEY,
    "https://a/01/1231231231233%003": Rule.LENGTH,
    "https://a/01/12312312312333?99=ABC%00DEF": Rule.CHARACTER,
    "https://a/01/12312312312333/10/": Rule.EMPTY,
    "https://a/01/12312312312333/99/ABC": Rule.SEQUENCE,
    f"https://a/01/12312312312333?99={'A' * 91}": Rule.LENGTH,
}


@pytest.mark.parametrize(("uri", "pairs"), READ_BY_THE_ENGINE.items())
def test_reads_what_the_engine_reads(uri: str, pairs: list[tuple[str, str]]) -> None:
    """Whatever GS1's own engine takes is taken, and says the same."""
    link = gs1.parse(uri, pad_gtin=False)
    assert [*link.keys, *link.attributes] == pairs


@pytest.mark.parametrize(("uri", "rule"), REFUSED_BY_THE_ENGINE.items())
def test_refuses_what_the_engine_refuses(uri: str, rule: Rule) -> None:
    """Whatever GS1's own engine refuses is refused, by the rule that it breaks."""
    with pytest.raises(Gs1Error) as caught:
        gs1.parse(uri, pad_gtin=False)
    assert caught.value.rule is rule


@pytest.mark.parametrize(
    ("uri", "gtin"),
    [
        ("https://brand.example.com/01/9520123456788", "09520123456788"),
        ("https://brand.example.com/some-extra/pathinfo/01/9520123456788", "09520123456788"),
        ("https://a/01/416000336108", "00416000336108"),
        ("https://a/01/02345673", "00000002345673"),
        ("https://id.gs1.org/01/614141123452", "00614141123452"),
    ],
)
def test_pads_a_short_gtin(uri: str, gtin: str) -> None:
    """A GTIN-8, -12 or -13 stands for the 14 digits that it ends, and only those lengths do."""
    assert gs1.parse(uri).gtin == gtin
    with pytest.raises(Gs1Error, match="11 characters instead of 14"):
        gs1.parse("https://a/01/61414112345")


@pytest.mark.parametrize(
    ("uri", "ai", "complaint"),
    [
        ("https://id.gs1.org/01/614141123452/15/20250324", "15", "qualifiers of .01. are 22, 10, 21 or 235"),
        ("https://id.gs1.org/01/614141123452/10/ABC123/22/123456789", "22", "in this order"),
        ("https://id.gs1.org/01/01234567890128/21/12345XYZ/10/ABC123", "10", "in this order"),
        ("https://id.gs1.org/01/01234567890128/22/A/235/B", "235", "in this order"),
        ("https://id.gs1.org/00/106141412345678908/10/ABC123", "10", "are none"),
        ("https://a/415/9520123456788", "415", r"needs \(8020\)"),
        (f"https://a/01/{GTIN[:-1]}3", "01", "wrong check digit: '09506000134353' ends in 3, not in 2"),
        ("https://a/00/106141412345678907", "00", "ends in 7, not in 8"),
        ("https://a/01/0950600013435X", "01", "'X' cannot stand in '0950600013435X'"),
        (f"https://a/01/{GTIN}/10/A%20B", "10", "' ' cannot stand in 'A B'"),
        (f"https://a/01/{GTIN}/21/{'A' * 21}", "21", "21 characters instead of 1 to 20"),
        (f"https://a/01/{GTIN}/10/A%4", "10", "two hexadecimal digits"),
        (f"https://a/01/{GTIN}/10/%2e%2E", "10", "lost on the way"),
        (f"https://a/01/{GTIN}?21=A", "21", "belongs in the path"),
        ("https://a/00/106141412345678908?254=A", "254", "belongs in the path"),
        (f"https://a/8006/{GTIN}0000", "8006", "0 of 0 is no piece"),
        (f"https://a/8006/{GTIN}0302", "8006", "3 of 2 is no piece"),
        ("https://a/8003/19520123456788", "8003", "must be 0"),
        ("https://a/8010/95201/8011/01", "8011", "begins with a zero"),
        ("https://a/8010/9520a", "8010", "'a' cannot stand"),
        ("https://a/8004/95A", "8004", "does not begin with a company prefix"),
        ("https://a/414/9520123456788/7040/1AB*", "7040", "no importer index"),
        ("https://a/8013/1987654Ad4X4bL5ttr2310c2J", "8013", "ends in 2J, not in 2K"),
    ],
)
def test_names_the_identifier_and_the_rule(uri: str, ai: str, complaint: str) -> None:
    """A refusal says which AI is at fault, and what is wrong with it."""
    with pytest.raises(Gs1Error, match=complaint) as caught:
        gs1.parse(uri)
    assert caught.value.ai == ai


@pytest.mark.parametrize(
    ("uri", "faulty"),
    [
        ("https://a/b/01/09506000134353", "3"),
        (f"https://a/01/{GTIN}/10/A B", " "),
        (f"https://a/01/{GTIN}/10/%zz?17=1", "%zz"),
        (f"https://a/01/{GTIN}/22/B/21/C/10/D?x", "D?x"),
        (f"https://a/01/{GTIN}?x=y&01={GTIN}&a=b", f"{GTIN}&a"),
        (f"https://a/01/{GTIN}?x=y&17=1234", "1234"),
        ("https://a b/01/1", " "),
        ("https://a_b/01/1", "a_b"),
    ],
)
def test_names_the_place(uri: str, faulty: str) -> None:
    """A refusal says at which character the faulty part begins."""
    with pytest.raises(Gs1Error) as caught:
        gs1.parse(uri)
    assert uri[caught.value.place :].startswith(faulty)


VALUES = {
    "00": "952012345678912345",
    "01": GTIN,
    "253": "1231231231232",
    "255": "9520123456788123",
    "401": "95201",
    "402": "95201234567891234",
    "414": "9520123456788",
    "415": "9520123456788",
    "417": "9520123456788",
    "8003": "09520123456788A",
    "8004": "9520A",
    "8006": f"{GTIN}0102",
    "8010": "9520-A",
    "8013": "1987654Ad4X4bL5ttr2310c2K",
    "8017": "952012345678912345",
    "8018": "952012345678912345",
    "7040": "1ABC",
    "8011": "7",
    "8019": "7",
}


@pytest.mark.parametrize("key", QUALIFIERS)
def test_qualifiers_stand_in_one_order(key: str) -> None:
    """Of all orders of a key's qualifiers, exactly those are good that one of its rows holds."""
    value = VALUES[key] if key != "402" else "9520123456789123" + gs1.check_digit("9520123456789123")
    qualifiers = sorted({ai for row in QUALIFIERS[key] for ai in row} | {"10", "21"})
    for count in range(min(len(qualifiers), 4) + 1):
        for order in permutations(qualifiers, count):
            if key == "8006" and "22" in order:
                continue  # (22) needs (01), which (8006) excludes
            good = any([ai for ai in row if ai in order] == list(order) for row in QUALIFIERS[key])
            good = good and (key != "415" or "8020" in order)
            path = f"/{key}/{value}" + "".join(f"/{ai}/{VALUES.get(ai, 'A')}" for ai in order)
            assert _reads(f"https://a{path}") is good, path


def _reads(uri: str) -> bool:
    try:
        gs1.parse(uri)
    except Gs1Error:
        return False
    return True


def test_one_wrong_or_two_swapped_digits_are_seen() -> None:
    """A check digit shows any one wrong digit, and any two neighbours swapped that do not differ by five."""
    for at in range(14):
        wrong = [GTIN[:at] + digit + GTIN[at + 1 :] for digit in "0123456789" if digit != GTIN[at]]
        assert not any(_reads(f"https://a/01/{gtin}") for gtin in wrong)
    for at in range(13):
        a, b = GTIN[at], GTIN[at + 1]
        if a != b and abs(int(a) - int(b)) != 5:
            assert not _reads(f"https://a/01/{GTIN[:at]}{b}{a}{GTIN[at + 2 :]}")


def test_host_and_scheme_are_lower_case_and_the_path_keeps_its_case() -> None:
    """A code holds its host in upper case: it is the same host. A lot `a1` is not a lot `A1`."""
    link = gs1.parse(f"HTTPS://ID.EXAMPLE.COM/A/b/01/{GTIN}/10/a1/21/B2")
    assert (link.scheme, link.host, link.path_prefix) == ("https", "id.example.com", "/A/b")
    assert (link.gtin, link.lot, link.serial, link.sscc) == (GTIN, "a1", "B2", None)


@pytest.mark.parametrize("spelled", ["a%2Fb", "a%2fb", "%61%2F%62"])
def test_a_path_has_one_canonical_form(spelled: str) -> None:
    """However a value is encoded, the canonical path is one."""
    link = gs1.parse(f"http://x/01/{GTIN[1:]}/10/{spelled}?17=270630&s=1#f")
    assert link.canonical_path == f"/01/{GTIN}/10/a%2Fb"


def test_extras_are_kept_as_they_came() -> None:
    """What is not GS1's in a query is neither decoded nor lost."""
    link = gs1.parse(f"https://a/01/{GTIN}?s=12&linkType=gs1:all&17=270630&%31%30=x&10&x=%41&s=13")
    assert link.attributes == (("17", "270630"),)
    assert link.extras == (
        ("s", "12"),
        ("linkType", "gs1:all"),
        ("%31%30", "x"),
        ("10", ""),
        ("x", "%41"),
        ("s", "13"),
    )


@pytest.mark.parametrize(
    ("path", "epc"),
    [
        (f"/01/{GTIN}/21/S1", f"/01/{GTIN}/21/S1"),
        (f"/01/{GTIN}/10/L1/21/S1", f"/01/{GTIN}/21/S1"),
        (f"/01/{GTIN}/22/V/10/L1", f"/01/{GTIN}/10/L1"),
        (f"/01/{GTIN}/22/V", f"/01/{GTIN}"),
        (f"/8006/{GTIN}0102/10/L/21/S", f"/8006/{GTIN}0102/21/S"),
        ("/00/952012345678912345", "/00/952012345678912345"),
        ("/414/9520123456788/254/32a%2Fb", "/414/9520123456788/254/32a%2Fb"),
    ],
)
def test_a_thing_has_one_epc(path: str, epc: str) -> None:
    """Whatever its label's host and whether it shows the lot, a thing is named one way in events."""
    assert gs1.epc(path) == gs1.parse(f"http://127.0.0.1:8000/x{path}?98=270630").epc == f"https://id.gs1.org{epc}"


def test_makes_links() -> None:
    """Links are made from values that are checked as those that are read."""
    assert gs1.item(GTIN[1:], lot="a/b", serial="S").canonical_path == f"/01/{GTIN}/10/a%2Fb/21/S"
    assert gs1.sscc("952012345678912345").canonical_path == "/00/952012345678912345"
    assert gs1.item(GTIN).build("Id.Example.com") == f"https://Id.Example.com/01/{GTIN}"
    link = gs1.parse(f"https://a/p/01/{GTIN}?10x&98=A%2FB&s=1")
    assert link.build("b:80", scheme="http", path_prefix="/q") == f"http://b:80/q/01/{GTIN}?10x&98=A%2FB&s=1"
    with pytest.raises(Gs1Error, match="no host name"):
        link.build("a/b")
    with pytest.raises(Gs1Error, match="' ' cannot stand"):
        gs1.item(GTIN, serial="A B")
    with pytest.raises(Gs1Error, match="cannot stand"):
        gs1.item(GTIN, serial="\ud800")
    with pytest.raises(Gs1Error, match="not the keys of one thing"):
        gs1.make([("01", GTIN), ("00", "952012345678912345")])


_CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_VALUES = st.text(_CSET_82, min_size=1, max_size=20).filter(lambda value: value not in (".", ".."))


@given(st.text("0123456789", min_size=13, max_size=13), st.none() | _VALUES, st.none() | _VALUES)
def test_what_is_built_is_read_back(digits: str, lot: str | None, serial: str | None) -> None:
    """Any GTIN, lot and serial come back from the link that they make."""
    link = gs1.item(digits + gs1.check_digit(digits), lot=lot, serial=serial)
    assert gs1.parse(link.build("id.gs1.org")) == link
    assert (link.lot, link.serial) == (lot, serial)


_URIS = st.builds(
    "".join, st.lists(st.sampled_from([*"/?&=#%:.@+ 0A\u0661\ud800", "%2F", "https://", "a", "01", "10"]))
)


@given(
    st.one_of(
        st.text(),
        _URIS,
        _URIS.map(lambda tail: "https://a" + tail),
        st.tuples(_URIS, _URIS).map(lambda ends: f"https://{ends[0]}/01/{GTIN}{ends[1]}"),
        st.binary(),
        st.none() | st.integers(),
    )
)
def test_parse_is_total(uri: str) -> None:
    """Whatever is given, `parse` returns a link or raises Gs1Error; and a link that it returns, it reads again."""
    try:
        link = gs1.parse(uri)
    except Gs1Error as error:
        assert str(error).isprintable()
        assert len(str(error)) < 300
    else:
        again = gs1.parse(link.build(link.host, scheme=link.scheme, path_prefix=link.path_prefix))
        assert again == link


def test_a_parameter_without_a_name_is_refused() -> None:
    """A value in the query that has no name is refused, as by GS1's engine: its name could only be an AI."""
    for query in ("=", "x&=y", "17=270630&="):
        with pytest.raises(Gs1Error, match="'' is no application identifier") as caught:
            gs1.parse(f"https://a/01/{GTIN}?{query}")
        assert caught.value.rule is Rule.UNKNOWN_AI


def test_a_link_has_a_greatest_length() -> None:
    """A link beyond 8,191 characters is not looked at."""
    uri = f"https://a/01/{GTIN}?x="
    assert gs1.parse(uri.ljust(8191, "x")).gtin == GTIN
    with pytest.raises(Gs1Error, match="at most 8191 characters"):
        gs1.parse(uri.ljust(8192, "x"))
