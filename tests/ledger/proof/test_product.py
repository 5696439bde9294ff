"""Claims about the product bundle: all statements about one product in one file, which tells one history."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tallystick
from deploy.postgres import Postgres
from ledger import cbor, epcis, note
from ledger.author import Content
from ledger.block import Header
from ledger.database import connect
from ledger.errors import MalformedError, OutsideError, ProofError, TrustError, UserError
from ledger.proof import product, proving
from ledger.proof.bundle import Bundle
from ledger.proof.check import check
from ledger.proof.product import ProductBundle, verify_product
from ledger.proof.product_search import candidates
from ledger.proof.prove import Prover
from ledger.proof.revoked import revocations
from ledger.published import trust_bundle
from ledger.section import ContentFormat, Privacy
from ledger.statement import Statement
from ledger.trust.trust_file import Trust
from tests.world import World, event

ITEM = "https://id.gs1.org/01/09506000134352/21/A1"
CASE = "https://id.gs1.org/00/095060000000000015"
OTHER = "https://id.gs1.org/01/09506000134352/21/B2"


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger with the story of two items."""

    world: World

    def product(self, uri: str = ITEM, *, private: bool = False) -> ProductBundle:
        """What `prove --product` writes, read."""
        return ProductBundle.decode(self.encoded(uri, private=private))

    def encoded(self, uri: str = ITEM, *, private: bool = False) -> bytes:
        """What `prove --product` writes."""
        world = self.world
        return proving.make(world.dsn, world.folder, world.trust, private=private, product=uri).proof

    def bundle(self, chain: str, index: int) -> Bundle:
        """The bundle of any entry."""
        with connect(self.world.dsn) as connection:
            return Prover(connection, self.world.folder).prove(chain, index)


@pytest.fixture(scope="module")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One ledger for all tests here: none of them changes it."""
    dsn = postgres_server.create_database("test_product")
    with World(dsn, tmp_path_factory.mktemp("product") / "ledger") as world:
        press, truck = (
            world.register_device(name, chains=("production", "logistics")) for name in ("press-1", "truck-1")
        )
        world.publish(truck, event(ITEM, biz_step="shipping", eventTime="2025-06-16T10:00:00Z"), chain="logistics")
        world.publish(press, event(ITEM, OTHER, eventTime="2025-06-15T10:00:00Z"))
        world.publish(press, press.readings(1.0))
        world.tick()
        world.publish(press, event(OTHER, biz_step="inspecting", action="OBSERVE"))
        world.publish(press, _packing())
        world.publish(press, replace(event(ITEM, biz_step="storing", action="OBSERVE"), privacy=Privacy.PRIVATE))
        world.tick()
        yield Made(world)
    postgres_server.drop_database("test_product")


def _packing() -> Content:
    document = {
        "type": "AggregationEvent",
        "action": "ADD",
        "eventTime": "2025-06-15T12:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "parentID": CASE,
        "childEPCs": [ITEM],
        "bizStep": "packing",
    }
    return Content(Privacy.PUBLIC, ContentFormat.EPCIS, epcis.encode(document))


def _naming(made: Made, bundles: int, entries: int) -> bytes:
    """So many bundles that name registry entries of one table so often."""
    value = cbor.decode(made.encoded())
    registry = {**value["bundles"][0]["registry"], "entries": [0, 1, *[2] * (entries - 2)]}
    first = value["bundles"][0]
    value["bundles"] = [
        {**first, "registry": registry, "entry": [number, *first["entry"][1:]]} for number in range(bundles)
    ]
    return cbor.encode(value)


def test_what_costs_too_many_signatures_is_not_begun(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that names the same entries again and again is refused before one signature is checked."""
    bomb, checked = _naming(made, 1_000, 1_000), list[bytes]()
    monkeypatch.setattr(Statement, "verify", lambda self, key: checked.append(key))
    assert len(bomb) < 4 * 1024 * 1024
    with pytest.raises(MalformedError, match="at most 32,768 registry entries in all its bundles"):
        check(bomb, made.world.trust)
    assert checked == []


