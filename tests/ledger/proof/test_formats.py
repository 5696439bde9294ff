"""Claims about the formats of a proof: each is what its specification says, and `verify` knows it by its content."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import tallystick
from deploy.postgres import Postgres
from ledger import b64, merkle, note
from ledger.cose import Sign1
from ledger.cose_receipt import INCLUSION, VDP, VDS
from ledger.errors import MalformedError, OutsideError, ProofError, TrustError
from ledger.keys import SigningKey
from ledger.proof import proving, text
from ledger.proof.check import Found, check, recognise
from ledger.proof.inclusion import Form, verify_tlog_proof, verify_transparent
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import RECEIPTS, EntryReceipt, Transparent
from ledger.proof.verify import Step
from ledger.receipt import Answer, Receipt
from ledger.statement import Statement
from tests.world import World, event

EPC = "https://id.gs1.org/01/09506000134352/21/A1"


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger, one statement in it and another, and what the gateway answered for the stream of the first."""

    world: World
    statement: Statement
    other: Statement
    answer: bytes

    def proof(self, form: Form, statement: Statement | None = None) -> bytes:
        """The statement's proof in a format."""
        return self.files(form, statement).proof

    def files(self, form: Form, statement: Statement | None = None) -> proving.Made:
        """The files that `prove` writes."""
        asked = (statement or self.statement).hash.hex()
        return proving.make(self.world.dsn, self.world.folder, self.world.trust, form=form, statement_hash=asked)

    def check(self, data: bytes, statement: bytes | None = None) -> Found:
        """What `verify` makes of it."""
        return check(data, self.world.trust, statement=statement)


@pytest.fixture(scope="module")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One ledger for all tests here: none of them changes it."""
    dsn = postgres_server.create_database("test_formats")
    with World(dsn, tmp_path_factory.mktemp("formats") / "ledger") as world:
        press = world.register_device("press-1")
        other = world.publish(press, press.readings(20.0))
        for number in range(20):
            world.publish(press, press.readings(20.0 + number))
        statement = world.publish(press, event(EPC))
        answers = [publication.payload for publication in world.tick() if "receipt/0" in publication.topic]
        yield Made(world, statement, other, answers[-1])
    postgres_server.drop_database("test_formats")


# tlog-proof


def test_a_tlog_proof_is_to_the_letter_of_its_specification(made: Made) -> None:
    """Its lines, one by one (C2SP tlog-proof); a walk up the tree by them ends in the checkpoint's root."""
    files = made.files(Form.TLOG).files
    assert list(files) == [".tlog-proof", ".statement"]
    head, checkpoint = files[".tlog-proof"].decode().split("\n\n", 1)
    header, extra, index, *hashes = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    assert extra == f"extra {b64.encode(made.statement.encode())}"
    assert files[".statement"] == made.statement.encode()
    assert checkpoint == (made.world.folder.checkpoints / "production").read_text()
    size, root = int(checkpoint.split("\n")[1]), b64.decode(checkpoint.split("\n")[2])
    place, hash_ = int(index.removeprefix("index ")), merkle.leaf_hash(files[".statement"])
    last = size - 1
    for sibling in map(b64.decode, hashes):  # RFC 9162, 2.1.3.2
        left = place & 1 or place == last
        hash_ = merkle.node_hash(sibling, hash_) if left else merkle.node_hash(hash_, sibling)
        while left and not place & 1 and place:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    assert hash_ == root


def test_a_tlog_proof_needs_the_statement_from_somewhere(made: Made) -> None:
    """It may be in the extra data or beside it, or the same in both; else there is a named refusal."""
    proof = TlogProof.parse(made.proof(Form.TLOG).decode())
    bare, statement, trust = replace(proof, extra=b""), made.statement.encode(), made.world.trust
    assert verify_tlog_proof(proof, trust).statement == made.statement
    assert verify_tlog_proof(bare, trust, statement=statement).statement == made.statement
    with pytest.raises(ProofError, match=r"step 3 .*name its file with --statement"):
        verify_tlog_proof(bare, trust)
    with pytest.raises(ProofError, match=r"step 3 .*two truths"):
        verify_tlog_proof(proof, trust, statement=made.other.encode())
    with pytest.raises(ProofError, match=r"step 3 .*leads to another root"):
        verify_tlog_proof(bare, trust, statement=made.other.encode())


