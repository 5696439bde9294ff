"""Claims about proof bundles: a true one verifies offline, and whatever is spoiled in it is refused by its step."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tallystick
from deploy.postgres import Postgres
from ledger import cbor, epcis, note, senml, stream
from ledger.author import Content
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.database import connect
from ledger.errors import OutsideError, ProofError, RegistryError, SignatureError, TrustError, UserError
from ledger.keys import SigningKey
from ledger.merkle import EMPTY_ROOT
from ledger.proof import text as proof_text
from ledger.proof.bundle import Anchoring, Bundle, ProvenEntry, RegistryPart
from ledger.proof.prove import Prover, find_statement, prove
from ledger.proof.verify import Step, verify
from ledger.registry import Role, Status
from ledger.seal import NewEntry
from ledger.section import ContentFormat, Privacy, Section
from ledger.statement import Statement
from ledger.trust.trust_file import Trust
from tests.world import Device, World, event

EPC = "https://id.gs1.org/01/09506000134352/21/A1"
FARM = "https://farm.example.com"


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger of several blocks, and where things stand in it."""

    world: World
    press: Device
    guest: Device
    readings: Statement
    event: Statement
    after: Statement
    guest_event: Statement

    def prove(self, statement: Statement, *, private: bool = False) -> Bundle:
        """A bundle for one of the statements."""
        with connect(self.world.dsn) as connection:
            place = Prover(connection, self.world.folder)
            chain, index = find(self.world, statement)
            return place.prove(chain, index, Privacy.PRIVATE if private else Privacy.PUBLIC)


def find(world: World, statement: Statement) -> tuple[str, int]:
    """Chain and index of a statement."""
    with connect(world.dsn) as connection:
        return find_statement(connection, statement.hash)


@pytest.fixture(scope="module")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One ledger for all tests here: none of them changes it."""
    dsn = postgres_server.create_database("test_verify")
    with World(dsn, tmp_path_factory.mktemp("verify") / "ledger") as world:
        yield _make(world)
    postgres_server.drop_database("test_verify")


def _make(world: World) -> Made:
    press = world.register_device("press-1", chains=("production", "logistics"))
    for number in range(300):
        world.publish(press, press.readings(20.0 + number))
    readings = world.publish(press, press.readings(21.5, 21.75))
    shown = world.publish(press, event(EPC), press.readings(1.0))
    world.tick()
    world.operator_says(
        {"type": "organisation", "uri": FARM, "name": "The Farm"},
        {"type": "suspension", "kid": press.key.kid, "reason": "a test"},
        {"type": "reinstatement", "kid": press.key.kid, "reason": "over"},
    )
    after = world.publish(press, press.readings(3.0))
    guest = world.register_device("guest", organisation=FARM)
    guest_event = world.publish(guest, event(EPC, biz_step="inspecting", action="OBSERVE"))
    world.tick()
    world.operator_says({"type": "revocation", "kid": guest.key.kid, "reason": "it left"})
    world.tick()
    return Made(world, press, guest, readings, shown, after, guest_event)


# What is true


def test_a_bundle_verifies_and_says_what_was_said(made: Made) -> None:
    """Nine steps pass, and the verdict tells the statement, its device and its place."""
    steps = list[Step]()
    bundle = Bundle.decode(made.prove(made.event).encode())
    verdict = verify(bundle, made.world.trust, passed=steps.append)
    assert steps == list(Step)
    assert (verdict.chain, verdict.index) == find(made.world, made.event)
    assert (verdict.device, verdict.urn, verdict.role) == ("press-1", made.press.urn, Role.DEVICE)
    assert (verdict.organisation, verdict.key_status) == ("example.com", Status.GOOD)
    assert verdict.statement == made.event
    assert verdict.anchored and verdict.height == 0
    assert "operator's word alone" in verdict.word and "left out" in verdict.word


def test_public_sections_are_shown_and_private_ones_are_not(made: Made) -> None:
    """By default a bundle has the public sections; the others are null, and nothing else changes."""
    public = verify(made.prove(made.event), made.world.trust).sections
    assert isinstance(public[0].said, epcis.Event) and public[0].said.epcs == (EPC,)
    assert public[1].privacy is Privacy.PRIVATE and public[1].body is None and public[1].said is None
    private = verify(made.prove(made.event, private=True), made.world.trust).sections
    assert private[0] == public[0]
    assert isinstance(private[1].said, tuple) and private[1].said[0].value == 1.0


def test_readings_come_resolved(made: Made) -> None:
    """A pack of readings is told by name, unit, time and value."""
    [shown] = verify(made.prove(made.readings, private=True), made.world.trust).sections
    assert isinstance(shown.said, tuple)
    assert [(reading.value, reading.unit) for reading in shown.said] == [(21.5, "Cel"), (21.75, "Cel")]
    assert isinstance(shown.said[0], senml.Reading) and shown.said[0].name == f"{made.press.urn}:temperature"


def test_every_statement_can_be_proven(made: Made) -> None:
    """Each entry of each chain, from the genesis on, by one prover that reads everything once."""
    with connect(made.world.dsn) as connection:
        prover = Prover(connection, made.world.folder)
        for chain, size in (("registry", 8), ("production", 307)):
            for index in range(size):
                assert verify(prover.prove(chain, index), made.world.trust).index == index
            with pytest.raises(UserError, match=f"no entry {size} in '{chain}': it has published {size}"):
                prover.prove(chain, size)


def test_the_genesis_proves_itself(made: Made) -> None:
    """Entry 0 of the registry is judged by an empty registry, and pinned."""
    with connect(made.world.dsn) as connection:
        bundle = prove(connection, made.world.folder, "registry", 0)
    assert bundle.registry.entries == ()
    assert verify(bundle, made.world.trust).role is Role.ROOT


def test_a_key_is_judged_by_the_state_that_its_block_names(made: Made) -> None:
    """A bundle carries the entries that made the key what it was then: not what came later, nor other keys'."""
    assert [entry.index for entry in made.prove(made.readings).registry.entries] == [0, 2]
    assert [entry.index for entry in made.prove(made.after).registry.entries] == [0, 2, 4, 5]
    guest = made.prove(made.guest_event)
    assert [entry.index for entry in guest.registry.entries] == [0, 3, 6]
    verdict = verify(guest, made.world.trust)
    assert (verdict.organisation, verdict.key_status) == ("The Farm", Status.GOOD)


