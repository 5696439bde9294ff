"""Examining a range of entries: bytes, encoding, key, signature, sections, and the links within the range.

This is what runs on every core. Of an honest entry each step is done at the least cost that it has (`glance`, what a
speaker may say remembered from the entry before); whatever is not as usual takes the longer way to its words.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from itertools import islice

from ledger import ed25519, stream
from ledger.audit.content import leaf_of
from ledger.audit.glance import Glance, Glances
from ledger.audit.histories import Shredded, Voices
from ledger.audit.piece import BYTES, ENCODING, LINK, SECTION, VOICE, Fault, Job, Piece, Run, Signed
from ledger.audit.rows import EntryRow
from ledger.audit.standings import NOBODY, May, Standings
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError, MalformedError, NoteError, SignatureError, TrustError
from ledger.log import Log
from ledger.published.content import Shown
from ledger.registry import REGISTRY
from ledger.section import ContentFormat, Line, Section, is_named

_STREAM = int(ContentFormat.STREAM)
CHUNK = 256  # entries whose signatures are checked at one stroke


class Examiner:
    """Examines ranges, one after the other; what it remembers of one helps with the next."""

    def __init__(self, voices: Voices, *, is_whole: bool) -> None:
        self._shredded, self._is_whole = voices.shredded, is_whole
        self._glances, self._standings = Glances(), Standings(voices)

    def examine(self, rows: Iterable[EntryRow], job: Job) -> Piece:
        """Examine a range, of which `rows` are what is there."""
        shredded = self._shredded.get(job.log.chain, {})
        range_ = _Range(job, self._glances, self._standings, shredded, is_whole=self._is_whole)
        remaining = iter(rows)
        while chunk := list(islice(remaining, CHUNK)):
            range_.examine(chunk)
        return range_.done()


def examine_checkpoints(job: Job, piece: Piece) -> None:
    """Check the checkpoints of the blocks that end in a range."""
    for signed in job.checkpoints:
        piece.checkpoints[signed.height] = _checkpoint_fault(signed, job.log, piece)


def _checkpoint_fault(signed: Signed, log: Log, piece: Piece) -> str | None:
    try:
        found = log.open_signed(signed.text)
    except (NoteError, CheckpointError, TrustError) as error:
        return f"its checkpoint does not hold: {error}"
    piece.counts["signatures"] += len(found.keys)
    if found.checkpoint != Checkpoint(log.origin, signed.size, signed.root):
        return "its checkpoint is signed for another size or root"
    if not signed.signers <= {key.verifier for key in found.keys}:
        return f"a key of the log that signs for size {signed.size} has not signed its checkpoint"
    return None


class _Range:
    """One range."""

    def __init__(self, job: Job, glances: Glances, standings: Standings, shredded: Shredded, *, is_whole: bool) -> None:
        self._job, self._glances, self._standings, self._is_whole = job, glances, standings, is_whole
        self._shredded, self._is_registry = shredded, job.log.chain == REGISTRY
        self.piece = Piece(job.first, job.end, job.ends)
        self._leaves: list[bytes] = []
        self._next, self._sections, self._signatures = job.first, 0, 0
        self._spans, self._span_end, self._registry = iter(job.spans), job.first, 0
        self._runs: dict[tuple[bytes, int], Run] = {}

    def examine(self, rows: list[EntryRow]) -> None:
        """Examine what comes next: all signatures at one stroke, which keeps them in the processor's cache."""
        read = [self._read(row) for row in rows]
        faults = [None if said is None else _fault(said, may) for said, _, may in read]
        for row, (said, digest, _), fault in zip(rows, read, faults, strict=True):
            if said is None:
                self._link_as_stored(row)
            else:
                self._statement(row, said, digest, fault)

    def done(self) -> Piece:
        """What was found."""
        piece, job = self.piece, self._job
        self._see(job.end)
        piece.leaves = b"".join(self._leaves)
        piece.counts.update(entries=len(self._leaves), sections=self._sections, signatures=self._signatures)
        examine_checkpoints(job, piece)
        return piece

    def _read(self, row: EntryRow) -> tuple[Glance | None, bytes, May]:
        """Read an entry: what it says if it is a statement, its hash, and whether it may say that."""
        index, data = row.index, row.data
        if index != self._next or index >= self._span_end:
            self._arrive(index)
        self._next = index + 1
        if data is None:
            self._erased(row)
            return None, b"", NOBODY
        leaf, digest = sha256(b"\x00" + data).digest(), sha256(data).digest()  # a leaf hash: RFC 9162, 2.1.1
        self._leaves.append(leaf)
        if row.leaf_hash != leaf or row.statement_hash not in (digest, None):
            self._other_bytes(row, leaf, digest)
        try:
            said = self._glances.read(data)
        except MalformedError as error:
            self.piece.wrong(index, ENCODING, f"it is no statement: {error}")
            return None, digest, NOBODY
        if index == 0 and self._is_registry:  # the genesis is judged by what it says itself
            return said, digest, self._standings.at(1, said.speaker)
        return said, digest, self._standings.may_say(said.speaker)

    def _arrive(self, index: int) -> None:
        """Go on to an entry that does not follow on the last, or is judged by another state of the registry."""
        self._see(index)
        while index >= self._span_end:
            self._span_end, self._registry = next(self._spans)
        self._standings.go_to(self._job.log, self._registry)

    def _see(self, index: int) -> None:
        """The entries from the next to here are not there."""
        if index > self._next:
            self.piece.gaps.append((self._next, index))

    def _other_bytes(self, row: EntryRow, leaf: bytes, digest: bytes) -> None:
        if row.statement_hash != digest and row.statement_hash is not None:
            self.piece.wrong(row.index, BYTES, "its bytes do not give the statement hash that is stored")
        if row.leaf_hash != leaf:
            self.piece.wrong(row.index, BYTES, "its bytes do not give the leaf hash that is stored")

    def _erased(self, row: EntryRow) -> None:
        leaf = leaf_of(row)
        self._leaves.append(leaf)
        if leaf != row.leaf_hash:
            self.piece.wrong(row.index, BYTES, "its bytes do not give the leaf hash that is stored")
        self.piece.counts["withheld"] += 1

    # Who says it, and as which link of which stream

    def _statement(self, row: EntryRow, said: Glance, digest: bytes, fault: str | None) -> None:
        speaker, lane, stream, seq, prev, lines, _, _ = said
        kid = speaker.kid
        place = ((kid, lane, stream), seq, len(lines))
        if row.statement_hash is not None and place != (row.stream, row.seq, row.lines):
            what = "its stream, seq or number of lines is stored otherwise than it says"
            self.piece.wrong(row.index, ENCODING, what)
        if fault is None:
            self._signatures += 1
            run = self._runs.get((kid, lane))
            if run is None or not run.goes_on(stream, seq, prev, digest):
                self._begin(row.index, said, digest)
        else:
            self.piece.wrong(row.index, VOICE, fault)
            # What nobody signed shall not move a stream: then the place is the one that was stored with it.
            self._link_as_stored(row if row.statement_hash is not None else _placed(row, said, digest))
        self._content(row.index, said, row.sections)

    def _begin(self, index: int, said: Glance, digest: bytes) -> None:
        """Begin a run at a link that does not follow on the lane's last one here."""
        kid, why = said.speaker.kid, bool(said.lines) and said.lines[0].content_format == _STREAM
        run = Run(index, kid, said.lane, said.stream, said.seq, said.prev, why, said.seq, digest)
        self._runs[kid, said.lane] = run
        self.piece.runs.append(run)

    def _link_as_stored(self, row: EntryRow) -> None:
        """The place in its stream of what cannot be read, or is nobody's word, is the one stored with it."""
        if row.stream is None or row.seq is None:
            if row.statement_hash is not None:
                self.piece.wrong(row.index, LINK, "it is in no stream")
            return
        kid, lane, name = row.stream
        digest = row.statement_hash or b""
        run = self._runs.get((kid, lane))
        if run is None or not run.goes_on(name, row.seq, None, digest):
            self._runs[kid, lane] = run = Run(row.index, kid, lane, name, row.seq, None, None, row.seq, digest)
            self.piece.runs.append(run)

    # Content

    def _content(self, index: int, said: Glance, sections: tuple[Shown, ...]) -> None:
        self._sections += len(sections)
        lines = said.lines
        if len(sections) == len(lines) == 1 and (data := sections[0].data) is not None:
            line, (number, privacy, content_format, _) = lines[0], sections[0]
            same = number == 0 and privacy == line.privacy and content_format == line.content_format
            usual = same and content_format != _STREAM and not self._shredded
            if usual and is_named(line, data, kid=said.speaker.kid):
                return
        here = set[int]()
        for section in sections:
            here.add(section.line)
            fault = self._section_fault(index, section, said)
            if fault is not None:
                self.piece.wrong(index, SECTION, f"section {section.line}: {fault}")
        for number in range(len(lines)):
            if number not in here:
                self._lacks(index, number, said)

    def _section_fault(self, index: int, section: Shown, said: Glance) -> str | None:
        if not 0 <= section.line < len(said.lines):
            return "the manifest has no such line"
        line = said.lines[section.line]
        if (section.privacy, section.content_format) != (line.privacy, line.content_format):
            return "its privacy or content format is stored otherwise than the manifest says"
        if section.data is None:
            self._withheld(index, section.line)
            return None
        if not is_named(line, section.data, kid=said.speaker.kid):
            return "it is not the one that the manifest names"
        self._whole(index, section.line, line, section.data, said)
        return None

    def _whole(self, index: int, number: int, line: Line, data: bytes, said: Glance) -> None:
        by = self._shredded_by(index, number)
        if by is not None:
            self._note(index, f"section {number} is here, and registry entry {by} says that it was shredded")
        if line.content_format == _STREAM:
            self.piece.evicted += _evicted(data, said.speaker.kid)

    def _withheld(self, index: int, number: int) -> None:
        if self._shredded_by(index, number) is not None:
            self.piece.counts["shredded"] += 1
            return
        self.piece.counts["withheld"] += 1
        if self._is_whole:
            self._note(index, f"section {number} was erased, and no entry of the registry says why")

    def _lacks(self, index: int, number: int, said: Glance) -> None:
        if self._shredded_by(index, number) is not None:
            self.piece.counts["shredded"] += 1
        else:
            self.piece.lacking.append((said.speaker.kid, said.stream, said.seq, number))

    def _shredded_by(self, index: int, number: int) -> int | None:
        return self._shredded.get(index, {}).get(number)

    def _note(self, index: int, what: str) -> None:
        self.piece.notes.append(Fault(index, SECTION, what))


def _fault(said: Glance, may: May) -> str | None:
    """Why this may not stand here: as `require_standing` says it, with what is known of the speaker by now."""
    public_key, fault = may
    if public_key is None:
        return fault
    try:
        ed25519.verify(public_key, said.signature, said.signed)
    except SignatureError as error:
        return str(error)
    return fault


def _placed(row: EntryRow, said: Glance, digest: bytes) -> EntryRow:
    """The row with the place in its stream that its statement says, where none is stored beside it."""
    key = (said.speaker.kid, said.lane, said.stream)
    return replace(row, stream=key, seq=said.seq, statement_hash=digest)


def _evicted(data: bytes, kid: bytes) -> list[tuple[bytes, bytes, int, int]]:
    """The lines that a section about a stream says were evicted."""
    try:
        about = stream.decode(Section.decode(data).body)
    except MalformedError:
        return []
    return [(kid, *line) for line in about.lines] if isinstance(about, stream.Evicted) else []