def _resigned(made: Made, key: SigningKey, *, origin: str | None = None) -> str:
    log = made.world.trust.log("production")
    text = (made.world.folder.checkpoints / "production").read_text().split("\n\n")[0] + "\n"
    return note.sign(text.replace(log.origin, origin or log.origin), [note.Signer(origin or log.origin, key)])


def test_a_spoiled_tlog_proof_is_refused_by_its_step(made: Made) -> None:
    """Whose log, whose signature, which place: three steps, each refuses by its name."""
    proof, trust = TlogProof.parse(made.proof(Form.TLOG).decode()), made.world.trust
    spoiled = {
        r"step 1 .*no log with the origin": replace(proof, checkpoint="elsewhere\n1\n"),
        r"step 1 .*anchor holds no statements": replace(
            proof, checkpoint=(made.world.folder.checkpoints / "anchor").read_text()
        ),
        r"step 2 .*no known key": replace(proof, checkpoint=_resigned(made, SigningKey.generate())),
        r"step 3 .*another root": replace(proof, index=proof.index - 1),
        r"step 3 .*hashes, not": replace(proof, path=proof.path[1:]),
    }
    for complaint, one in spoiled.items():
        with pytest.raises(OutsideError, match=complaint):
            verify_tlog_proof(one, trust)


# COSE


def test_a_transparent_statement_is_scitts(made: Made) -> None:
    """The statement's own signature and headers, and label 394: a list of COSE Receipts (RFC 9943; RFC 9942, 4)."""
    envelope = Sign1.decode(made.proof(Form.COSE))
    statement = Sign1.decode(made.statement.encode())
    assert replace(envelope, unprotected={}) == statement
    [data] = envelope.unprotected[RECEIPTS]
    receipt = Sign1.decode(data)
    log, size = made.world.trust.log("production"), _published_size(made)
    assert receipt.payload is None and list(receipt.unprotected) == [VDP]
    assert list(receipt.unprotected[VDP]) == [INCLUSION]
    assert receipt.protected == {
        1: -8,
        4: log.kid,
        15: {1: log.origin, 2: made.statement.subject},
        VDS: 1,
        "tally-p": [1, size, made.statement.hash],
    }


def _published_size(made: Made) -> int:
    return int((made.world.folder.checkpoints / "production").read_text().split("\n")[1])


def _receipt(made: Made) -> EntryReceipt:
    [data] = Transparent.decode(made.proof(Form.COSE)).receipts
    return EntryReceipt.decode(data)


def test_a_spoiled_transparent_statement_is_refused_by_its_step(made: Made) -> None:
    """Whose log, whose signature over which root, about what: each refuses by its name."""
    trust, key = made.world.trust, made.world.folder.log_key("production")
    statement, receipt = made.statement.encode(), _receipt(made)
    root = receipt.verify(key.public, leaf=merkle.leaf_hash(statement))
    stranger = SigningKey.generate()
    spoiled = {
        r"step 1 .*no log with the origin": replace(receipt, origin="elsewhere").issue(key, root),
        r"step 2 .*is no known key of": replace(receipt, log_kid=stranger.kid).issue(stranger, root),
        r"step 2 .*signature": receipt.issue(stranger, root),
        r"step 2 .*hashes, not": replace(receipt, path=receipt.path[1:]),
        r"step 2 .*signature .*": replace(receipt, index=receipt.index - 1),
        r"step 3 .*names another statement": replace(receipt, statement_hash=bytes(32)).issue(key, root),
        r"step 3 .*names another statement, subject": replace(receipt, subject="urn:x:y").issue(key, root),
    }
    for complaint, one in spoiled.items():
        with pytest.raises(OutsideError, match=complaint):
            verify_transparent(Transparent(statement, (one.encode(),)), trust)
    with pytest.raises(OutsideError, match="step 2"):
        verify_transparent(Transparent(made.other.encode(), (receipt.encode(),)), trust)


