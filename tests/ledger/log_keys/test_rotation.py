"""A log's key changes: what was signed before stays good, what is signed after bears the new key, and nothing else."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import tallystick
from edge import confirm
from ledger import cbor, checkpoint_file, inbox, note, operate, read
from ledger.audit.database import DatabaseSource
from ledger.audit.published_source import PublishedSource
from ledger.audit.report import Report
from ledger.audit.walk import audit
from ledger.author import Author, Content
from ledger.birth import Birth
from ledger.checkpoint import Checkpoint
from ledger.database import connect
from ledger.errors import NoteError, TrustError, UserError
from ledger.keys import SigningKey
from ledger.log import Log
from ledger.log_keys import rotate
from ledger.log_keys.rotate import Rotated
from ledger.proof import proving
from ledger.proof.check import check
from ledger.proof.inclusion import Form
from ledger.proof.prove import find_statement, prove
from ledger.proof.transparent import EntryReceipt, Transparent
from ledger.proof.verify import verify
from ledger.published import trust_bundle
from ledger.published.database import DatabaseReader
from ledger.published.export import export
from ledger.published.folder import FolderReader
from ledger.published.policy import Policy
from ledger.receipt import Answer, Receipt
from ledger.registry import ANCHOR, REGISTRY
from ledger.section import ContentFormat, Privacy
from ledger.statement import TELEMETRY
from ledger.trust.trust_file import Trust
from tests.edge.given import NothingSpooled
from tests.world import Device, World, ticking

ROTATED = ("production", REGISTRY, ANCHOR)


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    with World(postgres_dsn, tmp_path / "ledger") as made:
        yield made


@contextmanager
def sealing(world: World) -> Iterator[None]:
    """A gateway seals beside us; afterwards the chains are to be had again."""
    with ticking(world):
        yield
    world.tick()


def change(world: World, chain: str = "production", *, overlap: int = 3, root_key: Path | None = None) -> Rotated:
    """Rotate the key of a log, as the command does."""
    with sealing(world):
        return rotate.rotate(world.folder, world.dsn, chain, root_key=root_key, overlap=overlap, timeout_s=10)


def trusted(world: World) -> Trust:
    """What a verifier trusts who has the newest bundle."""
    return Trust.parse(trust_bundle.issue(world.folder, world.dsn, days=30, now=world.now_ms // 1000).note)


def audited(world: World, trust: Trust | None = None) -> Report:
    world.tick()
    with connect(world.dsn) as connection:
        return audit(DatabaseSource(connection, world.folder), trust or world.trust)


def fill(world: World, press: Device, chain: str, until: int) -> None:
    """Go on until a log is longer than `until`."""
    while (published := checkpoint_file.load(world.folder.checkpoints, chain)) is None or (
        published.checkpoint.size <= until
    ):
        world.publish(press, press.readings(21.5))
        if chain == REGISTRY:
            world.operator_says({"type": "organisation", "uri": f"https://{world.now_ms}.example.com", "name": "x"})
        world.tick()


def notes(world: World, chain: str) -> list[str]:
    """The checkpoints of a chain's blocks, in order."""
    with connect(world.dsn) as connection:
        rows = connection.execute(
            "select checkpoint from block join chain using (chain_id) where name = %s order by height", [chain]
        ).fetchall()
    return [row[0] for row in rows]


def signed_by(text: str) -> int:
    """How many keys signed a note."""
    return len(text.rpartition("\n\n")[2].splitlines())


