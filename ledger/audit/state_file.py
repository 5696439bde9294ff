"""What an audit keeps, to go on from there: a file that is bound to its ledger, and to each chain's root and header.

CBOR `{"tallystick-audit": 1, "genesis": …, "chains": {name: …}}`. Streams, heads and sections' names are many and
of fixed size: each sort is one byte string of records.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ledger import cbor, merkle, topic
from ledger.audit.report import PROBLEMS_KEPT, Part, Problem
from ledger.audit.state import State
from ledger.audit.streams import Head
from ledger.block import Header
from ledger.errors import MalformedError
from ledger.frontier import Frontier

VERSION = 1
_MS_MAX = 253_402_300_800_000  # the year 10000
_Item = TypeVar("_Item")
_STREAM, _HEAD, _SECTION = struct.Struct(">32sB8s"), struct.Struct(">32sB8sQ32s"), struct.Struct(">32s8sQQ")


@dataclass(frozen=True)
class Saved:
    """The chains of the ledger with this genesis entry's SHA-256, as far as they were audited."""

    genesis: bytes
    chains: Mapping[str, State] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The file's bytes."""
        chains = {name: _map(state) for name, state in self.chains.items()}
        return cbor.encode({"tallystick-audit": VERSION, "genesis": self.genesis, "chains": chains})

    @classmethod
    def decode(cls, data: bytes) -> "Saved":
        """Read a file's bytes, or raise MalformedError."""
        match cbor.decode_canonical(data):
            case {"tallystick-audit": 1, "genesis": bytes(genesis), "chains": dict(chains)} if len(genesis) == 32:
                return cls(genesis, {_name(name): _state(fields) for name, fields in chains.items()})
        raise MalformedError("it is no audit's state, or one of another version")


def _map(state: State) -> dict[str, Any]:
    return {
        "size": state.size,
        "rows": [b"".join(row) for row in state.rows],
        "header": None if state.header is None else state.header.encode(),
        "open": state.is_open,
        "registry": state.registry,
        "heads": _pack(_HEAD, ((*lane, head.stream, head.seq, head.hash) for lane, head in state.heads.items())),
        "known": _pack(_STREAM, state.known),
        "lacking": _pack(_SECTION, state.lacking),
        "named": _pack(_SECTION, state.named),
        "counts": dict(state.counts),
        "problems": [_found(problem) for problem in state.problems],
        "notes": [_found(note) for note in state.notes],
        "anchored": dict(state.anchored),
        "registry_anchored": state.registry_anchored,
        "parts": [[part.size, part.at_ms] for part in state.parts],
    }


def _pack(record: struct.Struct, rows: Iterable[tuple[Any, ...]]) -> bytes:
    return b"".join(sorted(record.pack(*row) for row in rows))


def _found(problem: Problem) -> list[Any]:
    return [problem.what, problem.index, problem.height]


def _name(name: Any) -> str:
    if not isinstance(name, str) or not topic.NAME.fullmatch(name):
        raise MalformedError("a chain's name matches [a-z0-9-]{1,32}")
    return name


def _state(fields: Any) -> State:
    if not isinstance(fields, dict) or fields.keys() != _FIELDS.keys():
        raise MalformedError("a chain's state has not the fields that it must have")
    found = {name: read(fields[name]) for name, read in _FIELDS.items()}
    state = State(is_open=found.pop("open"), **found)
    try:
        Frontier(state.size, state.rows)
    except ValueError as error:
        raise MalformedError(str(error)) from error
    if not {key[:2] for key in state.known} <= state.heads.keys():
        raise MalformedError("a stream's lane has no head")
    _require_header(state)
    return state


def _require_header(state: State) -> None:
    """The last block holds the last entry; behind its end, the tree is the one that it names."""
    header = state.header
    if header is None:
        if state.size:
            raise MalformedError("entries were audited, and no block")
        return
    if not state.is_open and (header.size, header.root) != (state.size, Frontier(state.size, state.rows).root()):
        raise MalformedError("its tree is not the one that its last header names")
    if not header.first <= state.size <= header.size:
        raise MalformedError("its last block does not hold its last entry")


def _count(value: Any) -> int:
    if not cbor.is_count(value):
        raise MalformedError("a number is from 0 to 2**63 - 1")
    return value


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise MalformedError("open is true or false")
    return value


def _bytes(value: Any) -> bytes:
    if type(value) is not bytes:
        raise MalformedError("records are bytes")
    return value


def _list(value: Any, read: Callable[[Any], _Item]) -> tuple[_Item, ...]:
    if type(value) is not list:
        raise MalformedError("a list is expected")
    return tuple(map(read, value))


def _header(value: Any) -> Header | None:
    return None if value is None else Header.decode(_bytes(value))


def _row(value: Any) -> list[bytes]:
    row, width = _bytes(value), merkle.HASH_BYTES
    if len(row) % width:
        raise MalformedError(f"a row is of hashes of {width} bytes")
    return [row[at : at + width] for at in range(0, len(row), width)]


def _records(record: struct.Struct, value: Any) -> list[tuple[Any, ...]]:
    data = _bytes(value)
    if len(data) % record.size:
        raise MalformedError(f"records of {record.size} bytes are cut short")
    return list(record.iter_unpack(data))


def _heads(value: Any) -> dict[tuple[bytes, int], Head]:
    return {(kid, lane): Head(*head) for kid, lane, *head in _records(_HEAD, value)}


def _counts(value: Any) -> dict[str, int]:
    if type(value) is not dict or not all(isinstance(name, str) for name in value):
        raise MalformedError("counts are by name")
    return {name: _count(count) for name, count in value.items()}


def _problem(value: Any) -> Problem:
    match value:
        case [str(what), index, height] if all(at is None or cbor.is_count(at) for at in (index, height)):
            return Problem(None, what, index, height)
    raise MalformedError("what was found is [what, index, height]")


def _problems(value: Any) -> tuple[Problem, ...]:
    found = _list(value, _problem)
    if len(found) > PROBLEMS_KEPT:
        raise MalformedError("more was found than is kept")
    return found


def _part(value: Any) -> Part:
    match value:
        case [size, at_ms] if _count(at_ms) < _MS_MAX:
            return Part(_count(size), at_ms)
    raise MalformedError("a part is [size, time]")


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "size": _count,
    "rows": lambda value: _list(value, _row),
    "header": _header,
    "open": _bool,
    "registry": _count,
    "heads": _heads,
    "known": lambda value: set(_records(_STREAM, value)),
    "lacking": lambda value: set(_records(_SECTION, value)),
    "named": lambda value: set(_records(_SECTION, value)),
    "counts": _counts,
    "problems": _problems,
    "notes": _problems,
    "anchored": _counts,
    "registry_anchored": _count,
    "parts": lambda value: _list(value, _part),
}
