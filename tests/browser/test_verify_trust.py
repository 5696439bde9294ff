"""The page reads trust bundles, and knows logs whose keys were changed, as the command does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from deploy.postgres import Postgres
from ledger import note
from ledger.checkpoint import Checkpoint
from ledger.database import connect
from ledger.errors import OutsideError
from ledger.proof.prove import find_statement, prove
from ledger.registry import REGISTRY
from ledger.trust import text as trust_text
from ledger.trust.bundle import BUNDLE_BYTES_MAX
from ledger.trust.trust_file import Trust
from tests import cast, seeds
from tests.browser.checking import give, headline, opened, reports, same_as_ours
from tests.browser.parts import agree
from tests.browser.viewing import Shown
from tests.hostile import bytes_near
from tests.ledger.log_keys import test_rotation as rotation
from tests.ledger.trust import test_bundle as bundles
from tests.world import World

BUNDLE = bundles.BUNDLE
FIELDS = json.loads(BUNDLE.note.rpartition("\n\n")[0])
[SCOPE] = FIELDS["label_keys"]
CHANGES: tuple[dict[str, Any], ...] = (
    {"key": "00"}, {"organisation": ""}, {"gtins": [1]}, {"gtins": [""]}, {"gtins": []}, {"first_day": 2**31},
        {"first_day": 5_000}, {"last_day": -1}, {"revoked": 1}, {"revoked": True}, {"more": 1},
        {"lot": "L1"}, {"lot": "L1", "batch": "00" * 32}, {"lot": "", "batch": "00" * 32},
        {"lot": 1, "batch": "00" * 32},
        {"lot": "L1", "batch": "00"}, {"lot": "L1", "more": 1},
)  # fmt: skip
[REVOKED] = FIELDS["revoked_keys"]
DISPUTES: tuple[dict[str, Any], ...] = (
    {"kid": "00"}, {"name": "A B"}, {"name": 1}, {"entry": -1}, {"disputed": {}}, {"disputed": []}, {"disputed": [1]},
    {"more": 1},
    {"disputed": [{"chain": "x", "index": 2**40}]}, {"disputed": [{"chain": "x", "index": 2**40 - 1}]},
    {"disputed": [{"stream": "00" * 8, "seq": 2**63}]}, {"disputed": [{"stream": "0g" * 8, "seq": 1}]},
    {"disputed": [{"stream": "00" * 8, "seq": 1, "chain": "x"}]}, {"disputed": [{"stream": "00" * 8, "index": 1}]},
)  # fmt: skip
[RECALLED] = FIELDS["recalls"]
RECALLS: tuple[dict[str, Any], ...] = (
    {"gtin": "9506000134352"}, {"gtin": "0950600013435x"}, {"gtin": 1}, {"lot": ""}, {"lot": 1}, {"lot": "x" * 257},
    {"serial": "1"}, {"organisation": ""}, {"reason": "\x1b"}, {"reason": "\u00e9" * 256},
    {"reason": "\U0001f36f" * 256}, {"reason": "\U0001f36f" * 257}, {"since": 1},
    {"entry": -1}, {"entry": 2**40}, {"entry": True}, {"more": "x"},
)  # fmt: skip
# Texts of JSON values that readers may differ on, in the place of "RAW".
RAW = (
    "1.0", "1e2", "1e999", "-1e999", "-0", "00", "NaN", str(2**53), str(-(2**53)), str(2**63 - 1), str(2**63),
    "9" * 400,
    "9" * 1_000, "9" * 1_001,
    *("[" * depth + "]" * depth for depth in (90, 98, 99, 100, 101, 5_000)), '{"a":' * 5_000 + "1" + "}" * 5_000,
    "\ufeff1", '"\\ud800"', '{"a": 1, "\\u0061": 2}',
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.sampled_from([
    None, True, 0, 1, 2, -1, 2**40, 2**40 - 1, 2**31, "", "x", "example.com", [], {}, [1], ["AA=="], *FIELDS.values(),
    {"size": 7}, {"size": True, "root": "00" * 32}, {"size": 7, "root": "0x" * 32}, {**FIELDS["logs"], "more": []},
    SCOPE, *([{**SCOPE, **change}] for change in CHANGES), REVOKED, *([{**REVOKED, **change}] for change in DISPUTES),
    RECALLED, *([{**RECALLED, **change}] for change in RECALLS), [RECALLED, RECALLED], "RAW",
    [{**RECALLED, "entry": "RAW"}],
    [{**REVOKED, "disputed": [{"stream": "00" * 8, "seq": "RAW"}]}], {**FIELDS["registry"], "size": "RAW"},
    [RECALLED, {**RECALLED, "lot": "L2"}],
])  # fmt: skip


FILE = json.loads(bundles.pinned().following(BUNDLE.messages).text)
FILES = (
    FILE, {**FILE, "root": FILE["root"][:1]}, {**FILE, "root": FILE["root"][1:]}, {**FILE, "root": []},
    {**FILE, "root": 1},
    {**FILE, "root": FILE["root"][::-1]}, {**FILE, "root": [*FILE["root"], FILE["root"][0]]}, {**FILE, "root": None},
    {**FILE, "root": [FILE["root"][0], FILE["root"][2]]}, {**FILE, "genesis": "00" * 32}, {**FILE, "logs": {}},
    {**FILE, "logs": {**FILE["logs"], "production": FILE["logs"]["trade"]}},
    {**FILE, "logs": {name: vkey for name, vkey in FILE["logs"].items() if name != "trade"}},
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(FILES)))
def test_the_first_file_with_what_root_keys_have_said(modules: Page, number: int) -> None:
    """A log's new keys follow from it by the pin alone; with a link gone or another's logs both refuse it."""
    agree(modules, "trust", json.dumps(FILES[number]).encode())


@settings(max_examples=150)
@given(bytes_near(BUNDLE.note.encode(), json.dumps(FILE).encode()))
def test_any_text_is_read_or_refused_by_both(modules: Page, data: bytes) -> None:
    """Whatever a few changes make of a bundle, or of the first file."""
    agree(modules, "trust", data)


@pytest.mark.parametrize("what", bundles.SPOILED)
def test_a_spoiled_trust_bundle_is_refused_by_both(modules: Page, what: str) -> None:
    """Whatever the command refuses to trust, the page does; the bundle itself they read alike."""
    agree(modules, "trust", BUNDLE.note.encode())
    agree(modules, "trust", bundles.SPOILED[what][1]().encode())


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from([*FIELDS, "more"]), VALUES, min_size=1, max_size=2), st.sampled_from(RAW))
def test_what_the_operator_signs_is_read_the_same(modules: Page, changes: dict[str, Any], raw: str) -> None:
    """Whatever stands in a bundle's fields."""
    agree(modules, "trust", signed_with({**FIELDS, **changes}, raw))