def test_two_receipts_of_one_size_with_two_roots_are_a_fork(made: Made) -> None:
    """Both are signed by the log: nobody can say which is true, and the refusal says what that is."""
    key, statement, receipt = made.world.folder.log_key("production"), made.statement.encode(), _receipt(made)
    path = (bytes(32), *receipt.path[1:])
    root = merkle.inclusion_root(path, leaf=merkle.leaf_hash(statement), index=receipt.index, size=receipt.size)
    forked = replace(receipt, path=path).issue(key, root)
    assert verify_transparent(Transparent(statement, (forked.encode(),)), made.world.trust).index == receipt.index
    with pytest.raises(TrustError, match=r"step 2 .*two truths: at size .* The log has forked"):
        verify_transparent(Transparent(statement, (receipt.encode(), forked.encode())), made.world.trust)


def test_a_devices_receipt_is_read_with_its_statement(made: Made) -> None:
    """What the gateway sent to the device proves its newest statement to others, too; alone it says not which."""
    receipt = Answer.decode(made.answer).receipt
    assert receipt is not None
    found = made.check(receipt, made.statement.encode())
    assert found.document["statement"] == made.statement.hash.hex()
    assert made.check(Transparent(made.statement.encode(), (receipt,)).encode()) == found
    with pytest.raises(MalformedError, match="name the statement's file with --statement"):
        made.check(receipt)
    with pytest.raises(OutsideError, match="step 2"):
        made.check(receipt, made.other.encode())


def test_no_receipt_of_a_proof_is_a_devices(made: Made) -> None:
    """A device lets go of its sections by its receipts: one of the other kind is none to it."""
    answer = Answer.decode(made.answer)
    [data] = Transparent.decode(made.proof(Form.COSE)).receipts
    with pytest.raises(MalformedError, match="not a receipt's"):
        Receipt.decode(data)
    assert answer.receipt is not None and EntryReceipt.decode(data)
    with pytest.raises(MalformedError, match="not that of a receipt of one entry"):
        EntryReceipt.decode(answer.receipt)


# All


@pytest.mark.parametrize("form", [Form.BUNDLE, Form.COSE, Form.TLOG])
def test_each_format_is_known_by_its_content(made: Made, form: Form) -> None:
    """What it shows is the same statement; of the nine steps it names those that it shows, and those that it cannot."""
    found = made.check(made.proof(form), made.statement.encode())
    assert recognise(made.proof(form)) is form and found.document["statement"] == made.statement.hash.hex()
    lines = text.told(found)
    assert [any(f"✓ {step} " in line for line in lines) for step in Step] == [
        form is Form.BUNDLE or step <= Step.INCLUSION for step in Step
    ]
    assert [f"not shown: {step.claim}" in "".join(lines) for step in Step] == [
        form is not Form.BUNDLE and step > Step.INCLUSION for step in Step
    ]
    with pytest.raises(ProofError, match="two truths: the statement in the file is not the one"):
        made.check(made.proof(form), made.other.encode())


@pytest.mark.parametrize("form", [Form.BUNDLE, Form.COSE, Form.TLOG])
def test_a_proof_that_was_cut_anywhere_is_refused(made: Made, form: Form) -> None:
    """At every byte, with a named error; the whole is taken."""
    data = made.proof(form)
    made.check(data)
    for end in range(len(data)):
        with pytest.raises(OutsideError):
            made.check(data[:end])


@pytest.mark.parametrize("form", [Form.COSE, Form.TLOG])
def test_no_byte_of_a_proof_may_be_another(made: Made, form: Form) -> None:
    """Each byte carries weight."""
    data = made.proof(form)
    for at in range(len(data)):
        spoiled = bytearray(data)
        spoiled[at] ^= 1
        with pytest.raises(OutsideError):
            made.check(bytes(spoiled))


# The commands


