"""Where something is published, as a user names it: an http or https address, or a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ledger.errors import UserError
from ledger.published.folder import FolderReader
from ledger.published.reader import Reader

_TOKEN_CHARS_MAX = 4096


class Token(NamedTuple):
    """A bearer token, and the file that holds it."""

    text: str
    file: Path


def is_address(location: str) -> bool:
    """Whether it is an address, and no folder."""
    return location.startswith(("http://", "https://"))


@contextmanager
def reading(location: str, token: Token | None = None) -> Iterator[Reader]:
    """A reader of what is published there; raises UserError if nothing can be. A `token` is for addresses."""
    if not is_address(location):
        if not Path(location).is_dir():
            raise UserError(f"{location} is no folder", "name a folder, or an address that begins with https://")
        yield FolderReader(Path(location))
        return
    from ledger.published.http import HttpReader

    reader = HttpReader(location, token=token.text, token_file=token.file) if token else HttpReader(location)
    try:
        yield reader
    finally:
        reader.close()


def token_in(file: Path | None) -> Token | None:
    """The bearer token in a file of that one line, or None without a file; raises UserError."""
    if file is None:
        return None
    try:
        text = file.read_text("utf-8").strip()
    except OSError as error:
        raise UserError.of_system(f"cannot read {file}", error) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} holds no token: it is not UTF-8", "it is one line, as the operator gave it") from error
    if not text or len(text) > _TOKEN_CHARS_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise UserError(f"{file} holds no token", "it is one line of letters and digits, as the operator gave it")
    return Token(text, file)