def test_a_history_that_no_file_holds_is_not_written(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody could read is an error with a hint to whoever asks for it."""
    monkeypatch.setattr(product, "ENTRIES_MAX", 3)
    with pytest.raises(UserError, match="too long a history for one file"):
        made.encoded()


# What is true


def test_a_products_statements_come_in_the_order_of_their_events(made: Made) -> None:
    """Of all chains, packed or by themselves; not those about others, and private ones only if asked for."""
    verdicts = verify_product(made.product(), made.world.trust).statements
    assert [(verdict.chain, verdict.device) for verdict in verdicts] == [
        ("production", "press-1"),
        ("production", "press-1"),
        ("logistics", "truck-1"),
    ]
    assert len(verify_product(made.product(private=True), made.world.trust).statements) == 4
    assert len(verify_product(made.product(CASE), made.world.trust).statements) == 1


def test_what_is_shared_stands_there_once(made: Made) -> None:
    """A checkpoint of each log, and each registry entry with its path once; what is taken apart comes together."""
    data, product = made.encoded(), made.product()
    value = cbor.decode(data)
    assert len(value["checkpoints"]) == 4  # production's, logistics', the anchor's, the registry's
    assert len(value["registry"]) < sum(len(bundle.registry.entries) for bundle in product.bundles)
    assert len(data) < sum(len(bundle.encode()) for bundle in product.bundles)
    for bundle in product.bundles:
        assert bundle == made.bundle(bundle.chain, bundle.entry.index)
    assert product.encode() == data


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        (ITEM, ITEM),
        ("https://id.example.com/01/09506000134352/21/A1?s=123#x", ITEM),
        ("https://example.com/shop/01/09506000134352/10/LOT7/21/A1", ITEM),
        ("http://id.example.com:8420/01/09506000134352/22/V/10/LOT7/21/A1", ITEM),
        ("https://id.example.com/01/09506000134352/10/LOT7", "https://id.gs1.org/01/09506000134352/10/LOT7"),
        ("https://id.example.com/00/095060000000000015", CASE),
        ("urn:epc:id:sgtin:9506000.013435.A1", "urn:epc:id:sgtin:9506000.013435.A1"),
    ],
)
def test_a_labels_link_names_its_product(name: str, canonical: str) -> None:
    """At whatever host, below whatever path: the identifier as events have it is among what is looked for."""
    assert canonical in candidates(name)
    assert candidates(name)[0] == name


def test_what_events_name_by_urn_is_proven_by_either_name(postgres_dsn: str, tmp_path: Path) -> None:
    """By the link and by the URN: the statements that name it by the one, and those by the other."""
    urn = "urn:epc:id:sgtin:9506000.013435.A1"
    with World(postgres_dsn, tmp_path / "ledger") as world:
        device = world.register_device("press-1")
        for uri in (ITEM, urn, OTHER):
            world.publish(device, event(uri))
        world.tick()
        for name in (ITEM, urn):
            verdict = verify_product(Made(world).product(name), world.trust)
            assert verdict.uri == name and len(verdict.statements) == 2


# What is spoiled

Spoil = Callable[[ProductBundle, Made], ProductBundle]


def _checkpoint(made: Made, bundle: Bundle, **fields: object) -> str:
    log = made.world.trust.log(bundle.chain)
    said = replace(log.open(bundle.checkpoint), **fields)  # type: ignore[arg-type]
    return note.sign(said.text, [_signer(made, bundle.chain)])


def _signer(made: Made, chain: str) -> note.Signer:
    return note.Signer(made.world.trust.log(chain).origin, made.world.folder.log_key(chain))


def _last(product: ProductBundle, bundle: Bundle) -> ProductBundle:
    return replace(product, bundles=(*product.bundles[:-1], bundle))


SPOILED: dict[str, tuple[type[OutsideError], str, Spoil]] = {
    "another product": (ProofError, "statement 1 of 3 .*step 10 .*no event that names urn:x", lambda p, m: replace(
        p, uri="urn:x"
    )),
    "a statement about another": (ProofError, "statement . of 4 .*step 10", lambda p, m: ProductBundle.of(
        p.uri, [*p.bundles, m.product(OTHER).bundles[-1]]
    )),
    "its event withheld": (ProofError, "statement 1 of 3 .*step 10", lambda p, m: replace(
        p, bundles=(replace(p.bundles[0], entry=replace(p.bundles[0].entry, sections=(None,))), *p.bundles[1:])
    )),
    "a bundle that does not verify": (ProofError, r"statement 3 of 3 \(entry .* of 'production'\): step 3 ", (
        lambda p, m: _last(p, replace(p.bundles[-1], entry=replace(p.bundles[-1].entry, path=())))
    )),
    "two roots of one size": (TrustError, "statement 3 of 3 .*step 2 .*two truths: at size", lambda p, m: (
        _last(p, replace(p.bundles[-1], checkpoint=_checkpoint(m, p.bundles[-1], root=bytes(32))))
    )),
    "two sizes": (TrustError, "statement 3 of 3 .*step 2 .*nothing here shows", lambda p, m: (
        _last(p, replace(p.bundles[-1], checkpoint=_checkpoint(m, p.bundles[-1], size=99)))
    )),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILED)
def test_whatever_is_spoiled_is_refused_by_statement_and_step(what: str, made: Made) -> None:
    """Each bundle counts, and all of them must be about the product and of one history."""
    kind, complaint, spoil = SPOILED[what]
    with pytest.raises(kind, match=complaint):
        verify_product(spoil(made.product(), made), made.world.trust)


def test_two_headers_of_one_block_are_refused(made: Made) -> None:
    """Before its anchor nobody signs for a header's time: two statements of one block must name the same header."""
    product = made.product(private=True)
    *others, first, second = product.bundles
    other = replace(Header.decode(second.header), time_ms=1).encode()
    first, second = replace(first, anchor=None), replace(second, anchor=None)
    verify_product(replace(product, bundles=(*others, first, second)), made.world.trust)
    with pytest.raises(TrustError, match=r"statement 4 of 4 .*step 11 .*two truths: block 1 has two headers"):
        verify_product(replace(product, bundles=(*others, first, replace(second, header=other))), made.world.trust)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"more": 1}, "five fields"),
        ({"uri": ""}, "five fields"),
        ({"uri": "x" * 1001}, "five fields"),
        ({"bundles": []}, "five fields"),
        ({"bundles": [None] * 1001}, "five fields"),
        ({"bundles": [None]}, "eight fields"),
        ({"tallystick-product-bundle": True}, "version True"),
        ({"tallystick-product-bundle": 2}, "version 2"),
        ({"checkpoints": []}, "names what is not in its table"),
        ({"checkpoints": [b""]}, "a signed note's text"),
        ({"registry": []}, "names what is not in its table"),
        ({"registry": [[0]]}, "entry is"),
    ],
)
def test_what_is_no_product_bundle_is_refused(made: Made, fields: dict[str, object], complaint: str) -> None:
    """Each field has one type and a bounded size, and each number names something."""
    with pytest.raises(MalformedError, match=complaint):
        ProductBundle.decode(cbor.encode({**cbor.decode(made.encoded()), **fields}))


