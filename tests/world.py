"""A small world for tests: a real ledger in a real database, devices that sign, and a gateway without a broker.

    with World(dsn, folder) as world:
        press = world.register_device("press-1")
        world.publish(press, press.readings(21.5, 21.6))
        publications = world.tick()

The test turns the clock: nothing is sealed before `tick`, and each tick is one block of every chain that got
something, then one of the anchor.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from gateway.anchor_chain import AnchorChain
from gateway.chain import GatewayChain
from gateway.replies import Publication
from gateway.sift import Incoming
from ledger import cbor, epcis, genesis, inbox, senml, stream
from ledger.author import Author, Content, compose
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import ANCHOR, CHAIN_KINDS, REGISTRY, Role
from ledger.seal import ChainLocked, ChainWriter
from ledger.section import ContentFormat, Privacy
from ledger.statement import EVENTS, NO_PREVIOUS, STREAM_BYTES, TELEMETRY, Statement, Tally
from ledger.topic import Topic

NAME, ORGANISATION = "example.com", "https://example.com"
START_MS = 1_750_000_000_000
_LET_GO_S_MAX = 10.0
_Taken = TypeVar("_Taken")


@dataclass
class Device:
    """A device as the ledger sees one: a key, a name, and at most one open stream a chain and lane."""

    name: str
    chains: tuple[str, ...] = ("production",)
    organisation: str = ORGANISATION
    key: SigningKey = field(default_factory=SigningKey.generate)
    urn: str = field(default_factory=lambda: f"urn:uuid:{uuid.uuid4()}")
    heads: dict[tuple[str, int], Statement] = field(default_factory=dict)

    @property
    def author(self) -> Author:
        """The device as it signs."""
        return Author(self.key, self.organisation, self.urn)

    @property
    def registration(self) -> dict[str, Any]:
        """The registry entry that admits it."""
        return {
            "type": "device",
            "name": self.name,
            "urn": self.urn,
            "organisation": self.organisation,
            "chains": list(self.chains),
            "key": self.key.public,
        }

    def next_tally(self, chain: str, lane: int, *, reopen: bool = False) -> Tally:
        """The next link of the lane's stream, or the first of a new one."""
        head = self.heads.get((chain, lane))
        if head is None or reopen:
            return Tally(lane, uuid.uuid4().bytes[:STREAM_BYTES], 0, NO_PREVIOUS, 2)
        return Tally(lane, head.tally.stream, head.tally.seq + 1, head.hash, 2)

    def readings(
        self, *values: float, time: float = START_MS / 1000, metric: str = "temperature", unit: str = "Cel"
    ) -> Content:
        """A private pack of readings, one a second."""
        base = f"{self.urn}:"
        pack = [senml.Reading(base + metric, unit, time + second, value) for second, value in enumerate(values)]
        return Content(Privacy.PRIVATE, ContentFormat.SENML_CBOR, senml.encode(pack, base_name=base))


def event(*epcs: str, biz_step: str = "commissioning", action: str = "ADD", **more: Any) -> Content:
    """A public EPCIS object event about `epcs`."""
    document = {
        "type": "ObjectEvent",
        "action": action,
        "eventTime": "2025-06-15T15:06:40Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": list(epcs),
        "bizStep": biz_step,
        **more,
    }
    return Content(Privacy.PUBLIC, ContentFormat.EPCIS, epcis.encode(document))


def opening(reason: str = "new", previous: tuple[bytes, int, bytes] | None = None) -> Content:
    """The section with which a stream opens."""
    return Content(Privacy.PUBLIC, ContentFormat.STREAM, stream.opening(reason, previous))


