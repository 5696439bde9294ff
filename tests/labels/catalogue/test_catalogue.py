"""The catalogue's entries: read whole or refused, written as they were read, and folded by place."""

from typing import Any

import pytest

from labels.catalogue.catalogue import Catalogue
from labels.catalogue.description import Description
from labels.catalogue.limit import Limit
from labels.catalogue.link import Link
from labels.catalogue.place import Place
from labels.catalogue.recall import Lifting, Recall
from ledger import cbor
from ledger.errors import MalformedError, RegistryError
from tests import cast

GTIN, OTHER = "09506000134352", "09506000134369"
ISSUER = cast.ISSUER
PRODUCT: dict[str, Any] = {
    "type": "product", "organisation": ISSUER, "gtin": GTIN, "name": "Honey", "text": "From the hills.",
    "picture": bytes(32),
    "links": [{"rel": "gs1:pip", "href": "https://example.com/honey", "title": "Honey", "lang": "en"}],
    "limits": {"temperature": ["Cel", 2.0, 8.0], "humidity": ["%RH", None, 60.0]},
}  # fmt: skip
RECALL = {"type": "recall", "organisation": ISSUER, "gtin": GTIN, "lot": "A1", "reason": "glass", "since": "2026-11-26"}
LIFTING = {"type": "recall-lifting", "organisation": ISSUER, "gtin": GTIN, "lot": "A1", "reason": "an error"}


def folded(*entries: dict[str, Any]) -> Catalogue:
    """The catalogue after these."""
    catalogue = Catalogue()
    for index, entry in enumerate(entries, 7):
        catalogue.take(entry, index=index, statement_hash=bytes(32), issued_at=cast.NOW)
    return catalogue


def test_entries_are_written_as_they_are_read() -> None:
    """Whatever an entry says is in its value, and nothing else."""
    assert Description.read(PRODUCT).entry() == PRODUCT
    assert Description.read(PRODUCT).limits["humidity"] == Limit("%RH", None, 60.0)
    assert Recall.read(RECALL).entry() == RECALL and Lifting.read(LIFTING).entry() == LIFTING


