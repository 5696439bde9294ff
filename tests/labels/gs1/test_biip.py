"""A second opinion: biip, another's parser of the same syntaxes, reads the same, and refuses nothing that is read here.

It does not know the linters, nor which AIs need or exclude others: what only this parser refuses is so by those rules.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_messages import GS1Message

from labels import gs1
from labels.gs1 import bracketed, carrier
from labels.gs1.dictionary import AI_DIGITS, ENTRIES
from labels.gs1.errors import Rule
from labels.gs1.pairs import Pair
from tests.labels.gs1.samples import elements_of

BIIP_KNOWS_NOT = {
    Rule.CHECK_DIGIT, Rule.CHECK_PAIR, Rule.PREFIX, Rule.ZERO, Rule.PIECE, Rule.DATE, Rule.TIME, Rule.RANGE, Rule.CODE,
    Rule.IBAN, Rule.COUPON, Rule.ENCODING, Rule.MISSING, Rule.EXCLUDED,
}  # fmt: skip

# A company prefix alone is a CPID to the syntax dictionary; biip's list of AIs wants a character more.
BIIP_REFUSES = {"9520"}

Read = Callable[[str], gs1.Elements]
Written = tuple[str, Read, Callable[[str], Any]]


def written(message: gs1.Elements) -> Iterator[Written]:
    """A message in each syntax, with our parser and biip's."""
    yield message.element_string, lambda text: carrier.parse(f"]d2{text}"), GS1Message.parse
    yield message.bracketed, bracketed.parse, GS1Message.parse_hri
    try:
        link = gs1.link_of(message)
    except gs1.Gs1Error:
        return
    yield link.build("id.example.com"), lambda text: gs1.parse(text).elements, GS1DigitalLinkURI.parse


def opinion(parse: Callable[[str], Any], text: str) -> list[Pair] | None:
    """What biip reads, in the order of the AIs, or None."""
    try:
        return sorted((element.ai.ai, element.value) for element in parse(text).element_strings)
    except ParseError:
        return None


def spoiled(value: str) -> Iterator[str]:
    """A value with one character changed, left out, doubled, or another's."""
    for at, char in enumerate(value):
        for other in ("0" if char != "0" else "1", "~", "", char + char):
            yield value[:at] + other + value[at + 1 :]


@pytest.mark.parametrize("head", AI_DIGITS)
def test_good_messages_are_read_alike(head: str) -> None:
    """A good message with any AI says the same to both, in every syntax."""
    for ai in ENTRIES:
        if ai.startswith(head):
            message = elements_of(ai)
            for text, read, biip_reads in written(message):
                assert opinion(biip_reads, text) == sorted(read(text).pairs) == sorted(message.pairs)


@pytest.mark.parametrize("ai", {ai[:3]: ai for ai in ENTRIES}.values())
def test_spoiled_values_are_refused(ai: str) -> None:
    """With one character wrong, whatever biip refuses is refused; the rest only by rules that biip does not know."""
    message = elements_of(ai)
    value = message.value(ai) or ""
    for text, read, biip_reads in written(message):
        encoded = value.replace("(", "\\(") if text.startswith("(") else value
        encoded = quote(value, safe="") if text.startswith("https:") else encoded
        head, _, tail = text.rpartition(encoded)
        for wrong in spoiled(encoded):
            theirs = opinion(biip_reads, head + wrong + tail)
            try:
                ours = sorted(read(head + wrong + tail).pairs)
            except gs1.Gs1Error as error:
                assert theirs is None or error.rule in BIIP_KNOWS_NOT, (head + wrong + tail, error)
            else:
                assert theirs == ours or wrong in BIIP_REFUSES, (head + wrong + tail, ours)
