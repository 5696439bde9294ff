"""The registry: who may say what, and what contradicts it."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import cbor, registry
from ledger.errors import MalformedError, RegistryError
from ledger.keys import SigningKey
from ledger.note import Signer
from ledger.registry import ANCHOR, CHAIN_KINDS, REGISTRY, Chain, Recalled, Registry, Role, Status
from tests.cast import (
    CHAINS,
    DEVICE,
    DEVICE_ENTRY,
    GATEWAY,
    GENESIS,
    ISSUER,
    LABELS,
    NEIGHBOUR,
    OPERATOR,
    OPERATOR_ORGANISATION,
    ORGANISATION_ENTRY,
    ROOT,
    SERVICES,
    URN,
    founded,
    key,
    peopled,
    say,
)
from tests.hostile import NASTY, briefly, bytes_near, spoiled

STRANGER = key(99)
LABEL_KEY_ENTRY = {
    "type": "label-key",
    "organisation": ISSUER,
    "key": key(50).public,
    "gtins": ["09506000134352", "09506"],
    "first_day": 1,
    "last_day": 65_535,
}
SUSPENSION = {"type": "suspension", "kid": DEVICE.kid, "reason": "fork"}
REVOCATION = {"type": "revocation", "kid": DEVICE.kid}
REINSTATEMENT = {"type": "reinstatement", "kid": DEVICE.kid}
FINDING = {"type": "finding", "chain": "production", "total": 1, "items": [[0, 0, "fork"]], "evidence": b"x"}
LABEL_BATCH = {
    "type": "label-batch",
    "gtin": "09506000134352",
    "lot": "A1",
    "size": 24,
    "root": bytes(32),
    "kid": key(50).kid,
    "day": 1,
}
LABEL_FINDING = {"type": "label-finding", "root": bytes(32), "finding": "missing", "reason": "2 labels: missing"}
SHREDDING = {"type": "shredding", "chain": "production", "items": [[7, 0], [7, 2]], "reason": "a court's order"}
ROLLBACK = {
    "type": "rollback",
    "chain": "production",
    "lost": "a signed note",
    "accepted": [5, bytes(32)],
    "reason": "the disk is gone",
}
PRODUCT = {"type": "product", "organisation": ISSUER, "gtin": "09506000134352", "name": "Honey"}
RECALL = {**PRODUCT, "type": "recall", "lot": "A1", "reason": "glass", "since": "2026-11-26"}
RECALL_LIFTING = {**PRODUCT, "type": "recall-lifting", "lot": "A1", "reason": "an error"}
OTHER_DEVICE = {**DEVICE_ENTRY, "name": "line-2", "urn": "urn:x:2", "key": NEIGHBOUR.public}
ENTRIES: list[tuple[dict[str, Any], set[str]]] = [
    (ORGANISATION_ENTRY | {"uri": "https://other.example.com"}, {"operator"}),
    (OTHER_DEVICE, {"operator"}),
    (LABEL_KEY_ENTRY, {"operator"}),
    (REVOCATION, {"operator"}),
    (REINSTATEMENT, {"operator"}),
    (SUSPENSION, {"operator", "gateway"}),
    (FINDING, {"gateway"}),
    (LABEL_BATCH, {"labels"}),
    (LABEL_FINDING, {"labels"}),
    (SHREDDING, {"operator"}),
    (ROLLBACK, {"operator"}),
    (PRODUCT, {"operator"}),
    (RECALL, {"operator"}),
    (RECALL_LIFTING, {"operator"}),
    ({"type": "genesis"}, set()),
    ({"type": "hearsay"}, set()),
]
SIGNERS = {"root": ROOT, "operator": OPERATOR, "gateway": GATEWAY, "labels": LABELS, "device": DEVICE, "none": STRANGER}


def _state(state: Registry) -> Registry:
    """A copy to hold a later state against, but for the size, which always moves on."""
    copy = deepcopy(state)
    copy.size = 0
    return copy


def _refused(state: Registry, entry: dict[str, Any], complaint: str, signer: SigningKey = OPERATOR) -> None:
    """The entry raises, takes its place, and changes nothing."""
    before, size = _state(state), state.size
    with pytest.raises((RegistryError, MalformedError), match=complaint):
        say(state, entry, signer)
    assert state.size == size + 1
    assert _state(state) == before


@pytest.mark.parametrize(("entry", "speakers"), ENTRIES, ids=[entry["type"] for entry, _ in ENTRIES])
@pytest.mark.parametrize("speaker", SIGNERS)
def test_who_may_say_what(entry: dict[str, Any], speakers: set[str], speaker: str) -> None:
    """Each entry has its speakers; from anyone else it changes nothing."""
    state = peopled()
    if speaker in speakers:
        say(state, entry, SIGNERS[speaker])
    else:
        _refused(state, entry, "entry is not for", SIGNERS[speaker])


def test_the_genesis_founds_the_ledger() -> None:
    """Its logs, its services and the root key, which signs nothing else."""
    state = founded()
    assert (state.size, state.name) == (1, "example.com")
    assert list(state.chains) == list(CHAIN_KINDS)
    assert list(state.chains.values()) == CHAINS
    assert state.organisations == {OPERATOR_ORGANISATION: "example.com"}
    assert {key.role for key in state.keys.values()} == {Role.ROOT, Role.OPERATOR, Role.GATEWAY, Role.LABELS}
    gateway = state.key_named("gateway")
    assert gateway is not None and gateway.kid == GATEWAY.kid
    assert gateway.chains == frozenset(CHAIN_KINDS)
    assert state.is_good(GATEWAY.kid) and not state.is_good(DEVICE.kid)


def _genesis(**changes: Any) -> bytes:
    return cbor.encode({**cbor.decode(GENESIS), **changes})


def _chain(name: str, *, origin: str | None = None, number: int = 60, signs: str | None = None) -> dict[str, str]:
    named = origin or f"example.com/tallystick/{name}"
    return {"name": name, "origin": named, "kind": "x", "vkey": Signer(signs or named, key(number)).vkey}


LOGS = [_chain(name, number=60 + number) for number, name in enumerate(CHAIN_KINDS)]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"type": "organisation"}, "no genesis"),
        ({"version": 2}, "no genesis"),
        ({"version": True}, "version"),
        ({"version": 1.0}, "version"),
        ({"root": OPERATOR.public}, "not signed by the root key"),
        ({"root": ROOT.public[:31]}, "32 bytes"),
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"organisation": 1}, "organisation"),
        ({"chains": []}, "names the registry, the anchor"),
        ({"chains": LOGS[:3]}, "names the registry, the anchor"),
        ({"chains": LOGS[:4]}, "names the registry, the anchor"),
        ({"chains": [*LOGS, _chain("Logistics", number=70)]}, "match"),
        ({"chains": [*LOGS, _chain("a/b", number=70)]}, "match"),
        ({"chains": [*LOGS, LOGS[0]]}, "share a name"),
        ({"chains": [*LOGS, _chain("trade", origin="o", number=70)]}, "share a name"),
        ({"chains": [*LOGS, _chain("trade-2", origin=LOGS[0]["origin"], number=70)]}, "share"),
        ({"chains": [*LOGS, _chain("trade-2", number=60)]}, "share"),
        ({"chains": [*LOGS, _chain("trade-2", signs="other", number=70)]}, "another origin"),
        ({"chains": [*LOGS, {**LOGS[0], "vkey": "x"}]}, "no verifier key"),
        ({"chains": [*LOGS, {"name": "trade-2"}]}, "origin"),
        ({"chains": {}}, "list of maps"),
        ({"chains": [1]}, "list of maps"),
        ({"services": None}, "list of maps"),
        ({"services": [*SERVICES, SERVICES[0]]}, "registered already"),
        ({"services": [*SERVICES, {**SERVICES[0], "key": STRANGER.public}]}, "has a key already"),
        ({"services": [{**SERVICES[0], "key": ROOT.public}]}, "registered already"),
        ({"services": [{**SERVICES[0], "name": "root"}]}, "has a key already"),
        ({"services": [{**SERVICES[0], "role": "root"}]}, "no service's role"),
        ({"services": [{**SERVICES[0], "role": "device"}]}, "no service's role"),
        ({"services": [{**SERVICES[0], "role": "x"}]}, "no service's role"),
        ({"services": [{**SERVICES[0], "key": key(60).public}], "chains": LOGS}, "registered already"),
        ({"services": [SERVICES[0], {**SERVICES[1], "urn": SERVICES[0]["urn"]}]}, "is another's"),
    ],
)
def test_what_is_no_genesis_founds_nothing(changes: dict[str, Any], complaint: str) -> None:
    """Not even in part."""
    state = Registry()
    with pytest.raises((RegistryError, MalformedError), match=complaint):
        state.apply(0, ROOT.kid, _genesis(**changes))
    assert state == Registry(size=1)


def test_a_genesis_is_signed_by_its_own_root_key() -> None:
    """And by no other."""
    for signer in (OPERATOR, STRANGER):
        with pytest.raises(RegistryError, match="not signed by the root key"):
            Registry().apply(0, signer.kid, GENESIS)


def test_without_a_genesis_nobody_speaks() -> None:
    """An entry after a spoiled genesis is for nobody."""
    state = Registry()
    with pytest.raises(MalformedError):
        state.apply(0, ROOT.kid, b"")
    _refused(state, ORGANISATION_ENTRY, "unknown key")


def test_a_device_is_registered() -> None:
    """By its key, its name and its URN, for chains of its organisation's choice."""
    state = peopled()
    found = state.key(DEVICE.kid)
    assert found is not None and found == state.key_named("line-1")
    assert (found.role, found.name, found.issuer, found.subject) == (Role.DEVICE, "line-1", ISSUER, URN)
    assert (found.public_key, found.chains, found.index) == (DEVICE.public, frozenset({"production"}), 2)
    assert (found.status, found.since) == (Status.GOOD, None)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"key": DEVICE.public}, "registered already"),
        ({"key": GATEWAY.public}, "registered already"),
        ({"key": ROOT.public}, "registered already"),
        ({"key": key(10).public}, "registered already"),  # a log's
        ({"key": key(50).public}, "registered already"),  # a label key
        ({"key": NEIGHBOUR.public[:31]}, "32 bytes"),
        ({"key": "x" * 32}, "32 bytes"),
        ({"name": "line-1"}, "revoke it first"),
        ({"name": "gateway"}, "revoke it first"),
        ({"name": "root"}, "revoke it first"),
        ({"name": "Line-2"}, "match"),
        ({"name": "a" * 33}, "match"),
        ({"name": "a/b"}, "match"),
        ({"name": "+"}, "match"),
        ({"name": ""}, "name"),
        ({"urn": URN}, "another's"),
        ({"urn": "urn:x:gateway"}, "another's"),
        ({"urn": "root"}, "another's"),
        ({"urn": ""}, "urn"),
        ({"urn": "urn:\x00"}, "urn"),
        ({"urn": "x" * 257}, "urn"),
        ({"organisation": "https://unknown.example.com"}, "not registered"),
        ({"organisation": None}, "organisation"),
        ({"chains": []}, "never the registry"),
        ({"chains": [REGISTRY]}, "never the registry"),
        ({"chains": ["production", ANCHOR]}, "never the registry"),
        ({"chains": ["production", "unknown"]}, "never the registry"),
        ({"chains": "production"}, "list of texts"),
        ({"chains": [1]}, "list of texts"),
        ({"chains": None}, "list of texts"),
    ],
)
def test_what_no_device_may_have(changes: dict[str, Any], complaint: str) -> None:
    """Another's key, name or URN; the registry's or the anchor's chain."""
    state = peopled()
    say(state, LABEL_KEY_ENTRY)
    _refused(state, {**OTHER_DEVICE, **changes}, complaint)