def test_three_logs_change_their_keys_and_everything_holds(world: World) -> None:
    """Production, registry and anchor in turn: before, while both sign, and after; without a restart of the gateway."""
    press = world.register_device("press-1")
    statements = [world.publish(press, press.readings(20.0))]
    world.tick()
    first = {chain: notes(world, chain)[0] for chain in ROTATED}
    for chain in ROTATED:
        made = change(world, chain)
        assert made.until == made.first + 2
        statements.append(world.publish(press, press.readings(21.0)))
        world.tick()
        fill(world, press, chain, made.until)
        statements.append(world.publish(press, press.readings(22.0)))
        fill(world, press, chain, made.until + 1)
    new = trusted(world)
    report = audited(world)
    assert report.ok, [str(problem) for problem in report.problems]
    assert audited(world, new).ok
    for chain in ROTATED:
        assert {signed_by(text) for text in notes(world, chain)} == {1, 2}
        opened = [new.log(chain).open_signed(text) for text in notes(world, chain)]
        assert {len(signed.keys) for signed in opened} == {1, 2}
        assert new.log(chain).open(first[chain]) == world.trust.log(chain).open(first[chain])
        with pytest.raises(NoteError, match="no known key"):
            world.trust.log(chain).open(notes(world, chain)[-1])
    with connect(world.dsn) as connection:
        for statement in statements:
            place = find_statement(connection, statement.hash)
            assert verify(prove(connection, world.folder, *place), new).statement == statement


def test_what_is_published_tells_of_the_new_key(world: World, tmp_path: Path) -> None:
    """Export and audit of a folder, by whoever has pinned the first trust file: its own says which keys followed."""
    press = world.register_device("press-1")
    for chain in ROTATED:
        made = change(world, chain)
        fill(world, press, chain, made.until + 1)
    world.tick()
    for number in range(2):
        with connect(world.dsn, autocommit=True) as connection:
            reader = DatabaseReader(connection, world.folder)
            export(reader, world.trust, tmp_path / "out", Policy.of(Privacy.PRIVATE, ()))
        published = FolderReader(tmp_path / "out")
        report = audit(PublishedSource(published, world.trust), world.trust)
        assert report.ok, [str(problem) for problem in report.problems]
        assert len(Trust.parse((tmp_path / "out" / "trust.json").read_text()).messages) == 4 + number
        if not number:
            post_rotation(world, first=1_000, until=1_000, chain="trade")
    assert Trust.load(world.folder.trust_file).log("anchor").rotations


def test_a_running_gateway_takes_the_new_key_up(world: World) -> None:
    """The chain that is open when the registry publishes the entry signs its next block with both keys."""
    press = world.register_device("press-1")
    world.publish(press, press.readings(20.0))
    world.tick()
    chain = world.chain("production")
    post_rotation(world, first=3, until=3)
    world.publish(press, press.readings(20.0))
    world.tick()
    assert world.chain("production") is chain
    assert [signed_by(text) for text in notes(world, "production")] == [1, 2]
    world.publish(press, press.readings(20.0))
    world.tick()
    assert [signed_by(text) for text in notes(world, "production")] == [1, 2, 1]


def post_rotation(world: World, *, first: int, until: int, chain: str = "production", number: int = 2) -> SigningKey:
    """A root key's entry as it is, sealed."""
    key = SigningKey.generate()
    key.save(world.folder.log_key_file(chain, number), "a test's")
    origin = world.trust.log(chain).origin
    vkey = note.Verifier(origin, key.public).vkey
    say_as_root(world, {"type": "log-key", "chain": chain, "vkey": vkey, "first": first, "until": until})
    return key


def say_as_root(world: World, entry: dict[str, object]) -> None:
    root = SigningKey.load(world.folder.key_file("root"))
    registered = world.chain(REGISTRY)._registry.key(root.kid)
    assert registered is not None
    author = Author(root, registered.issuer, registered.subject)
    with connect(world.dsn) as connection:
        content = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(entry))
        inbox.post(connection, author, chain=REGISTRY, contents=[content], now=1, new_stream=bytes(8))
    world.tick()


# What does not hold


@dataclass(frozen=True, slots=True)
class Two:
    """A production log whose key changes at size 3; the first key signs up to size 4."""

    world: World
    old: SigningKey
    new: SigningKey

    @property
    def log(self) -> Log:
        return trusted(self.world).log("production")

    def note(self, size: int, *keys: SigningKey) -> str:
        origin = self.log.origin
        return note.sign(Checkpoint(origin, size, bytes(32)).text, [note.Signer(origin, key) for key in keys])


@pytest.fixture
def two(world: World) -> Two:
    old = world.folder.log_key("production")
    return Two(world, old, post_rotation(world, first=3, until=4))


