"""A gateway in memory: a real Merkle tree, real signatures, and the manners of PLAN's protocol, without a database.

It is what the agent is tested against: what it says is built as the gateway would, and spoiled by the tests. `World`
holds one agent and one such ledger on a wire that can be cut, and a clock that the test turns.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from edge.agent import Agent, Mouth
from edge.clock import Moment
from edge.config import Config
from edge.confirm import Device
from edge.publisher import Arrived, Connected, Lost
from edge.sensors import Pack
from edge.signer import Content, Signer
from edge.spool import Spool
from ledger import merkle, message, note
from ledger.birth import Birth
from ledger.checkpoint import Checkpoint
from ledger.errors import SignatureError
from ledger.keys import SigningKey
from ledger.log import Log, Rotation, keys_of
from ledger.receipt import Answer, Range, Receipt
from ledger.refusal import Reason, Refusal
from ledger.section import ContentFormat, Privacy, matching
from ledger.senml import Reading
from ledger.statement import LANES, Statement
from ledger.topic import Topic
from tests import rooted

ORIGIN = "example.com/tallystick/production"
ISSUER = "https://example.com"
URN = "urn:uuid:00000000-0000-4000-8000-000000000001"
TOPIC = Topic("production", "line-1")

StreamKey = tuple[bytes, int, bytes]


@dataclass
class Entry:
    """An entry of the log; `missing` are the lines whose sections are not here."""

    statement: Statement
    index: int
    missing: set[int]
    sections: dict[int, bytes]


@dataclass
class Ledger:
    """One chain, its writer, and the rules of admission."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    entries: list[Entry] = field(default_factory=list)
    streams: dict[StreamKey, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    registered: dict[bytes, bytes] = field(default_factory=dict)
    bad_keys: dict[bytes, Reason] = field(default_factory=dict)
    refuse: dict[bytes, Reason] = field(default_factory=dict)  # by statement hash
    drop_sections: int = 0  # how many sections are lost on their way
    silent: bool = False
    received: list[bytes] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    root_said: list[bytes] = field(default_factory=list)  # what root keys have said: told in answer to births
    rotated: list[tuple[SigningKey, int, int]] = field(default_factory=list)  # each next key, its first size, and until
    _leaves: list[bytes] = field(default_factory=list)
    _touched: dict[StreamKey, int] = field(default_factory=dict)
    _born: list[Birth] = field(default_factory=list)
    _said: list[tuple[str, bytes, bool]] = field(default_factory=list)

    @property
    def log(self) -> Log:
        """The log as a device's trust file pins it."""
        return Log("production", note.Verifier(ORIGIN, self.key.public))

    @property
    def genesis(self) -> bytes:
        """The hash by which a device pins the ledger."""
        return rooted.pin(self._said_by_root())

    def rotate(self, *, first: int, until: int) -> SigningKey:
        """A root key names the log's next key."""
        key, said = SigningKey.generate(), self._said_by_root()
        vkey = note.Verifier(ORIGIN, key.public).vkey
        entry = {"type": "log-key", "chain": "production", "vkey": vkey, "first": first, "until": until}
        self.root_said = [*said, rooted.say(entry, said[-1])]
        self.rotated.append((key, first, until))
        return key

    def _said_by_root(self) -> list[bytes]:
        self.root_said = self.root_said or [rooted.say(rooted.genesis(self.log.verifier.vkey))]
        return self.root_said

    @property
    def signers(self) -> list[SigningKey]:
        """The keys that sign at this size, the oldest first."""
        rotations = tuple(Rotation(note.Verifier(ORIGIN, key.public), *sizes) for key, *sizes in self.rotated)
        keys = keys_of(self.log.verifier, rotations)
        secrets = [self.key, *(key for key, *_ in self.rotated)]
        return [secret for secret, key in zip(secrets, keys, strict=True) if key.holds(self.size)]

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def root(self) -> bytes:
        return merkle.root(self._leaves)

    @property
    def checkpoint(self) -> str:
        text = Checkpoint(ORIGIN, self.size, self.root).text
        return note.sign(text, [note.Signer(ORIGIN, key) for key in self.signers])

    def statements(self) -> list[Statement]:
        return [entry.statement for entry in self.entries]

    def rewind(self, size: int) -> None:
        """Lose all that came later, as a restored backup does."""
        gone = self.entries[size:]
        del self.entries[size:], self._leaves[size:]
        for entry in gone:
            self.streams[entry.statement.stream_key].remove(entry)
        self.streams = defaultdict(list, {stream: items for stream, items in self.streams.items() if items})
        self.heads = {}
        for entry in self.entries:
            tally = entry.statement.tally
            self.heads[entry.statement.kid, tally.lane] = tally.stream

    # Taking in

    def receive(self, topic: str, payload: bytes) -> None:
        """Judge one message from the broker."""
        if self.silent:
            return
        _, what = Topic.parse(topic)
        if what == "birth":
            self._born.append(Birth.decode(payload))
            self.births.append(self._born[-1])
        elif what == "statement":
            self.received.append(payload)
            self._judge(payload)

    def _judge(self, payload: bytes) -> None:
        sent = message.decode(payload)
        statement = Statement.decode(sent.statement)
        if statement.kid not in self.registered:
            return
        try:
            statement.verify(self.registered[statement.kid])
        except SignatureError:
            return
        bad = self.bad_keys.get(statement.kid) or self.refuse.get(statement.hash)
        reason = bad or self._place(statement, sent.sections)
        if reason is not None:
            refused = self.refusal(statement, reason)
            self._said.append((TOPIC.refusal(statement.tally.lane), refused, False))

    def _place(self, statement: Statement, sections: Sequence[bytes | None]) -> Reason | None:
        tally, key = statement.tally, statement.stream_key
        have = self.streams.get(key, [])
        head = self.heads.get((statement.kid, tally.lane))
        if tally.seq < len(have):
            if have[tally.seq].statement.hash != statement.hash:
                self.bad_keys[statement.kid] = Reason.SUSPENDED
                return Reason.FORK
            self._take_sections(have[tally.seq], sections)
            self._touch(key, tally.seq)
            return None
        if have and head != tally.stream:
            return Reason.CLOSED_STREAM
        if tally.seq > len(have):
            return None  # a gap: it will come again
        if have and tally.prev != have[-1].statement.hash:
            return Reason.LINK
        self._admit(statement, sections)
        return None

    def _admit(self, statement: Statement, sections: Sequence[bytes | None]) -> None:
        entry = Entry(statement, len(self.entries), set(range(len(statement.manifest))), {})
        self.entries.append(entry)
        self._leaves.append(merkle.leaf_hash(statement.encode()))
        self.streams[statement.stream_key].append(entry)
        self.heads[statement.kid, statement.tally.lane] = statement.tally.stream
        self._take_sections(entry, sections)
        self._touch(statement.stream_key, statement.tally.seq)

    def _take_sections(self, entry: Entry, sections: Sequence[bytes | None]) -> None:
        assert len(sections) == len(entry.statement.manifest)
        for line, data in enumerate(sections):
            section = matching(entry.statement.manifest[line], data, kid=entry.statement.kid)
            if section is None or line not in entry.missing:
                continue
            if self.drop_sections:
                self.drop_sections -= 1
                continue
            entry.missing.discard(line)
            entry.sections[line] = section.body

    def _touch(self, key: StreamKey, seq: int) -> None:
        self._touched[key] = min(seq, self._touched.get(key, seq))

    # Answering

    def seal(self) -> list[tuple[str, bytes, bool]]:
        """Close the block: (topic, payload, retain) of all that is to be said."""
        said = [
            (TOPIC.receipt(key[1]), self.answer(key, first).encode(), self.heads[key[0], key[1]] == key[2])
            for key, first in self._touched.items()
        ]
        for birth in self._born:
            said += [item for lane in LANES for item in self._welcome(birth, lane)]
        said += self._said
        self._touched, self._born, self._said = {}, [], []
        return said

    def _welcome(self, birth: Birth, lane: int) -> list[tuple[str, bytes, bool]]:
        theirs = birth.unconfirmed.get(lane)
        head = self.heads.get((birth.kid, lane))
        wanted = [theirs] if theirs else []
        if head is not None and head != (theirs and theirs[0]):
            wanted.append((head, len(self.streams[birth.kid, lane, head]) - 1))
        known = [(name, seq) for name, seq in wanted if self.streams.get((birth.kid, lane, name))]
        answers = [self.answer((birth.kid, lane, name), seq, birth.nonce) for name, seq in known]
        answers = answers or [Answer(None, None, None, (), (), birth.nonce)]
        answers = [replace(answer, root=tuple(self.root_said) if self.rotated else ()) for answer in answers]
        return [(TOPIC.receipt(lane), answer.encode(), answer.receipt is not None) for answer in answers]

    def answer(self, key: StreamKey, first: int, nonce: bytes | None = None) -> Answer:
        """The answer that proves a stream from seq `first` on."""
        runs = self._runs(key, first)
        receipt = self.receipt(key, runs[0][0].statement.tally.seq)
        newest = runs[-1]
        return Answer(
            receipt=receipt.issue(self.signers[0], self.root).encode(),
            checkpoint=self.checkpoint,
            first_index=newest[0].index,
            hashes=self._range(newest),
            earlier=tuple(
                Range(run[0].statement.tally.seq, run[0].index, len(run), self._range(run)) for run in runs[:-1]
            ),
            nonce=nonce,
        )

    def receipt(self, key: StreamKey, first: int = 0) -> Receipt:
        """The unsigned receipt of a stream's newest statement, which says what is lacking from seq `first` on."""
        newest = self.streams[key][-1]
        lacking = tuple((item.statement.tally.seq, line) for item in self.streams[key] for line in sorted(item.missing))
        return Receipt(
            log_kid=self.signers[0].kid,
            origin=ORIGIN,
            subject=newest.statement.subject,
            size=self.size,
            kid=key[0],
            lane=key[1],
            stream=key[2],
            seq=newest.statement.tally.seq,
            statement_hash=newest.statement.hash,
            covers=(first, newest.statement.tally.seq),
            lacking=lacking,
            index=newest.index,
            path=tuple(merkle.inclusion_proof(newest.index, self.size, self._read)),
        )

    def refusal(self, statement: Statement, reason: Reason) -> bytes:
        """A signed refusal."""
        tally = statement.tally
        refusal = Refusal(ORIGIN, statement.kid, tally.lane, tally.stream, tally.seq, statement.hash, reason, self.size)
        return refusal.sign(self.signers[0])

    def _runs(self, key: StreamKey, first: int) -> list[list[Entry]]:
        stream = self.streams[key]
        runs: list[list[Entry]] = []
        for entry in stream[min(first, len(stream) - 1) :]:
            if runs and runs[-1][-1].index + 1 == entry.index:
                runs[-1].append(entry)
            else:
                runs.append([entry])
        return runs

    def _range(self, run: Sequence[Entry]) -> tuple[bytes, ...]:
        return tuple(merkle.range_proof(run[0].index, run[-1].index, self.size, self._read))

    def _read(self, nodes: Sequence[merkle.Node]) -> list[bytes]:
        return [merkle.root(self._leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]


@dataclass
class Script:
    """A sensor that gives `packs` packs, `interval_ms` apart, and remembers where it was."""

    packs: int
    due: int
    interval_ms: int = 100
    given: int = 0

    @property
    def due_ms(self) -> int | None:
        return self.due if self.given < self.packs else None

    def read(self, now: Moment) -> Pack:
        self.given, self.due = self.given + 1, now.ticks_ms + self.interval_ms
        return Pack((Reading("n", "", now.wall_s, float(self.given)),), cursor=str(self.given))


class Wire:
    """What the agent sends by: it reaches the ledger while it is up."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.up = ledger, False

    def publish(self, topic: str, payload: bytes) -> bool:
        if self.up:
            self.ledger.receive(topic, payload)
        return self.up


class World:
    """A device in `folder`, a ledger, and time. The agent can be killed and started again at any step."""

    def __init__(self, folder: Path, *, window: int = 8, spool_bytes_max: int = 1 << 20, packs: int = 0) -> None:
        self.folder, self.ledger, self.key = folder, Ledger(), SigningKey.generate()
        self.ledger.registered[self.key.kid] = self.key.public
        self.wire = Wire(self.ledger)
        self.packs = packs
        self.now = Moment(1_800_000_000.0, 1_000)
        self.retained: dict[str, bytes] = {}
        text = f'[device]\nname = "line-1"\nurn = "{URN}"\norganisation = "{ISSUER}"\nchain = "production"\n'
        text += f"[spool]\nwindow = {window}\nbytes_max = {spool_bytes_max}\n"
        self.config = Config.parse(text, folder / "config.toml")
        self.device = Device(self.key.kid, URN, self.ledger.log, self.ledger.genesis)

    def __enter__(self) -> "World":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.spool.close()

    def start(self) -> None:
        """Start the agent, offline."""
        self.spool = Spool(self.config.spool_file)
        self.signer = self.make_signer(self.spool)
        self.signer.bind()
        with self.spool.transaction():
            self.spool.unclear_all()
        script = Script(self.packs, self.now.ticks_ms, given=int(self.spool.cursor("script") or 0))
        self.agent = Agent(
            self.config,
            spool=self.spool,
            signer=self.signer,
            device=self.device,
            post=self.wire,
            mouths=[Mouth("script", Privacy.PUBLIC, script)],
            now=self.now,
        )
        self.wire.up = False

    def make_signer(self, spool: Spool, *, alive: bool = True) -> Signer:
        return Signer(
            key=self.key,
            issuer=ISSUER,
            subject=URN,
            audience=ORIGIN,
            spool=spool,
            bytes_max=self.config.spool_bytes_max,
            clock_quality=lambda _: 2,
            may_continue=lambda: alive,
        )

    def restart(self) -> None:
        """The agent's process ends and another begins."""
        self.spool.close()
        self.start()

    def connect(self) -> None:
        """The broker is there, and gives what it retains."""
        self.wire.up = True
        self.agent.take(Connected(), self.now)
        for topic, payload in self.retained.items():
            self.agent.take(Arrived(topic, payload), self.now)

    def cut(self) -> None:
        """The broker goes."""
        self.wire.up = False
        self.agent.take(Lost("cut", "mend it"), self.now)

    def run(self, ms: int, *, step_ms: int = 100) -> None:
        """Let time pass."""
        end = self.now.ticks_ms + ms
        while self.now.ticks_ms < end:
            self.agent.turn(self.now)
            self.deliver()
            self.now = Moment(self.now.wall_s + step_ms / 1_000, self.now.ticks_ms + step_ms)

    def deliver(self) -> None:
        """The gateway closes its block, and what it says arrives, if the wire is up."""
        for topic, payload, retain in self.ledger.seal():
            if retain:
                self.retained[topic] = payload
            if self.wire.up:
                self.agent.take(Arrived(topic, payload), self.now)

    def drain(self, ms: int = 120_000) -> None:
        """Run until everything is confirmed, or fail."""
        end = self.now.ticks_ms + ms
        while not self.agent.is_drained:
            assert self.now.ticks_ms < end, f"not drained: {self.agent.counts}"
            self.run(100)

    def event(self, body: bytes = b"\xa0") -> Statement:
        """Sign and spool an event, as the agent's process would."""
        content = Content(Privacy.PRIVATE, ContentFormat.EPCIS, body)
        return self.signer.events([content], self.now)[0]

    def check(self) -> None:
        """The ledger's streams have no holes and every section is there (but for the evicted)."""
        for key, entries in self.ledger.streams.items():
            prev = bytes(32)
            for seq, entry in enumerate(entries):
                assert entry.statement.tally.seq == seq
                assert entry.statement.tally.prev == prev
                assert entry.statement.stream_key == key
                prev = entry.statement.hash


def spoil(answer: Answer, receipt: Receipt, ledger: Ledger, **changes: object) -> Answer:
    """`answer` with another receipt in it, honestly signed."""
    changed = replace(receipt, **changes)  # type: ignore[arg-type]
    return replace(answer, receipt=changed.issue(ledger.key, ledger.root).encode())
