"""The page's modules agree with the ledger's: they take the same bytes, and understand the same by them."""

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings as sodium
from playwright.sync_api import Page

from labels.verify_page import FOLDER
from ledger import cbor, cose, ed25519, epcis, fold, registry
from ledger.errors import OutsideError, SignatureError
from ledger.keys import SigningKey
from ledger.proof import verdict
from ledger.proof.verdict import Shown, show
from ledger.registry import Registry
from ledger.section import ContentFormat, Line, Privacy
from ledger.statement import NO_PREVIOUS
from tests import cast, rooted, seeds
from tests.browser.parts import READERS, agree, sizes
from tests.hostile import NASTY, bytes_near, plain


def _lengthened(data: bytes, at: int) -> bytes:
    """The same with one byte taken for a number or a head, and written longer than need be."""
    at %= len(data)
    return data[:at] + bytes([data[at] & 0xE0 | 24, data[at] & 0x1F]) + data[at + 1 :]


def _near_part(number: int) -> st.SearchStrategy[bytes]:
    parts = [part for part in (cose.split(data)[number] for data in seeds.STATEMENTS) if isinstance(part, bytes)]
    longer = st.builds(_lengthened, st.sampled_from(parts), st.integers(0, 2**16))
    return st.sampled_from(parts) | longer | bytes_near(*parts)


# What is wrong in a part is not hidden behind a wrong length of it.
STATEMENTS = st.builds(lambda head, payload: cose.join(head, {}, payload, bytes(64)), _near_part(0), _near_part(2))


@pytest.mark.parametrize("name", READERS)
def test_what_is_valid_is_read_by_both(modules: Page, name: str) -> None:
    """Each seed, and each of the nasty ones."""
    for data in (*READERS[name][1], *NASTY):
        agree(modules, name, data)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150)
@given(st.data())
def test_the_same_bytes_are_read_and_refused(modules: Page, name: str, data: st.DataObject) -> None:
    """Any bytes, and whatever a few changes make of valid ones."""
    valid = READERS[name][1]
    near = bytes_near(*valid) | st.builds(_lengthened, st.sampled_from(valid), st.integers(0, 2**16))
    agree(modules, name, data.draw(near | STATEMENTS if name == "statement" else near))


CONTENT = {
    ContentFormat.SENML_CBOR: seeds.PACKS,
    ContentFormat.STREAM: seeds.STREAMS,
    ContentFormat.EPCIS: seeds.EVENTS,
    ContentFormat.REGISTRY: (cast.GENESIS, *seeds.ENTRIES),
    ContentFormat.DEFLATED_SENML: (b"?",),
}
_PACK_FIELDS = st.dictionaries(
    st.sampled_from([-1, -2, -3, -4, -5, 0, 1, 2, 3, 4, 5, 6, 7, 8, "x", "x_"]),
    st.sampled_from(["t", "", "Cel", 10, 11, 1.5, -1, 1e300, math.inf, math.nan, 2**63, True, None, b"", 1.75e9]),
    max_size=4,
)  # fmt: skip
PACKS = st.lists(_PACK_FIELDS, max_size=3).map(lambda rows: cbor.encode([{-2: f"{cast.URN}:", 0: "t", 2: 1}, *rows]))
_EVENT_VALUES: st.SearchStrategy[Any] = st.sampled_from([
    None, "", "x", "urn:x:1", "ADD", "DELETE", "OBSERVE", "AggregationEvent", "AssociationEvent", 1, 1.5, True, b"", [],
    {}, ["urn:x:1"], ["urn:x:1", "urn:x:1"], [None], {"id": "urn:x:1"}, {"id": "x"}, [{"epcClass": "urn:x:1"}], [{}],
    [{"sensorMetadata": {}}],
    "2025-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-00:01",
    "0000-01-01T00:00:00Z", "2025-06-15T24:00:00Z", "2025-06-15T23:59:60Z", "2025-06-15T15:06:40.1234567+14:00",
    "2025-06-15T15:06:40+14:01", "2025-13-15T15:06:40Z", "2025-06-31T15:06:40Z", "+14:00", "+14:01", "packing", "\x00",
])  # fmt: skip
_EVENT_KEYS = st.sampled_from([*seeds.EVENT, "parentID", "childEPCs", "quantityList", "childQuantityList", "more"])
EVENTS = st.builds(
    lambda base, change, gone: cbor.encode({k: v for k, v in {**base, **change}.items() if k not in gone}),
    st.sampled_from([cbor.decode(body) for body in seeds.EVENTS]),
    st.dictionaries(_EVENT_KEYS, _EVENT_VALUES, max_size=3),
    st.sets(_EVENT_KEYS, max_size=2),
)


def agree_on_content(modules: Page, content_format: int, body: bytes) -> None:
    """Both have a body say the same, or both cannot read it."""
    line = Line(Privacy.PUBLIC, content_format, bytes(32))
    shown = show(cast.sign(manifest=[line]), 0, body)
    told = modules.evaluate(
        "(a) => parts.read(...a)", [f"content {content_format}", body.hex(), [cast.URN, str(cast.NOW)]]
    )["value"]
    assert told == {"said": _as_javascript(shown), "refused": shown.fault is not None}, body.hex()


