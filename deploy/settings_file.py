"""`<data>/tallystick.toml`, which `up` writes and every command reads (`ledger/settings.py`)."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from deploy.credentials import write_private
from ledger.errors import UserError
from ledger.settings import FILE_NAME, is_port

Tables = Mapping[str, Mapping[str, str | int | bool | list[str]]]

_HINT = "mend it, or delete it: 'up' writes it anew"
_HEADER = "# Written by 'tallystick up'; ports are kept from run to run.\n"


def load(data: Path) -> Tables:
    """The tables of the file, or none; raises UserError if it cannot be read."""
    path = data / FILE_NAME
    try:
        tables = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {path}: {error}", _HINT) from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UserError(f"{path}: '{name}' is not a table", _HINT)
        if not is_port(table.get("port", 1)):
            raise UserError(f"{path}: 'port' of [{name}] is not a port, 1 to 65535", _HINT)
    return tables


def save(data: Path, tables: Tables) -> None:
    """Replace the file in one step; it may hold a database's password, so only its owner may read it."""
    text = _HEADER + "".join(f"\n[{name}]\n{_rows(table)}" for name, table in tables.items())
    write_private(data / FILE_NAME, text)


def _rows(table: Mapping[str, str | int | bool | list[str]]) -> str:
    # A JSON string, number, boolean or array of strings is TOML's too, but for DEL, which TOML wants escaped.
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f") for key, value in table.items()
    )
