"""The serials of a batch before they are signed: drawn at random, or the maker's own, checked one by one.

They lie in a spool, a line each: the number of the line on which it stood, or its place in the batch, a tab, and the
serial as it stands in a canonical path.
"""

import re
from dataclasses import dataclass

from labels import gs1, words
from labels.batch import Serials
from labels.issuing.order import Random, Source, Tell, Told
from labels.issuing.refused import Refused, TooMany
from labels.issuing.serial_form import BITS_MIN, SerialForm
from labels.issuing.spool import Spool
from labels.serial import new_serials
from ledger.terminal import printable

LABELS_MAX = 1_000_000  # of one batch
_AT_ONCE = 1_000
_UNHEARD = Told().progress
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,20}")  # GS1's, and the same in a path


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn: where it is from, and what is to be said of it, if anything."""

    serials: Serials
    warning: str = ""


def draw(source: Source, spool: Spool, *, gtin: str, tell: Tell = _UNHEARD) -> Drawn:
    """Put a batch's serials into the spool; raises Refused, with the line, for what can be none."""
    if isinstance(source, Random):
        return _draw_random(source.count, spool)
    form = SerialForm()
    for line, serial in source.serials:
        if len(spool) == LABELS_MAX:
            raise _too_many(f"{source.noun} {line}: a batch has at most {LABELS_MAX:,} labels")
        spool.extend([f"{line}\t{_segment(gtin, serial, f'{source.noun} {line}')}"])
        form.add(serial)
        if len(spool) % _AT_ONCE == 0:
            tell("reading", len(spool), 0)
    if not spool:
        raise Refused("there are no serials", "a batch has one label at least")
    return Drawn(Serials.GUESSABLE, _warning(form)) if form.is_guessable else Drawn(Serials.OWN)


def _draw_random(count: int, spool: Spool) -> Drawn:
    if count > LABELS_MAX:
        raise _too_many(f"a batch has 1 to {LABELS_MAX:,} labels, not {count:,}")
    if count < 1:
        raise Refused(f"a batch has 1 to {LABELS_MAX:,} labels, not {count:,}", "say how many with --count")
    for first in range(1, count + 1, _AT_ONCE):
        serials = new_serials(min(_AT_ONCE, count + 1 - first))
        spool.extend(f"{line}\t{serial}" for line, serial in enumerate(serials, first))
    return Drawn(Serials.RANDOM)


def _too_many(told: str) -> TooMany:
    return TooMany(told, "issue a lot in several batches")


def _segment(gtin: str, serial: str, where: str) -> str:
    """A serial as it stands in a path."""
    if _PLAIN.fullmatch(serial) and serial not in (".", ".."):
        return serial
    try:
        return gs1.item(gtin, serial=serial).canonical_path.rpartition("/")[2]
    except gs1.Gs1Error as error:
        told = f"{where}: serial {printable(serial[:40])!r} is not GS1's: {words.mistake(error)}"
        raise Refused(told, "a serial has 1 to 20 letters, digits and signs such as - . _ /, and no space") from error


def _warning(form: SerialForm) -> str:
    return (
        f"these serials can be guessed: by their form at most {form.bits:.0f} bits of them are random, and {BITS_MIN} "
        "are wanted. Their labels are good for the lot; none says that a single item is genuine"
    )
