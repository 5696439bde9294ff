"""Claims that are not ours alone: scitt-cose, an implementation by others, says the same of what we sign.

Of its words: a *signed statement* is our statement; a receipt's *leaf entry* is the statement's bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import scitt_cose
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deploy.postgres import Postgres
from ledger import merkle
from ledger.cose import Sign1
from ledger.keys import SigningKey
from ledger.proof import proving
from ledger.proof.inclusion import Form
from ledger.proof.transparent import Transparent
from ledger.receipt import Answer, Receipt
from ledger.statement import CONTENT_TYPE, Statement
from tests.world import Device, World, event


def pem(public_key: bytes) -> bytes:
    """A public key as scitt-cose takes it."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger of some blocks, a device, its newest statement of each lane, and the gateway's answers for them."""

    world: World
    press: Device
    statements: tuple[Statement, ...]
    receipts: tuple[bytes, ...]

    @property
    def log_pem(self) -> bytes:
        """The public key of the production log."""
        return pem(self.world.trust.log("production").public_key)

    def transparent(self, statement: Statement) -> bytes:
        """What `ledger prove --format cose` writes."""
        asked = statement.hash.hex()
        return proving.make(
            self.world.dsn, self.world.folder, self.world.trust, form=Form.COSE, statement_hash=asked
        ).proof


@pytest.fixture(scope="module")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One ledger for all tests here: none of them changes it."""
    dsn = postgres_server.create_database("test_scitt_cose")
    with World(dsn, tmp_path_factory.mktemp("scitt") / "ledger") as world:
        press = world.register_device("press-1")
        for number in range(30):
            world.publish(press, press.readings(20.0 + number))
        world.tick()
        statements = world.publish(press, event("urn:x:y")), world.publish(press, press.readings(1.0))
        answers = [Answer.decode(p.payload) for p in world.tick() if "/receipt/" in p.topic]
        receipts = [answer.receipt for answer in answers if answer.receipt is not None]
        by_lane = sorted(receipts, key=lambda receipt: Receipt.decode(receipt).lane)
        yield Made(world, press, statements, tuple(by_lane))
    postgres_server.drop_database("test_scitt_cose")


def test_scitt_cose_verifies_our_statements(made: Made) -> None:
    """As SCITT signed statements: signature, issuer, subject, content type, claims and payload."""
    for statement in made.statements:
        told = scitt_cose.parse_signed_statement(statement.encode(), public_key_pem=pem(made.press.key.public))
        assert told["signature_verified"] is True
        assert (told["issuer"], told["subject"]) == (made.press.organisation, made.press.urn)
        assert (told["content_type"], told["alg"]) == (CONTENT_TYPE, "EdDSA")
        assert told["claims"][3] == made.world.trust.log("production").origin
        assert told["payload"] == Sign1.decode(statement.encode()).payload


def test_scitt_cose_refuses_what_we_refuse(made: Made) -> None:
    """Another key, and any bit of a statement."""
    statement, key = made.statements[0].encode(), pem(made.press.key.public)
    told = scitt_cose.parse_signed_statement(statement, public_key_pem=pem(SigningKey.generate().public))
    assert told["signature_verified"] is False
    for at in range(len(statement)):
        spoiled = bytearray(statement)
        spoiled[at] ^= 1
        told = scitt_cose.parse_signed_statement(bytes(spoiled), public_key_pem=key)
        assert told["signature_verified"] is False


def test_scitt_cose_verifies_the_receipts_that_devices_get(made: Made) -> None:
    """As COSE Receipts: the root, size and index that we see, the log as issuer and the device as subject."""
    assert len(made.receipts) == 2
    for statement, data in zip(made.statements, made.receipts, strict=True):
        receipt = Receipt.decode(data)
        told = scitt_cose.verify_receipt(data, leaf_entry_hex=statement.encode().hex(), log_public_key_pem=made.log_pem)
        assert told.ok and told.failed_at is None, told.errors
        leaf = merkle.leaf_hash(statement.encode())
        assert told.root == receipt.verify(made.world.trust.log("production").public_key, leaf=leaf).hex()
        assert (told.tree_size, told.leaf_index) == (receipt.size, receipt.index)
        assert (told.issuer, told.subject) == (receipt.origin, made.press.urn)


def test_scitt_cose_verifies_our_transparent_statements(made: Made) -> None:
    """It finds the receipts, verifies the statement with them on it, and each receipt of the statement without."""
    for statement in made.statements:
        transparent = made.transparent(statement)
        told = scitt_cose.parse_signed_statement(transparent, public_key_pem=pem(made.press.key.public))
        assert told["signature_verified"] is True
        [receipt] = scitt_cose.extract_receipts(transparent)
        assert (receipt,) == Transparent.decode(transparent).receipts
        verified = scitt_cose.verify_receipt(
            receipt, leaf_entry_hex=statement.encode().hex(), log_public_key_pem=made.log_pem
        )
        assert verified.ok, verified.errors
        assert verified.protected_header_ext["tally-p"] == [1, verified.tree_size, statement.hash]
        # What it attaches is what we attach.
        assert scitt_cose.attach_receipts(statement.encode(), [receipt]) == transparent


def test_scitt_cose_refuses_receipts_that_we_refuse(made: Made) -> None:
    """Of another statement, by another key, or with any bit of it another."""
    statement, receipt = made.statements[0].encode(), made.receipts[0]

    def holds(data: bytes, leaf: bytes, key: bytes) -> bool:
        return bool(scitt_cose.verify_receipt(data, leaf_entry_hex=leaf.hex(), log_public_key_pem=key).ok)

    assert holds(receipt, statement, made.log_pem)
    assert not holds(receipt, made.statements[1].encode(), made.log_pem)
    assert not holds(receipt, statement, pem(SigningKey.generate().public))
    for at in range(len(receipt)):
        spoiled = bytearray(receipt)
        spoiled[at] ^= 1
        assert not holds(bytes(spoiled), statement, made.log_pem)
