"""Judging what the gateway says: exactly which statements an answer proves, or why it is ignored.

Pure: it reads what the spool knows through a narrow view, and changes nothing. Nothing is deleted from the spool but
by a verdict of this module.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ledger import cose, merkle
from ledger.errors import CheckpointError, MalformedError, NoteError, ProofError, SignatureError, TrustError
from ledger.log import Log, Signed
from ledger.receipt import Answer, Range, Receipt
from ledger.refusal import Refusal
from ledger.trust import succession

RANGE_MAX = 10_000  # statements; a block holds at most 1,000


class Flaw(enum.StrEnum):
    """Why an answer is ignored; also the label under which it is counted."""

    MALFORMED = "malformed"
    LOG_KEY = "other-log-key"
    ORIGIN = "other-origin"
    KID = "other-kid"
    SUBJECT = "other-subject"
    LANE = "other-lane"
    CHECKPOINT = "checkpoint"
    SIZE = "size"
    ROOT = "root"
    SIGNATURE = "signature"
    PROOF = "inclusion-proof"
    RANGE = "range-proof"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Link:
    """What the spool remembers of one of its statements.

    `is_held`: it is not proven yet, or a section of it still waits.
    """

    hash: bytes
    leaf: bytes
    is_held: bool


class View(Protocol):
    """What the spool knows of its streams."""

    def next_seq(self, lane: int, stream: bytes) -> int | None:
        """The seq that the stream's next statement would have; None if it is no stream of this lane of ours."""

    def receipt_size(self, stream: bytes) -> int:
        """The tree size of the newest receipt that counted for the stream; 0 if there was none."""

    def links(self, stream: bytes, first: int, count: int) -> Mapping[int, Link]:
        """What is remembered of the `count` statements from `first` on, by seq."""


@dataclass(frozen=True, slots=True)
class Device:
    """Who asks: the device's kid and URN, the log that it trusts for its chain, and the ledger's pinned genesis.

    `root` is what the device has learnt that root keys have said: from the genesis on, they name the log's newer keys.
    """

    kid: bytes
    subject: str
    log: Log
    genesis: bytes
    root: tuple[bytes, ...] = ()

    def learning(self, messages: Sequence[bytes]) -> "Device":
        """The same, with the log's keys that follow from these messages, if they say more; raises TrustError.

        Whatever comes, from whomever: it is read from the pinned genesis on, by the root key that this names.
        """
        found = succession.logs(succession.follow(self.genesis, messages).chains)
        if self.log.chain not in found:
            raise TrustError(f"the ledger has no log {self.log.chain!r}")
        chain = self.log.chain
        log = succession.merged({chain: self.log}, {chain: found[chain]})[chain]
        return self if len(messages) <= len(self.root) else replace(self, log=log, root=tuple(messages))


@dataclass(frozen=True, slots=True)
class Proven:
    """The log holds our statements of `stream` in `ranges` (first seq, count), by its tree of `size`.

    Of these, all sections are there but those that `lacking` lists as (seq, line). `seq` is the stream's newest in
    the ledger. `has_unknown_key`: the log seems to have a key that this device has not heard of.
    """

    stream: bytes
    seq: int
    size: int
    ranges: tuple[tuple[int, int], ...]
    lacking: frozenset[tuple[int, int]]
    nonce: bytes | None
    has_unknown_key: bool = False


@dataclass(frozen=True, slots=True)
class Ahead:
    """The log has signed for what this spool does not have: another stream, a later seq, or another hash.

    Then the key was used elsewhere, or the spool is an older copy. What is proven of ours nonetheless is in `proven`.
    """

    stream: bytes
    seq: int
    hash: bytes
    is_ours: bool
    proven: Proven
    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class Behind:
    """The log has signed, by its tree of `size`, that `seq` was the newest of our `stream`: less than we know by now.

    Whether that is an old word, or the log has forgotten what it had proven, depends on when it was said.
    """

    stream: bytes
    seq: int
    size: int
    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class NoStream:
    """The lane has no stream in the ledger. Nobody signs this: it may let a device go on, but proves nothing."""

    nonce: bytes | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """The answer does not count."""

    flaw: Flaw
    detail: str