def test_what_is_not_anchored_yet_says_so(postgres_dsn: str, tmp_path: Path) -> None:
    """Before the anchor has the header, nobody has signed for its time: the verdict says so, and it still verifies."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        statement = world.publish(press, event(EPC))
        world.tick(anchored=False)
        chain, index = find(world, statement)
        with connect(world.dsn) as connection:
            prover = Prover(connection, world.folder)
            bundle = prover.prove(chain, index)
            assert bundle.anchor is None
            verdict = verify(bundle, world.trust)
            assert not verdict.anchored and "nobody has signed for its time" in verdict.word
            world.tick()
            assert prover.prove(chain, index) == bundle, "a prover stays at what was published when it was made"
            connection.rollback()
            prover.refresh()
            assert verify(prover.prove(chain, index), world.trust).anchored


def test_only_what_is_published_is_proven(postgres_dsn: str, tmp_path: Path) -> None:
    """A block that the checkpoint file does not have is not there yet."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        world.publish(press, event(EPC))
        world.tick()
        before = (world.folder.checkpoints / "production").read_text()
        later = world.publish(press, event(EPC, biz_step="packing", action="OBSERVE"))
        world.tick()
        (world.folder.checkpoints / "production").write_text(before)
        with connect(world.dsn) as connection, pytest.raises(UserError, match="has published 2 entries"):
            prove(connection, world.folder, *find(world, later))


