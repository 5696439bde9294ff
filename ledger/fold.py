"""Folding the registry's entries, as they are stored, into its state."""

from dataclasses import dataclass

from ledger import message
from ledger.errors import MalformedError, RegistryError
from ledger.registry import Registry
from ledger.section import ContentFormat, Section
from ledger.statement import Statement

_HIDDEN = ": what it says is hidden, and nothing of the registry may be"
ERASED = f"it is erased{_HIDDEN}"


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


def unsaid(stored: Stored) -> str | None:
    """Why nobody who has no more than this can know what a registry entry says, or None.

    Whoever cannot know it cannot say who may speak from there on: a revocation may be what is hidden.
    """
    if not stored.data:
        return ERASED
    for line, of in enumerate(Statement.decode(stored.data).manifest):
        if of.content_format == ContentFormat.REGISTRY and line not in stored.sections:
            return f"its section {line} is not shown{_HIDDEN}"
    return None


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
        _require_root_stream(state, stored.index, statement)
        for line, of in enumerate(statement.manifest):
            body = stored.body(line)
            if of.content_format == ContentFormat.REGISTRY and body is not None:
                state.apply(stored.index, statement.kid, body)
        if stored.index == 0:
            state.root_stream = statement.stream_key
    except (MalformedError, RegistryError) as error:
        return str(error)
    return None


def _require_root_stream(state: Registry, index: int, statement: Statement) -> None:
    """What the root key says counts in the genesis' stream alone, where all who pin the genesis hear of it."""
    founded = state.root_stream
    if index and founded and statement.kid == founded[0] and statement.stream_key != founded:
        raise RegistryError("the root key speaks in the genesis' stream alone")