def _as_javascript(shown: Shown) -> Any:
    """What was said, with numbers that JavaScript cannot hold as text."""
    if shown.said is None:
        return None
    return _held(verdict._plain(shown.said.document if isinstance(shown.said, epcis.Event) else shown.said))


def _held(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _held(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_held(item) for item in value]
    if isinstance(value, str):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(value, value)
    return str(value) if type(value) is int and abs(value) >= 2**53 else value


@pytest.mark.parametrize("content_format", CONTENT)
@settings(max_examples=150)
@given(st.data())
def test_content_says_the_same(modules: Page, content_format: ContentFormat, data: st.DataObject) -> None:
    """Readings, events, affairs of a stream and registry entries."""
    near = bytes_near(*CONTENT[content_format])
    more = {ContentFormat.SENML_CBOR: PACKS, ContentFormat.EPCIS: EVENTS}.get(content_format, near)
    agree_on_content(modules, int(content_format), data.draw(near | more))


# The registry

_ENTRIES = [
    *(cbor.decode(entry) for entry in seeds.ENTRIES),
    *({"type": "revocation", "kid": key.kid, "disputed": [["production", 1]]} for key in (cast.DEVICE, cast.NEIGHBOUR)),
    cast.DEVICE_ENTRY, cast.ORGANISATION_ENTRY, {"type": "genesis"}, {"type": "x"},
    rooted.next_key(), rooted.next_key(51, first=150, until=300), rooted.next_key(chain="trade"), rooted.next_key(1),
]  # fmt: skip
_KEYS = (cast.DEVICE, cast.NEIGHBOUR, cast.LOG, cast.ROOT, cast.OPERATOR, cast.key(11))
_VALUES = st.sampled_from([
    None, True, -1, 0, 1, 2**31, 2**31 - 1, 2**40, "", "x", "line-1", "line-2", "A B", "\x7f", "é" * 256, "é" * 257,
    cast.URN, "urn:x:operator", cast.ISSUER, "registry", "production", [], ["production"], ["production", "registry"],
    ["x"], [1], ["9506000"], ["95060001"], ["0614141", "950"], ["9506"], "own", "A1", seeds.HASH, bytes(32),
    [""], ["0950"], ["09506000134352"], ["٣"], "09506000134352", [[1, 0, "x"]], [[1, 0, ""]], [[2**40, 0, "x"]],
    [[1, 0]],
    [["production", 1]], [["x", 1]], [[bytes(8), 2**63 - 1]], [[bytes(7), 1]], [["production", 2**40]],
    [["production"]],
    *(key.kid for key in _KEYS), *(key.public for key in _KEYS), b"", bytes(31),
    *(rooted.next_key(number)["vkey"] for number in (10, 50, 51)), 100, 149, 150, 200, 201, 2**40 - 1,
])  # fmt: skip
_NAMES = st.sampled_from(sorted({"disputed", *(name for entry in _ENTRIES for name in entry)}))
_SPOKEN = st.tuples(
    st.sampled_from([*_KEYS, *[cast.OPERATOR] * 8, *[cast.ROOT] * 8, cast.GATEWAY, cast.LABELS]),
    st.builds(
        lambda entry, change: {**entry, **change},
        st.sampled_from(_ENTRIES),
        st.dictionaries(_NAMES, _VALUES, max_size=2),
    ),
)
_GENESIS = cbor.decode(cast.GENESIS)


def agree_on_the_registry(modules: Page, spoken: Sequence[tuple[bytes, bytes]]) -> None:
    """Both take and refuse the same entries, and have the same keys after them."""
    state, told = Registry(), []
    for index, (kid, body) in enumerate(spoken):
        try:
            state.apply(index, kid, body)
            told.append(True)
        except OutsideError:
            told.append(False)
    theirs = modules.evaluate("(a) => parts.entries(a)", [[n, kid.hex(), b.hex()] for n, (kid, b) in enumerate(spoken)])
    assert theirs["told"] == told
    assert theirs["keys"] == [
        [k.kid.hex(), str(k.role), k.name, k.issuer, k.subject, str(k.status), k.since, sorted(k.chains)]
        for k in state.keys.values()
    ]
    assert theirs["logs"] == {name: sizes(chain.log_keys) for name, chain in state.chains.items()}
    assert theirs["labels"] == [kid.hex() for kid in state.label_keys]


def test_both_know_the_same_types_of_entry(modules: Page) -> None:
    """A type that is added to the one is added to the other."""
    assert sorted(modules.evaluate("parts.types")) == sorted(registry.RULES)


@settings(max_examples=200)
@given(st.lists(_SPOKEN, max_size=5))
def test_the_registry_is_folded_the_same(modules: Page, spoken: list[tuple[SigningKey, dict[str, Any]]]) -> None:
    """From the genesis on, whatever is said by whom."""
    first = [(cast.ROOT.kid, cast.GENESIS)]
    known = [(cast.OPERATOR.kid, cbor.encode(entry)) for entry in (cast.ORGANISATION_ENTRY, cast.DEVICE_ENTRY)]
    agree_on_the_registry(modules, [*first, *known, *((key.kid, cbor.encode(entry)) for key, entry in spoken)])


def test_both_hear_the_root_in_the_same_stream(modules: Page) -> None:
    """A log's next key that the root key names in another stream than the genesis' counts for neither."""
    first, second = rooted.stream(rooted.next_key()), rooted.next_key(51, first=300, until=350)
    spoken = [*first, rooted.say(second, first[1], stream=bytes(8), seq=0, prev=NO_PREVIOUS)]
    theirs, state = modules.evaluate("(m) => parts.folded(m)", [data.hex() for data in spoken]), Registry()
    told = [fold.apply(state, rooted.stored(index, data)) is None for index, data in enumerate(spoken)]
    assert theirs["told"] == told == [True, True, False]
    assert theirs["logs"] == {name: sizes(chain.log_keys) for name, chain in state.chains.items()}


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from([*_GENESIS, "more"]), _VALUES | plain, max_size=2),
    st.tuples(
        st.sampled_from(["chains", "services"]),
        st.integers(0, 2),
        st.sampled_from(["name", "origin", "vkey", "role", "key", "urn"]),
        _VALUES,
    ),
    bytes_near(cast.GENESIS),
    st.booleans(),
)
def test_a_genesis_is_taken_the_same(
    modules: Page, change: dict[str, Any], inner: tuple[str, int, str, Any], near: bytes, whole: bool
) -> None:
    """Whatever is changed in it."""
    entry = cbor.decode(cast.GENESIS)
    listed, number, name, value = inner
    entry[listed][number][name] = value
    body = near if whole else cbor.encode({**entry, **change})
    agree_on_the_registry(modules, [(cast.ROOT.kid, body), (cast.OPERATOR.kid, cbor.encode(cast.ORGANISATION_ENTRY))])


