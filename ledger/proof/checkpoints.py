"""The checkpoints that proofs rest on: each opened once, and of each log one truth."""

from ledger.checkpoint import Checkpoint
from ledger.errors import TrustError
from ledger.log import Log


class Checkpoints:
    """Opens the signed checkpoints of one bundle, or of several that shall tell one history."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], Checkpoint] = {}
        self._first: dict[str, Checkpoint] = {}

    def open(self, log: Log, text: str) -> Checkpoint:
        """As `log.open`; raises TrustError, too, if it contradicts a checkpoint of that log opened before."""
        opened = self._opened.get((log.origin, text))
        if opened is None:
            opened = log.open(text)
            require_one_truth(self._first.setdefault(log.origin, opened), opened)
            self._opened[log.origin, text] = opened
        return opened


def require_one_truth(first: Checkpoint, other: Checkpoint) -> None:
    """Raise TrustError if two checkpoints of one log are not of one tree."""
    if first.size != other.size:
        raise TrustError(
            f"two checkpoints of {first.origin!r}, of sizes {first.size} and {other.size}: "
            "nothing here shows that one tree begins with the other"
        )
    if first.root != other.root:
        raise TrustError(
            f"two truths: at size {first.size} one checkpoint of {first.origin!r} has the root {first.root.hex()}, "
            f"another {other.root.hex()}. The log has forked: keep this file, it is the evidence"
        )