def signed_with(fields: dict[str, Any], raw: str) -> bytes:
    """A bundle of these fields, honestly signed, with a JSON text of a value in the place of "RAW"."""
    return note.sign(json.dumps(fields).replace('"RAW"', raw) + "\n", [bundles.SIGNER]).encode()


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: f"{raw[:8]}-{len(raw)}")
def test_what_readers_of_json_differ_on_is_read_the_same(modules: Page, raw: str) -> None:
    """Numbers that no float holds, depths that no stack does: as a place's seq, as a field, and in the first file."""
    place = {"stream": "00" * 8, "seq": "RAW"}
    agree(modules, "trust", signed_with({**FIELDS, "revoked_keys": [{**REVOKED, "disputed": [place]}]}, raw))
    agree(modules, "trust", signed_with({**FIELDS, "recalls": "RAW"}, raw))
    agree(modules, "trust", json.dumps({**FILE, "more": "RAW"}).replace('"RAW"', raw).encode())
    agree(modules, "trust", json.dumps({**FILE, "tallystick-trust": "RAW"}).replace('"RAW"', raw).encode())


def test_a_byte_order_mark_is_refused_by_both(modules: Page) -> None:
    """JSON has none (RFC 8259, 8.1)."""
    for text in (json.dumps(FILE), note.sign(f"\ufeff{json.dumps(FIELDS)}\n", [bundles.SIGNER])):
        agree(modules, "trust", text.encode())
        agree(modules, "trust", f"\ufeff{text}".encode())


@pytest.mark.parametrize("change", RECALLS, ids=str)
def test_what_is_recalled_is_read_the_same(modules: Page, change: dict[str, Any]) -> None:
    """A recall's line as it may be, and as it may not; and of a bundle that is of before recalls."""
    agree(modules, "trust", bundles.signed(recalls=[{**RECALLED, **change}]).encode())
    agree(modules, "trust", bundles.signed(version=2, recalls=None).encode())


def test_a_large_bundle_is_read_by_both(modules: Page) -> None:
    """A bundle has up to 8 MB: here the label keys and the recalls of a large ledger."""
    keys = [{**SCOPE, "key": number.to_bytes(32, "big").hex()} for number in range(10_000)]
    recalls = [{**RECALLED, "lot": f"L{number}"} for number in range(5_000)]
    fields = {**FIELDS, "label_keys": keys, "recalls": recalls}
    text = note.sign(json.dumps(fields) + "\n", [bundles.SIGNER], bytes_max=BUNDLE_BYTES_MAX)
    assert len(text) > 2_500_000 and Trust.parse(text).bundle is not None
    agree(modules, "trust", text.encode())


def test_a_name_that_comes_twice_is_seen_by_both(modules: Page) -> None:
    """JSON's readers differ on it: both refuse."""
    text = json.dumps(FIELDS)
    for twice in (
        text.replace("{", '{"name": "example.com", ', 1),
        text.replace('"root": "', '"size": 7, "root": "', 1),
    ):
        assert twice != text
        agree(modules, "trust", note.sign(twice + "\n", [bundles.SIGNER]).encode())


