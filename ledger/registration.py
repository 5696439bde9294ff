"""Registration files: what an organisation or a device hands to the operator, and the registry entry made of it."""

import json
import re
from typing import Any

from nacl.bindings import crypto_core_ed25519_is_valid_point

from ledger.errors import UserError
from ledger.names import is_uri
from ledger.registry import is_text
from ledger.registry.prefixes import is_prefix

VERSION = 1
FILE_BYTES_MAX = 64 * 1024
_HINT = "'tallystick edge init' writes a device's; an organisation's has type, uri and name"


def read(text: str) -> list[dict[str, Any]]:
    """The registry entries that a registration file asks for: one object or a list of them. Raises UserError."""
    if len(text) > FILE_BYTES_MAX:
        raise UserError("the registration is over its size", f"a file has at most {FILE_BYTES_MAX} bytes")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"the registration is not JSON: {error}", _HINT) from error
    items = value if isinstance(value, list) else [value]
    if not items:
        raise UserError("the registration asks for nothing: its list is empty", _HINT)
    return [_entry(item) for item in items]


def _entry(value: Any) -> dict[str, Any]:
    version = value.get("tallystick-registration") if isinstance(value, dict) else None
    if type(version) is not int or version != VERSION:
        raise UserError('a registration has "tallystick-registration": 1', _HINT)
    match value:
        case {"type": "organisation", "uri": str(uri), "name": str(name)} if is_uri(uri) and is_text(name):
            return organisation_entry(uri, name, value.get("prefixes"))
        case {
            "type": "device",
            "name": str(name),
            "urn": str(urn),
            "organisation": str(organisation),
            "chains": list(chains),
            "key": str(key),
        } if all(map(is_text, (name, *chains))) and is_uri(urn) and is_uri(organisation):
            return {
                "type": "device",
                "name": name,
                "urn": urn,
                "organisation": organisation,
                "chains": chains,
                "key": _key(key),
            }
    raise UserError(
        "the registration is neither an organisation's (type, uri, name; prefixes) nor a device's (type, name, urn, "
        "organisation, chains, key)",
        _HINT,
    )


def organisation_entry(uri: str, name: str, prefixes: Any = None) -> dict[str, Any]:
    """The entry of an organisation; UserError unless its GS1 Company Prefixes, if it has any, can be some."""
    entry = {"type": "organisation", "uri": uri, "name": name}
    if prefixes is None:
        return entry
    if not isinstance(prefixes, list) or not prefixes or not all(map(is_prefix, prefixes)):
        told = "an organisation's GS1 Company Prefixes are a list of texts of 4 to 12 digits each"
        raise UserError(told, "GS1's certificate of your licence has it: 9506000, for example")
    return entry | {"prefixes": prefixes}


def _key(text: str) -> bytes:
    key = bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]{64}", text) else b""
    if not key or not crypto_core_ed25519_is_valid_point(key):  # no device could ever sign for it
        raise UserError("the device's key is not an Ed25519 public key: 32 bytes in hexadecimal", _HINT)
    return key
