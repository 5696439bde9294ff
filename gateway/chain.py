"""One chain at the gateway: judges a batch, seals it, and says what to publish.

Not safe to share between threads, and of no use after any error: close it and open another. All that it knows is
then read again from the database; what was not sealed is sent again by the agents.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence

import psycopg

from gateway import answers, quarantine, replays
from gateway.ages import Ages
from gateway.findings import Voice
from gateway.judge import Admitted, Head, Refused
from gateway.quarantine import Specimen
from gateway.record import Taken
from gateway.repeats import Repeats, Sections, look_up
from gateway.replies import Publication, Replies
from gateway.sift import Batch, Incoming, Sieve
from ledger import checkpoint_file, fold, read
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.log_keys.keyring import Keyring
from ledger.projection.content import Finding
from ledger.projection.tables import Projection, write_registry
from ledger.registry import REGISTRY, Registry
from ledger.seal import ChainWriter, NewEntry, SectionRow, copy_sections
from ledger.section import ContentFormat
from ledger.statement import Statement, StreamKey
from ledger.topic import Topic
from ledger.tree_store import entry_id, index_of

INBOX_MAX = 1_000


class GatewayChain:
    """The gateway's hold on one chain. `now_ms` is the clock."""

    def __init__(self, dsn: str, *, chain: str, folder: LedgerFolder, now_ms: Callable[[], int]) -> None:
        self.name, self._folder, self._now_ms = chain, folder, now_ms
        self._keys = Keyring(folder, chain)
        self._writer = ChainWriter(dsn, chain=chain, key=self._keys, checkpoints=folder.checkpoints)
        try:
            self._connection = self._writer.connection
            self._heads = _load_heads(self._connection, self._writer.chain_id)
            self._known = set(self._writer.streams)
            self._begun: tuple[Sieve, Batch] | None = None  # the block that is open, as far as it is judged
            self._registry, self._registry_root = Registry(), b""
            self._suspended: frozenset[bytes] = frozenset()  # decided here, not yet sealed in the registry
            self._projection = Projection(self._connection, self._device_name)
            self._refresh_registry()
            self._voice = Voice(folder, self._registry, chain)
            self.ages = Ages.load(self._connection, self._writer.chain_id, self._registry)
            self._connection.commit()
            self.taken = Taken(self._writer.size)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the chain up."""
        self._writer.close()

    def judge(self, incoming: Sequence[Incoming]) -> Batch:
        """Judge what has come of the next block so far, by the registry as it is when the block begins."""
        if self._begun is None:
            self._refresh_registry()
            sieve = Sieve(self._writer.origin, self._registry, self._suspended, self._heads, self._known)
            self._begun = sieve, Batch()
        sieve, batch = self._begun
        return sieve.sift(incoming, batch)  # which moves heads on before they are sealed: hence no second try

    def take(self, incoming: Sequence[Incoming]) -> list[Publication]:
        """Judge `incoming` and what waits in the inbox, seal what is admitted, and return what to publish."""
        self.judge([])  # the registry first: the inbox is read by it
        inbox_ids, waiting = self._from_inbox()
        replayed = replays.take(self._connection, self.name)
        batch = self.judge([*waiting, *replayed, *incoming])
        self._begun = None
        sealed = self._seal(batch, inbox_ids)
        repeats = self._settle(batch)
        replays.settle(self._connection, replayed, [*batch.refused, *repeats.refused])
        self.ages.heard((stream[0] for stream in sealed), self._now_ms())
        self.taken = self._taken(batch, repeats)
        return self._reply(batch, sealed, repeats)

    def ages_now(self) -> dict[str, float]:
        """Seconds since a block took a statement of each device, by name. From any thread."""
        return self.ages.seconds(self._now_ms())

    def _from_inbox(self) -> tuple[list[int], list[Incoming]]:
        """The oldest statements in the inbox, as if their authors had published them."""
        rows = self._connection.execute(
            "select inbox_id, kid, message from inbox where chain_id = %s order by inbox_id limit %s",
            [self._writer.chain_id, INBOX_MAX],
        ).fetchall()
        keys = [self._registry.key(bytes(kid)) for _, kid, _ in rows]
        names = [key.name if key else "unknown" for key in keys]
        messages = [
            Incoming(Topic(self.name, name), "statement", bytes(row[2])) for name, row in zip(names, rows, strict=True)
        ]
        return [row[0] for row in rows], messages

    # Writing

    def _seal(self, batch: Batch, inbox_ids: Sequence[int]) -> dict[StreamKey, list[answers.Sealed]]:
        """Seal what is admitted, if anything is; returns it by stream."""
        ordered, first = _side_by_side(batch.admitted), self._writer.size

        def also(connection: psycopg.Connection, first: int) -> None:
            entries = [(entry_id(self._writer.chain_id, first + n), item) for n, item in enumerate(ordered)]
            findings = self._projection.take([(entry, item.statement, item.sections) for entry, item in entries])
            if self.name == REGISTRY:
                findings += self._apply_registry(entries)
            self._voice.report(connection, findings, self._now_ms() // 1000)
            quarantine.write(connection, _specimens(batch.refused))
            connection.execute("delete from inbox where inbox_id = any(%s)", [list(inbox_ids)])
            self._written_at = time.perf_counter()

        began_at = time.perf_counter()
        if ordered:
            registry = (self._registry.size, self._registry_root)
            self._writer.seal([_new_entry(i) for i in ordered], now_ms=self._now_ms(), registry=registry, also=also)
        elif batch.refused or inbox_ids:
            with self._connection.transaction():
                also(self._connection, first)
        self._connection.commit()
        self._sealing = (began_at, time.perf_counter())
        return _by_stream(ordered, first)

    def _settle(self, batch: Batch) -> Repeats:
        """Look up what is behind its head, now that this batch is sealed; write late sections and forks."""
        repeats = look_up(self._connection, self._writer.streams, batch.behind)
        if self.name == REGISTRY:
            repeats.late.clear()  # what a registry entry says, it says when it is sealed, or never
        if repeats.late or repeats.refused:
            with self._connection.transaction():
                rows = [(entry, row) for entry, of, new in repeats.late for row in _section_rows(of, new)]
                copy_sections(self._connection, rows)
                self._voice.report(self._connection, self._projection.take(repeats.late), self._now_ms() // 1000)
                for fork in repeats.forks:
                    if fork.statement.kid not in self._suspended:
                        self._voice.report_fork(self._connection, fork, self._now_ms() // 1000)
                    self._suspended |= {fork.statement.kid}
                quarantine.write(self._connection, _specimens(repeats.refused))
        self._connection.commit()
        return repeats

    def _taken(self, batch: Batch, repeats: Repeats) -> Taken:
        """What came of a batch, to be told outside."""
        began_at, ended_at = self._sealing
        refused = replays.first_time([*batch.refused, *repeats.refused])
        return Taken(
            size=self._writer.size,
            accepted=len(batch.admitted),
            repeats=len(batch.behind) - len(repeats.refused),
            refused=Counter(str(why.reason) for _, why in refused),
            examples={str(why.reason): source.topic.device for source, why in refused},
            earned=batch.earned,
            seal_s=ended_at - began_at if batch.admitted else None,
            commit_s=ended_at - self._written_at if batch.admitted else None,
        )

    def _reply(
        self, batch: Batch, sealed: dict[StreamKey, list[answers.Sealed]], repeats: Repeats
    ) -> list[Publication]:
        replies = Replies(self._writer, self._registry, self._heads, self._keys.messages)
        publications = replies.receipts(sealed, repeats.from_seq)
        for source, birth in {birth.kid: (source, birth) for source, birth in batch.births}.values():
            publications += replies.welcome(source, birth)  # a device's newest alone: each costs many proofs
        for source, refused in [*batch.refused, *repeats.refused]:
            publications += replies.refusal(source, refused)
        self._connection.commit()
        return publications

    # The registry

    def _refresh_registry(self) -> None:
        """Fold on to the registry's published size."""
        if self.name == REGISTRY:
            size, root = self._writer.size, self._writer.root
        else:
            published = checkpoint_file.load(self._folder.checkpoints, REGISTRY)
            if published is None:
                raise UserError(f"{self._folder.path} has no published registry", "restore its folder from a copy")
            size, root = published.checkpoint.size, published.checkpoint.root
        if root != self._registry_root:
            read.registry(self._connection, size, into=self._registry)
            self._registry_root = root
            self._keys.log(self._connection, size)  # for the answers; the writer asks for itself
            # A suspension that the registry holds by now is the registry's to lift.
            self._suspended = frozenset(kid for kid in self._suspended if self._registry.is_good(kid))
        self._connection.commit()

    def _apply_registry(self, entries: Sequence[tuple[int, Admitted]]) -> list[Finding]:
        """Fold a block of the registry in; findings for what its rules refuse."""
        findings = []
        for entry, item in entries:
            sections = {n: section.encode() for n, section in enumerate(item.sections) if section is not None}
            reason = fold.apply(self._registry, fold.Stored(index_of(entry), item.data, sections))
            if reason is not None:
                findings.append(Finding(entry, 0, reason))
                continue
            for line, (of, section) in enumerate(zip(item.statement.manifest, item.sections, strict=True)):
                if of.content_format == ContentFormat.REGISTRY and section is not None:
                    write_registry(self._connection, entry, line, section.body)
        return findings

    def _device_name(self, urn: str) -> str:
        return next((key.name for key in self._registry.keys.values() if key.subject == urn), urn)


