"""Checking a proof bundle against a trust file, offline: nine steps, and the one that fails is named."""

import enum
import hashlib
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Self

from ledger import anchor, fold, merkle
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.errors import MalformedError, OutsideError, ProofError, RegistryError, TrustError
from ledger.fold import Stored
from ledger.log import Log
from ledger.proof.bundle import Anchoring, Bundle, ProvenEntry
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.verdict import Shown, Verdict, show
from ledger.registry import ANCHOR, REGISTRY, Key, Registry
from ledger.section import Section, matching
from ledger.standing import require_standing
from ledger.statement import Statement
from ledger.trust.trust_file import Trust


class Claim(enum.IntEnum):
    """Steps, in their order; `claim` is what has been shown once a step has passed."""

    claim: str

    def __new__(cls, number: int, claim: str) -> Self:
        step = int.__new__(cls, number)
        step._value_, step.claim = number, claim
        return step


class Step(Claim):
    """The steps of a bundle."""

    TRUST = 1, "the trust file pins the chain's log, the registry's and the anchor's"
    CHECKPOINT = 2, "the chain's checkpoint is signed by its log"
    INCLUSION = 3, "the statement is in the tree of that checkpoint"
    BLOCK = 4, "the block that holds it is the beginning of that tree"
    ANCHOR = 5, "the block's header is in the anchor's checkpoint"
    STATE = 6, "the registry state that the block names is the beginning of the registry's checkpoint"
    REGISTRY = 7, "the genesis is the pinned one, and the registry entries are in that state"
    STATEMENT = 8, "the statement is signed by a key that was registered and good in that state"
    SECTIONS = 9, "the sections shown are the ones that the statement names"


def no_one(step: Step) -> None:
    """Tell no one."""


Passed = Callable[[Step], None]


class InStep:
    """Whatever fails in here, fails in this step; `passed` is told if nothing does."""

    __slots__ = ("_claim", "_passed", "_step")

    def __init__(self, step: Step, passed: Passed, claim: str | None = None) -> None:
        self._step, self._passed, self._claim = step, passed, claim or step.claim

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._passed(self._step)
        elif isinstance(error, OutsideError):
            raise type(error)(f"step {self._step} ({self._claim}) fails: {error}") from error


def verify(bundle: Bundle, trust: Trust, *, passed: Passed = no_one, checkpoints: Checkpoints | None = None) -> Verdict:
    """Check that `bundle` proves its statement under `trust`; `passed` is told of each step.

    Raises an OutsideError whose text begins with the step that fails. A bundle whose block is not in the anchor
    yet passes step 5 by saying so: see `Verdict.anchored`. Bundles that shall tell one history share `checkpoints`.
    """
    checkpoints = Checkpoints() if checkpoints is None else checkpoints
    step = partial(InStep, passed=passed)
    entry = bundle.entry
    # (1) Whose word counts is not in the bundle's hands.
    with step(Step.TRUST):
        log, registry_log, anchor_log = trust.log(bundle.chain), trust.log(REGISTRY), trust.log(ANCHOR)
        if bundle.chain == ANCHOR:
            raise TrustError("the anchor holds no statements")
    # (2) The log's word for its size and root.
    with step(Step.CHECKPOINT):
        checkpoint = checkpoints.open(log, bundle.checkpoint)
    # (3) The very bytes are the leaf.
    with step(Step.INCLUSION):
        _require_inclusion(entry, size=checkpoint.size, root=checkpoint.root)
    # (4) The header's tree ends in the log's, and grew by our entry.
    with step(Step.BLOCK):
        header = _require_block(bundle, log, checkpoint)
    # (5) The log's key signs sizes and roots; all else in the header is signed for by the anchor's.
    with step(Step.ANCHOR):
        if bundle.anchor is not None:
            anchored = checkpoints.open(anchor_log, bundle.anchor.checkpoint)
            _require_anchored(bundle.anchor, bundle.header, anchored)
    # (6) The state by which the block's keys were judged is one that the registry had.
    with step(Step.STATE):
        registry_checkpoint = checkpoints.open(registry_log, bundle.registry.checkpoint)
        _require_state(bundle, header, registry_checkpoint)
    # (7) What the registry says of the key in that state, from the pinned genesis on.
    with step(Step.REGISTRY):
        registry = _fold(bundle, header, registry_log, trust)
    # (8) The statement itself.
    with step(Step.STATEMENT):
        statement = Statement.decode(entry.statement)
        key = require_standing(statement, registry, chain=bundle.chain, origin=log.origin)
    # (9) Its content, as much of it as we were given.
    with step(Step.SECTIONS):
        sections = _sections(statement, entry)
    return _verdict(bundle, header, checkpoint, registry, statement, key, sections)


def _require_inclusion(entry: ProvenEntry, *, size: int, root: bytes) -> None:
    leaf = merkle.leaf_hash(entry.statement)
    merkle.verify_inclusion(entry.path, leaf=leaf, index=entry.index, size=size, root=root)


def _require_block(bundle: Bundle, log: Log, checkpoint: Checkpoint) -> Header:
    header = Header.decode(bundle.header)
    if header.origin != log.origin:
        raise TrustError(f"the block is of {header.origin!r}, not of {log.origin!r}")
    if not header.first <= bundle.entry.index < header.size:
        raise ProofError(f"the block holds entries {header.first} to {header.size - 1}, not {bundle.entry.index}")
    merkle.verify_consistency(
        bundle.consistency,
        old_size=header.size,
        new_size=checkpoint.size,
        old_root=header.root,
        new_root=checkpoint.root,
    )
    return header