def test_a_revocation_says_from_where_on_its_keys_word_is_disputed() -> None:
    """At once, or by another revocation later; places are added and never taken away."""
    state = peopled()
    say(state, {**REVOCATION, "disputed": [["production", 7]]})
    since = state.keys[DEVICE.kid].since
    say(state, {**REVOCATION, "disputed": [[b"stream-1", 3], ["production", 7]]})
    key = state.keys[DEVICE.kid]
    assert (key.status, key.since, key.disputed) == (Status.REVOKED, since, (("production", 7), (b"stream-1", 3)))


@pytest.mark.parametrize(
    ("places", "error"),
    [
        (["production", 7], MalformedError),
        ([["production"]], MalformedError),
        ([["production", -1]], MalformedError),
        ([["production", 2**40]], MalformedError),
        ([[b"stream", 1]], MalformedError),
        ([["production", 1]] * 65, MalformedError),
        ([["nowhere", 1]], RegistryError),
        ("x", MalformedError),
    ],
)
def test_a_place_that_is_none_revokes_nothing(places: Any, error: type[Exception]) -> None:
    """Whoever meant one must not believe that it was taken."""
    state = peopled()
    with pytest.raises(error):
        say(state, {**REVOCATION, "disputed": places})
    assert state.is_good(DEVICE.kid)