@pytest.mark.parametrize("size", range(8))
def test_each_size_has_its_keys(two: Two, size: int) -> None:
    """By the bundle: the old key up to size 4, the new one from size 3 on; another's signature changes nothing."""
    for key, holds in ((two.old, size <= 4), (two.new, size >= 3)):
        if holds:
            assert two.log.open(two.note(size, key)).size == size
        else:
            with pytest.raises(TrustError, match="was retired at size 4" if key is two.old else "from size 3 on"):
                two.log.open(two.note(size, key))
    assert two.log.open(two.note(size, two.old, two.new)).size == size
    with pytest.raises(NoteError, match="no known key"):
        two.log.open(two.note(size, SigningKey.generate()))


@pytest.mark.parametrize("who", ["the retired key", "another key"])
def test_an_audit_names_a_block_whose_signer_does_not_hold_its_size(two: Two, who: str) -> None:
    """A writer that signs on with a retired key is found, at its block, as is whoever never had one."""
    complaint, key = ("signed for size 6 by a key that was retired at size 4", two.old)
    if who == "another key":
        complaint, key = "no known key signed the note", SigningKey.generate()
    press = two.world.register_device("press-1")
    for _ in range(5):
        two.world.publish(press, press.readings(20.0))
    two.world.tick()
    resign(two.world, "production", key)
    problems = [str(problem) for problem in audited(two.world).problems]
    assert len(problems) == 2 and all("production" in problem and complaint in problem for problem in problems)
    assert any("block 0: its checkpoint does not hold" in problem for problem in problems)


def test_an_audit_wants_both_signatures_while_both_keys_sign(two: Two) -> None:
    """A block of size 3 or 4 by that registry state has two; one alone is a writer that did not take it up."""
    press = two.world.register_device("press-1")
    for _ in range(2):
        two.world.publish(press, press.readings(20.0))
    two.world.tick()
    assert audited(two.world).ok
    resign(two.world, "production", two.new)
    assert [str(problem) for problem in audited(two.world).problems] == [
        "production, block 0: a key of the log that signs for size 3 has not signed its checkpoint"
    ]


def resign(world: World, chain: str, *keys: SigningKey) -> None:
    """Put other signatures under the newest block's checkpoint, in the database and in the published file."""
    world.tick()
    text = notes(world, chain)[-1].rpartition("\n\n")[0] + "\n"
    origin = world.trust.log(chain).origin
    forged = note.sign(text, [note.Signer(origin, key) for key in keys])
    with connect(world.dsn, role=None) as connection:
        connection.execute(
            """update block set checkpoint = %s where chain_id = (select chain_id from chain where name = %s)
                and height = (select max(height) from block join chain using (chain_id) where name = %s)""",
            [forged, chain, chain],
        )
        connection.commit()
    (world.folder.checkpoints / chain).write_text(forged)


def test_a_writer_does_not_start_on_what_a_retired_key_has_published(two: Two) -> None:
    """A checkpoint beside the database that only a retired key signed is no checkpoint of the log."""
    press = two.world.register_device("press-1")
    for _ in range(5):
        two.world.publish(press, press.readings(20.0))
    two.world.tick()
    resign(two.world, "production", two.old)
    two.world.close()
    with pytest.raises(UserError, match=r"published checkpoint of 'production' is damaged: .* retired at size 4"):
        two.world.tick()


def test_receipts_are_by_the_oldest_key_that_still_signs(two: Two) -> None:
    """While both sign, a device that knows only the first key goes on; then the receipts are the new key's."""
    press = two.world.register_device("press-1")
    sizes = {}
    for _ in range(5):
        two.world.publish(press, press.readings(20.0))
        for publication in two.world.tick():
            answer = Answer.decode(publication.payload)
            receipt = Receipt.decode(answer.receipt or b"")
            sizes[receipt.size] = receipt.log_kid
            assert two.log.key(receipt.log_kid, receipt.size).kid == receipt.log_kid
    assert sizes == {2: two.old.kid, 3: two.old.kid, 4: two.old.kid, 5: two.new.kid, 6: two.new.kid}