def test_a_product_bundle_has_one_encoding(made: Made) -> None:
    """In order, each statement once, and nothing in the tables that is not used, or used in another order."""
    data = made.encoded()
    value, product = cbor.decode(data), made.product()
    for bundles in (product.bundles[::-1], (product.bundles[0], *product.bundles)):
        with pytest.raises(MalformedError, match="in order of chain and index, each once"):
            ProductBundle.decode(replace(product, bundles=bundles).encode())
    for checkpoints in ([*value["checkpoints"], "more"], [*value["checkpoints"], value["checkpoints"][0]]):
        with pytest.raises(MalformedError, match="not in its one encoding"):
            ProductBundle.decode(cbor.encode({**value, "checkpoints": checkpoints}))
    with pytest.raises(MalformedError, match="after the end"):
        ProductBundle.decode(data + b"\x00")


@given(st.data())
def test_any_bytes_are_a_product_bundle_or_malformed(made: Made, data: st.DataObject) -> None:
    """Decode is total, and what is cut is refused."""
    encoded = made.encoded()
    with pytest.raises(MalformedError):
        ProductBundle.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])
    with contextlib.suppress(MalformedError):
        value = cbor.decode(encoded)
        value[data.draw(st.sampled_from(sorted(value)))] = data.draw(st.lists(st.integers(), max_size=3))
        ProductBundle.decode(cbor.encode(value))


