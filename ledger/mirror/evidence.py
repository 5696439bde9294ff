"""What proves that a log has forked: two checkpoints, both signed by it, that cannot be of one history."""

import hashlib
import json
from pathlib import Path

from ledger.errors import SourceForked
from ledger.published.log import Signed

_FOLDER, _GO_ON = "evidence", "go-on"


def forked(root: Path, chain: str, held: Signed, offered: Signed, *, source: str) -> SourceForked:
    """Keep both checkpoints below `root`, and say so."""
    digest = hashlib.sha256(offered.text.encode()).hexdigest()[:16]
    folder = root / _FOLDER / chain / f"{held.checkpoint.size}-{offered.checkpoint.size}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "held.checkpoint").write_text(held.text, "utf-8")
    (folder / "offered.checkpoint").write_text(offered.text, "utf-8")
    about = {"chain": chain, "origin": held.checkpoint.origin, "source": source, "held": _numbers(held)}
    about["offered"] = _numbers(offered)
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    (folder / _GO_ON).unlink(missing_ok=True)
    return _error(chain, folder)


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