@pytest.mark.parametrize("size", [0, 99, 100, 200, 201, 299, 300, 350, 351])
def test_a_key_signs_for_its_sizes_alone(modules: Page, size: int) -> None:
    """Any of a log's keys, and each two: what counts for the command counts for the page."""
    trust = Trust.parse(BUNDLE.note)
    log, text = trust.log("production"), Checkpoint(cast.ORIGIN, size, seeds.HASH).text
    numbers = {key.public: key for key in map(cast.key, (10, 50, 51))}
    keys = [numbers[key.public_key] for key in log.keys]
    for signers in [*([key] for key in keys), *([a, b] for a in keys for b in keys if a is not b)]:
        signed = note.sign(text, [note.Signer(cast.ORIGIN, key) for key in signers])
        try:
            expected = {"value": str(log.open(signed).size)}
        except OutsideError:
            expected = None
        told = modules.evaluate("(a) => parts.read(...a)", ["checkpoint", signed.encode().hex(), BUNDLE.note])
        assert told == expected


@dataclass
class Rotated:
    """A ledger whose logs have new keys: its first trust file, a bundle of now, and proofs from before and after."""

    first: Trust
    newest: Trust
    bundles: list[bytes]


@pytest.fixture(scope="module")
def rotated(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rotated]:
    """Production, registry and anchor have changed their keys, and grown past the sizes for which both sign."""
    dsn = postgres_server.create_database("verify_trust")
    with World(dsn, tmp_path_factory.mktemp("verify-trust") / "ledger") as world:
        press = world.register_device("press-1")
        statements = [world.publish(press, press.readings(20.0))]
        world.tick()
        for chain in rotation.ROTATED:
            made = rotation.change(world, chain)
            statements.append(world.publish(press, press.readings(21.0)))
            world.tick()
            rotation.fill(world, press, chain, made.until + 1)
        with connect(world.dsn) as connection:
            places = [find_statement(connection, statement.hash) for statement in statements]
            bundles = [prove(connection, world.folder, *place).encode() for place in (*places, (REGISTRY, 3))]
        yield Rotated(world.trust, rotation.trusted(world), bundles)
    postgres_server.drop_database("verify_trust")


def test_proofs_of_logs_with_new_keys_hold_under_a_trust_bundle(rotated: Rotated, from_disk: Shown) -> None:
    """And under the file that the ledger began with they fail as on the command line: the new keys are unknown."""
    assert all(report["ok"] for report in same_as_ours(from_disk, rotated.bundles, rotated.newest))
    failed = {report["failed"] for report in same_as_ours(from_disk, rotated.bundles, rotated.first)}
    assert failed == {2}


def test_what_a_thief_may_have_signed_is_disputed(postgres_dsn: str, tmp_path: Path, from_disk: Shown) -> None:
    """By index or by seq, as the command has it: from the place on, and not before; without a word, not at all."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        devices = [world.register_device(name) for name in ("press-1", "press-2", "press-3")]
        said = [world.publish(device, device.readings(20.0 + n)) for device in devices for n in range(3)]
        world.tick()
        places = ["production", 1], [said[4].tally.stream, 2]
        for device, disputed in zip(devices, ([places[0]], [places[1]], []), strict=True):
            world.operator_says({"type": "revocation", "kid": device.key.kid, "reason": "x", "disputed": disputed})
        world.tick()
        trust = rotation.trusted(world)
        told = []
        with connect(world.dsn) as connection:
            for statement in said:
                bundle = prove(connection, world.folder, *find_statement(connection, statement.hash))
                ours = trust_text.said_of(trust, statement, bundle.chain, bundle.entry.index)
                [page] = reports(from_disk, [bundle.encode()], trust.text, "browser")
                assert page["ok"] and ours is not None
                assert page["revoked"] == {"entry": ours[1]["entry"], "isDisputed": ours[1]["disputed"]}
                told.append((bundle, ours[1]["disputed"]))
    assert {disputed for _, disputed in told} == {True, False}
    for words, wanted in (("The proof holds, but is disputed", True), ("The proof holds", False)):
        bundle = next(bundle for bundle, disputed in told if disputed is wanted)
        give(from_disk, bundle.encode(), trust.text.encode())
        assert headline(from_disk) == words and "Its key was revoked later" in from_disk.text("#limits")


def test_the_page_says_how_old_a_trust_bundle_is(rotated: Rotated, from_disk: Shown) -> None:
    """The world's clock stands in 2025: the bundle has expired, and the verdict says so."""
    give(from_disk, rotated.bundles[0], rotated.newest.text.encode())
    assert headline(from_disk) == "The proof holds" and "Expired trust bundle" in from_disk.text("#verdict")
    assert "The trust bundle expired on 2025-" in from_disk.text("#limits")
    assert "signs for sizes 0 to" in opened(from_disk, 1)


@pytest.mark.parametrize("end", ["\r\n", "\r"], ids=repr)
def test_lines_may_end_in_any_way(rotated: Rotated, from_disk: Shown, tmp_path: Path, end: str) -> None:
    """Mail and editors change that on the way: the command and the page read the bundle all the same."""
    changed = rotated.newest.text.replace("\n", end).encode()
    (tmp_path / "trust").write_bytes(changed)
    assert Trust.load(tmp_path / "trust") == rotated.newest
    give(from_disk, rotated.bundles[0], changed)
    assert headline(from_disk) == "The proof holds"