@pytest.mark.parametrize("kind", [PRODUCT, RECALL, LIFTING], ids=["product", "recall", "lifting"])
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"organisation": "https://nobody.example.com"}, "not registered"),
        ({"gtin": GTIN[1:]}, "14 digits"),
        ({"gtin": 9}, "is a text"),
        ({"lot": "A1", "serial": "S1"}, "a lot of it or an item"),
        ({"lot": ""}, "1 to 256"),
    ],
)
def test_the_registry_refuses_what_is_of_nobodys_product(
    kind: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    """An organisation that is not there, a GTIN that is none, two places at once. Who may speak: test_registry."""
    with pytest.raises((RegistryError, MalformedError), match=complaint):
        cast.say(cast.peopled(), kind | change)


@pytest.mark.parametrize("kind", [PRODUCT, RECALL, LIFTING], ids=["product", "recall", "lifting"])
def test_a_product_is_of_whose_company_prefix_its_gtin_has(kind: dict[str, Any]) -> None:
    """Another organisation's products nobody describes or recalls, nor lifts a recall of them."""
    state = cast.peopled()
    cast.say(state, {"type": "organisation", "uri": "https://b.example.com", "name": "B", "prefixes": ["9506000"]})
    with pytest.raises(RegistryError, match="has declared its GS1 Company Prefix"):
        cast.say(state, kind)
    cast.say(state, kind | {"organisation": "https://b.example.com"})


@pytest.mark.parametrize(
    "change",
    [
        {"gtin": "09506000134353"}, {"lot": "ä"}, {"lot": "A", "serial": "B"}, {"name": ""}, {"name": "x" * 121},
        {"name": "a\nb"}, {"name": "a\u202eb"}, {"name": " a"}, {"text": "x" * 1001}, {"picture": bytes(31)},
        {"picture": "00"}, {"links": {}}, {"links": [1]}, {"links": PRODUCT["links"] * 31}, {"limits": []},
        {"limits": {"t": ["Cel", None, None]}}, {"limits": {"t": ["Cel", 8, 2]}}, {"limits": {"t": ["Cel", 2]}},
        {"limits": {"t": ["Cel", float("nan"), 1]}}, {"limits": {"t": ["Cel", True, 2]}},
        {"limits": {"t": ["Cel", -float("inf"), 2]}}, {"limits": {"": ["Cel", 1, 2]}}, {"limits": {1: ["Cel", 1, 2]}},
        {"limits": {f"t{n}": ["Cel", 1, 2] for n in range(21)}}, {"limits": {"t": ["\n", 1, 2]}},
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_shown_is_refused(change: dict[str, Any]) -> None:
    """Controls, what turns the writing around, numbers that are none, too much of anything."""
    with pytest.raises(MalformedError):
        Description.read(PRODUCT | change)


@pytest.mark.parametrize(
    "href",
    [
        "http://example.com/", "javascript:alert(1)", "data:text/html,x", "//example.com/", "https:example.com",
        "https://", "https:///x", "https://user@example.com/", "https://user:pw@example.com/", "https://exa mple.com/",
        "https://example.com/\r\nSet-Cookie: a=b", "https://example.com/<x>", 'https://example.com/"', "https://ex_.",
        "https://example.com:99999/", "https://[::1/", "https://\u0435xample.com/", "https://example.com/" + "x" * 1000,
        "HTTPS://example.com/", "https://1.2.3.999/", 7, None,
    ],
)  # fmt: skip
def test_a_link_leads_to_https_at_a_host(href: Any) -> None:
    """No script, no header, no user, no host that only looks like one."""
    with pytest.raises(MalformedError, match="leads to"):
        Link.read({"rel": "gs1:pip", "href": href, "title": "x"})


@pytest.mark.parametrize(
    "change",
    [{"rel": "gs1:defaultLink"}, {"rel": "gs1:handledBy"}, {"rel": "stylesheet"}, {"rel": None}, {"title": "\t"},
     {"title": None}, {"lang": "english!"}, {"type": "html"}, {"type": "text/html; x"}, {"onclick": "x"}],
)  # fmt: skip
def test_a_link_is_of_a_link_type_that_a_product_has(change: dict[str, Any]) -> None:
    """What a resolver says of itself is not among them, and a title is a must (GS1-Conformant Resolver 1.2, 2.5)."""
    with pytest.raises(MalformedError):
        Link.read({"rel": "gs1:pip", "href": "https://example.com/", "title": "x"} | change)


@pytest.mark.parametrize("change", [{"since": "26.11.2026"}, {"since": 5}, {"reason": ""}, {"href": "http://x.com"}])
def test_a_recall_says_why_and_since_when(change: dict[str, Any]) -> None:
    """A reason, a day, and perhaps an https link."""
    with pytest.raises(MalformedError):
        Recall.read(RECALL | change)


def test_a_later_description_takes_the_earlier_ones_stead() -> None:
    """At its own place alone: what the later one does not say, nobody says there."""
    catalogue = folded(PRODUCT, PRODUCT | {"lot": "A1", "name": "Lot"}, {**PRODUCT, "name": "New", "text": "Other."})
    product, lot = catalogue.described(Place(GTIN), Place(GTIN, lot="A1"))
    assert (product.said.name, product.index, lot.said.name) == ("New", 9, "Lot")
    assert catalogue.described(Place(OTHER), Place(GTIN, serial="A1")) == ()


def test_a_recall_stands_for_all_below_it_until_it_is_lifted_at_its_own_place() -> None:
    """A product's for its lots and items, a lot's for its items; lifting another place's lifts nothing."""
    catalogue = folded(RECALL)
    assert catalogue.recalled(GTIN, "A1") and catalogue.recalled(GTIN, "A1", "S1")
    assert not catalogue.recalled(GTIN) and not catalogue.recalled(GTIN, "A2") and not catalogue.recalled(OTHER, "A1")
    assert not folded(RECALL, LIFTING).recalled(GTIN, "A1")
    whole = {name: value for name, value in RECALL.items() if name != "lot"}
    both = folded(RECALL, whole, LIFTING)
    found = both.recalled(GTIN, "A1", "S1")
    assert found is not None and found.said.place == Place(GTIN)
    item = folded({**whole, "serial": "S1"})
    assert item.recalled(GTIN, "A1", "S1") and not item.recalled(GTIN, "A1", "S2")


def test_what_cannot_be_read_changes_nothing() -> None:
    """An entry that the registry took and nobody can show leaves what was said before."""
    catalogue = folded(PRODUCT)
    with pytest.raises(MalformedError):
        catalogue.take(PRODUCT | {"name": "\n"}, index=9, statement_hash=bytes(32), issued_at=0)
    assert catalogue.described(Place(GTIN))[0].said.name == "Honey"


def test_an_entry_is_plain_cbor() -> None:
    """It stands in a registry section as it is."""
    assert Description.read(cbor.decode(cbor.encode(Description.read(PRODUCT).entry()))).entry() == PRODUCT