# The commands


def test_a_product_on_the_command_line(made: Made, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its label's link; `verify` prints the history in order, and says what no file can show."""
    link = "https://id.example.com/01/09506000134352/10/L1/21/A1?s=1"
    assert tallystick.run(["ledger", "prove", "--product", link, "-o", "item.bundle"]) == 0
    trust = ["--trust", str(made.world.folder.trust_file)]
    capsys.readouterr()
    assert tallystick.run(["ledger", "verify", "item.bundle", *trust]) == 0
    told = capsys.readouterr().out
    order = [told.index(step) for step in ("commissioning", "packing", "shipping")]
    assert order == sorted(order) and ITEM in told
    assert "that no statement about the product was left out is for an audit to see" in told
    assert "events of what it was packed in, which do not name it, and readings are not in this file" in told
    assert tallystick.run(["ledger", "verify", "item.bundle", *trust, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and document["format"] == "product" and len(document["statements"]) == 3
    assert tallystick.run(["ledger", "verify", "item.bundle", *trust, "--statement", "item.bundle"]) == 1
    assert "not about one statement" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--product", "https://id.gs1.org/01/09506000134352/21/NONE"], "no event that may be shown names"),
        (["--product", "x\udcff y"], "no event that may be shown names"),
        (["--product", ITEM, "--chain", "production"], "a product's proof is one file of bundles"),
        (["--product", ITEM, "--format", "cose"], "a product's proof is one file of bundles"),
    ],
)
def test_a_mistake_gets_an_error_and_a_hint(
    arguments: list[str], complaint: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ledger prove` says what is not right about what was asked."""
    assert tallystick.run(["ledger", "prove", *arguments]) == 1
    assert complaint in capsys.readouterr().err


def test_only_what_is_published_is_in_it(postgres_dsn: str, tmp_path: Path) -> None:
    """An event whose block the checkpoint file does not have is not there yet."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        world.publish(press, event(ITEM))
        world.tick()
        file = world.folder.checkpoints / "production"
        before = file.read_text()
        world.publish(press, event(ITEM, OTHER, biz_step="packing", action="OBSERVE"))
        world.tick()
        file.write_text(before)
        made = Made(world)
        assert len(made.product().bundles) == 1
        with pytest.raises(UserError, match=r"nothing about .* is published yet"):
            made.product(OTHER)


def test_a_trust_bundle_says_which_statements_are_disputed(postgres_dsn: str, tmp_path: Path) -> None:
    """Of each statement by itself: a line for a person, an item of a list for a machine."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press, truck = world.register_device("press-1"), world.register_device("truck-1")
        world.publish(press, event(ITEM))
        world.publish(truck, event(ITEM, biz_step="shipping"))
        world.tick()
        product = Made(world).product()
        assert revocations(verify_product(product, world.trust), world.trust) == ([None, None], [])
        at = {verdict.device: verdict.index for verdict in verify_product(product, world.trust).statements}
        disputed = [["production", at["truck-1"]]]
        world.operator_says({"type": "revocation", "kid": truck.key.kid, "reason": "stolen", "disputed": disputed})
        trust = Trust.parse(trust_bundle.issue(world.folder, world.dsn, days=30, now=world.now_ms // 1000).note)
        documents, [line] = revocations(verify_product(product, trust), trust)
        assert sorted(documents, key=bool) == [None, {"entry": 4, "disputed": True}]
        assert f"entry {at['truck-1']} of production: its key was revoked by registry entry 4; DISPUTED" in line
