"""An entry with its content, as far as it is what the entry names."""

from ledger import merkle
from ledger.audit.rows import EntryRow
from ledger.errors import MalformedError
from ledger.fold import Stored
from ledger.section import is_named
from ledger.statement import Statement

_NO_HASH = bytes(merkle.HASH_BYTES)


def leaf_of(row: EntryRow) -> bytes:
    """The leaf hash that an entry's bytes give; of one that was erased, the stored one."""
    if row.data is not None:
        return merkle.leaf_hash(row.data)
    return row.leaf_hash if len(row.leaf_hash) == merkle.HASH_BYTES else _NO_HASH


def whole(row: EntryRow) -> Stored:
    """An entry with those of its sections that are what its manifest names: nothing else counts."""
    data = row.data or b""
    try:
        statement = Statement.decode(data)
    except MalformedError:
        return Stored(row.index, data, {})
    kid, lines = statement.kid, dict(enumerate(statement.manifest))
    here = {s.line: s.data for s in row.sections if s.line in lines and s.data is not None}
    return Stored(row.index, data, {n: held for n, held in here.items() if is_named(lines[n], held, kid=kid)})
