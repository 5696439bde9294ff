"""tlog-proof: the text that proves, with a log's signed checkpoint, that bytes are an entry of it (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <the statement, in base64>
    index 7
    <hashes of the inclusion proof in base64, from the leaf's sibling up, one a line>

    <the signed checkpoint, verbatim>

The entry is a statement's bytes, so that any tool that reads these texts checks the statement as a file beside the
proof. Ours also stands in the text: *extra* is for "additional data necessary to reconstruct the record hash". The
format authenticates nothing in there; hashed as the leaf it is.
"""

import re
from dataclasses import dataclass

from ledger import b64
from ledger.errors import MalformedError
from ledger.merkle import HASH_BYTES
from ledger.note import NOTE_BYTES_MAX
from ledger.proof.bundle import HASHES_MAX, Hashes
from ledger.statement import UINT63_MAX

HEADER = "c2sp.org/tlog-proof@v1"
EXTRA_BYTES_MAX = 256 * 1024
TLOG_PROOF_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Entry `index` of the tree that the signed note `checkpoint` names; `extra` is opaque, and empty if absent."""

    index: int
    path: Hashes
    checkpoint: str
    extra: bytes = b""

    @property
    def text(self) -> str:
        """The proof's text: what `parse` reads."""
        extra = [f"extra {b64.encode(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(b64.encode, self.path)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> "TlogProof":
        """Read a proof's text; any text gives a TlogProof or MalformedError. The checkpoint is its opener's to read."""
        if not isinstance(text, str) or len(text) > TLOG_PROOF_BYTES_MAX:
            raise MalformedError(f"a tlog-proof is text of at most {TLOG_PROOF_BYTES_MAX} bytes")
        head, empty, checkpoint = text.partition("\n\n")
        if not empty:
            raise MalformedError("a tlog-proof has an empty line before its checkpoint")
        header, *lines = head.split("\n")
        if header != HEADER:
            raise MalformedError(f"a tlog-proof begins with the line {HEADER}")
        extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else b""
        index = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if index is None or int(index[1]) > UINT63_MAX:
            raise MalformedError("a tlog-proof has a line 'index N', a decimal without leading zeros")
        if len(lines) > HASHES_MAX:
            raise MalformedError(f"a tlog-proof has at most {HASHES_MAX} hashes")
        return cls(int(index[1]), tuple(map(_hash, lines)), checkpoint, extra)


def _extra(line: str) -> bytes:
    data = b64.decode(line.removeprefix("extra "))
    if not 0 < len(data) <= EXTRA_BYTES_MAX:
        raise MalformedError(f"a tlog-proof's extra data is 1 to {EXTRA_BYTES_MAX} bytes")
    return data


def _hash(line: str) -> bytes:
    value = b64.decode(line)
    if len(value) != HASH_BYTES:
        raise MalformedError(f"a tlog-proof's hash has {HASH_BYTES} bytes")
    return value
