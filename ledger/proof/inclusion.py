"""Checking what shows a statement's place in its log, and no more: tlog-proofs and COSE receipts, offline.

Both show three of a bundle's nine steps. They carry no block, no anchor, no registry entry and no section: whose key
signed the statement, and whether it was good, is not in them.
"""

import enum
from dataclasses import dataclass
from typing import Any

from ledger import merkle
from ledger.checkpoint import Checkpoint
from ledger.errors import MalformedError, ProofError, TrustError
from ledger.log import Log
from ledger.proof.checkpoints import require_one_truth
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import EntryReceipt, Transparent, read_receipt
from ledger.proof.verify import InStep, Passed, Step, no_one
from ledger.receipt import Receipt
from ledger.registry import ANCHOR
from ledger.statement import Statement
from ledger.trust.trust_file import Trust

WORD = (
    "the operator's word alone, for its place in the log; that a registered key signed the statement, when it was "
    "sealed, and what it says, is not in this file: its bundle shows that"
)


class Form(enum.StrEnum):
    """The formats of a proof."""

    BUNDLE = "bundle"
    COSE = "cose"
    TLOG = "tlog"
    PRODUCT = "product"


CLAIMS: dict[Form, dict[Step, str]] = {
    Form.BUNDLE: {},
    Form.PRODUCT: {},
    Form.COSE: {
        Step.TRUST: "the trust file pins the receipt's log",
        Step.CHECKPOINT: "the receipt is signed by its log, over the root that the statement's path leads to",
        Step.INCLUSION: "so the statement is in the tree of the size that the receipt names",
    },
    Form.TLOG: {
        Step.TRUST: "the trust file pins the checkpoint's log",
        Step.CHECKPOINT: "the log's checkpoint is signed by its log",
    },
}
"""What a format's steps show, where it is not what a bundle's do."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A statement that is entry `index` of the `chain` whose tree had `size` entries; of itself it says the rest."""

    form: Form
    chain: str
    origin: str
    index: int
    size: int
    statement: Statement

    @property
    def word(self) -> str:
        """Whose word it is, and what this is no proof of."""
        return WORD

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON holds it; bytes are in hexadecimal. What `claimed` holds was not checked."""
        statement, tally = self.statement, self.statement.tally
        return {
            "chain": self.chain,
            "origin": self.origin,
            "index": self.index,
            "checkpoint_size": self.size,
            "statement": statement.hash.hex(),
            "claimed": {
                "urn": statement.subject,
                "issuer": statement.issuer,
                "key": statement.kid.hex(),
                "issued_at": statement.issued_at,
                "lane": tally.lane,
                "stream": tally.stream.hex(),
                "seq": tally.seq,
            },
            "steps": [int(step) for step in SHOWN],
            "steps_not_shown": [int(step) for step in Step if step not in SHOWN],
            "word": self.word,
        }


SHOWN = (Step.TRUST, Step.CHECKPOINT, Step.INCLUSION)


def verify_tlog_proof(
    proof: TlogProof, trust: Trust, *, statement: bytes | None = None, passed: Passed = no_one
) -> Inclusion:
    """Check that `statement`, or what the proof's extra data holds, is the entry; raises an OutsideError.

    If both are there they must be the same.
    """
    claims = CLAIMS[Form.TLOG]
    with InStep(Step.TRUST, passed, claims[Step.TRUST]):
        log = _log(trust, proof.checkpoint.partition("\n")[0])
    with InStep(Step.CHECKPOINT, passed, claims[Step.CHECKPOINT]):
        checkpoint = log.open(proof.checkpoint)
    with InStep(Step.INCLUSION, passed):
        entry = _one_statement(statement, proof.extra or None)
        leaf = merkle.leaf_hash(entry)
        merkle.verify_inclusion(proof.path, leaf=leaf, index=proof.index, size=checkpoint.size, root=checkpoint.root)
        return _inclusion(Form.TLOG, log, proof.index, checkpoint.size, entry)


def verify_transparent(transparent: Transparent, trust: Trust, *, passed: Passed = no_one) -> Inclusion:
    """Check every receipt of a transparent statement; raises an OutsideError. They must tell one truth of one log."""
    claims, entry = CLAIMS[Form.COSE], transparent.statement
    with InStep(Step.TRUST, passed, claims[Step.TRUST]):
        receipts = [read_receipt(receipt) for receipt in transparent.receipts]
        log = _log(trust, receipts[0].origin)
    with InStep(Step.CHECKPOINT, passed, claims[Step.CHECKPOINT]):
        roots = {_signed_root(receipt, log, entry) for receipt in receipts}
        for size in {receipt.size for receipt in receipts}:
            _require_one_root([Checkpoint(log.origin, *root) for root in roots if root[0] == size])
    with InStep(Step.INCLUSION, passed, claims[Step.INCLUSION]):
        newest = max(receipts, key=lambda receipt: receipt.size)
        found = _inclusion(Form.COSE, log, newest.index, newest.size, entry)
        for receipt in receipts:
            _require_about(receipt, found)
    return found


def with_receipt(receipt: bytes, statement: bytes | None) -> Transparent:
    """A receipt that came alone, put to its statement; raises MalformedError."""
    if statement is None:
        raise MalformedError("a receipt alone does not say of what: name the statement's file with --statement")
    return Transparent(statement, (receipt,))


def _log(trust: Trust, origin: str) -> Log:
    log = trust.log_of(origin)
    if log.chain == ANCHOR:
        raise TrustError("the anchor holds no statements")
    return log


def require_same(carried: bytes, given: bytes | None) -> None:
    """Raise ProofError if a statement came by two ways and is not the same."""
    if given is not None and given != carried:
        raise ProofError("two truths: the statement in the file is not the one that was given beside it")


def _one_statement(given: bytes | None, carried: bytes | None) -> bytes:
    if carried is None:
        if given is None:
            raise ProofError("the statement is not in the proof: name its file with --statement")
        return given
    require_same(carried, given)
    return carried


def _signed_root(receipt: EntryReceipt | Receipt, log: Log, entry: bytes) -> tuple[int, bytes]:
    """Size and root that the log signed for, with the entry proven in it."""
    if receipt.origin != log.origin:
        raise TrustError(f"a receipt is of {receipt.origin!r}, another of {log.origin!r}")
    key = log.key(receipt.log_kid, receipt.size)
    return receipt.size, receipt.verify(key.public_key, leaf=merkle.leaf_hash(entry))


def _require_one_root(said: list[Checkpoint]) -> None:
    for other in said[1:]:
        require_one_truth(said[0], other)


def _require_about(receipt: EntryReceipt | Receipt, found: Inclusion) -> None:
    """What else the log signed for in a receipt is the statement's, and one place is."""
    statement = found.statement
    if (receipt.statement_hash, receipt.subject, receipt.index) != (statement.hash, statement.subject, found.index):
        raise ProofError("a receipt names another statement, subject or index")


def _inclusion(form: Form, log: Log, index: int, size: int, entry: bytes) -> Inclusion:
    statement = Statement.decode(entry)
    if statement.audience != log.origin:
        raise TrustError(f"the statement is addressed to {statement.audience!r}, not to {log.origin!r}")
    return Inclusion(form, log.chain, log.origin, index, size, statement)
