"""The hidden key of a batch, in a file: codes are printed by it, and never redeemed by it.

Once a lot is printed the file may go to where nothing is online, or be destroyed: from then on nobody can say a code of
the batch, but who scratches.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from labels.batch import Batch
from labels.hidden.code import KEY_BYTES
from ledger import b64, whole_file
from ledger.errors import MalformedError, UserError
from ledger.folder import LedgerFolder

_PREFIX = "TALLYSTICK-HIDDEN-KEY-1:"


def new_key() -> bytes:
    """From the operating system's randomness."""
    return os.urandom(KEY_BYTES)


def key_file(folder: LedgerFolder, batch_root: bytes) -> Path:
    """Where the hidden key of a batch lies."""
    return folder.key_file(f"hidden-{batch_root.hex()[:16]}")


def save(folder: LedgerFolder, batch: Batch, key: bytes) -> None:
    """Write a batch's key for its owner alone; UserError if it cannot be written."""
    path = key_file(folder, batch.root)
    text = f"# makes the hidden codes of lot {batch.lot} of GTIN {batch.gtin}\n{_PREFIX}{b64.encode(key)}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        whole_file.create(path, text.encode())
    except OSError as error:
        raise UserError.of_system(f"cannot write {path}", error) from error


def of_batches(folder: LedgerFolder, batches: Iterable[Batch]) -> Mapping[bytes, bytes]:
    """The hidden keys of those batches that have hidden codes, by their roots; UserError if one is not here."""
    return {batch.root: _load(key_file(folder, batch.root)) for batch in batches if batch.hidden is not None}


def _load(path: Path) -> bytes:
    try:
        return read(path.read_text("ascii"))
    except OSError as error:
        hint = "bring it back from where it was put: nothing else makes the codes under the scratch fields"
        raise UserError(f"cannot read the key of hidden codes {path}: {error.strerror}", hint) from error
    except (MalformedError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no key of hidden codes", f"it has a line that starts with {_PREFIX}") from error


def read(text: str) -> bytes:
    """The key in a file's text, or MalformedError."""
    line = next((line for line in text.splitlines() if line.startswith(_PREFIX)), "")
    key = b64.decode(line.removeprefix(_PREFIX))
    if len(key) != KEY_BYTES:
        raise MalformedError(f"a key of hidden codes has {KEY_BYTES} bytes")
    return key