def test_a_transparent_statement_is_by_a_key_that_holds_its_size(two: Two) -> None:
    """`prove --format cose` signs with the oldest key that still may; each is good under the newest trust for ever."""
    press, made = two.world.register_device("press-1"), []
    for _ in range(4):
        statement = two.world.publish(press, press.readings(20.0))
        two.world.tick()
        asked = statement.hash.hex()
        proof = proving.make(two.world.dsn, two.world.folder, two.world.trust, form=Form.COSE, statement_hash=asked)
        [receipt] = Transparent.decode(proof.proof).receipts
        made.append((EntryReceipt.decode(receipt), proof.proof))
    assert [(one.size, one.log_kid == two.new.kid) for one, _ in made] == [
        (2, False),
        (3, False),
        (4, False),
        (5, True),
    ]
    for _, data in made:
        check(data, trusted(two.world))
    with pytest.raises(TrustError, match=r"step 2 .*is no known key of"):
        check(made[-1][1], two.world.trust)
    late = Transparent.decode(made[-1][1])
    forged = replace(made[-1][0], log_kid=two.old.kid).issue(two.old, bytes(32)).encode()
    with pytest.raises(TrustError, match=r"step 2 .*was retired at size 4"):
        check(replace(late, receipts=(forged,)).encode(), trusted(two.world))


@pytest.mark.parametrize("has_stream", [True, False])
def test_a_birth_is_answered_with_the_logs_newer_keys(world: World, has_stream: bool) -> None:
    """What root keys have said goes to whoever asks, once the log's key has changed; and with no other receipt."""
    press = world.register_device("press-1")
    device = confirm.Device(press.key.kid, press.urn, world.trust.log("production"), world.trust.genesis)
    birth = Birth(press.key.kid, bytes(16), {}).encode()
    if has_stream:
        world.publish(press, press.readings(20.0))
    world.send("press-1", birth, what="birth")
    assert not any(Answer.decode(publication.payload).root for publication in world.tick())
    post_rotation(world, first=1, until=0)
    world.send("press-1", birth, what="birth")
    answers = world.tick()
    for publication in answers:
        assert [(key.first, key.last) for key in confirm.learn(publication.payload, device).log.keys] == [
            (0, 0), (1, None)
        ]  # fmt: skip
    world.publish(press, press.readings(21.0))
    learnt = confirm.learn(answers[0].payload, device)
    for publication in world.tick():
        answer = Answer.decode(publication.payload)
        receipt = Receipt.decode(answer.receipt or b"")
        assert answer.root == () and learnt.log.key(receipt.log_kid, receipt.size).first == 1
        verdict = confirm.judge(publication.payload, lane=TELEMETRY, device=device, view=NothingSpooled())
        assert isinstance(verdict, confirm.Ignored) and verdict.flaw is confirm.Flaw.LOG_KEY
        assert isinstance(
            confirm.judge(publication.payload, lane=TELEMETRY, device=learnt, view=NothingSpooled()), confirm.Ahead
        )


# The command


