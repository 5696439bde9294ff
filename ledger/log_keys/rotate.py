"""Changing a log's key: a new key in the folder, and a root key's word for it in the registry.

A run that died half-way is finished by the next. Before the entry is in the inbox there is only a key file that nobody
uses, which the next run takes; after, the gateway seals it, and the next run waits for that. Last, the trust file that
the operator gives out gets the root key's word as well.
"""

from dataclasses import dataclass
from pathlib import Path

from ledger import checkpoint_file, note, operate
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey, load_or_make
from ledger.log import OVERLAP
from ledger.published import trust_bundle
from ledger.registry import Chain, Registry, Role

_BOTH_SIGN = "wait until then; if the new key must go as well, --again changes it once more"


@dataclass(frozen=True, slots=True)
class Rotated:
    """A log's new key, its secret half in the file `new`: it signs from `first` on, the one in `old` up to `until`."""

    chain: str
    vkey: str
    first: int
    until: int
    new: Path
    old: Path


def rotate(
    folder: LedgerFolder,
    dsn: str,
    chain: str,
    *,
    root_key: Path | None,
    overlap: int = OVERLAP,
    again: bool = False,
    timeout_s: float,
) -> Rotated:
    """Give the log of `chain` a new key, and wait until that is published; raises UserError.

    For `overlap` entries from now on the present key signs as well. `again`: although it does so for its predecessor.
    """
    root = _root(folder, root_key)
    before = operate.published(folder, dsn)
    _require_root(before, root)
    _require_chain(before, chain)
    operate.finish(folder, dsn, root.kid, timeout_s=timeout_s)
    registry = operate.put_back(folder, dsn, timeout_s=timeout_s)
    trust_bundle.refresh(folder, dsn)
    if registry.chains[chain] != before.chains[chain]:
        return _rotated(folder, registry.chains[chain])  # an earlier run's, or lost in a restored database
    _require_settled(folder, registry.chains[chain], again=again)
    entry = _entry(folder, registry.chains[chain], overlap)
    registry = operate.post(folder, dsn, [entry], timeout_s=timeout_s, key=root)
    trust_bundle.refresh(folder, dsn)
    return _rotated(folder, registry.chains[chain])


def _root(folder: LedgerFolder, path: Path | None) -> SigningKey:
    kept = folder.key_file("root")
    if path is None and not kept.exists():
        raise UserError(f"there is no root key in {kept.parent}", "it is kept elsewhere, and well: name it, --root-key")
    return SigningKey.load(path or kept)


def _require_root(registry: Registry, root: SigningKey) -> None:
    key = registry.key(root.kid)
    if key is None or key.role is not Role.ROOT:
        raise UserError(
            f"the key {root.kid.hex()[:16]}… is not the ledger's root key", "the genesis names it: 'ledger keys'"
        )


def _require_chain(registry: Registry, chain: str) -> None:
    if chain not in registry.chains:
        raise UserError(f"no chain is called {chain!r}", f"the chains are {', '.join(registry.chains)}")


def _size(folder: LedgerFolder, chain: str) -> int:
    published = checkpoint_file.load(folder.checkpoints, chain)
    return published.checkpoint.size if published else 0


def _require_settled(folder: LedgerFolder, chain: Chain, *, again: bool) -> None:
    size = _size(folder, chain.name)
    if chain.rotations and size <= chain.rotations[-1].until and not again:
        until = chain.rotations[-1].until
        raise UserError(
            f"the key of {chain.name!r} was changed, and the one before signs up to size {until:,}: now it is {size:,}",
            _BOTH_SIGN,
        )


def _entry(folder: LedgerFolder, chain: Chain, overlap: int) -> dict[str, object]:
    path = folder.log_key_file(chain.name, len(chain.log_keys) + 1)
    new = load_or_make(path, f"signs the log {chain.name}")
    first = max(_size(folder, chain.name), chain.log_keys[-1].first) + 1
    vkey = note.Verifier(chain.origin, new.public).vkey
    return {"type": "log-key", "chain": chain.name, "vkey": vkey, "first": first, "until": first - 1 + overlap}


def _rotated(folder: LedgerFolder, chain: Chain) -> Rotated:
    rotation, number = chain.rotations[-1], len(chain.log_keys)
    new, old = folder.log_key_file(chain.name, number), folder.log_key_file(chain.name, number - 1)
    return Rotated(chain.name, rotation.verifier.vkey, rotation.first, rotation.until, new, old)