def test_a_name_is_free_again_when_its_key_is_revoked() -> None:
    """A device gets a new key under its name and URN; the old key stays, revoked."""
    state = peopled()
    _refused(state, {**DEVICE_ENTRY, "key": NEIGHBOUR.public}, "revoke it first")
    say(state, SUSPENSION)
    _refused(state, {**DEVICE_ENTRY, "key": NEIGHBOUR.public}, "revoke it first")
    say(state, REVOCATION)
    _refused(state, DEVICE_ENTRY, "registered already")
    _refused(state, {**OTHER_DEVICE, "urn": URN}, "another's")
    say(state, {**DEVICE_ENTRY, "key": NEIGHBOUR.public})
    newest = state.key_named("line-1")
    assert newest is not None and newest.kid == NEIGHBOUR.kid
    assert state.is_good(NEIGHBOUR.kid) and not state.is_good(DEVICE.kid)
    _refused(state, {**DEVICE_ENTRY, "key": STRANGER.public}, "revoke it first")


def test_a_refused_device_leaves_its_name_and_urn_free() -> None:
    """A failed entry reserves nothing."""
    state = peopled()
    _refused(state, {**OTHER_DEVICE, "name": "line-1"}, "revoke it first")
    _refused(state, {**OTHER_DEVICE, "urn": URN}, "another's")
    say(state, OTHER_DEVICE)
    assert state.is_good(NEIGHBOUR.kid)