def test_a_run_that_died_half_way_is_finished_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the key file was made, and after the entry was posted: the same key comes into the registry, once."""
    made = list[SigningKey]()
    for died_in in ("post", "_await_published"):
        with monkeypatch.context() as patch:
            patch.setattr(operate, died_in, lambda *args, **kwargs: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                patch.setattr(operate, "finish", lambda *args, **kwargs: operate.published(world.folder, world.dsn))
                rotate.rotate(world.folder, world.dsn, "production", root_key=None, overlap=3, timeout_s=1)
        made.append(world.folder.log_key("production", 2))
    done = change(world)
    assert made[0].public == made[1].public == world.folder.log_key("production", 2).public
    assert done.vkey == note.Verifier(world.trust.log("production").origin, made[0].public).vkey
    registry = operate.published(world.folder, world.dsn)
    assert len(registry.chains["production"].rotations) == 1
    assert not world.folder.log_key_file("production", 3).exists()


def test_a_restored_registry_gets_the_root_keys_words_back(world: World) -> None:
    """Devices have read them: after a rollback the same messages come in again, from the trust file, and no others."""
    world.register_device("press-1")
    published = (world.folder.checkpoints / REGISTRY).read_text()
    size = world.chain(REGISTRY)._writer.size
    done = change(world)
    said = world.folder.trust().messages
    forget(world, size, published)
    assert operate.published(world.folder, world.dsn).chains["production"].rotations == ()
    assert change(world) == done
    with connect(world.dsn) as connection:
        assert tuple(read.root_messages(connection)) == said == world.folder.trust().messages
    forget(world, size, published)
    world.tick()
    say_as_root(world, {"type": "another word"})
    with pytest.raises(UserError, match="have heard different words of the root key"):
        change(world)


def test_what_was_published_before_a_restore_is_known_for_the_logs(world: World) -> None:
    """A checkpoint that the new key alone has signed, and a registry that has lost the new key: no damage is told."""
    press = world.register_device("press-1")
    published = (world.folder.checkpoints / REGISTRY).read_text()
    size = world.chain(REGISTRY)._writer.size
    fill(world, press, "production", change(world).until)
    assert signed_by((world.folder.checkpoints / "production").read_text()) == 1
    forget(world, size, published)
    assert world.chain("production").taken.size > 3


def forget(world: World, size: int, published: str) -> None:
    """The registry of an old backup."""
    world.close()
    with connect(world.dsn, role=None) as connection:
        rows = connection.execute("select chain_id from chain where name = %s", [REGISTRY]).fetchall()
        chain, first = rows[0][0], (rows[0][0] << 40) | size
        for query in (
            "delete from section where entry_id >> 40 = %(chain)s and entry_id >= %(first)s",
            "delete from entry where entry_id >> 40 = %(chain)s and entry_id >= %(first)s",
            "delete from block where chain_id = %(chain)s and size > %(size)s",
            "delete from anchored where chain_id = %(chain)s and height > (select max(height) from block b"
            " where b.chain_id = %(chain)s)",
        ):
            connection.execute(query.encode(), {"chain": chain, "first": first, "size": size})
        connection.commit()
    (world.folder.checkpoints / REGISTRY).write_text(published)


def test_the_root_key_may_come_from_elsewhere_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    """A file that is named, and that is all that is read of it; without one it says where the root key belongs."""
    world.tick()
    kept = world.folder.key_file("root")
    shutil.move(kept, tmp_path / "usb.key")
    with pytest.raises(UserError, match="there is no root key") as caught:
        change(world)
    assert "--root-key" in caught.value.hint
    change(world, root_key=tmp_path / "usb.key")
    secret = (tmp_path / "usb.key").read_text().splitlines()[-1]
    assert not [path for path in world.folder.path.rglob("*") if path.is_file() and secret in path.read_text()]


def test_a_mistake_is_told_before_anything_is_made(world: World) -> None:
    """Another key than the root's, a chain that there is not, a log whose earlier key still signs."""
    cases = (
        (world.folder.key_file("operator"), "production", "is not the ledger's root key"),
        (None, "prod", "no chain is called 'prod'"),
    )
    for path, chain, complaint in cases:
        with pytest.raises(UserError, match=complaint):
            change(world, chain, root_key=path)
    change(world)
    with pytest.raises(UserError, match="signs up to size 3: now it is 0"):
        change(world)
    assert not world.folder.log_key_file("production", 3).exists()


def test_a_key_that_is_not_here_signs_nothing(world: World) -> None:
    """A gateway without the new key's file says so and seals nothing, rather than sign without it."""
    press = world.register_device("press-1")
    post_rotation(world, first=1, until=1)
    world.folder.log_key_file("production", 2).unlink()
    world.publish(press, press.readings(20.0))
    with pytest.raises(UserError, match=r"cannot read the key .*log-production\.2\.key"):
        world.tick()
    assert notes(world, "production") == []