# Signatures


def _mixed(number: int) -> tuple[bytes, bytes, bytes]:
    """A key of mixed order, and a signature that holds under it only if the equation is multiplied by the cofactor."""
    torsion = ed25519._Y8.to_bytes(32, "little")
    seed = hashlib.sha512(bytes([number])).digest()
    a, r = (sodium.crypto_core_ed25519_scalar_reduce(hashlib.sha512(seed + tail).digest()) for tail in (b"a", b"r"))
    key = sodium.crypto_core_ed25519_add(sodium.crypto_scalarmult_ed25519_base_noclamp(a), torsion)
    commitment, message = sodium.crypto_scalarmult_ed25519_base_noclamp(r), b"mixed"
    k = sodium.crypto_core_ed25519_scalar_reduce(hashlib.sha512(commitment + key + message).digest())
    s = sodium.crypto_core_ed25519_scalar_add(r, sodium.crypto_core_ed25519_scalar_mul(k, a))
    return key, commitment + s, message


def _vectors() -> list[tuple[bytes, bytes, bytes]]:
    key, message = cast.DEVICE, b"a message"
    signature = key.sign(message)
    s = int.from_bytes(signature[32:], "little")
    refused = sorted(ed25519._REFUSED_POINTS)
    strange = [*refused, b"\x02" + bytes(31), b"\xff" * 32, key.public[:31], key.public + b"x", b""]
    scalars = [0, 1, s, s + ed25519._L, ed25519._L, ed25519._L - 1, 2**256 - 1]
    return [
        (key.public, signature, message),
        (key.public, signature, b""),
        *((point, signature, message) for point in strange),
        *((key.public, point + signature[32:], message) for point in strange),
        *((key.public, signature[:32] + scalar.to_bytes(32, "little"), message) for scalar in scalars),
        *((point, other + bytes(32), message) for point in refused[:12] for other in refused[:12]),
        *((point, other + (1).to_bytes(32, "little"), message) for point in refused[:6] for other in refused[:6]),
        *(_mixed(number) for number in range(64)),
    ]


def _holds(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        ed25519.verify(key, signature, message)
    except SignatureError:
        return False
    return True


@pytest.mark.parametrize("engine", ["browser", "own"])
def test_signatures_have_one_answer_in_both_engines(modules: Page, engine: str) -> None:
    """Also at the edges on which libraries differ: small and mixed orders, second encodings, large S."""
    vectors = _vectors()
    expected = [_holds(*vector) for vector in vectors]
    assert 5 <= sum(expected) < 30, "some of mixed order hold, as their k is a multiple of eight"
    told = modules.evaluate("(a) => parts.holds(...a)", [engine, [[part.hex() for part in v] for v in vectors]])
    assert told == expected


# What is not ours


def test_the_vendored_files_are_as_they_were_published() -> None:
    """Their hashes are in the README beside them, and nothing else is there."""
    listed = dict(
        re.findall(r"^\| `(\S+)` \| \S+ \S+ \| `([0-9a-f]{64})` \|$", (FOLDER / "README.md").read_text(), re.M)
    )
    found = {
        str(path.relative_to(FOLDER / "vendor")): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (FOLDER / "vendor").rglob("*")
        if path.is_file()
    }
    assert found == listed