def _status(state: Registry) -> tuple[Status, int | None]:
    found = state.key(DEVICE.kid)
    assert found is not None
    return found.status, found.since


def test_a_suspension_is_lifted_by_a_reinstatement() -> None:
    """`since` says from which entry on."""
    state = peopled()
    say(state, SUSPENSION, GATEWAY)
    assert _status(state) == (Status.SUSPENDED, 3)
    say(state, REINSTATEMENT)
    assert _status(state) == (Status.GOOD, None)
    say(state, REINSTATEMENT)
    assert _status(state) == (Status.GOOD, None)


def test_a_second_suspension_moves_nothing() -> None:
    """Two chains may find one clone: the first entry stays the one that suspended."""
    state = peopled()
    say(state, SUSPENSION, GATEWAY)
    say(state, SUSPENSION, GATEWAY)
    assert _status(state) == (Status.SUSPENDED, 3)


@pytest.mark.parametrize("entry", [REVOCATION, SUSPENSION, REINSTATEMENT])
@pytest.mark.parametrize("suspended_before", [False, True])
def test_a_revoked_key_stays_revoked(entry: dict[str, Any], suspended_before: bool) -> None:
    """Whatever is said after it."""
    state = peopled()
    if suspended_before:
        say(state, SUSPENSION)
    at = state.size
    say(state, REVOCATION)
    _refused(state, entry, "stays revoked")
    assert _status(state) == (Status.REVOKED, at)


@pytest.mark.parametrize("entry", [REVOCATION, SUSPENSION, REINSTATEMENT])
@pytest.mark.parametrize("kid", [STRANGER.kid, GATEWAY.kid, OPERATOR.kid, ROOT.kid])
def test_only_a_devices_key_has_a_status(entry: dict[str, Any], kid: bytes) -> None:
    """Nobody silences a service, and nobody a key that there is not."""
    _refused(peopled(), {**entry, "kid": kid}, "only a registered device's key")


