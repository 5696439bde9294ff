"""Importing a folder: whose word counts, that it audits, and then the database."""

from collections.abc import Callable
from pathlib import Path

from ledger.audit.published_source import PublishedSource
from ledger.audit.walk import audit
from ledger.errors import TrustError, UserError
from ledger.folder import LedgerFolder
from ledger.mirror.fill import Filled, fill
from ledger.mirror.store import is_mirror
from ledger.published.folder import FolderReader
from ledger.published.paths import Kind
from ledger.published.reader import NotPublishedError
from ledger.published.trusted import followed
from ledger.settings import Settings
from ledger.terminal import printable
from ledger.trust.trust_file import Trust


def run(
    folder: Path, trust_file: Path | None, settings: Settings, *, tell: Callable[[str, int], None]
) -> dict[str, Filled]:
    """Import `folder`; what came of each chain. Raises UserError if it does not audit, or has no room."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder", "name a mirror's or an export's")
    own, reader = settings.ledger, FolderReader(folder)
    trust = followed(reader, _trust(folder, trust_file, own))
    report = audit(PublishedSource(reader, trust), trust, tell=lambda chain, entries, _: tell(chain, entries))
    if not report.ok:
        raise UserError(
            f"{folder} does not audit, so nothing is imported; the first problem: {printable(report.problems[0])}",
            "run 'tallystick ledger audit' on it; mirror or export it anew",
        )
    return fill(PublishedSource(reader, trust), trust, settings.need_dsn(), own, tell=tell)


def _trust(folder: Path, given: Path | None, own: LedgerFolder) -> Trust:
    """The trust file that is given, or was given before: for the mirror, or for this data folder."""
    if given is not None:
        return Trust.load(given)
    if own.exists:
        return own.trust()
    if is_mirror(folder):
        try:
            return Trust.parse(FolderReader(folder).read(str(Kind.TRUST)).decode())
        except (TrustError, NotPublishedError, UnicodeDecodeError) as error:
            raise UserError(f"the trust file in {folder} is damaged: {error}", "give it anew with --trust") from error
    raise UserError(
        f"{folder} is no mirror of yours, and its own trust file counts for nothing", "give one with --trust"
    )