def test_an_unreadable_section_is_no_failure_of_the_proof(postgres_dsn: str, tmp_path: Path) -> None:
    """Content is judged apart: it is shown with its fault."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press, other = world.register_device("press-1"), world.register_device("press-2")
        odd = world.publish(
            press,
            Content(Privacy.PUBLIC, ContentFormat.EPCIS, b"no event"),
            replace(other.readings(1.0), privacy=Privacy.PUBLIC),
            Content(Privacy.PUBLIC, ContentFormat.DEFLATED_SENML, b"???"),
        )
        world.tick()
        with connect(world.dsn) as connection:
            sections = verify(prove(connection, world.folder, *find(world, odd)), world.trust).sections
        assert sections[0].fault is not None and "not plain CBOR" in sections[0].fault
        assert sections[1].fault is not None and "another device" in sections[1].fault
        assert (sections[2].said, sections[2].fault, sections[2].body) == (None, None, b"???")


# What is spoiled


def _entry(bundle: Bundle, **fields: object) -> Bundle:
    return replace(bundle, entry=replace(bundle.entry, **fields))  # type: ignore[arg-type]


def _anchor(bundle: Bundle, **fields: object) -> Bundle:
    assert bundle.anchor is not None
    return replace(bundle, anchor=replace(bundle.anchor, **fields))  # type: ignore[arg-type]


def _registry(bundle: Bundle, **fields: object) -> Bundle:
    return replace(bundle, registry=replace(bundle.registry, **fields))  # type: ignore[arg-type]


def _header(bundle: Bundle, **fields: object) -> Bundle:
    header = replace(Header.decode(bundle.header), **fields)  # type: ignore[arg-type]
    return replace(bundle, header=header.encode())


def _registry_entry(bundle: Bundle, number: int, **fields: object) -> Bundle:
    entries = list(bundle.registry.entries)
    entries[number] = replace(entries[number], **fields)  # type: ignore[arg-type]
    return _registry(bundle, entries=tuple(entries))


def _flip(data: bytes, at: int = -1) -> bytes:
    spoiled = bytearray(data)
    spoiled[at] ^= 1
    return bytes(spoiled)


def _checkpoint_of(made: Made, chain: str, key: SigningKey | None = None, **fields: object) -> str:
    """A checkpoint signed by the log, or by a key that is not its own, over what it never said."""
    log = made.world.trust.log(chain)
    text = (made.world.folder.checkpoints / chain).read_text()
    said = replace(Checkpoint.parse(text.split("\n\n")[0] + "\n"), **fields)  # type: ignore[arg-type]
    return note.sign(said.text, [note.Signer(log.origin, key or made.world.folder.log_key(chain))])


Spoil = Callable[[Bundle, Made], Bundle]

SPOILED: dict[str, tuple[type[OutsideError], str, Spoil]] = {
    "another chain": (OutsideError, "step 2", lambda b, m: replace(b, chain="logistics")),
    "an unknown chain": (TrustError, "step 1 .*pins no log for the chain 'x'", lambda b, m: replace(b, chain="x")),
    "the anchor as chain": (TrustError, "step 1 .*no statements", lambda b, m: replace(b, chain="anchor")),
    "checkpoint not a note": (OutsideError, "step 2", lambda b, m: replace(b, checkpoint="")),
    "checkpoint of another key": (
        OutsideError, "step 2 .*no known key",
        lambda b, m: replace(b, checkpoint=_checkpoint_of(m, "production", SigningKey.generate())),
    ),
    "checkpoint of another log": (
        OutsideError, "step 2", lambda b, m: replace(b, checkpoint=b.registry.checkpoint)
    ),
    "checkpoint text": (
        OutsideError, "step 2 .*bad signature",
        lambda b, m: replace(b, checkpoint=b.checkpoint.replace("\n3", "\n4", 1)),
    ),
    "checkpoint of another root": (
        ProofError, "step 3", lambda b, m: replace(b, checkpoint=_checkpoint_of(m, "production", root=bytes(32)))
    ),
    "checkpoint for another origin": (
        TrustError, "step 2 .*the checkpoint is of",
        lambda b, m: replace(b, checkpoint=_checkpoint_of(m, "production", origin="example.com/other")),
    ),
    "index": (ProofError, "step 3", lambda b, m: _entry(b, index=b.entry.index - 1)),
    "index out of the tree": (ProofError, "step 3 .*no such index", lambda b, m: _entry(b, index=10**6)),
    "inclusion hash": (
        ProofError, "step 3", lambda b, m: _entry(b, path=(_flip(b.entry.path[0]), *b.entry.path[1:]))
    ),
    "inclusion hash too many": (ProofError, "step 3", lambda b, m: _entry(b, path=(*b.entry.path, bytes(32)))),
    "statement's signature": (ProofError, "step 3", lambda b, m: _entry(b, statement=_flip(b.entry.statement))),
    "no header": (OutsideError, "step 4", lambda b, m: replace(b, header=b"")),
    "header's origin": (TrustError, "step 4 .*the block is of", lambda b, m: _header(b, origin="elsewhere")),
    "header's root": (ProofError, "step 4", lambda b, m: _header(b, root=bytes(32))),
    "header's size": (ProofError, "step 4", lambda b, m: _header(b, size=Header.decode(b.header).size + 1)),
    "another block": (
        ProofError, "step 4 .*the block holds entries", lambda b, m: replace(b, header=m.prove(m.after).header)
    ),
    "consistency hash": (
        ProofError, "step 4", lambda b, m: replace(b, consistency=(_flip(b.consistency[0]), *b.consistency[1:]))
    ),
    "consistency gone": (ProofError, "step 4", lambda b, m: replace(b, consistency=())),
    "header's time": (ProofError, "step 5", lambda b, m: _header(b, time_ms=1)),
    "header's registry state": (ProofError, "step 5", lambda b, m: _header(b, registry=(1, bytes(32)))),
    "anchor's index": (ProofError, "step 5", lambda b, m: _anchor(b, index=0)),
    "anchor's path": (ProofError, "step 5", lambda b, m: _anchor(b, path=())),
    "anchor's checkpoint of another log": (
        OutsideError, "step 5", lambda b, m: _anchor(b, checkpoint=b.registry.checkpoint)
    ),
    "anchor's root": (
        ProofError, "step 5", lambda b, m: _anchor(b, checkpoint=_checkpoint_of(m, "anchor", root=bytes(32)))
    ),
    "registry's checkpoint": (OutsideError, "step 6", lambda b, m: _registry(b, checkpoint=b.checkpoint)),
    "registry's root": (
        ProofError, "step 6", lambda b, m: _registry(b, checkpoint=_checkpoint_of(m, "registry", root=bytes(32)))
    ),
    "registry's consistency": (ProofError, "step 6", lambda b, m: _registry(b, consistency=())),
    "an earlier state, not anchored": (
        ProofError, "step 6", lambda b, m: _header(replace(b, anchor=None), registry=(1, bytes(32)))
    ),
    "no state, not anchored": (
        ProofError, "step 6", lambda b, m: _header(replace(b, anchor=None), registry=(0, EMPTY_ROOT))
    ),
    "no registry entries": (TrustError, "step 7 .*genesis is not there", lambda b, m: _registry(b, entries=())),
    "no genesis": (
        TrustError, "step 7 .*genesis is not there", lambda b, m: _registry(b, entries=b.registry.entries[1:])
    ),
    "genesis": (
        TrustError, "step 7 .*not the one that the trust file pins",
        lambda b, m: _registry_entry(b, 0, statement=_flip(b.registry.entries[0].statement)),
    ),
    "genesis' section": (
        ProofError, "step 7 .*registry entry 0: section 0",
        lambda b, m: _registry_entry(b, 0, sections=(Section.new(b"x").encode(),)),
    ),
    "genesis without its section": (
        OutsideError, "step 7", lambda b, m: _registry_entry(b, 0, sections=(None,))
    ),
    "registry entry's index": (ProofError, "step 7", lambda b, m: _registry_entry(b, 1, index=1)),
    "registry entry": (
        ProofError, "step 7", lambda b, m: _registry_entry(b, 1, statement=_flip(b.registry.entries[1].statement))
    ),
    "registry entry's path": (ProofError, "step 7", lambda b, m: _registry_entry(b, 1, path=())),
    "registry entry's section": (
        ProofError, "step 7 .*registry entry 2: section 0",
        lambda b, m: _registry_entry(b, 1, sections=(Section.new(b"x").encode(),)),
    ),
    "registry entry's sections missing": (
        OutsideError, "step 7 .*0 sections for 1 lines", lambda b, m: _registry_entry(b, 1, sections=())
    ),
    "registry entry twice": (
        OutsideError, "step 7 .*not in order",
        lambda b, m: _registry(b, entries=(*b.registry.entries, b.registry.entries[1])),
    ),
    "key not registered": (
        RegistryError, "step 8 .*is not registered", lambda b, m: _registry(b, entries=b.registry.entries[:1])
    ),
    "key only suspended": (
        RegistryError, "step 8 .*was suspended by registry entry 4",
        lambda b, m: _after(m, slice(0, 3)),
    ),
    "section of another statement": (
        ProofError, "step 9 .*section 0 is not the one",
        lambda b, m: _entry(b, sections=(m.prove(m.guest_event).entry.sections[0], None)),
    ),
    "section's salt": (
        ProofError, "step 9 .*section 0", lambda b, m: _entry(b, sections=(_flip(b.entry.sections[0] or b"", 2), None))
    ),
    "section on another line": (
        ProofError, "step 9 .*section 1", lambda b, m: _entry(b, sections=(None, b.entry.sections[0]))
    ),
    "section slot missing": (
        OutsideError, "step 9 .*1 sections for 2 lines", lambda b, m: _entry(b, sections=b.entry.sections[:1])
    ),
}  # fmt: skip


def _after(made: Made, kept: slice) -> Bundle:
    """The bundle of the statement after the reinstatement, with some of its registry entries."""
    bundle = made.prove(made.after)
    return _registry(bundle, entries=bundle.registry.entries[kept])


@pytest.mark.parametrize("what", SPOILED)
def test_whatever_is_spoiled_is_refused_by_its_step(what: str, made: Made) -> None:
    """Every part of a bundle carries weight, and the refusal names the step."""
    kind, complaint, spoil = SPOILED[what]
    bundle = spoil(made.prove(made.event), made)
    with pytest.raises(kind, match=complaint):
        verify(bundle, made.world.trust)


def test_what_a_bundle_leaves_out_is_for_an_audit_to_see(made: Made) -> None:
    """No proof can show that nothing is missing: a bundle without the suspension verifies, and its word says so."""
    bundle = _after(made, slice(0, 2))
    assert "left out, such as a revocation, is for an audit to see" in verify(bundle, made.world.trust).word


def test_a_statement_forged_into_a_rogue_log_is_refused(postgres_dsn: str, tmp_path: Path) -> None:
    """Even an operator who seals what a device never signed cannot make it verify: step 8 is the device's."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        world.publish(press, event(EPC))
        world.tick()
        signed, _ = world.sign(press, [event(EPC)], tally=press.next_tally("production", 0))
        forged = replace(signed, issued_at=signed.issued_at + 1)
        writer = world.writer("production")
        assert writer.head is not None
        entry = NewEntry(forged.encode(), forged.stream_key, forged.tally.seq, 1)
        writer.seal([entry], now_ms=world.now_ms, registry=writer.head.registry)
        writer.close()
        with connect(world.dsn) as connection:
            bundle = prove(connection, world.folder, *find(world, forged))
        with pytest.raises(SignatureError, match="step 8"):
            verify(bundle, world.trust)