@pytest.mark.parametrize("kid", [None, b"", DEVICE.kid[:31], "x" * 32])
def test_a_kid_is_32_bytes(kid: Any) -> None:
    """Else it names nobody."""
    for entry in (REVOCATION, SUSPENSION, REINSTATEMENT):
        _refused(peopled(), {**entry, "kid": kid}, "kid is 32 bytes")


def test_a_label_key_signs_for_its_products_and_days() -> None:
    """And can be revoked, for ever."""
    state = peopled()
    say(state, LABEL_KEY_ENTRY)
    scope = state.label_keys[key(50).kid]
    assert (scope.public_key, scope.organisation) == (key(50).public, ISSUER)
    assert (scope.gtins, scope.first_day, scope.last_day) == (("09506000134352", "09506"), 1, 65_535)
    assert not scope.revoked
    revocation = {**REVOCATION, "kid": key(50).kid}
    say(state, revocation)
    say(state, revocation)
    assert state.label_keys[key(50).kid].revoked
    for entry in (SUSPENSION, REINSTATEMENT):
        _refused(state, {**entry, "kid": key(50).kid}, "only a registered device's key")
    _refused(state, LABEL_KEY_ENTRY, "registered already")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"key": DEVICE.public}, "registered already"),
        ({"key": key(10).public}, "registered already"),
        ({"key": LABELS.public}, "registered already"),
        ({"organisation": "https://unknown.example.com"}, "not registered"),
        ({"gtins": []}, "GTINs"),
        ({"gtins": [""]}, "GTINs"),
        ({"gtins": ["0950600013435X"]}, "GTINs"),
        ({"gtins": ["095060001343520"]}, "GTINs"),
        ({"gtins": ["\u0660\u0661"]}, "GTINs"),
        ({"gtins": ["\u00b2"]}, "GTINs"),
        ({"gtins": "0"}, "list of texts"),
        ({"first_day": 2, "last_day": 1}, "last day"),
        ({"first_day": -1}, "small number"),
        ({"last_day": 2**31}, "small number"),
        ({"last_day": True}, "small number"),
        ({"last_day": 1.0}, "small number"),
        ({"last_day": None}, "small number"),
    ],
)
def test_what_no_label_key_may_have(changes: dict[str, Any], complaint: str) -> None:
    """Another's key, an unknown holder, no product, no day."""
    _refused(peopled(), {**LABEL_KEY_ENTRY, **changes}, complaint)


@pytest.mark.parametrize(
    "changes",
    [
        {"chain": "unknown"},
        {"chain": None},
        {"items": None},
        {"items": []},
        {"items": {}},
        {"items": [[0, 0]]},
        {"items": [[0, 0, "x"], [0, 0, ""]]},
        {"items": [[True, 0, "x"]]},
        {"items": [[0, False, "x"]]},
        {"items": [[-1, 0, "x"]]},
        {"items": [[2**40, 0, "x"]]},
        {"items": [[0, 2**63, "x"]]},
        {"items": [[0, 0, b"x"]]},
        {"items": [[0, 0, "a\x00b"]]},
        {"items": [[0, 0, "x" * 257]]},
        {"items": [1]},
    ],
)
def test_a_finding_is_one_that_the_tables_can_hold(changes: dict[str, Any]) -> None:
    """Else one entry would stop the registry's writer for ever."""
    state = peopled()
    say(state, FINDING, GATEWAY)
    _refused(state, {**FINDING, **changes}, "finding|chain", GATEWAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"gtin": "9506000134352"},
        {"gtin": "0950600013435X"},
        {"gtin": "\u0660" * 14},
        {"gtin": 9506000134352},
        {"lot": ""},
        {"lot": "A\x00"},
        {"lot": None},
        {"size": -1},
        {"size": 2**31},
        {"size": True},
        {"root": bytes(31)},
        {"kid": b""},
        {"serials": 1},
        {"serials": ""},
        {"hidden": bytes(31)},
        {"hidden": None},
    ],
)
def test_a_batch_of_labels_is_one_that_the_tables_can_hold(changes: dict[str, Any]) -> None:
    """A lot of a GTIN, so many labels, and their root."""
    state = peopled()
    say(state, LABEL_BATCH, LABELS)
    _refused(state, {**LABEL_BATCH, **changes}, next(iter(changes)).replace("gtin", "(?i)gtin"), LABELS)


