"""The parts of a trust bundle as its JSON object has them, and back. What is none raises TrustError."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.errors import TrustError
from ledger.log import Log
from ledger.registry import Key, LabelScope, Place, Recalled, is_disputed, is_text
from ledger.topic import NAME

TIME_MAX = 2**40
_LABEL_KEY = "a label key is {key, organisation, gtins, first_day, last_day, revoked}, and of one batch {lot, batch}"

_RECALL = "a recall is {gtin, organisation, reason, since, entry}, and of a lot or an item {lot} or {serial}"


@dataclass(frozen=True, slots=True)
class Revoked:
    """A device's key that registry entry `entry` has revoked, and from which places on what it signed is disputed."""

    kid: bytes
    name: str
    entry: int
    disputed: tuple[Place, ...]

    @classmethod
    def of(cls, key: Key) -> "Revoked":
        """The line for a revoked key as the registry has it."""
        return cls(key.kid, key.name, key.since or 0, key.disputed)

    def disputes(self, chain: str, index: int, stream: bytes, seq: int) -> bool:
        """Whether its statement at this place is disputed."""
        return is_disputed(self.disputed, chain, index, stream, seq)


def logs_value(logs: Mapping[str, Log]) -> dict[str, Any]:
    """By chain, each key with the sizes that it signs for."""
    return {
        chain: [{"vkey": key.verifier.vkey, "first": key.first, "last": key.last} for key in log.keys]
        for chain, log in logs.items()
    }


def revoked_value(key: Revoked) -> dict[str, Any]:
    """A revoked key's line."""
    places = [_place_value(place) for place in key.disputed]
    return {"kid": key.kid.hex(), "name": key.name, "entry": key.entry, "disputed": places}


def _place_value(place: Place) -> dict[str, Any]:
    """A place from which on statements are disputed, as JSON has it."""
    where, at = place
    return {"chain": where, "index": at} if isinstance(where, str) else {"stream": where.hex(), "seq": at}


def revoked(value: Any) -> dict[bytes, Revoked]:
    """The revoked keys of devices, by kid."""
    if not isinstance(value, list):
        raise TrustError("revoked_keys are a list")
    keys = [_revoked_key(item) for item in value]
    return {key.kid: key for key in keys}


def _revoked_key(value: Any) -> Revoked:
    match value:
        case {"kid": str(kid), "name": str(name), "entry": entry, "disputed": list(places)} if len(value) == 4:
            if NAME.fullmatch(name):
                return Revoked(hash_of(kid, "a kid"), name, count(entry, TIME_MAX), tuple(map(_place, places)))
    raise TrustError("a revoked key is {kid, name, entry, disputed}")


def _place(value: Any) -> Place:
    match value:
        case {"chain": str(chain), "index": index} if len(value) == 2 and NAME.fullmatch(chain):
            return chain, count(index, TIME_MAX)
        case {"stream": str(stream), "seq": seq} if len(value) == 2 and re.fullmatch("[0-9a-f]{16}", stream):
            return bytes.fromhex(stream), count(seq, 2**63)
    raise TrustError("a place is {chain, index} or {stream, seq}")


def scope_value(scope: LabelScope) -> dict[str, Any]:
    """A label key's line; that of one batch's key names its lot and root."""
    batch = {"lot": scope.lot, "batch": scope.batch.hex()} if scope.lot is not None and scope.batch is not None else {}
    return {
        "key": scope.public_key.hex(),
        "organisation": scope.organisation,
        "gtins": list(scope.gtins),
        "first_day": scope.first_day,
        "last_day": scope.last_day,
        "revoked": scope.revoked,
        **batch,
    }


def label_keys(value: Any) -> tuple[LabelScope, ...]:
    """What label keys may sign."""
    if not isinstance(value, list):
        raise TrustError("label_keys are a list")
    return tuple(_scope(item) for item in value)


def _scope(value: Any) -> LabelScope:
    match value:
        case {
            "key": str(key),
            "organisation": str(organisation),
            "gtins": list(gtins),
            "first_day": first_day,
            "last_day": last_day,
            "revoked": bool(revoked),
        } if len(value) in (6, 8) and all(map(is_text, (organisation, *gtins))):
            first, last = count(first_day, 2**31), count(last_day, 2**31)
            lot, batch = _batch(value) if len(value) == 8 else (None, None)
            return LabelScope(hash_of(key, "a label key"), organisation, tuple(gtins), first, last, revoked, lot, batch)
    raise TrustError(_LABEL_KEY)


def _batch(value: dict[str, Any]) -> tuple[str, bytes]:
    """The batch that a key is for alone: its lot and its root."""
    match value:
        case {"lot": str(lot), "batch": str(batch)} if is_text(lot):
            return lot, hash_of(batch, "a label key's batch")
    raise TrustError(_LABEL_KEY)


def recall_value(recalled: Recalled) -> dict[str, Any]:
    """A recall's line; that of a lot or an item names it."""
    place = {"gtin": recalled.gtin, "lot": recalled.lot, "serial": recalled.serial}
    return {
        **{name: text for name, text in place.items() if text},
        "organisation": recalled.organisation,
        "reason": recalled.reason,
        "since": recalled.since,
        "entry": recalled.entry,
    }


def recalls(value: Any) -> tuple[Recalled, ...]:
    """What must not be used, each place once."""
    if not isinstance(value, list):
        raise TrustError("recalls are a list")
    found = tuple(map(_recall, value))
    if len({recalled.place for recalled in found}) != len(found):
        raise TrustError("a place is recalled twice")
    return found


def _recall(value: Any) -> Recalled:
    match value:
        case {"gtin": str(gtin), "organisation": organisation, "reason": reason, "since": since, "entry": entry}:
            below = {name: text for name, text in value.items() if name in ("lot", "serial")}
            texts = organisation, reason, since, *below.values()
            if len(value) == 5 + len(below) <= 6 and re.fullmatch("[0-9]{14}", gtin) and all(map(is_text, texts)):
                lot, serial = below.get("lot", ""), below.get("serial", "")
                return Recalled(gtin, lot, serial, organisation, reason, since, count(entry, TIME_MAX))
    raise TrustError(_RECALL)


def registry(value: Any) -> tuple[int, bytes]:
    """The (size, root) of the registry by which the bundle is told."""
    match value:
        case {"size": size, "root": str(root)} if len(value) == 2:
            return count(size, TIME_MAX), hash_of(root, "the registry's root")
    raise TrustError("registry is {size, root}")


def count(value: Any, end: int) -> int:
    """A whole number below `end`."""
    if type(value) is not int or not 0 <= value < end:
        raise TrustError("its times, days and sizes are whole numbers")
    return value


def hash_of(value: Any, name: str) -> bytes:
    """A hash or key: 32 bytes in hexadecimal."""
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise TrustError(f"{name} is not 32 bytes in hexadecimal")
    return bytes.fromhex(value)
