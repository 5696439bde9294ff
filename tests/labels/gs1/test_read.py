"""Messages in every syntax: what is read, and how each is refused, by the AI, the rule and the place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import gs1
from labels.gs1.errors import Rule
from tests.labels.gs1.samples import GLN, GTIN, SSCC

GS = "\x1d"

READ = {
    # Digital Links.
    f"https://example.com/01/{GTIN}/10/A?17=270630&x=1": [("01", GTIN), ("10", "A"), ("17", "270630")],
    f"HTTP://EXAMPLE.COM/01/{GTIN}": [("01", GTIN)],
    # Element strings, with and without symbology identifiers; FNC1 as GS, or written.
    f"01{GTIN}17270630": [("01", GTIN), ("17", "270630")],
    f"01{GTIN}10A{GS}17270630": [("01", GTIN), ("10", "A"), ("17", "270630")],
    f"{GS}01{GTIN}10A": [("01", GTIN), ("10", "A")],
    f"01{GTIN}{GS}17270630{GS}10A{GS}": [("01", GTIN), ("17", "270630"), ("10", "A")],
    f"^01{GTIN}10A^21B": [("01", GTIN), ("10", "A"), ("21", "B")],
    f"]C100{SSCC}": [("00", SSCC)],
    f"]e001{GTIN}3103001750": [("01", GTIN), ("3103", "001750")],
    f"]d201{GTIN}10A{GS}21B": [("01", GTIN), ("10", "A"), ("21", "B")],
    f"]Q3253{GLN}A{GS}90X": [("253", f"{GLN}A"), ("90", "X")],
    f"]J101{GTIN}01{GTIN}": [("01", GTIN), ("01", GTIN)],
    f"]Q1https://example.com/01/{GTIN}": [("01", GTIN)],
    f"]d1https://example.com/01/{GTIN}": [("01", GTIN)],
    # What shops scan.
    "]E09506000134352": [("01", GTIN)],
    "]E00614141123452": [("01", "00614141123452")],
    "]E402345673": [("01", "00000002345673")],
    f"]I1{GTIN}": [("01", GTIN)],
    "]E09506000134352|]e010A": [("01", GTIN), ("10", "A")],
    # In brackets.
    f"(01){GTIN}(10)A": [("01", GTIN), ("10", "A")],
    f"(01){GTIN}(10)A)B\\(C": [("01", GTIN), ("10", "A)B(C")],
    # GTINs.
    GTIN: [("01", GTIN)],
    "9506000134352": [("01", GTIN)],
    "614141123452": [("01", "00614141123452")],
    "02345673": [("01", "00000002345673")],
}


@pytest.mark.parametrize(("text", "pairs"), READ.items())
def test_reads(text: str, pairs: list[tuple[str, str]]) -> None:
    """Each text says these pairs, in this order."""
    assert list(gs1.read(text).pairs) == pairs


# Text: the AI at fault, the rule, and what stands at the place, a prefix of the rest of the text.
REFUSED = {
    "": (None, Rule.SYNTAX, ""),
    "hello": (None, Rule.SYNTAX, "hello"),
    "950600013435": ("01", Rule.CHECK_DIGIT, "5"),
    "9506000134353": ("01", Rule.CHECK_DIGIT, "3"),
    # Element strings.
    "^": (None, Rule.EMPTY, ""),
    GS: (None, Rule.EMPTY, ""),
    f"89{GTIN}": ("8909", Rule.UNKNOWN_AI, "8909"),
    "0": (None, Rule.UNKNOWN_AI, "0"),
    f"01{GTIN}1": (None, Rule.UNKNOWN_AI, "1"),
    f"01{GTIN}26A": (None, Rule.UNKNOWN_AI, "26A"),
    "0109506000134353": ("01", Rule.CHECK_DIGIT, "3"),
    f"01{GTIN[:9]}{GS}10A": ("01", Rule.LENGTH, "0950"),
    f"01{GTIN}17270631": ("17", Rule.DATE, "31"),
    f"01{GTIN}10{GS}21A": ("10", Rule.EMPTY, GS),
    f"01{GTIN}10A{GS}{GS}21B": (None, Rule.UNKNOWN_AI, f"{GS}21B"),
    f"01{GTIN}10{'A' * 21}": ("10", Rule.LENGTH, "AAA"),
    f"01{GTIN}10A B": ("10", Rule.CHARACTER, " B"),
    f"^01{GTIN}10A{GS}21B": ("10", Rule.CHARACTER, GS),
    f"01{GTIN}10A^21B": ("10", Rule.CHARACTER, "^"),
    f"01{GTIN}10\u0661": ("10", Rule.CHARACTER, "\u0661"),
    "17270630": ("01", Rule.CHECK_DIGIT, "0"),
    "17270630X": (None, Rule.UNKNOWN_AI, "X"),
    f"17270630{GS}": ("17", Rule.MISSING, "270630"),
    f"01{GTIN}02{GTIN}375": ("01", Rule.EXCLUDED, GTIN),
    f"01{GTIN}10A{GS}10B": ("10", Rule.DIFFERENT, "B"),
    f"253{GLN}{GS}8030QUJD": ("253", Rule.MISSING, GLN),
    "9" * 8192: (None, Rule.SYNTAX, "9"),
    # Symbology identifiers.
    "]": (None, Rule.CARRIER, "]"),
    "]d": (None, Rule.CARRIER, "]d"),
    f"]C001{GTIN}": (None, Rule.CARRIER, "]C0"),
    f"]d3{GTIN}": (None, Rule.CARRIER, "]d3"),
    "]d2": (None, Rule.EMPTY, ""),
    f"]d2{GS}01{GTIN}": (None, Rule.UNKNOWN_AI, GS),
    "]d20109506000134353": ("01", Rule.CHECK_DIGIT, "3"),
    "]E09506000134353": ("01", Rule.CHECK_DIGIT, "3"),
    "]E0950600013435": ("01", Rule.LENGTH, "9506"),
    "]E095060001343521": ("01", Rule.LENGTH, "9506"),
    "]E0950600013435X": ("01", Rule.CHARACTER, "X"),
    "]E0A506000134352": ("01", Rule.CHARACTER, "A"),
    "]E4 2345673": ("01", Rule.CHARACTER, " "),
    "]E09506000134352|]e010": ("10", Rule.EMPTY, ""),
    "]E09506000134352|10A": ("01", Rule.LENGTH, "9506"),
    "]Q1hello": (None, Rule.SCHEME, "hello"),
    f"]Q1https://a/01/{GTIN}/10/A%20B": ("10", Rule.CHARACTER, "%20B"),
    # Brackets.
    "(": (None, Rule.BRACKET, "("),
    "(01": (None, Rule.BRACKET, "(01"),
    "()1": (None, Rule.UNKNOWN_AI, ")1"),
    f"(1){GTIN}": (None, Rule.UNKNOWN_AI, "1)"),
    f"(010){GTIN}": ("010", Rule.UNKNOWN_AI, "010)"),
    "(01)": ("01", Rule.EMPTY, ""),
    f"(01)(10){GTIN}": ("01", Rule.EMPTY, "(10)"),
    f"(01){GTIN} (10)A": ("01", Rule.LENGTH, "0950"),
    f"(01){GTIN}(10)A\\B": ("10", Rule.CHARACTER, "\\B"),
    f"(01){GTIN}(10)A\\(\\(B C": ("10", Rule.CHARACTER, " C"),
    f"(01){GTIN}(421)277A": ("421", Rule.CODE, "277A"),
    f"(01){GTIN}(4330)012345": ("4330", Rule.MISSING, "012345"),
    f"(01){GTIN}(3103)001750(3102)001750": ("3102", Rule.EXCLUDED, "001750"),
    f"(01){GTIN}(3921)5": ("3921", Rule.MISSING, "5"),
    "(" * 8192: (None, Rule.SYNTAX, "("),
}


@pytest.mark.parametrize(("text", "fault"), REFUSED.items(), ids=lambda part: ascii(part)[:30])
def test_refuses(text: str, fault: tuple[str | None, Rule, str]) -> None:
    """A text is refused with the AI at fault, by the rule that it breaks, at the place where the fault begins."""
    ai, rule, rest = fault
    with pytest.raises(gs1.Gs1Error) as caught:
        gs1.read(text)
    assert (caught.value.rule, caught.value.ai) == (rule, ai)
    assert text[caught.value.place :].startswith(rest)
    assert str(caught.value).endswith(f"(at character {caught.value.place + 1})")


@pytest.mark.parametrize(
    ("text", "told"), [("€", "'€'"), ("\u202e", r"'\u202e'"), ("\x1b", r"'\x1b'"), ("\ud800", r"'\ud800'")]
)
def test_a_refusal_shows_what_was_typed(text: str, told: str) -> None:
    """A character is told as its reader typed it; what cannot be seen, or does something to a terminal, is escaped."""
    with pytest.raises(gs1.Gs1Error) as caught:
        gs1.read(f"(01){GTIN}(10)A{text}")
    assert f"{told} cannot stand in" in str(caught.value)


def test_what_is_no_text_is_refused() -> None:
    """Bytes, numbers and nothing are no messages."""
    for value in (None, 9506000134352, b"(01)09506000134352"):
        with pytest.raises(gs1.Gs1Error, match="a message is text"):
            gs1.read(value)  # type: ignore[arg-type]


def test_the_codes_of_one_thing_are_read_together() -> None:
    """On a logistic label the count of what is inside stands beside its number in another code: alone it is refused."""
    content, number = f"]C102{GTIN}375", f"]C100{SSCC}"
    with pytest.raises(gs1.Gs1Error, match=r"\(37\): needs \(00\)"):
        gs1.read(content)
    both = gs1.read_together([content, number, f"https://id.example.com/00/{SSCC}"])
    assert both.pairs == (("02", GTIN), ("37", "5"), ("00", SSCC))
    with pytest.raises(gs1.Gs1Error, match="different values") as caught:
        gs1.read_together([number, "]C100952012345678912345"])
    assert (caught.value.ai, caught.value.place) == ("00", 5)
    with pytest.raises(gs1.Gs1Error, match="cannot stand beside"):
        gs1.read_together([content, number, f"01{GTIN}{GS}"])


def test_elements_are_written_in_each_syntax() -> None:
    """A message in brackets, as a reader transmits it, with GS1's titles, and as a link."""
    message = gs1.elements([("01", GTIN), ("10", "A(1"), ("17", "270630"), ("3103", "001750")])
    assert message.bracketed == f"(01){GTIN}(10)A\\(1(17)270630(3103)001750"
    assert message.element_string == f"01{GTIN}10A(1{GS}172706303103001750"
    assert message.titled[:2] == (("01", "GTIN", GTIN), ("10", "BATCH/LOT", "A(1"))
    assert (message.gtin, message.lot, message.serial, message.sscc) == (GTIN, "A(1", None, None)
    link = gs1.link_of(message, host="id.example.com")
    assert link.build(link.host) == f"https://id.example.com/01/{GTIN}/10/A%281?17=270630&3103=001750"
    assert link.elements == message


