"""Folding the registry's entries, as they are stored, into its state."""

from dataclasses import dataclass

from ledger import message
from ledger.errors import MalformedError, RegistryError
from ledger.registry import Registry
from ledger.section import ContentFormat, Section
from ledger.statement import Statement


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry and those of its sections that are here, by line."""

    index: int
    data: bytes
    sections: dict[int, bytes]

    def body(self, line: int) -> bytes | None:
        """The body of section `line`, or None if it is not here."""
        data = self.sections.get(line)
        return Section.decode(data).body if data is not None else None

    def message(self, lines: int) -> bytes:
        """The entry as it would come over the wire."""
        return message.encode(self.data, [self.sections.get(line) for line in range(lines)])


def apply(state: Registry, stored: Stored) -> str | None:
    """Fold one registry entry in; returns why it has no effect, or None if it has, or needs none.

    Nothing is verified here: who does not trust where `stored` comes from has checked it before.
    """
    state.size = stored.index + 1
    try:
        return apply_statement(state, stored, Statement.decode(stored.data))
    except MalformedError as error:
        return str(error)


def apply_statement(state: Registry, stored: Stored, statement: Statement) -> str | None:
    """As `apply`, for whoever has read the statement by now."""
    state.size = stored.index + 1
    try:
        for line, of in enumerate(statement.manifest):
            body = stored.body(line)
            if of.content_format == ContentFormat.REGISTRY and body is not None:
                state.apply(stored.index, statement.kid, body)
    except (MalformedError, RegistryError) as error:
        return str(error)
    return None