def _require_anchored(anchoring: Anchoring, header: bytes, checkpoint: Checkpoint) -> None:
    leaf = merkle.leaf_hash(anchor.encode(anchor.Kind.HEADER, header))
    merkle.verify_inclusion(
        anchoring.path, leaf=leaf, index=anchoring.index, size=checkpoint.size, root=checkpoint.root
    )


def _require_state(bundle: Bundle, header: Header, checkpoint: Checkpoint) -> None:
    size, root = header.registry
    if size == 0 and _is_genesis(bundle):
        if root != merkle.EMPTY_ROOT or bundle.registry.consistency:
            raise ProofError("the genesis is judged by an empty registry")
        return
    merkle.verify_consistency(
        bundle.registry.consistency, old_size=size, new_size=checkpoint.size, old_root=root, new_root=checkpoint.root
    )


def _is_genesis(bundle: Bundle) -> bool:
    return bundle.chain == REGISTRY and bundle.entry.index == 0


def _fold(bundle: Bundle, header: Header, log: Log, trust: Trust) -> Registry:
    """The registry as far as the bundle's entries tell it."""
    size, root = header.registry
    entries = (bundle.entry,) if _is_genesis(bundle) else bundle.registry.entries
    _require_genesis(entries, trust)
    registry = Registry()
    for entry in entries:
        if not _is_genesis(bundle):
            _require_inclusion(entry, size=size, root=root)
        if entry.index < registry.size:
            raise MalformedError("the registry entries are not in order")
        registry = _applied(registry, entry, log)
    _require_pinned(registry, trust)
    registry.size = size
    return registry


def _require_genesis(entries: tuple[ProvenEntry, ...], trust: Trust) -> None:
    if not entries or entries[0].index != 0:
        raise TrustError("the registry's genesis is not there")
    if hashlib.sha256(entries[0].statement).digest() != trust.genesis:
        raise TrustError("the registry's genesis is not the one that the trust file pins")


def _applied(registry: Registry, entry: ProvenEntry, log: Log) -> Registry:
    """The registry with one more entry; its signer is good by the entries before.

    The genesis names its own signer, and its bytes are the pinned ones: a signature under that key could add nothing.
    """
    try:
        if entry.index == 0:
            return _founded(entry.statement, entry.sections).copy()
        require_standing(_apply(registry, entry), registry, chain=REGISTRY, origin=log.origin)
    except OutsideError as error:
        raise type(error)(f"registry entry {entry.index}: {error}") from error
    return registry


@lru_cache(maxsize=16)  # each ledger has one, and all its bundles hold it
def _founded(statement: bytes, sections: tuple[bytes | None, ...]) -> Registry:
    registry = Registry()
    _apply(registry, ProvenEntry(0, statement, sections, ()))
    return registry


def _apply(registry: Registry, entry: ProvenEntry) -> Statement:
    """Fold an entry in, as its statement and its sections say."""
    statement = Statement.decode(entry.statement)
    _require_sections(statement, entry)
    data = {line: section for line, section in enumerate(entry.sections) if section is not None}
    fault = fold.apply_statement(registry, Stored(entry.index, entry.statement, data), statement)
    if fault is not None:
        raise RegistryError(fault)
    return statement


def _require_pinned(registry: Registry, trust: Trust) -> None:
    """The trust file's logs are the genesis's: else an operator could give out keys that his ledger does not own to."""
    pinned = {name: log.verifier.vkey for name, log in trust.logs.items()}
    if pinned != {name: chain.vkey for name, chain in registry.chains.items()}:
        raise TrustError("the genesis names other logs or keys than the trust file")


def _require_sections(statement: Statement, entry: ProvenEntry) -> list[Section | None]:
    """A section or None for each line, each the one that its line names."""
    if len(entry.sections) != len(statement.manifest):
        raise MalformedError(f"there are {len(entry.sections)} sections for {len(statement.manifest)} lines")
    found = []
    for number, (line, data) in enumerate(zip(statement.manifest, entry.sections, strict=True)):
        section: Section | None = matching(line, data, kid=statement.kid)
        if data is not None and section is None:
            raise ProofError(f"section {number} is not the one that the statement names")
        found.append(section)
    return found


def _sections(statement: Statement, entry: ProvenEntry) -> tuple[Shown, ...]:
    sections = enumerate(_require_sections(statement, entry))
    return tuple(show(statement, number, section.body if section else None) for number, section in sections)


def _verdict(
    bundle: Bundle,
    header: Header,
    checkpoint: Checkpoint,
    registry: Registry,
    statement: Statement,
    key: Key,
    sections: tuple[Shown, ...],
) -> Verdict:
    return Verdict(
        chain=bundle.chain,
        index=bundle.entry.index,
        statement=statement,
        device=key.name,
        role=key.role,
        organisation=registry.organisations.get(key.issuer, ""),
        key_status=key.status,
        sections=sections,
        height=header.height,
        block_time_ms=header.time_ms,
        anchored=bundle.anchor is not None,
        registry_size=header.registry[0],
        checkpoint_size=checkpoint.size,
    )
