"""A device's half of the record: what it has signed, and what was proven to it, judged as the edge agent judges.

No socket and no clock: bytes come in, and what is wrong is kept as a complaint. It remembers every receipt and every
checkpoint that it ever got, so that they can be held against the ledger afterwards.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge import confirm
from edge.confirm import Ahead, Behind, Ignored, Link, NoStream, Proven
from ledger import merkle
from ledger.author import Content, compose
from ledger.birth import NONCE_BYTES, Birth
from ledger.checkpoint import Checkpoint
from ledger.log import Log
from ledger.receipt import Answer, Receipt
from ledger.statement import TELEMETRY, Statement
from ledger.topic import Topic
from tests.world import Device, opening

READINGS = 3  # in a pack


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt that a device has checked: the ledger's word that `hash` is entry `index` of its tree of `size`."""

    seq: int
    hash: bytes
    index: int
    size: int
    root: bytes


@dataclass
class Half:
    """One device on the telemetry lane of one chain, in one stream."""

    device: Device
    log: Log
    said: list[Statement] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    held: dict[int, bytes] = field(default_factory=dict)  # by seq: messages not yet proven whole
    proven: set[int] = field(default_factory=set)
    receipts: list[Kept] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    nonce: bytes = b""
    size: int = 0  # the tree size of the newest receipt
    _asked_from: int | None = None  # what our birth asked for, once something was proven
    _asked_size: int = 0  # the tree size that we knew then

    @property
    def topic(self) -> Topic:
        """Where it speaks."""
        return Topic(self.log.chain, self.device.name)

    def sign(self, *, now: int) -> bytes:
        """Sign the next statement; the first opens the stream. Returns its message. `now` is in seconds."""
        tally = self.device.next_tally(self.log.chain, TELEMETRY)
        statement, payload = compose(
            self.device.author, origin=self.log.origin, tally=tally, contents=[self._content(tally.seq, now)], now=now
        )
        self.device.heads[self.log.chain, TELEMETRY] = statement
        self.said.append(statement)
        self.leaves.append(merkle.leaf_hash(statement.encode()))
        self.held[tally.seq] = payload
        return payload

    def _content(self, seq: int, now: int) -> Content:
        values = [seq + part / READINGS for part in range(READINGS)]
        return self.device.readings(*values, time=float(now)) if seq else opening()

    def announce(self) -> bytes:
        """The birth with which it asks for what the ledger has of it."""
        self.nonce = os.urandom(NONCE_BYTES)
        self._asked_size = self.size
        self._asked_from = min(self.held, default=len(self.said)) if self.proven else None
        heads = {TELEMETRY: (self.said[0].tally.stream, min(self.held, default=0))} if self.said else {}
        return Birth(self.device.key.kid, self.nonce, heads).encode()

    def take(self, topic: str, payload: bytes) -> bool:
        """Judge what came; whether it proved anything new."""
        if topic != self.topic.receipt(TELEMETRY):
            return self._refused(payload)
        verdict = confirm.judge(payload, lane=TELEMETRY, device=self._as_device, view=self)
        match verdict:
            case Proven():
                self._keep(payload)
                self._on_answer(verdict.nonce, self.receipts[-1])
                return self._proven(verdict)
            case NoStream(nonce) if nonce == self.nonce and self._asked_from is not None:
                self.complaints.append(f"{self.device.name}: the ledger says that it has no stream of ours")
            case Ahead():
                self.complaints.append(f"{self.device.name}: the ledger has seq {verdict.seq} that we never signed")
            case Behind():
                self._keep(payload)  # it holds: a history that it tells must be ours too
                self._on_answer(Answer.decode(payload).nonce, self.receipts[-1])
            case Ignored(flaw, detail):
                self.complaints.append(f"{self.device.name}: an answer that does not hold: {flaw}: {detail}")
        return False

    @property
    def _as_device(self) -> confirm.Device:
        return confirm.Device(self.device.key.kid, self.device.urn, self.log, bytes(32))

    def _refused(self, payload: bytes) -> bool:
        refusal = confirm.judge_refusal(payload, lane=TELEMETRY, device=self._as_device)
        what = refusal.detail if isinstance(refusal, Ignored) else f"seq {refusal.seq} is refused: {refusal.reason}"
        self.complaints.append(f"{self.device.name}: {what}")
        return False

    def _keep(self, payload: bytes) -> None:
        answer = Answer.decode(payload)
        receipt = Receipt.decode(answer.receipt or b"")
        root = Checkpoint.parse((answer.checkpoint or "").rpartition("\n\n")[0] + "\n").root
        self.receipts.append(Kept(receipt.seq, receipt.statement_hash, receipt.index, receipt.size, root))

    def _on_answer(self, nonce: bytes | None, kept: Kept) -> None:
        """What answers our birth was said after we asked: the ledger may not have forgotten what it had proven."""
        if nonce == self.nonce and (kept.seq + 1 < (self._asked_from or 0) or kept.size < self._asked_size):
            self.complaints.append(f"{self.device.name}: the ledger has forgotten from seq {kept.seq + 1} on")

    def _proven(self, verdict: Proven) -> bool:
        lacking = {seq for seq, _ in verdict.lacking}
        new = {seq for first, count in verdict.ranges for seq in range(first, first + count)} - self.proven
        self.size = max(self.size, verdict.size)
        self.proven |= new
        for first, count in verdict.ranges:
            for seq in range(first, first + count):
                if seq not in lacking:
                    self.held.pop(seq, None)
        return bool(new)

    # As edge.confirm.View

    def next_seq(self, lane: int, stream: bytes) -> int | None:
        """The seq of the next statement, if this is our stream."""
        return len(self.said) if self.said and self.said[0].tally.stream == stream else None

    def receipt_size(self, stream: bytes) -> int:
        """The tree size of the newest receipt."""
        return self.size

    def links(self, stream: bytes, first: int, count: int) -> Mapping[int, Link]:
        """Our statements: a device that forgets none."""
        seqs = range(max(0, first), min(len(self.said), first + count))
        return {seq: Link(self.said[seq].hash, self.leaves[seq], seq in self.held) for seq in seqs}
