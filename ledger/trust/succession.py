"""The logs' keys by the genesis' pin alone: what root keys have said since, link by link.

A root key signs few entries, all of one stream in the registry, of which the genesis is seq 0. Each names the hash of
the one before: so whoever has pinned the genesis reads that stream without the rest of the registry, from anybody's
hands, and nobody can leave one out but at the end. A *message* is an entry with its sections, as over the wire.
"""

from collections.abc import Iterable, Mapping, Sequence

from ledger import fold, message, note
from ledger.errors import MalformedError, OutsideError, TrustError
from ledger.fold import Stored
from ledger.log import Log
from ledger.registry import REGISTRY, Chain, Registry
from ledger.section import ContentFormat, matching
from ledger.standing import require_standing
from ledger.statement import EVENTS, Statement

MESSAGES_MAX = 1_000


def follow(genesis: bytes, messages: Sequence[bytes]) -> Registry:
    """The registry as far as root keys tell it: the messages of their stream from seq 0 on, to wherever they end.

    `genesis` is the pinned SHA-256 of the genesis. Raises TrustError for anything else than that stream.
    """
    if not 1 <= len(messages) <= MESSAGES_MAX:
        raise TrustError(f"what root keys have said is 1 to {MESSAGES_MAX} messages, the genesis first")
    registry, before = Registry(), None
    for number, data in enumerate(messages):
        try:
            statement, stored = _read(number, data)
            _require_next(statement, before, genesis)
            fault = fold.apply(registry, stored)
            if before is None and fault is not None:
                raise TrustError(fault)  # what the rules refuse later has no effect: as in the registry
            require_standing(statement, registry, chain=REGISTRY, origin=_origin(registry))
        except OutsideError as error:
            raise TrustError(f"message {number} of the root key: {error}") from error
        before = statement
    return registry


def messages_of(entries: Iterable[Stored]) -> list[bytes]:
    """What root keys have said, found among all of the registry's entries in their order."""
    messages, genesis = list[bytes](), None
    for stored in entries:
        if genesis is not None and genesis.kid not in stored.data:
            continue  # most are others', and need not be read
        try:
            statement = Statement.decode(stored.data)
        except MalformedError:
            continue
        genesis = genesis or statement
        if statement.stream_key == genesis.stream_key:
            messages.append(stored.message(len(statement.manifest)))
    return messages


def logs(chains: Mapping[str, Chain]) -> dict[str, Log]:
    """The ledger's logs by chain name, with all the keys that the registry names."""
    return {name: Log(name, note.Verifier.parse(chain.vkey), chain.rotations) for name, chain in chains.items()}


def merged(known: Mapping[str, Log], found: Mapping[str, Log]) -> dict[str, Log]:
    """The logs with all rotations that either knows. Raises TrustError if the two contradict each other."""
    if known.keys() != found.keys():
        raise TrustError("these are the logs of another ledger")
    both = {}
    for chain, log in known.items():
        newest = max(log, found[chain], key=lambda one: len(one.rotations))
        if not (newest.follows(log) and newest.follows(found[chain])):
            raise TrustError(f"the log {chain!r} has other keys than are known already: keep both, they are evidence")
        both[chain] = newest
    return both


def _read(number: int, data: bytes) -> tuple[Statement, Stored]:
    """A message's statement, and the entry with its sections: what the registry reads of it is whole."""
    sent = message.decode(data)
    statement = Statement.decode(sent.statement)
    sections = {}
    for line, of in enumerate(statement.manifest):
        section = matching(of, sent.sections[line] if line < len(sent.sections) else None, kid=statement.kid)
        if section is not None:
            sections[line] = section.encode()
        elif of.content_format == ContentFormat.REGISTRY:
            raise MalformedError(f"its section {line} is not whole")
    return statement, Stored(number, sent.statement, sections)


def _require_next(statement: Statement, before: Statement | None, genesis: bytes) -> None:
    if before is None:
        if statement.hash != genesis:
            raise TrustError("the genesis is not the one that is pinned")
    elif (statement.stream_key, statement.tally.seq, statement.tally.prev) != (
        before.stream_key, before.tally.seq + 1, before.hash,
    ):  # fmt: skip
        raise TrustError("it is not the next link of the genesis' stream")
    if statement.tally.lane != EVENTS:
        raise TrustError("the genesis' stream is one of events")


def _origin(registry: Registry) -> str:
    if REGISTRY not in registry.chains:
        raise TrustError("the genesis names no logs")
    return registry.chains[REGISTRY].origin
