"""What is kept of audits, backups and monitors, and the rows that people query."""

from collections.abc import Iterator

from ledger.audit.glance import Glances
from ledger.audit.state_file import Saved
from ledger.backup import restore
from ledger.backup.manifest import Manifest
from ledger.errors import MalformedError
from ledger.monitor.state import State
from ledger.projection.content import Rows
from ledger.section import ContentFormat, Line, Privacy, Section
from tests import cast, seeds
from tests.decoders.target import Target, of_bytes, of_file, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_bytes("ledger.audit.glance.Glances.read", Glances().read, MalformedError, *seeds.STATEMENTS)
    yield of_bytes(
        "ledger.audit.state_file.Saved.decode", Saved.decode, MalformedError, *seeds.AUDITED, write=Saved.encode
    )
    yield of_text(
        "ledger.monitor.state.State.parse",
        State.parse,
        MalformedError,
        State(registry=7, seen={"https://ledger.example.com": {"example.com/tallystick/trade": "a note"}}).text,
        State(told={"0f": 5}, undelivered=[{"id": "0f"}]).text,
        write=lambda state: state.text,
        one_encoding=False,
    )
    yield of_text(
        "ledger.backup.manifest.Manifest.parse",
        Manifest.parse,
        MalformedError,
        seeds.MANIFEST.text,
        write=lambda found: str(found.text),
        one_encoding=False,
    )
    yield of_file(
        "ledger.backup.restore.load", lambda path: restore.load(path.parent), seeds.MANIFEST.text, file="manifest.json"
    )
    yield of_bytes(
        "ledger.projection.content.Rows.read", _rows, (), *seeds.PACKS, *seeds.EVENTS, *seeds.STREAMS, *seeds.ENTRIES
    )


def _rows(body: bytes) -> list[Rows]:
    found = []
    for content_format in ContentFormat:
        rows, line = Rows(), Line(Privacy.PUBLIC, content_format, bytes(32))
        rows.read(cast.sign(manifest=[line]), [Section(bytes(16), body)], 1)
        found.append(rows)
    return found
