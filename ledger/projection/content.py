"""Reading the content of admitted statements: rows for the tables, and findings for what cannot be read.

Pure. A statement is in the ledger whatever it contains; what its sections say is judged here, afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger import epcis, senml, stream
from ledger.errors import MalformedError
from ledger.section import ContentFormat, Line, Privacy, Section
from ledger.statement import Statement

READINGS_MAX = 5_000
DAY_S = 86_400
DAYS_MAX = 100  # on which a pack has readings: TimescaleDB makes a table for each new day


class Pack(NamedTuple):
    """The readings of one section, none of another device than `device`. `quality` is the signing clock's."""

    entry_id: int
    line: int
    device: str
    quality: int
    readings: senml.Columns


@dataclass(frozen=True, slots=True)
class EventRow:
    """One EPCIS event, and whether its section is public."""

    entry_id: int
    line: int
    event: epcis.Event
    is_public: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a section of an entry cannot be taken at its word."""

    entry_id: int
    line: int
    reason: str


@dataclass
class Rows:
    """What a block brings to the tables."""

    packs: list[Pack] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def sources(self) -> set[tuple[int, int]]:
        """The (entry, line) of every section that rows came from."""
        return {(row.entry_id, row.line) for row in self.packs} | {(row.entry_id, row.line) for row in self.events}

    def read(self, statement: Statement, sections: Sequence[Section | None], entry_id: int) -> None:
        """Add the rows of one statement's sections; those that are None are not here yet."""
        for line, (of, section) in enumerate(zip(statement.manifest, sections, strict=True)):
            if section is not None:
                self._read_section(statement, line, of, section.body, entry_id)

    def _read_section(self, statement: Statement, line: int, of: Line, body: bytes, entry_id: int) -> None:
        content_format = of.content_format
        try:
            if content_format == ContentFormat.SENML_CBOR:
                self.packs.append(_pack(statement, line, body, entry_id))
            elif content_format == ContentFormat.EPCIS:
                self.events.append(EventRow(entry_id, line, epcis.decode(body), of.privacy is Privacy.PUBLIC))
            elif content_format == ContentFormat.STREAM:
                stream.decode(body)
        except MalformedError as error:
            # A finding is public, and an error may quote what it is about.
            reason = str(error) if of.privacy is Privacy.PUBLIC else f"content format {content_format} cannot be read"
            self.findings.append(Finding(entry_id, line, reason))


def _pack(statement: Statement, line: int, body: bytes, entry_id: int) -> Pack:
    readings = senml.columns(body, now=float(statement.issued_at))
    if len(readings.times) > READINGS_MAX:
        raise MalformedError(f"a pack of more than {READINGS_MAX} readings")
    if _days(readings.times) > DAYS_MAX:
        raise MalformedError(f"a pack of readings on more than {DAYS_MAX} days")
    base = f"{statement.subject}:"
    for name, _ in readings.kinds:
        if not name.startswith(base) or name == base:
            raise MalformedError("a pack names readings of another device, or of none")
    return Pack(entry_id, line, statement.subject, statement.tally.clock, readings)


def _days(times: Sequence[float]) -> int:
    """On how many days these times lie: at most as many as they are apart, and most packs are of a moment."""
    if not times or max(times) - min(times) < DAY_S:
        return 2
    return len({time // DAY_S for time in times})
