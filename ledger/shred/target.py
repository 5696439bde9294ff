"""What a shredding would delete: sections of one statement, and what they are. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger import epcis, senml
from ledger.errors import MalformedError, UserError
from ledger.section import ContentFormat, Line, Section
from ledger.statement import Statement

_NEEDED: Mapping[int, str] = {
    ContentFormat.STREAM: "it says how its stream began, or what its device gave up, and nothing else",
    ContentFormat.REGISTRY: "the registry is folded from it",
}
_KINDS: Mapping[int, str] = {ContentFormat.SENML_CBOR: "readings", ContentFormat.EPCIS: "an event"}


@dataclass(frozen=True, slots=True)
class Target:
    """A section to be shredded: its manifest line, and its bytes, or None if it never came."""

    line: int
    of: Line
    data: bytes | None

    def described(self, statement: Statement) -> str:
        """In a line, for who decides."""
        return f"line {self.line}  {self.of.privacy.name.lower()}  {self._what(statement)}"

    def _what(self, statement: Statement) -> str:
        kind = _KINDS.get(self.of.content_format, f"content format {self.of.content_format}")
        if self.data is None:
            return f"{kind}: it never came, and will not be taken any more"
        return f"{kind}, {len(self.data)} bytes{_told(statement, self.of.content_format, self.data)}"


@dataclass(frozen=True, slots=True)
class Pack:
    """The readings of a section, one at least: their metrics, and their times (s)."""

    metrics: tuple[tuple[str, str], ...]
    times: Sequence[float]


def choose(statement: Statement, here: Mapping[int, bytes | None], lines: Collection[int]) -> Sequence[Target]:
    """The targets among the statement's lines: those that are named, or all that can be.

    `here` has the sections that are kept, by line: their bytes, or None if they are withheld already. Raises
    UserError for a line that cannot be shredded, or if nothing is left.
    """
    manifest = statement.manifest
    for line in lines:
        _require_possible(line, manifest, here)
    able = [line for line, of in enumerate(manifest) if of.content_format not in _NEEDED and not _is_gone(line, here)]
    chosen = sorted(set(lines)) or able
    if not chosen:
        raise UserError("the statement has nothing that can be shredded", "it is withheld already, or is no content")
    return [Target(line, manifest[line], here.get(line)) for line in chosen]


def pack(statement: Statement, of: Line, data: bytes | None) -> Pack | None:
    """The readings of a section; None if it has none, or if they could not be read and are in no table."""
    if data is None or of.content_format != ContentFormat.SENML_CBOR:
        return None
    try:
        readings = senml.columns(Section.decode(data).body, now=float(statement.issued_at))
    except MalformedError:
        return None
    start = len(statement.subject) + 1
    metrics = tuple({(name[start:], unit) for name, unit in readings.kinds})
    return Pack(metrics, readings.times) if readings.times else None


def _require_possible(line: int, manifest: Sequence[Line], here: Mapping[int, bytes | None]) -> None:
    if not 0 <= line < len(manifest):
        raise UserError(f"the statement has no line {line}", f"its lines are 0 to {len(manifest) - 1}")
    if why := _NEEDED.get(manifest[line].content_format):
        raise UserError(f"section {line} cannot be shredded: {why}", "name the lines that hold readings or events")
    if _is_gone(line, here):
        raise UserError(f"section {line} is shredded already", "'tallystick ledger shred --pending' finishes others")


def _is_gone(line: int, here: Mapping[int, bytes | None]) -> bool:
    return line in here and here[line] is None


def _told(statement: Statement, content_format: int, data: bytes) -> str:
    try:
        if content_format == ContentFormat.SENML_CBOR:
            times = senml.columns(Section.decode(data).body, now=float(statement.issued_at)).times
            return f": {len(times)} from {_moment(min(times))} to {_moment(max(times))}" if times else ""
        if content_format == ContentFormat.EPCIS:
            event = epcis.decode(Section.decode(data).body)
            return f": {event.type} {event.action} at {_moment(event.time)}"
    except MalformedError:
        return ", which cannot be read"
    return ""


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
