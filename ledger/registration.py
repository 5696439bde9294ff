"""Registration files: what an organisation or a device hands to the operator, and the registry entry made of it."""

import json
from typing import Any

from ledger.errors import UserError

VERSION = 1
FILE_BYTES_MAX = 64 * 1024
_HINT = "'tallystick edge init' writes a device's; an organisation's has type, uri and name"


def read(text: str) -> list[dict[str, Any]]:
    """The registry entries that a registration file asks for: one object or a list of them. Raises UserError."""
    try:
        value = json.loads(text[:FILE_BYTES_MAX])
    except (ValueError, RecursionError) as error:
        raise UserError(f"the registration is not JSON: {error}", _HINT) from error
    return [_entry(item) for item in (value if isinstance(value, list) else [value])]


def _entry(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("tallystick-registration") != VERSION:
        raise UserError('a registration has "tallystick-registration": 1', _HINT)
    match value:
        case {"type": "organisation", "uri": str(uri), "name": str(name)}:
            return {"type": "organisation", "uri": uri, "name": name}
        case {
            "type": "device",
            "name": str(name),
            "urn": str(urn),
            "organisation": str(organisation),
            "chains": list(chains),
            "key": str(key),
        } if all(isinstance(chain, str) for chain in chains):
            return {
                "type": "device",
                "name": name,
                "urn": urn,
                "organisation": organisation,
                "chains": chains,
                "key": _key(key),
            }
    raise UserError(
        "the registration is neither an organisation's (type, uri, name) nor a device's (type, name, urn, "
        "organisation, chains, key)",
        _HINT,
    )


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise UserError("the device's key is not hexadecimal", _HINT) from error
    if len(key) != 32:
        raise UserError("the device's key is not an Ed25519 public key of 32 bytes", _HINT)
    return key