def test_two_truths_in_one_bundle_are_refused(made: Made) -> None:
    """A registry statement's bundle has two checkpoints of one log: they must be the same tree's."""
    with connect(made.world.dsn) as connection:
        bundle = prove(connection, made.world.folder, "registry", 3)
    verify(bundle, made.world.trust)
    for fields, complaint in (({"root": bytes(32)}, "two truths: at size 8"), ({"size": 9}, "of sizes 8 and 9")):
        other = _checkpoint_of(made, "registry", **fields)
        with pytest.raises(TrustError, match=rf"step 6 .*{complaint}"):
            verify(_registry(bundle, checkpoint=other), made.world.trust)


def test_another_ledgers_trust_file_is_refused(made: Made) -> None:
    """Genesis and keys are the trust file's to say."""
    trust, bundle = made.world.trust, made.prove(made.event)
    with pytest.raises(TrustError, match=r"step 7 .*not the one that the trust file pins"):
        verify(bundle, Trust(trust.name, bytes(32), trust.logs))
    fewer = {name: log for name, log in trust.logs.items() if name != "trade"}
    with pytest.raises(TrustError, match=r"step 7 .*other logs or keys"):
        verify(bundle, Trust(trust.name, trust.genesis, fewer))
    without = {name: log for name, log in trust.logs.items() if name != "anchor"}
    with pytest.raises(TrustError, match=r"step 1 .*'anchor'"):
        verify(bundle, Trust(trust.name, trust.genesis, without))