OTHER = {**ORGANISATION_ENTRY, "uri": "https://other.example.com", "name": "Other"}


def test_an_organisation_declares_its_gs1_company_prefixes() -> None:
    """When it is registered or later, and again: then they are those from there on."""
    state = peopled()
    say(state, {**OTHER, "prefixes": ["0614141"]})
    say(state, {**ORGANISATION_ENTRY, "prefixes": ["9506000"]})
    assert state.prefixes == {OTHER["uri"]: ("0614141",), ISSUER: ("9506000",)}
    say(state, {**ORGANISATION_ENTRY, "prefixes": ["9506000", "9501101"]})
    assert state.prefixes[ISSUER] == ("9506000", "9501101")
    _refused(state, ORGANISATION_ENTRY, "registered already")


@pytest.mark.parametrize(
    ("prefixes", "complaint"),
    [
        ([], "1 to 64"),
        (["950"], "4 to 12 digits"),
        (["95060001343521"], "4 to 12 digits"),
        (["95060X"], "4 to 12 digits"),
        (["\u0669\u0665\u0660\u0666"], "4 to 12 digits"),
        ("9506000", "list of texts"),
        ([9506000], "list of texts"),
        (["9506000"] * 65, "1 to 64"),
        (["9506000"], "same GTINs"),
        (["9506"], "same GTINs"),
        (["950600013435"], "same GTINs"),
    ],
)
def test_what_no_prefix_may_be(prefixes: object, complaint: str) -> None:
    """Digits of a GTIN of 13, and never another's."""
    state = peopled()
    say(state, {**ORGANISATION_ENTRY, "prefixes": ["9506000"]})
    _refused(state, {**OTHER, "prefixes": prefixes}, complaint)


def test_a_declaration_leaves_the_name_as_it_is() -> None:
    """Whoever renames an organisation would speak by another's name."""
    _refused(peopled(), {**ORGANISATION_ENTRY, "name": "Somebody", "prefixes": ["9506000"]}, "by another name")


@pytest.mark.parametrize("gtins", [["09506000134352"], ["09506000", "19506000134359"], ["095060001"]])
def test_a_label_key_lies_within_its_organisations_prefixes(gtins: list[str]) -> None:
    """Whatever the indicator digit; and what it began with is no longer only the operator's word."""
    state = peopled()
    say(state, {**ORGANISATION_ENTRY, "prefixes": ["9506000"]})
    say(state, {**LABEL_KEY_ENTRY, "gtins": gtins})
    assert state.label_keys[key(50).kid].gtins == tuple(gtins)


@pytest.mark.parametrize("gtins", [["09506"], ["09501101530003"], ["09506000134352", "0"], ["9506000134352"]])
def test_a_label_key_outside_them_is_refused(gtins: list[str]) -> None:
    """Of its own organisation, and of one that has declared nothing: the GTINs are another's."""
    state = peopled()
    say(state, OTHER)
    say(state, {**ORGANISATION_ENTRY, "prefixes": ["9506000"]})
    _refused(state, {**LABEL_KEY_ENTRY, "gtins": gtins}, f"not of {ISSUER}: its GS1 Company Prefixes are")
    theirs = {**LABEL_KEY_ENTRY, "organisation": OTHER["uri"]}
    for part in ("09506", "09506000134352", "0"):
        _refused(state, {**theirs, "gtins": [part]}, f"{ISSUER} has declared its GS1 Company Prefix")
    say(state, {**theirs, "gtins": ["09501101530003"]})