def _load_heads(connection: psycopg.Connection, chain_id: int) -> dict[tuple[bytes, int], Head]:
    """The newest statement of the newest stream of each lane."""
    rows = connection.execute(
        """select s.kid, s.lane, s.stream, e.seq, e.statement_hash
             from (select distinct on (kid, lane) stream_id, kid, lane, stream
                     from stream where chain_id = %s order by kid, lane, stream_id desc) s
            cross join lateral (select seq, statement_hash from entry
                                 where stream_id = s.stream_id order by seq desc limit 1) e""",
        [chain_id],
    )
    return {(bytes(kid), lane): Head(bytes(stream), seq, bytes(digest)) for kid, lane, stream, seq, digest in rows}


def _side_by_side(admitted: Sequence[Admitted]) -> list[Admitted]:
    """Each stream's statements together and in order, streams in the order of their first."""
    streams: dict[StreamKey, list[Admitted]] = {}
    for item in admitted:
        streams.setdefault(item.statement.stream_key, []).append(item)
    return [item for stream in streams.values() for item in stream]


def _by_stream(ordered: Sequence[Admitted], first: int) -> dict[StreamKey, list[answers.Sealed]]:
    sealed: dict[StreamKey, list[answers.Sealed]] = {}
    for index, item in enumerate(ordered, first):
        lacking = tuple([line for line, section in enumerate(item.sections) if section is None])
        found = answers.Sealed(item.statement.tally.seq, index, item.statement.hash, lacking)
        sealed.setdefault(item.statement.stream_key, []).append(found)
    return sealed


def _specimens(refused: Sequence[tuple[Incoming, Refused]]) -> list[Specimen]:
    """What the quarantine does not hold yet."""
    new = replays.first_time(refused)
    return [Specimen(str(source.topic), source.what, why.reason, source.payload) for source, why in new]


def _new_entry(item: Admitted) -> NewEntry:
    statement = item.statement
    rows = _section_rows(statement, item.sections)
    seq, lines = statement.tally.seq, len(statement.manifest)
    return NewEntry(item.data, statement.stream_key, seq, lines, rows, statement.hash)


def _section_rows(statement: Statement, sections: Sections) -> list[SectionRow]:
    return [
        SectionRow(number, line.privacy, line.content_format, section.encode())
        for number, (line, section) in enumerate(zip(statement.manifest, sections, strict=True))
        if section is not None
    ]
