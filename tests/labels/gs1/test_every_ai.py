"""Every application identifier, in every syntax: read, written, read back, and refused by name when it is wrong.

A test takes all those that begin with the same two digits.
"""

import pytest

from labels import gs1
from labels.gs1.dictionary import AI_DIGITS, ENTRIES
from labels.gs1.errors import Rule
from tests.labels.gs1.samples import elements_of, message_of, value_of

each_head = pytest.mark.parametrize("head", AI_DIGITS)


def ais(head: str) -> list[str]:
    """All that begin with these two digits."""
    return [ai for ai in ENTRIES if ai.startswith(head)]


@each_head
def test_is_read_in_each_syntax(head: str) -> None:
    """A message with it says the same in brackets, as an element string, and behind a symbology identifier."""
    for ai in ais(head):
        message = elements_of(ai)
        assert message.value(ai) == value_of(ai)
        assert gs1.read(message.bracketed) == message
        assert gs1.read(f"]d2{message.element_string}") == message
        assert gs1.read(f"^{message.element_string.replace(chr(29), '^')}") == message


@each_head
def test_is_read_in_a_link(head: str) -> None:
    """A link of a message with it says the same, unless the message has no key, or holds what no query may."""
    for ai in ais(head):
        message = elements_of(ai)
        try:
            link = gs1.link_of(message)
        except gs1.Gs1Error as error:
            assert error.rule in (Rule.NO_KEY, Rule.NOT_ATTRIBUTE)
        else:
            assert dict(gs1.read(link.build("id.example.com")).pairs) == dict(message.pairs)


@each_head
def test_its_length_is_held(head: str) -> None:
    """A value that is a character too long or too short is refused, with the AI, the rule and the place."""
    for ai in ais(head):
        form = ENTRIES[ai].format
        filler = "7" * (form.longest + 1)
        for value in (filler, filler[: form.shortest - 1]):
            with pytest.raises(gs1.Gs1Error) as caught:
                gs1.read(f"({ai}){value}")
            assert (caught.value.ai, caught.value.place) == (ai, len(ai) + 2)
            assert caught.value.rule is (Rule.LENGTH if value else Rule.EMPTY)


@each_head
def test_its_characters_are_held(head: str) -> None:
    """A character of no set is refused wherever it stands in the value, with the AI, and at its place or before."""
    for ai in ais(head):
        good = message_of(ai)[ai]
        for at in range(len(good)):
            with pytest.raises(gs1.Gs1Error) as caught:
                gs1.read(f"({ai}){good[:at]}~{good[at + 1 :]}")
            assert caught.value.ai == ai
            assert caught.value.rule is not Rule.LENGTH
            assert caught.value.place <= len(ai) + 2 + at


@each_head
def test_what_it_needs_is_missed(head: str) -> None:
    """Alone it is refused exactly if it needs another."""
    for ai in ais(head):
        pairs = ((ai, value_of(ai)),)
        if ENTRIES[ai].needs:
            with pytest.raises(gs1.Gs1Error, match="needs") as caught:
                gs1.elements(pairs)
            assert (caught.value.ai, caught.value.rule) == (ai, Rule.MISSING)
        else:
            assert gs1.elements(pairs).pairs == pairs


@each_head
def test_what_it_excludes_is_refused(head: str) -> None:
    """Beside any AI that it excludes it is refused."""
    for ai in ais(head):
        for other in ENTRIES[ai].excludes:
            with pytest.raises(gs1.Gs1Error, match="cannot stand beside") as caught:
                gs1.elements((message_of(ai) | message_of(other)).items())
            assert caught.value.rule is Rule.EXCLUDED