def test_a_retired_keys_file_may_go(world: World) -> None:
    """After its last size nothing needs it any more: neither the gateway that runs, nor one that starts."""
    press = world.register_device("press-1")
    post_rotation(world, first=1, until=1)
    world.publish(press, press.readings(20.0))
    world.tick()
    world.folder.log_key_file("production").unlink()
    world.close()
    world.publish(press, press.readings(21.0))
    world.tick()
    assert audited(world).ok


def test_the_commands_say_what_they_did(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """rotate-key, trust export, show and update, and a proof verified by what they made: as a person types them."""
    press = world.register_device("press-1")
    pinned, bundle = tmp_path / "trust.json", tmp_path / "example.trust"
    pinned.write_text(world.trust.text)
    shutil.copytree(world.folder.path, tmp_path / "data" / "ledger")
    args = ["--data", str(tmp_path / "data"), "--dsn", world.dsn]
    world.folder = type(world.folder)(tmp_path / "data" / "ledger")
    world.close()
    with sealing(world):
        assert tallystick.run(["ledger", "rotate-key", "production", *args]) == 0
    told = capsys.readouterr().out
    assert "log-production.2.key signs from size 1 on" in told and "up to size 10,000; then destroy it" in told
    assert tallystick.run(["ledger", "trust", "export", *args, "-o", str(bundle), "--days", "7"]) == 0
    assert "expires" in capsys.readouterr().err
    assert tallystick.run(["ledger", "trust", "show", str(bundle)]) == 0
    told = capsys.readouterr().out
    assert "for sizes 0 to 10,000" in told and "from size 1 on" in told and "in 7 days" in told
    assert tallystick.run(["ledger", "trust", "update", str(pinned), "--with", str(bundle)]) == 0
    assert pinned.read_text() == bundle.read_text()
    world.publish(press, press.readings(20.0))
    world.tick()
    proof = str(tmp_path / "x.bundle")
    assert tallystick.run(["ledger", "prove", *args, "--chain", "production", "--index", "0", "-o", proof]) == 0
    capsys.readouterr()
    assert tallystick.run(["ledger", "verify", proof, "--trust", str(pinned), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trust"]["expired"] is False


def test_a_proof_says_that_its_statement_is_disputed(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a bundle that knows of the revocation: from the place that the operator names on, and not before."""
    press = world.register_device("press-1")
    for _ in range(3):
        world.publish(press, press.readings(20.0))
    world.tick()
    told, args = [], ["--data", str(tmp_path), "--dsn", world.dsn]
    assert tmp_path / "ledger" == world.folder.path
    with sealing(world):
        for where in ("production:3", "production:2"):
            assert (
                tallystick.run(["ledger", "revoke", "press-1", "--reason", "x", "--disputed-from", where, *args]) == 0
            )
    for number, trust in enumerate((str(world.folder.trust_file), str(tmp_path / "x.trust"))):
        if number:
            assert tallystick.run(["ledger", "trust", "export", *args, "-o", trust]) == 0
        for index in (1, 2):
            proof = str(tmp_path / f"{index}.bundle")
            assert (
                tallystick.run(["ledger", "prove", *args, "--chain", "production", "--index", str(index), "-o", proof])
                == 0
            )
            capsys.readouterr()
            code = tallystick.run(["ledger", "verify", proof, "--trust", trust, "--json"])
            said = json.loads(capsys.readouterr().out)
            assert said["ok"] and (code, said["disputed"]) in ((0, False), (2, True))
            told.append(said["key_revoked"])
            assert bool(told[-1] and told[-1]["disputed"]) is said["disputed"]
    assert told[:2] == [None, None]  # a trust file without an end knows of no revocation
    assert [said["disputed"] for said in told[2:]] == [False, True]
    assert tallystick.run(["ledger", "verify", str(tmp_path / "2.bundle"), "--trust", str(tmp_path / "x.trust")]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[8].startswith("  ✓ 9") and lines[9].startswith("  ! DISPUTED: a thief may have signed this")
    assert tallystick.run(["ledger", "revoke", "press-1", "--reason", "x", "--disputed-from", "Prod:1", *args]) == 1
    assert "no place in a ledger" in capsys.readouterr().err