def test_the_commands_write_and_read_each_format(made: Made, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`prove --format` names its files, and `verify` reads each, in words and in JSON."""
    which = ["--statement", made.statement.hash.hex()]
    for form, output in (("cose", "a.cose"), ("tlog", "b"), ("tlog", "c.tlog-proof")):
        assert tallystick.run(["ledger", "prove", *which, "--format", form, "-o", output]) == 0
    files = {path.name for path in data.iterdir() if path.is_file()}
    assert files == {"a.cose", "b.tlog-proof", "b.statement", "c.tlog-proof", "c.statement"}
    capsys.readouterr()
    trust = ["--trust", str(made.world.folder.trust_file)]
    assert tallystick.run(["ledger", "verify", "b.tlog-proof", "--statement", "b.statement", *trust]) == 0
    assert "- 4  not shown: the block that holds it" in capsys.readouterr().out
    assert tallystick.run(["ledger", "verify", "a.cose", *trust, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and document["format"] == "cose" and document["steps_not_shown"] == [4, 5, 6, 7, 8, 9]
    Path("a.cose").write_bytes(replace(_receipt(made), signature=bytes(64)).encode())
    assert tallystick.run(["ledger", "verify", "a.cose", "--statement", "b.statement", *trust]) == 1
    told = capsys.readouterr()
    assert "✓ 1  the trust file pins the receipt's log" in told.out and "error: step 2 (the receipt is" in told.err
    Path("a.cose").write_bytes(made.statement.encode())
    assert tallystick.run(["ledger", "verify", "a.cose", *trust]) == 1
    assert "has 1 to 8 receipts" in capsys.readouterr().err


def test_a_receipt_is_made_only_where_the_logs_key_is(
    made: Made, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Elsewhere the error says why, and what needs no key; a wrong key is not used."""
    key = data / "ledger/keys/log-production.key"
    which = ["--statement", made.statement.hash.hex(), "-o", "proof"]
    key.unlink()
    assert tallystick.run(["ledger", "prove", *which, "--format", "cose"]) == 1
    told = capsys.readouterr().err
    assert "signed by the log's key, and that of 'production' is not here" in told and "--format tlog" in told
    assert tallystick.run(["ledger", "prove", *which, "--format", "tlog"]) == 0
    SigningKey.generate().save(key, "not the log's")
    assert tallystick.run(["ledger", "prove", *which, "--format", "cose"]) == 1
    assert "is not the key of 'example.com/tallystick/production'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "neither a proof bundle"),
        (b"<html>", "neither a proof bundle"),
        (b"\xd8\x1c\x81\xd8\x1d\x00", "neither a proof bundle"),  # a list that holds itself: tags 28 and 29
        (b"\xa8\x65chain\xd8\x1c\x81\xd8\x1d\x00", "semantic tag 2[89]"),
        (b"\xa2\x65chain\x61x\x65chain\x61y", "Duplicate map key: .chain."),
        (b"\xa1\x65chain" + b"\x81" * 100_000, "not plain CBOR"),
        (b"\xa1\x65chain\x9b" + b"\xff" * 8, "not plain CBOR"),
        (b"\xbf\x65chain\xff", "not plain CBOR"),
        (b"\xa5\x63uri\xd8\x1d\x00", "semantic tag 2[89]"),
        (b"\xd2\x84" + b"\xff" * 9, "COSE|CBOR"),
        (b"c2sp.org/tlog-proof@v2\n", "empty line"),
        (b"c2sp.org/tlog-proof@v2\nindex 0\n\nx", "begins with the line c2sp.org/tlog-proof@v1"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\n\xff\n\nx", "UTF-8"),
    ],
)
def test_what_is_no_proof_is_refused_by_name(
    content: bytes, complaint: str, made: Made, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cyclic, doubled, nested without end, of no length: an error with a hint, and no traceback."""
    Path("proof").write_bytes(content)
    assert tallystick.run(["ledger", "verify", "proof", "--trust", str(made.world.folder.trust_file)]) == 1
    told = capsys.readouterr().err
    assert re.search(complaint, told), told
    assert "tallystick: hint: 'tallystick ledger prove' writes a proof" in told


def test_a_file_of_a_gigabyte_is_not_read(made: Made, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No more of it than shows that it is too long, as FILE and as --statement."""
    with Path("large").open("wb") as file:
        file.truncate(2**30)
    Path("proof").write_bytes(made.proof(Form.TLOG))
    trust = ["--trust", str(made.world.folder.trust_file)]
    for arguments in (["large"], ["proof", "--statement", "large"]):
        assert tallystick.run(["ledger", "verify", *arguments, *trust]) == 1
        assert "large is over 4194304 bytes: no proof is" in capsys.readouterr().err