def test_a_key_for_one_batch_has_no_other() -> None:
    """Its entry names the lot and the root: an entry of other labels that it signed has no effect."""
    state = peopled()
    say(state, {**LABEL_KEY_ENTRY, "lot": "A1", "batch": bytes(32)})
    scope = state.label_keys[key(50).kid]
    assert (scope.lot, scope.batch) == ("A1", bytes(32))
    say(state, {**LABEL_BATCH, "serials": "own"}, LABELS)
    _refused(state, {**LABEL_BATCH, "root": b"x" * 32}, "for another one alone", LABELS)


@pytest.mark.parametrize("changes", [{"lot": ""}, {"lot": 1}, {"batch": bytes(31)}, {"batch": None}])
def test_what_a_key_for_one_batch_names(changes: dict[str, Any]) -> None:
    """A lot that is a text, and a root of 32 bytes."""
    _refused(peopled(), {**LABEL_KEY_ENTRY, "lot": "A1", "batch": bytes(32), **changes}, next(iter(changes)))


def test_a_shredding_names_sections() -> None:
    """The first entry that shreds a section is the one that did."""
    state = peopled()
    say(state, SHREDDING)
    say(state, {**SHREDDING, "items": [[7, 2], [8, 1]]})
    assert state.shredded == {("production", 7, 0): 3, ("production", 7, 2): 3, ("production", 8, 1): 4}


@pytest.mark.parametrize(
    "changes",
    [
        {"chain": "unknown"},
        {"chain": REGISTRY},
        {"chain": ANCHOR},
        {"items": []},
        {"items": None},
        {"items": [[7]]},
        {"items": [[7, 0, 0]]},
        {"items": [[7, 0], [-1, 0]]},
        {"items": [[2**40, 0]]},
        {"items": [[7, 64]]},
        {"items": [[7, True]]},
        {"reason": ""},
        {"reason": None},
    ],
)
def test_what_no_shredding_may_name(changes: dict[str, Any]) -> None:
    """The registry and the anchor, by which all else is judged; what no manifest has; no reason."""
    _refused(peopled(), {**SHREDDING, **changes}, "shred|chain|reason")


def test_a_recall_stands_until_it_is_lifted() -> None:
    """Of a product, a lot and an item apart; the newest that is said of a place counts, and its lifting takes it."""
    state = peopled()
    item = {**{name: value for name, value in RECALL.items() if name != "lot"}, "serial": "7K3M"}
    for entry in (RECALL, item, {**RECALL, "reason": "wood", "advice": "throw it away"}):
        say(state, entry)
    lot, serial = ("09506000134352", "A1", ""), ("09506000134352", "", "7K3M")
    assert state.recalls == {
        lot: Recalled(*lot, ISSUER, "wood", "2026-11-26", state.size - 1),
        serial: Recalled(*serial, ISSUER, "glass", "2026-11-26", state.size - 2),
    }
    say(state, {**RECALL_LIFTING, "lot": "B2"})
    assert set(state.recalls) == {lot, serial}
    say(state, RECALL_LIFTING)
    assert set(state.recalls) == {serial}


@pytest.mark.parametrize("entry", [RECALL, RECALL_LIFTING], ids=["recall", "lifting"])
@pytest.mark.parametrize("changes", [{"serial": "1"}, {"lot": ""}, {"gtin": "9506000134352"}, {"reason": ""}])
def test_what_is_no_recall_changes_nothing(entry: dict[str, Any], changes: dict[str, Any]) -> None:
    """Neither is what a recall's lifting cannot be: what was recalled stays so."""
    state = peopled()
    say(state, RECALL)
    _refused(state, {**entry, **changes}, "a place is|GTIN of 14 digits|is a text")


def test_a_rollback_keeps_what_was_lost() -> None:
    """With or without a checkpoint of what was published before."""
    state = peopled()
    say(state, ROLLBACK)
    say(state, {**ROLLBACK, "chain": REGISTRY, "lost": None})
    assert state.rollbacks == [
        registry.Rollback("production", "a signed note", 5, bytes(32), 3),
        registry.Rollback(REGISTRY, None, 5, bytes(32), 4),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"chain": "unknown"},
        {"lost": b"x"},
        {"lost": "x" * 65_537},
        {"accepted": None},
        {"accepted": [5]},
        {"accepted": [-1, bytes(32)]},
        {"accepted": [5, bytes(31)]},
        {"accepted": [2**40, bytes(32)]},
        {"reason": "a\x00"},
    ],
)
def test_a_rollback_names_a_state(changes: dict[str, Any]) -> None:
    """A chain of the ledger, a size, a root, and why."""
    _refused(peopled(), {**ROLLBACK, **changes}, "rollback|reason")


