"""The audit of a chain's statements: encoding, key, signature, place in the stream, sections."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger import fold, merkle
from ledger.audit.report import Findings
from ledger.audit.rows import EntryRow, SectionRow
from ledger.errors import MalformedError, RegistryError, SignatureError
from ledger.fold import Stored
from ledger.frontier import Frontier
from ledger.registry import REGISTRY, Registry
from ledger.section import ContentFormat, Line, matching
from ledger.standing import require_standing
from ledger.statement import Statement, StreamKey

_NO_HASH = bytes(merkle.HASH_BYTES)


def leaf_of(row: EntryRow) -> bytes:
    """The leaf hash that an entry's bytes give; of one that was erased, the stored one."""
    if row.data is not None:
        return merkle.leaf_hash(row.data)
    return row.leaf_hash if len(row.leaf_hash) == merkle.HASH_BYTES else _NO_HASH


class RegistryStates:
    """The registry as headers name it: folded on, and never back, over its entries."""

    def __init__(self, entries: Iterator[EntryRow]) -> None:
        self.registry, self.root = Registry(), merkle.EMPTY_ROOT
        self._entries, self._frontier = entries, Frontier()

    @property
    def size(self) -> int:
        """How many entries are folded in."""
        return self._frontier.size

    def fold_to(self, size: int) -> None:
        """Go on to `size`, or as far as there are entries."""
        if size <= self.size:
            return
        for row in self._entries:
            fold.apply(self.registry, whole(row))
            self._frontier.append(leaf_of(row))
            self._frontier.take_full_tiles()
            if self.size == size:
                break
        self.root = self._frontier.root()


def whole(row: EntryRow) -> Stored:
    """An entry with those of its sections that are what its manifest names: nothing else counts."""
    data = row.data or b""
    try:
        statement = Statement.decode(data)
    except MalformedError:
        return Stored(row.index, data, {})
    lines = dict(enumerate(statement.manifest))
    matched = {s.line: s.data for s in row.sections if s.line in lines and _is_whole(statement, lines[s.line], s)}
    return Stored(row.index, data, {line: data for line, data in matched.items() if data is not None})


def _is_whole(statement: Statement, line: Line, section: SectionRow) -> bool:
    return matching(line, section.data, kid=statement.kid) is not None


@dataclass(frozen=True, slots=True)
class _Head:
    stream: bytes
    seq: int
    hash: bytes


@dataclass
class StatementEntries:
    """Checks a chain's statements in the order of the log."""

    chain: str
    origin: str
    findings: Findings
    heads: dict[tuple[bytes, int], _Head] = field(default_factory=dict)
    known: set[StreamKey] = field(default_factory=set)

    def entry(self, row: EntryRow, registry: Registry) -> None:
        """Check one, judged by `registry`."""
        statement = self._statement(row)
        fault = self._standing_fault(statement, registry) if statement else None
        # What nobody signed shall not move a stream: then the place is the one that was stored with it, if one was.
        self._link(row, statement if fault is None or row.statement_hash is None else None)
        if fault is not None:
            self.findings.wrong(fault, index=row.index)
        if statement is not None:
            self._sections(row, statement)

    def end(self) -> None:
        """Nothing is left to check."""

    def _statement(self, row: EntryRow) -> Statement | None:
        if row.data is None:
            self.findings.counts["withheld"] += 1
            return None
        try:
            statement = Statement.decode(row.data)
        except MalformedError as error:
            self.findings.wrong(f"it is no statement: {error}", index=row.index)
            return None
        said = (statement.stream_key, statement.tally.seq, len(statement.manifest))
        if row.statement_hash is not None and said != (row.stream, row.seq, row.lines):
            self.findings.wrong("its stream, seq or number of lines is stored otherwise than it says", index=row.index)
        return statement

    def _standing_fault(self, statement: Statement, registry: Registry) -> str | None:
        try:
            require_standing(statement, registry, chain=self.chain, origin=self.origin)
        except (RegistryError, SignatureError) as error:
            return str(error)
        self.findings.counts["signatures"] += 1
        return None

    def _link(self, row: EntryRow, statement: Statement | None) -> None:
        """Each stream from seq 0 on, link by link; opening one closes its lane's earlier stream for ever."""
        stream = statement.stream_key if statement else row.stream
        seq = statement.tally.seq if statement else row.seq
        if stream is None or seq is None:
            if row.statement_hash is not None:
                self.findings.wrong("it is in no stream", index=row.index)
            return
        fault = self._fault(stream, seq, statement.tally.prev if statement else None)
        if fault is not None:
            self.findings.wrong(f"stream {stream[2].hex()}: {fault}", index=row.index)
        if stream not in self.known:
            self.known.add(stream)
            self.findings.counts["streams"] += 1
            self._opening(row, statement)
        elif self.heads[stream[:2]].stream != stream[2]:
            return  # the open stream goes on from its own head
        self.heads[stream[:2]] = _Head(stream[2], seq, statement.hash if statement else row.statement_hash or _NO_HASH)

    def _opening(self, row: EntryRow, statement: Statement | None) -> None:
        """A stream opens with a section about itself. That is content, which the gateway does not judge."""
        if statement is None or self._is_genesis(row):
            return
        if not statement.manifest or statement.manifest[0].content_format != ContentFormat.STREAM:
            self.findings.note("it opens a stream and does not say why", index=row.index)

    def _is_genesis(self, row: EntryRow) -> bool:
        """Entry 0 of the registry: the one statement that no stream need explain."""
        return self.chain == REGISTRY and row.index == 0

    def _fault(self, stream: StreamKey, seq: int, prev: bytes | None) -> str | None:
        if stream not in self.known:
            return None if seq == 0 else f"it begins at seq {seq}"
        head = self.heads[stream[:2]]
        if head.stream != stream[2]:
            return f"it goes on with seq {seq} after stream {head.stream.hex()} has closed it"
        if seq != head.seq + 1:
            return f"seq {seq} follows seq {head.seq}"
        if prev is not None and prev != head.hash:
            return f"seq {seq} does not name seq {head.seq} as the one before"
        return None

    def _sections(self, row: EntryRow, statement: Statement) -> None:
        here = set[int]()
        for section in row.sections:
            here.add(section.line)
            self.findings.counts["sections"] += 1
            fault = self._section_fault(section, statement)
            if fault is not None:
                self.findings.wrong(f"section {section.line}: {fault}", index=row.index)
        self.findings.counts["lacking"] += len(set(range(len(statement.manifest))) - here)

    def _section_fault(self, section: SectionRow, statement: Statement) -> str | None:
        if not 0 <= section.line < len(statement.manifest):
            return "the manifest has no such line"
        line = statement.manifest[section.line]
        if (section.privacy, section.content_format) != (line.privacy, line.content_format):
            return "its privacy or content format is stored otherwise than the manifest says"
        if section.data is None:
            self.findings.counts["withheld"] += 1
            return None
        return None if _is_whole(statement, line, section) else "it is not the one that the manifest names"
