"""What codes say by themselves and beside each other, without a picture."""

import pytest

from labels import gs1
from labels.reading.code import Code
from labels.reading.say import Kind, say, say_all

CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))
ITEM = "https://id.example.com/01/09506000134352/21/7K3M9QX2AB"


def symbol(text: str, symbology: str = "]C1") -> Code:
    """A code as a reader tells it."""
    return Code("a code", symbology, text, CORNERS)


def pallet(reference: str = "000000001") -> str:
    """(00) and an SSCC."""
    digits = f"09506000{reference}"
    return f"00{digits}{gs1.check_digit(digits)}"


CONTENT = "0209506000134352" + "3724"


def test_a_pallets_symbols_are_read_together() -> None:
    """(02) and (37) need (00), which stands in the symbol beside them; each still says its own."""
    content, number = say_all([symbol(CONTENT), symbol(pallet())])
    assert [ai for ai, _, _ in content.elements] == ["02", "37"] and [ai for ai, _, _ in number.elements] == ["00"]
    assert (content.kind, content.complaint, number.complaint) == (Kind.ELEMENTS, "", "")


LOT = symbol("10L1")


def test_a_lot_that_stands_in_a_symbol_of_its_own_is_the_contents() -> None:
    """As on the pallet labels printed here; and on a case whose GTIN is in one symbol and the lot in another."""
    of_lot = gs1.item("09506000134352", lot="L1")
    assert [one.product for one in say_all([symbol(CONTENT), symbol(pallet()), LOT])] == [of_lot, None, None]
    assert [one.product for one in say_all([symbol("0109506000134352"), LOT])] == [of_lot, None]


def test_of_two_pallets_side_by_side_the_products_are_known_and_not_the_lots() -> None:
    """Which lot is on which, nobody can say."""
    said = say_all([symbol(CONTENT), symbol(pallet()), symbol(pallet("000000002")), LOT])
    assert [one.product for one in said] == [gs1.item("09506000134352"), None, None, None]


@pytest.mark.parametrize("beside", [[], [symbol("hello", "]Q1")], [symbol(pallet()), symbol(pallet("000000002"))]])
def test_what_is_lacking_is_told(beside: list[Code]) -> None:
    """Where nothing beside it has it, or where it may belong to either of two pallets."""
    content = say_all([symbol(CONTENT), *beside])[0]
    assert "(00)" in content.complaint and content.elements == ()


def test_the_code_under_a_scratch_field_is_named() -> None:
    """It is no label, and is to be redeemed."""
    said = say(symbol(f"{ITEM}#h=ABCDEFGHJKLMNPQR", "]Q1"))
    assert said.kind is Kind.HIDDEN and "scratch" in said.kind.headline and not said.kind.is_label
    assert say(symbol(ITEM, "]Q1")).kind is Kind.DIGITAL_LINK


def test_a_pallets_link_is_named_and_leads_to_its_page() -> None:
    """It is not signed and not judged; one that pretends to be is a label that is none, as before."""
    path = f"/00/{pallet()[2:]}"
    said = say(symbol(f"https://ID.EXAMPLE.COM{path}?02=09506000134352&37=24", "]Q1"))
    assert said.kind is Kind.UNIT and "not signed" in said.kind.headline and not said.kind.is_label
    assert said.page == path and [ai for ai, _, _ in said.elements] == ["00", "02", "37"]
    forged = say(symbol(f"https://id.example.com{path}?s={'1' * 169}", "]Q1"))
    assert forged.kind is Kind.LABEL and forged.complaint == "it names no product" and forged.page == ""