@pytest.mark.parametrize(
    ("pairs", "link"),
    [
        ([("21", "S"), ("10", "L"), ("01", GTIN)], f"/01/{GTIN}/10/L/21/S"),
        ([("01", GTIN), ("235", "T")], f"/01/{GTIN}/235/T"),
        ([("00", SSCC), ("02", GTIN), ("37", "5")], f"/00/{SSCC}?02={GTIN}&37=5"),
        ([("02", GTIN), ("37", "5"), ("00", SSCC)], f"/00/{SSCC}?02={GTIN}&37=5"),
        ([("01", GTIN), ("99", "a+b"), ("17", "270630")], f"/01/{GTIN}?17=270630&99=a%2Bb"),
        ([("01", GTIN), ("17", "270630"), ("17", "270630")], f"/01/{GTIN}?17=270630"),
        ([("414", GLN), ("254", "A/B")], f"/414/{GLN}/254/A%2FB"),
    ],
)
def test_links_of_messages(pairs: list[tuple[str, str]], link: str) -> None:
    """The first primary key with all qualifiers that fit, in their order; then attributes, predefined lengths first."""
    assert gs1.link_of(gs1.elements(pairs)).build("id.gs1.org") == f"https://id.gs1.org{link}"


@pytest.mark.parametrize(
    ("pairs", "ai", "rule"),
    [
        ([("8002", "1")], None, Rule.NO_KEY),
        ([("01", GTIN), ("22", "A"), ("235", "B")], "235", Rule.NOT_ATTRIBUTE),
        ([("01", GTIN), ("8200", "http://a")], "8200", Rule.NOT_ATTRIBUTE),
        ([("01", GTIN), ("10", "..")], "10", Rule.DOT),
    ],
)
def test_messages_without_a_link(pairs: list[tuple[str, str]], ai: str | None, rule: Rule) -> None:
    """No link is made of what has no primary key, or holds what a link cannot."""
    message = gs1.elements(pairs)
    with pytest.raises(gs1.Gs1Error) as caught:
        gs1.link_of(message)
    assert (caught.value.ai, caught.value.rule) == (ai, rule)


_CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@given(st.text(_CSET_82, min_size=1, max_size=20), st.text(_CSET_82, min_size=1, max_size=20))
def test_any_value_comes_back(lot: str, serial: str) -> None:
    """Whatever characters of its set a value has, each syntax gives it back as it was."""
    message = gs1.elements([("01", GTIN), ("10", lot), ("21", serial)])
    assert gs1.read(message.bracketed) == gs1.read(f"]Q3{message.element_string}") == message
    if not {lot, serial} & {".", ".."}:
        assert gs1.read(gs1.link_of(message).build("a")) == message
