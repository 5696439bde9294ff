"""A trust file in words, for a terminal: what it says, how old it is, and when it ends."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from ledger.log import LogKey
from ledger.registry import LabelScope, Recalled
from ledger.statement import Statement
from ledger.trust.bundle import TrustBundle
from ledger.trust.parts import Revoked, logs_value, recall_value, revoked_value, scope_value
from ledger.trust.trust_file import Trust

DAY_S = 86_400
_DAY_0 = date(2020, 1, 1)  # of label keys
_UNITS = ((DAY_S, "days"), (3_600, "hours"), (60, "minutes"))


def lines(trust: Trust, now: float) -> list[str]:
    """All that it says. Names in it come from others: print what `printable` leaves of it."""
    bundle = trust.bundle
    told = [f"{trust.name}: a trust {'bundle, signed by its operator' if bundle else 'file, which pins its genesis'}"]
    told.append(f"{'genesis':<10} {trust.genesis.hex()}")
    if bundle is None:
        told.append(f"{'expires':<10} never; it knows what root keys had said when it was written, and no label keys")
    else:
        told += [f"{name:<10} {text}" for name, text in _times(bundle, now)]
        told.append(f"{'registry':<10} as of {bundle.registry[0]:,} entries, root {bundle.registry[1].hex()}")
    for chain, log in trust.logs.items():
        told += [f"{'log':<10} {chain}: {_log_key(key)}" for key in log.keys]
    if bundle is not None:
        told += [f"{'revoked':<10} {_revoked(key)}" for key in bundle.revoked.values()]
        told += [f"{'label key':<10} {_label_key(scope)}" for scope in bundle.label_keys] or ["no label keys"]
        told += [f"{'recalled':<10} {recall(recalled)}" for recalled in bundle.recalls or ()] or [_none(bundle)]
    return told


def age(trust: Trust, now: float) -> str:
    """How old a bundle is and when it ends, in one line; of a trust file without an end, that it has none."""
    if trust.bundle is None:
        return "a trust file without an end: it knows the logs' keys of when it was written"
    return ", ".join(f"{name} {text}" for name, text in _times(trust.bundle, now))


def warning(trust: Trust, now: float) -> str | None:
    """What is to be said of a bundle whose end has come, or that is of the future; nothing of another."""
    if trust.bundle is not None and trust.bundle.is_ahead(now):
        return "the trust bundle says to be issued more than a day from now: is this clock set? Its age tells nothing"
    if trust.bundle is None or not trust.bundle.is_expired(now):
        return None
    return f"the trust bundle expired {_ago(now - trust.bundle.expires_at)}: what was revoked since is not in it"


def recall(recalled: Recalled) -> str:
    """What is recalled, why and by whom, in one line."""
    below = f", {_below(recalled)}" if _below(recalled) else ""
    what = f"GTIN {recalled.gtin}{below}, since {recalled.since}: {recalled.reason}"
    return f"{what} (by {recalled.organisation}, registry entry {recalled.entry:,})"


def lifted(recalled: Recalled, newer: Trust) -> str:
    """What became of a recall that a newer bundle has no longer, in one line."""
    whole = newer.bundle.whole(recalled.gtin) if newer.bundle else None
    if whole is None:
        return f"recalled no longer: {recall(recalled)}"
    return f"still recalled: {_below(recalled)}, now with all of {recall(whole)}"


def _below(recalled: Recalled) -> str:
    return f"lot {recalled.lot}" if recalled.lot else f"serial {recalled.serial}" if recalled.serial else ""


def said_of(trust: Trust, statement: Statement, chain: str, index: int) -> tuple[str, dict[str, Any]] | None:
    """What a bundle says of the key that signed entry `index` of `chain`, if it was revoked: in words, and for JSON."""
    key = trust.bundle.revoked.get(statement.kid) if trust.bundle else None
    if key is None:
        return None
    disputed = key.disputes(chain, index, statement.tally.stream, statement.tally.seq)
    told = "DISPUTED: a thief may have signed this" if disputed else "this is not disputed"
    return f"its key was revoked by registry entry {key.entry}; {told}", {"entry": key.entry, "disputed": disputed}


def document(trust: Trust, now: float) -> dict[str, Any]:
    """All that it says, its age and its end, for JSON; null where it says nothing of it."""
    bundle = trust.bundle
    return {
        "name": trust.name,
        "genesis": trust.genesis.hex(),
        "issued_at": bundle.issued_at if bundle else None,
        "expires_at": bundle.expires_at if bundle else None,
        "expired": bundle.is_expired(now) if bundle else False,
        "registry_size": bundle.registry[0] if bundle else None,
        "registry_root": bundle.registry[1].hex() if bundle else None,
        "logs": logs_value(trust.logs),
        "revoked_keys": [revoked_value(key) for key in bundle.revoked.values()] if bundle else None,
        "label_keys": [scope_value(scope) for scope in bundle.label_keys] if bundle else None,
        "recalls": None if bundle is None or bundle.recalls is None else [recall_value(one) for one in bundle.recalls],
    }


def _none(bundle: TrustBundle) -> str:
    return "nothing is recalled" if bundle.recalls is not None else "recalls are not known to it: its version is older"


def _times(bundle: TrustBundle, now: float) -> list[tuple[str, str]]:
    end = f"in {_span(bundle.expires_at - now)}" if now < bundle.expires_at else _ago(now - bundle.expires_at)
    return [
        ("issued", f"{moment(bundle.issued_at)}, {_ago(now - bundle.issued_at)}"),
        ("expires" if now < bundle.expires_at else "EXPIRED", f"{moment(bundle.expires_at)}, {end}"),
    ]


def _ago(seconds: float) -> str:
    return f"{_span(seconds)} ago" if seconds >= 0 else f"{_span(-seconds)} in the future: is this clock set?"


def _span(seconds: float) -> str:
    for unit, name in _UNITS:
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return "a moment"


def _log_key(key: LogKey) -> str:
    sizes = f"from size {key.first:,} on" if key.last is None else f"for sizes {key.first:,} to {key.last:,}"
    return f"{key.verifier.vkey} {sizes}"


def _revoked(key: Revoked) -> str:
    places = [f"{where if isinstance(where, str) else f'stream {where.hex()}'} {at:,}" for where, at in key.disputed]
    told = f"disputed from {', '.join(places)} on" if places else "nothing is disputed"
    return f"{key.name}, {key.kid.hex()[:16]}…, by registry entry {key.entry:,}; {told}"


def _label_key(scope: LabelScope) -> str:
    state = "REVOKED" if scope.revoked else f"labels of {_day(scope.first_day)} to {_day(scope.last_day)}"
    lot = f", lot {scope.lot} alone" if scope.lot is not None else ""
    return f"{scope.public_key.hex()[:16]}… of {scope.organisation} for {', '.join(scope.gtins)}{lot}: {state}"


def _day(number: int) -> str:
    """A day of a label key's scope as a date, if there is one so late."""
    try:
        return (_DAY_0 + timedelta(days=number)).isoformat()
    except OverflowError:
        return f"day {number:,}"


def moment(seconds: float) -> str:
    """A moment as a person reads it, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"