Verdict = Proven | Ahead | Behind | NoStream | Ignored


class _Flawed(Exception):
    def __init__(self, flaw: Flaw, detail: object) -> None:
        super().__init__(str(detail))
        self.flaw = flaw


def learn(data: bytes, device: Device) -> Device:
    """The device once it has learnt what the answer `data` says of its log's keys, if it says anything new.

    Raises TrustError if that is false. What cannot be read teaches nothing: `judge` says so.
    """
    try:
        messages = Answer.decode(data).root
    except MalformedError:
        return device
    return device if messages in ((), device.root) else device.learning(messages)


def judge(data: bytes, *, lane: int, device: Device, view: View) -> Verdict:
    """Judge the answer that came as `data` on a lane's receipt topic. Any bytes give a Verdict."""
    try:
        return _judge(data, lane, device, view)
    except _Flawed as flawed:
        return Ignored(flawed.flaw, str(flawed))


def _judge(data: bytes, lane: int, device: Device, view: View) -> Verdict:
    # (1) The answer and its receipt can be read.
    try:
        answer = Answer.decode(data)
        if answer.receipt is None:
            return NoStream(answer.nonce)
        receipt = Receipt.decode(answer.receipt)
    except MalformedError as error:
        raise _Flawed(Flaw.MALFORMED, error) from error
    # (2) It is the pinned log's, by a key that holds its size, for this device and lane.
    _require_names(receipt, lane, device)
    key = _log_key(receipt, device.log)
    # (3) Its checkpoint is signed by the pinned log, for this origin and size.
    signed = _open_checkpoint(answer, receipt, device.log)
    # (4) Is it about what we have? Else its signature over the checkpoint's root is all that can be checked.
    next_seq = view.next_seq(lane, receipt.stream)
    ours = view.links(receipt.stream, receipt.seq, 1).get(receipt.seq)
    if next_seq is None or receipt.seq >= next_seq or (ours and ours.hash != receipt.statement_hash):
        return _judge_ahead(answer, receipt, signed, key, view, is_ours=next_seq is not None)
    behind = Behind(receipt.stream, receipt.seq, receipt.size, answer.nonce)
    if ours is None:  # it was proven long ago
        _require_signed(answer, signed, key)
        return behind
    # (5) The receipt's signature holds, over the root that our own leaf hash leads to.
    _require_included(receipt, ours.leaf, signed.checkpoint.root, key)
    # (6) It is not older than what we know.
    if receipt.size < view.receipt_size(receipt.stream):
        return behind
    # (7) The range proofs hold for the leaf hashes of our own statements.
    return _proven(answer, receipt, signed, view)


def _require_names(receipt: Receipt, lane: int, device: Device) -> None:
    for flaw, given, wanted in (
        (Flaw.ORIGIN, receipt.origin, device.log.origin),
        (Flaw.KID, receipt.kid, device.kid),
        (Flaw.SUBJECT, receipt.subject, device.subject),
        (Flaw.LANE, receipt.lane, lane),
    ):
        if given != wanted:
            raise _Flawed(flaw, f"a receipt for {given!r}, not {wanted!r}")


def _log_key(receipt: Receipt, log: Log) -> bytes:
    try:
        return log.key(receipt.log_kid, receipt.size).public_key
    except TrustError as error:
        raise _Flawed(Flaw.LOG_KEY, error) from error


def _open_checkpoint(answer: Answer, receipt: Receipt, log: Log) -> Signed:
    try:
        signed = log.open_signed(answer.checkpoint or "")
    except (NoteError, CheckpointError, TrustError) as error:
        raise _Flawed(Flaw.CHECKPOINT, error) from error
    if signed.checkpoint.size != receipt.size:
        detail = f"a receipt for size {receipt.size}, with the checkpoint of {signed.checkpoint.size}"
        raise _Flawed(Flaw.SIZE, detail)
    return signed