class World:
    """A ledger in `folder` and the database at `dsn`, and the gateway that writes it, in this process."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.folder, self.now_ms = dsn, LedgerFolder(folder), START_MS
        self.trust = genesis.init(self.folder, dsn, name=NAME, organisation=ORGANISATION, now_ms=self.now_ms)
        self._chains: dict[str, GatewayChain] = {}
        self._anchor: AnchorChain | None = None
        self._incoming: dict[str, list[Incoming]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all chains up, as a gateway does that dies; the next tick takes them again."""
        for chain in self._chains.values():
            chain.close()
        if self._anchor is not None:
            self._anchor.close()
        self._chains, self._anchor = {}, None

    # Speaking

    def register_device(self, name: str, *, chains: Sequence[str] = ("production",), **fields: Any) -> Device:
        """A new device, admitted: its registry entry is sealed."""
        device = Device(name, tuple(chains), **fields)
        self.operator_says(device.registration)
        return device

    def operator_says(self, *entries: dict[str, Any]) -> None:
        """Seal registry entries of the operator's, one statement each."""
        self.post(Role.OPERATOR, *entries)
        self.tick()

    def author(self, role: Role) -> Author:
        """A service as it signs."""
        key = self.chain(REGISTRY)._registry.key_named(role)
        assert key is not None
        return self.folder.author(role, issuer=key.issuer, subject=key.subject)

    def post(self, role: Role, *entries: dict[str, Any]) -> None:
        """Put registry entries of a service into the inbox."""
        author = self.author(role)
        with connect(self.dsn) as connection:
            for entry in entries:
                content = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(entry))
                inbox.post(
                    connection,
                    author,
                    chain=REGISTRY,
                    contents=[content],
                    now=self.now_ms // 1000,
                    new_stream=uuid.uuid4().bytes[:STREAM_BYTES],
                )

    def publish(
        self, device: Device, *contents: Content, chain: str = "production", lane: int | None = None
    ) -> Statement:
        """Sign and send the next statement over `contents`, and before it the stream's opening if it has none.

        Without a `lane`, events go to the events lane and all else to telemetry.
        """
        if lane is None:
            lane = EVENTS if any(content.content_format == ContentFormat.EPCIS for content in contents) else TELEMETRY
        if (chain, lane) not in device.heads:
            self._send_next(device, chain, device.next_tally(chain, lane), [opening()])
        return self._send_next(device, chain, device.next_tally(chain, lane), contents)

    def reopen(self, device: Device, reason: str, *, chain: str = "production", lane: int = TELEMETRY) -> Statement:
        """Sign and send the opening of a new stream, which closes the lane's earlier one."""
        head = device.heads.get((chain, lane))
        previous = (head.tally.stream, head.tally.seq, head.hash) if head else None
        tally = device.next_tally(chain, lane, reopen=True)
        return self._send_next(device, chain, tally, [opening(reason, previous)])

    def sign(
        self, device: Device, contents: Sequence[Content], *, tally: Tally, chain: str = "production"
    ) -> tuple[Statement, bytes]:
        """Any statement of the device, and its message; nothing is sent or remembered."""
        origin = self.trust.log(chain).origin
        return compose(device.author, origin=origin, tally=tally, contents=contents, now=self.now_ms // 1000)

    def send(self, device: str, payload: bytes, *, chain: str = "production", what: str = "statement") -> None:
        """Put any bytes on a device's topic."""
        self._incoming.setdefault(chain, []).append(Incoming(Topic(chain, device), what, payload))

    def _send_next(self, device: Device, chain: str, tally: Tally, contents: Sequence[Content]) -> Statement:
        statement, payload = self.sign(device, contents, tally=tally, chain=chain)
        device.heads[chain, tally.lane] = statement
        self.send(device.name, payload, chain=chain)
        return statement

    # Sealing

    def tick(self, ms: int = 250, *, anchored: bool = True) -> list[Publication]:
        """Let time pass, seal what was sent or waits in the inbox, anchor it, and return what would be published."""
        self.now_ms += ms
        publications = []
        for name in (REGISTRY, *(name for name in CHAIN_KINDS if name not in (REGISTRY, ANCHOR))):
            publications += self.chain(name).take(self._incoming.pop(name, []))
        if anchored:
            self.anchor.take()
        return publications

    def chain(self, name: str) -> GatewayChain:
        """The gateway's hold on a chain, taken if need be."""
        if name not in self._chains:
            self._chains[name] = taken(
                lambda: GatewayChain(self.dsn, chain=name, folder=self.folder, now_ms=lambda: self.now_ms)
            )
        return self._chains[name]

    @property
    def anchor(self) -> AnchorChain:
        """The gateway's hold on the anchor, taken if need be."""
        if self._anchor is None:
            self._anchor = taken(lambda: AnchorChain(self.dsn, folder=self.folder, now_ms=lambda: self.now_ms))
        return self._anchor

    def writer(self, name: str) -> ChainWriter:
        """A writer of a chain that judges nothing, in place of the gateway. Close it before the next tick."""
        self.close()
        key, checkpoints = self.folder.log_key(name), self.folder.checkpoints
        return taken(lambda: ChainWriter(self.dsn, chain=name, key=key, checkpoints=checkpoints))


def taken(take: Callable[[], _Taken]) -> _Taken:
    """What `take` takes of a chain, once the session that had it is over: the server may not know yet that it ended."""
    deadline_s = time.monotonic() + _LET_GO_S_MAX
    while True:
        try:
            return take()
        except ChainLocked:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)


@contextmanager
def ticking(world: World) -> Iterator[None]:
    """The gateway of `world`, sealing in a thread of its own."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(0.05):
            world.tick(anchored=False)
        world.close()

    world.close()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
