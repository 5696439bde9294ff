"""What a verified bundle says: who said what to which chain, when it was sealed, and whose word all this is."""

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ledger import epcis, registry, senml, stream
from ledger.errors import MalformedError
from ledger.registry import Role, Status
from ledger.section import ContentFormat, Privacy
from ledger.statement import Statement

OPERATOR_WORD = "the operator's word alone: no witness has cosigned the anchor"
NOT_ANCHORED = (
    "the block is not in the anchor yet: nobody has signed for its time, nor for the registry state that it names"
)
FOR_AN_AUDIT = "that no registry entry was left out, such as a revocation, is for an audit to see"

Said = tuple[senml.Reading, ...] | epcis.Event | stream.Opening | stream.Evicted | stream.RefusedBytes | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """A manifest's line and what its section says.

    `body` is None if the section was not shown to us. `said` is None if it was not, if its content format is not
    read here, or if it cannot be read: then `fault` says why.
    """

    line: int
    privacy: Privacy
    content_format: int
    body: bytes | None
    said: Said | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A statement that is in the ledger. `issued_at` (s) is its device's claim, `block_time_ms` its chain's.

    `key_status` and `organisation` are the registry's in the state by which the block was judged;
    `anchored` says whether the block's header is in the anchor. `word` says whose word it all is.
    """

    chain: str
    index: int
    statement: Statement
    device: str
    role: Role
    organisation: str
    key_status: Status
    sections: tuple[Shown, ...]
    height: int
    block_time_ms: int
    anchored: bool
    registry_size: int
    checkpoint_size: int

    @property
    def urn(self) -> str:
        """The device's assigned name."""
        return self.statement.subject

    @property
    def issued_at(self) -> int:
        """When the device says it signed, in seconds since 1970."""
        return self.statement.issued_at

    @property
    def word(self) -> str:
        """Whose word it is."""
        return "; ".join([OPERATOR_WORD, *([] if self.anchored else [NOT_ANCHORED]), FOR_AN_AUDIT])

    @property
    def document(self) -> dict[str, Any]:
        """The verdict as JSON holds it; bytes are in hexadecimal."""
        tally = self.statement.tally
        return {
            "chain": self.chain,
            "index": self.index,
            "statement": self.statement.hash.hex(),
            "device": self.device,
            "urn": self.urn,
            "role": str(self.role),
            "issuer": self.statement.issuer,
            "organisation": self.organisation,
            "key": self.statement.kid.hex(),
            "key_status": str(self.key_status),
            "issued_at": self.issued_at,
            "clock": tally.clock,
            "lane": tally.lane,
            "stream": tally.stream.hex(),
            "seq": tally.seq,
            "sections": [_section_document(section) for section in self.sections],
            "height": self.height,
            "block_time_ms": self.block_time_ms,
            "anchored": self.anchored,
            "registry_size": self.registry_size,
            "checkpoint_size": self.checkpoint_size,
            "word": self.word,
        }


def show(statement: Statement, line: int, body: bytes | None) -> Shown:
    """Read the body of section `line`. What cannot be read is shown with its fault: content is no proof's matter."""
    of = statement.manifest[line]
    if body is None:
        return Shown(line, of.privacy, of.content_format, None)
    try:
        said = _read(statement, of.content_format, body)
    except MalformedError as error:
        return Shown(line, of.privacy, of.content_format, body, fault=str(error))
    return Shown(line, of.privacy, of.content_format, body, said)


def _read(statement: Statement, content_format: int, body: bytes) -> Said | None:
    match content_format:
        case ContentFormat.SENML_CBOR:
            pack = senml.decode(body, now=float(statement.issued_at))
            base = f"{statement.subject}:"
            if not all(reading.name.startswith(base) and reading.name != base for reading in pack):
                raise MalformedError("a pack names readings of another device, or of none")
            return pack
        case ContentFormat.EPCIS:
            return epcis.decode(body)
        case ContentFormat.STREAM:
            return stream.decode(body)
        case ContentFormat.REGISTRY:
            return registry.decode(body)
    return None


def _section_document(section: Shown) -> dict[str, Any]:
    document: dict[str, Any] = {
        "line": section.line,
        "privacy": section.privacy.name.lower(),
        "content_format": section.content_format,
        "shown": section.body is not None,
    }
    if section.said is not None:
        said = section.said
        document["said"] = _plain(said.document if isinstance(said, epcis.Event) else said)
    elif section.fault is not None:
        document["fault"] = section.fault
    elif section.body is not None:
        document["body"] = section.body.hex()
    return document


def _plain(value: Any) -> Any:
    """The same, of what JSON knows: bytes and numbers that are not finite become text."""
    if isinstance(value, senml.Reading):
        return _plain(value._asdict())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