@pytest.mark.parametrize("entry", [FINDING, LABEL_BATCH, LABEL_FINDING])
def test_findings_and_batches_change_no_key(entry: dict[str, Any]) -> None:
    """They stand for themselves."""
    state = peopled()
    before = _state(state)
    say(state, entry, GATEWAY if entry is FINDING else LABELS)
    assert _state(state) == before


def test_an_organisation_is_registered_once() -> None:
    """Its name cannot be said anew."""
    state = founded()
    say(state, ORGANISATION_ENTRY)
    assert state.organisations[ISSUER] == "Maker"
    _refused(state, {**ORGANISATION_ENTRY, "name": "Faker"}, "registered already")
    _refused(state, {**ORGANISATION_ENTRY, "uri": OPERATOR_ORGANISATION}, "registered already")
    changes: list[dict[str, Any]] = [{"uri": ""}, {"uri": "a\nb"}, {"name": None}, {"name": "x" * 257}]
    for change in changes:
        _refused(state, {**ORGANISATION_ENTRY, "uri": "https://other.example.com", **change}, "text of 1 to 256")


@pytest.mark.parametrize(
    "body", [None, 1, [], "x", {}, {"type": 1}, {"type": ""}, {1: 2, "type": "x"}, {b"x": 1, "type": "x"}]
)
def test_an_entry_is_a_map_by_name(body: Any) -> None:
    """With a type."""
    with pytest.raises(MalformedError, match="registry entry"):
        registry.decode(cbor.encode(body))


def test_an_entry_can_grow() -> None:
    """A reader ignores names that it does not know."""
    state = founded()
    say(state, {**ORGANISATION_ENTRY, "country": "NZ"})
    assert ISSUER in state.organisations


def _apply(body: bytes, signer: SigningKey) -> None:
    """Whatever the body, the entry has its effect or none, and its place."""
    state = peopled()
    before = _state(state)
    try:
        state.apply(3, signer.kid, body)
    except (RegistryError, MalformedError) as error:
        assert _state(state) == before
        assert "\x00" not in str(error)
    assert state.size == 4
    assert state.is_good(OPERATOR.kid) and state.is_good(GATEWAY.kid)


@pytest.mark.parametrize(("entry", "speakers"), [pair for pair in ENTRIES if pair[1]])
def test_nothing_odd_in_any_place(entry: dict[str, Any], speakers: set[str]) -> None:
    """Each odd value in each place of each entry is refused whole, or taken."""
    for odd in spoiled(entry):
        _apply(cbor.encode(odd), SIGNERS[min(speakers)])


def test_nothing_odd_in_any_place_of_a_genesis() -> None:
    """The ledger is founded, or it is not."""
    for odd in spoiled(cbor.decode(GENESIS)):
        state = Registry()
        try:
            state.apply(0, ROOT.kid, cbor.encode(odd))
        except (RegistryError, MalformedError):
            assert state == Registry(size=1)


@settings(max_examples=300)
@given(bytes_near(*(cbor.encode(entry) for entry, _ in ENTRIES)), st.sampled_from([OPERATOR, GATEWAY, LABELS, DEVICE]))
def test_applying_is_total(body: bytes, signer: SigningKey) -> None:
    """Any bytes give an effect, RegistryError or MalformedError."""
    _apply(body, signer)


@pytest.mark.parametrize("body", NASTY, ids=briefly)
def test_the_nasty_ones(body: bytes) -> None:
    """None is an entry, and none a genesis."""
    _apply(body, OPERATOR)
    with pytest.raises(MalformedError):
        Registry().apply(0, ROOT.kid, body)


def test_a_chain_is_what_the_genesis_says() -> None:
    """Frozen values."""
    assert peopled().chains["production"] == Chain(
        "production", "example.com/tallystick/production", "production", CHAINS[0].vkey
    )