@pytest.fixture(scope="module")
def encoded(made: Made) -> bytes:
    """A bundle's bytes."""
    return made.prove(made.event).encode()


@given(st.data())
def test_no_bit_can_be_flipped(encoded: bytes, made: Made, data: st.DataObject) -> None:
    """Any one changed bit makes a bundle that is refused with an OutsideError, and never verifies."""
    at = data.draw(st.integers(0, len(encoded) - 1))
    bit = data.draw(st.integers(0, 7))
    spoiled = bytearray(encoded)
    spoiled[at] ^= 1 << bit
    with pytest.raises(OutsideError):
        verify(Bundle.decode(bytes(spoiled)), made.world.trust)


_BYTES = st.binary(max_size=40)
_PATHS = st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple)
_ENTRIES = st.builds(
    ProvenEntry, st.integers(0, 2**63 - 1), _BYTES, st.lists(st.none() | _BYTES, max_size=3).map(tuple), _PATHS
)
_NOTES = st.text(max_size=40)


@given(
    chain=st.sampled_from(["production", "registry", "anchor", "x"]),
    entry=_ENTRIES,
    header=_BYTES,
    consistency=_PATHS,
    anchor=st.none() | st.builds(Anchoring, st.integers(0, 9), _PATHS, _NOTES),
    registry=st.builds(RegistryPart, _NOTES, _PATHS, st.lists(_ENTRIES, max_size=2).map(tuple)),
    keep=st.sets(st.sampled_from(["entry", "header", "consistency", "anchor", "registry", "chain"])),
)
def test_verify_is_total(made: Made, encoded: bytes, keep: set[str], **fields: object) -> None:
    """Whatever stands in its fields, a bundle verifies or is refused with an OutsideError."""
    strange = {name: value for name, value in fields.items() if name not in keep}
    good = Bundle.decode(encoded)
    bundle = replace(good, **strange)  # type: ignore[arg-type]
    if bundle in (good, replace(good, anchor=None)):
        verify(bundle, made.world.trust)
    else:
        with pytest.raises(OutsideError):
            verify(bundle, made.world.trust)