def _require_included(receipt: Receipt, leaf: bytes, root: bytes, key: bytes) -> None:
    try:
        if receipt.verify(key, leaf=leaf) != root:
            raise _Flawed(Flaw.ROOT, "the receipt and the checkpoint have different roots")
    except SignatureError as error:
        raise _Flawed(Flaw.SIGNATURE, error) from error
    except ProofError as error:
        raise _Flawed(Flaw.PROOF, error) from error


def _judge_ahead(answer: Answer, receipt: Receipt, signed: Signed, key: bytes, view: View, *, is_ours: bool) -> Ahead:
    _require_signed(answer, signed, key)
    proven = _proven(answer, receipt, signed, view, is_ahead=True)
    return Ahead(receipt.stream, receipt.seq, receipt.statement_hash, is_ours, proven, answer.nonce)


def _require_signed(answer: Answer, signed: Signed, key: bytes) -> None:
    """Raise unless the receipt is signed over the root: all that can be checked of what is not ours, or not here."""
    try:
        cose.Sign1.decode(answer.receipt or b"").verify(key, detached=signed.checkpoint.root)
    except (MalformedError, SignatureError) as error:
        raise _Flawed(Flaw.SIGNATURE, error) from error


def _proven(answer: Answer, receipt: Receipt, signed: Signed, view: View, *, is_ahead: bool = False) -> Proven:
    """What the ranges prove. One that fails spoils the answer, unless the ledger has other statements than we."""
    ranges, root = [], signed.checkpoint.root
    for item in _ranges(answer, receipt):
        try:
            if _is_proven(item, receipt.stream, size=receipt.size, root=root, view=view):
                ranges.append((item.first_seq, item.count))
        except ProofError as error:
            if not is_ahead:
                raise _Flawed(Flaw.RANGE, error) from error
    lacking = frozenset(receipt.lacking)
    return Proven(receipt.stream, receipt.seq, receipt.size, tuple(ranges), lacking, answer.nonce, signed.has_unknown)


def _ranges(answer: Answer, receipt: Receipt) -> Iterator[Range]:
    """The newest block's range, which ends at the receipt's own statement, and the earlier ones.

    Only those of which the receipt says what is lacking: ranges themselves are not signed.
    """
    assert answer.first_index is not None
    count = receipt.index - answer.first_index + 1
    newest = Range(receipt.seq - count + 1, answer.first_index, count, answer.hashes)
    for item in (newest, *answer.earlier):
        if (
            not 1 <= item.count <= RANGE_MAX
            or min(item.first_seq, item.first_index) < 0
            or item.first_seq + item.count > receipt.seq + 1
        ):
            raise _Flawed(Flaw.RANGE, f"a range of {item.count} from seq {item.first_seq}, index {item.first_index}")
        if receipt.covers[0] <= item.first_seq and item.first_seq + item.count - 1 <= receipt.covers[1]:
            yield item


def _is_proven(item: Range, stream: bytes, *, size: int, root: bytes, view: View) -> bool:
    """Whether the range proves something: all of it must be ours, and some of it wait. Raises ProofError."""
    links = view.links(stream, item.first_seq, item.count)
    if len(links) != item.count or not any(link.is_held for link in links.values()):
        return False
    leaves = [links[seq].leaf for seq in range(item.first_seq, item.first_seq + item.count)]
    merkle.verify_range(list(item.hashes), leaves=leaves, first=item.first_index, size=size, root=root)
    return True


def judge_refusal(data: bytes, *, lane: int, device: Device) -> Refusal | Ignored:
    """Judge the refusal that came as `data` on a lane's topic. Whether we wait for its statement, the spool says."""
    try:
        refusal = Refusal.open_of(data, device.log)
    except MalformedError as error:
        return Ignored(Flaw.MALFORMED, str(error))
    except TrustError as error:
        return Ignored(Flaw.LOG_KEY, str(error))
    except SignatureError as error:
        return Ignored(Flaw.SIGNATURE, str(error))
    for flaw, given, wanted in (
        (Flaw.ORIGIN, refusal.audience, device.log.origin),
        (Flaw.KID, refusal.kid, device.kid),
        (Flaw.LANE, refusal.lane, lane),
    ):
        if given != wanted:
            return Ignored(flaw, f"a refusal for {given!r}, not {wanted!r}")
    return refusal
