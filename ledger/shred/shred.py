"""Shredding, in its order: the entry is published, then the content is deleted, then the tables are cleaned."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ledger import operate
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.proof import proving
from ledger.proof.prove import Prover
from ledger.read import chain_id
from ledger.registry import ANCHOR, REGISTRY, Role
from ledger.shred import clean, delete
from ledger.shred.target import Target, choose
from ledger.statement import Statement
from ledger.tree_store import entry_id

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Sections of one statement that shall be shredded."""

    chain: str
    index: int
    statement: Statement
    targets: Sequence[Target]

    @property
    def lines(self) -> list[str]:
        """What it is, for who decides."""
        return [f"{self.chain} {self.index}  {target.described(self.statement)}" for target in self.targets]


def find(folder: LedgerFolder, dsn: str, which: dict[str, object], lines: Collection[int]) -> Wanted:
    """What is meant; raises UserError if it cannot be shredded, or not by this user."""
    _require_operator(folder)
    with connect(dsn) as connection:
        prover = Prover(connection, folder)
        chain, index = proving.find(connection, prover, which)
        _require_content(chain)
        statement = Statement.decode(prover.prove(chain, index).entry.statement)
        rows = connection.execute(
            "select line, data from section where entry_id = %s", [entry_id(chain_id(connection, chain), index)]
        )
        here = {line: None if data is None else bytes(data) for line, data in rows}
    with connect(dsn, role=None) as connection:
        delete.require_owner(connection)
    return Wanted(chain, index, statement, choose(statement, here, lines))


def post(folder: LedgerFolder, dsn: str, wanted: Wanted, *, reason: str, timeout_s: float) -> int:
    """Publish the entry that says so; returns its index in the registry. Nothing is deleted yet."""
    items = [[wanted.index, target.line] for target in wanted.targets]
    entry = {"type": "shredding", "chain": wanted.chain, "items": items, "reason": reason}
    registry = operate.post(folder, dsn, [entry], timeout_s=timeout_s)
    return registry.shredded[wanted.chain, wanted.index, wanted.targets[0].line]


@dataclass(frozen=True, slots=True)
class Finished:
    """What was deleted: so many sections. `is_seen`: a session that began before still sees the rows, so they stay."""

    count: int
    is_seen: bool


def finish(
    folder: LedgerFolder, dsn: str, *, timeout_s: float, rewrite: bool = False, tell: Tell = lambda line: None
) -> Finished:
    """Delete all that the published registry says is shredded and is still here, and clean up after it."""
    with connect(dsn, role=None, autocommit=True) as connection:
        delete.require_owner(connection)
        with connection.transaction():
            places = delete.pending(connection, operate.published_registry(connection, folder))
            days = delete.delete(connection, places)
            horizon = clean.horizon(connection)
        if not (places or rewrite):
            return Finished(0, is_seen=False)
        is_seen = clean.wait_until_unseen(connection, horizon, time.monotonic() + timeout_s, tell=tell)
        # A rewrite would wait for who still looks, and everybody else for the rewrite.
        clean.clean(connection, days, rewrite=rewrite and not is_seen, tell=tell)
        return Finished(len(places), is_seen)


def _require_operator(folder: LedgerFolder) -> None:
    if not folder.key_file(Role.OPERATOR).exists():
        raise UserError(
            f"only the operator can shred, and his key is not here: {folder.key_file(Role.OPERATOR)}",
            "is this an imported copy? Then delete the copy, and import it anew once the operator has shredded",
        )


def _require_content(chain: str) -> None:
    if chain == REGISTRY:
        raise UserError(
            "the registry's sections cannot be shredded", "it is folded from them: without one, nothing can be judged"
        )
    if chain == ANCHOR:
        raise UserError("the anchor has no content", "name a statement of another chain")