# The commands


def test_prove_then_verify_on_the_command_line(made: Made, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle by each way to name its statement; `verify` ticks nine steps and tells what was said."""
    chain, index = find(made.world, made.event)
    tally = made.event.tally
    ways = [
        ["--statement", made.event.hash.hex()],
        ["--chain", chain, "--index", str(index)],
        ["--device", "press-1", "--lane", "events", "--stream", tally.stream.hex(), "--seq", str(tally.seq)],
    ]
    bundles = []
    for way in ways:
        assert tallystick.run(["ledger", "prove", *way, "-o", str(data / "proof.bundle")]) == 0
        bundles.append((data / "proof.bundle").read_bytes())
    assert bundles == [bundles[0]] * 3
    capsys.readouterr()
    assert (
        tallystick.run(["ledger", "verify", str(data / "proof.bundle"), "--trust", str(made.world.folder.trust_file)])
        == 0
    )
    told = capsys.readouterr().out
    assert [f"✓ {step}  {step.claim}" in told for step in Step] == [True] * 9
    assert made.event.hash.hex() in told and EPC in told and "operator's word alone" in told
    assert "private, readings: not shown" in told


def test_verify_in_json(made: Made, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object: that it is so, and the verdict."""
    file, trust = data / "proof.bundle", str(made.world.folder.trust_file)
    assert tallystick.run(["ledger", "prove", "--private", "--statement", made.event.hash.hex(), "-o", str(file)]) == 0
    capsys.readouterr()
    assert tallystick.run(["ledger", "verify", str(file), "--trust", trust, "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["ok"] is True and verdict["device"] == "press-1" and verdict["anchored"] is True
    assert verdict["sections"][0]["said"]["epcList"] == [EPC]
    assert verdict["sections"][1]["said"][0]["value"] == 1.0


def test_a_spoiled_bundle_fails_on_the_command_line(made: Made, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The steps that passed are ticked, the one that fails is the error, and the exit code is 1."""
    file, trust = data / "proof.bundle", str(made.world.folder.trust_file)
    file.write_bytes(_header(made.prove(made.event), time_ms=1).encode())
    assert tallystick.run(["ledger", "verify", str(file), "--trust", trust]) == 1
    told = capsys.readouterr()
    assert "✓ 4" in told.out and "✓ 5" not in told.out
    assert "tallystick: error: step 5 (the block's header is in the anchor's checkpoint) fails" in told.err
    assert "tallystick: hint: do not rely on this statement" in told.err
    assert tallystick.run(["ledger", "verify", str(file), "--trust", trust, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] == [1, 2, 3, 4]
    file.write_bytes(bytes(5 * 1024 * 1024))
    assert tallystick.run(["ledger", "verify", str(file), "--trust", trust]) == 1
    assert "proof.bundle is over 4194304 bytes: no proof is" in capsys.readouterr().err


def test_verify_needs_no_database(made: Made, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ledger verify` runs where psycopg is not installed, and asks no environment for anything."""
    file = data / "proof.bundle"
    file.write_bytes(made.prove(made.event).encode())
    trust = str(made.world.folder.trust_file)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("psycopg", "ledger")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delenv("TALLYSTICK_DATA")
    monkeypatch.delenv("TALLYSTICK_DSN")
    assert tallystick.run(["ledger", "verify", str(file), "--trust", trust]) == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "which statement is meant is not clear"),
        (["--chain", "production"], "which statement is meant is not clear"),
        (["--chain", "production", "--index", "1", "--seq", "2"], "which statement is meant is not clear"),
        (["--statement", "xyz"], "64 hexadecimal digits"),
        (["--statement", "00" * 32], "no statement 0000"),
        (["--chain", "x", "--index", "0"], "no chain is called 'x'"),
        (["--chain", "anchor", "--index", "0"], "the anchor holds no statements"),
        (["--chain", "trade", "--index", "0"], "'trade' has published nothing yet"),
        (["--chain", "production", "--index", "-1"], "there is no entry -1"),
        (["--device", "x", "--lane", "0", "--stream", "00" * 8, "--seq", "0"], "no key is registered for 'x'"),
        (["--device", "press-1", "--lane", "0", "--stream", "00" * 8, "--seq", "0"], "no such statement"),
        (["--device", "press-1", "--lane", "0", "--stream", "00", "--seq", "0"], "16 hexadecimal digits"),
    ],
)
def test_a_mistake_gets_an_error_and_a_hint(
    arguments: list[str], complaint: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ledger prove` says what is not right about what was asked."""
    assert tallystick.run(["ledger", "prove", *arguments]) == 1
    assert complaint in capsys.readouterr().err


def test_texts_from_others_cannot_drive_the_terminal(made: Made) -> None:
    """What a device or an organisation calls itself is printed without control characters."""
    verdict = verify(made.prove(made.event), made.world.trust)
    for line in proof_text.lines(replace(verdict, organisation="\x1b[2J\u202eeve")):
        assert line.isprintable()


def test_a_clock_may_claim_anything(made: Made) -> None:
    """A time beyond the calendar is told in seconds."""
    verdict = verify(made.prove(made.event), made.world.trust)
    far = replace(verdict, statement=replace(verdict.statement, issued_at=2**63 - 1))
    assert any(f"{2**63 - 1} s after 1970" in line for line in proof_text.lines(far))


def test_other_content_is_told(made: Made) -> None:
    """Openings and registry entries have words, too."""
    with connect(made.world.dsn) as connection:
        told = [
            "\n".join(proof_text.lines(verify(prove(connection, made.world.folder, chain, index), made.world.trust)))
            for chain, index in (("production", 0), ("registry", 2))
        ]
    assert "it opens the stream, reason new" in told[0]
    assert "device press-1" in told[1]
    opened = verify(prove_first(made), made.world.trust).sections[0].said
    assert opened == stream.Opening("new", None)
    assert cbor.decode(cbor.encode(verify(prove_first(made), made.world.trust).document))["seq"] == 0


def prove_first(made: Made) -> Bundle:
    """A bundle of the first entry of the production chain."""
    with connect(made.world.dsn) as connection:
        return prove(connection, made.world.folder, "production", 0)
