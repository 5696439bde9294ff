"""What proves that a log has forked: two checkpoints, both signed by it, that cannot be of one history."""

import hashlib
import json
from pathlib import Path

from ledger.errors import SourceForked
from ledger.mirror.store import Store
from ledger.published.log import Signed

_FOLDER, _GO_ON = "evidence", "go-on"


def forked(store: Store, chain: str, held: Signed, offered: Signed, *, source: str) -> SourceForked:
    """Keep both checkpoints in the mirror, on its disk, and say so."""
    digest = hashlib.sha256(offered.text.encode()).hexdigest()[:16]
    name = f"{_FOLDER}/{chain}/{held.checkpoint.size}-{offered.checkpoint.size}-{digest}"
    about = {"chain": chain, "origin": held.checkpoint.origin, "source": source}
    numbers = {"held": _numbers(held), "offered": _numbers(offered)}
    store.write(f"{name}/held.checkpoint", held.text.encode())
    store.write(f"{name}/offered.checkpoint", offered.text.encode())
    store.write(f"{name}/about.json", json.dumps(about | numbers, indent=2).encode() + b"\n")
    store.settle()
    (store.root / name / _GO_ON).unlink(missing_ok=True)
    return _error(chain, store.root / name)


def require_none(root: Path, chain: str) -> None:
    """Raise SourceForked if there is evidence against a chain that nobody has set aside."""
    for folder in _against(root, chain):
        if not (folder / _GO_ON).exists():
            raise _error(chain, folder)


def go_on(root: Path, chain: str) -> bool:
    """Set the evidence against a chain aside, and keep it; whether there is any."""
    folders = _against(root, chain)
    for folder in folders:
        (folder / _GO_ON).touch()
    return bool(folders)


def _against(root: Path, chain: str) -> list[Path]:
    folder = root / _FOLDER / chain
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _error(chain: str, folder: Path) -> SourceForked:
    return SourceForked(
        f"the log of {chain!r} has forked: it signed two trees that cannot be one history. Both checkpoints are kept: "
        f"{folder / 'held.checkpoint'} and {folder / 'offered.checkpoint'}",
        "show both to whoever relies on this ledger. If this folder is to follow the log as it was before, "
        f"go on with --go-on {chain}; to follow the other history, mirror it into another folder",
    )


def _numbers(signed: Signed) -> dict[str, object]:
    return {"size": signed.checkpoint.size, "root": signed.checkpoint.root.hex()}
