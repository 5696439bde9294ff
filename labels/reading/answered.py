"""What a label service answers of a label, believed as far as it was checked here. Pure."""

from dataclasses import replace
from typing import Any

from labels.judgement import RECALLED, Standing
from labels.reading.verdict import LOOK, Verdict, no_verdict
from labels.signature import LabelFault

_OF = ("product", "lot", "serial")
_SAID_CHARACTERS_MAX = 500  # of what a service says in one breath


def by_service(page: Any, checked: Verdict, *, by: str) -> Verdict:
    """By a label service's page of the label, believed as far as the signature that was `checked` here lets us.

    A service cannot make a label good that no key of the trust bundle signed; it can say that one is not good, and
    which are declared. `page` is what it answered, whatever that is.
    """
    said = said_by(page)
    if said is None:
        return replace(checked, notes=(*checked.notes, no_verdict(by)))
    both = f"{by}; the signature is checked here, under {checked.by}"
    if checked.standing is Standing.SIGNED or checked.fault == LabelFault.REVOKED:
        signed = ("issuer", "issued", "lot", "serial")
        known = {name: getattr(checked, name) or getattr(said, name) for name in signed}
        return _and_known(replace(said, by=both, **known), checked)
    if said.standing is Standing.GENUINE and checked.fault == LabelFault.UNKNOWN_KEY:
        reason = f"{by} calls it genuine, but the trust bundle here does not know its key: get a newer one."
        return replace(checked, standing=Standing.NOT_PROVEN, headline="Not proven", reason=reason)
    return checked


def said_by(page: Any) -> Verdict | None:
    """A page's verdict, of its JSON; None if it is none."""
    names = ("verdict", "headline", "reason", "fault", "issuer", "issued")
    if not isinstance(page, dict) or not all(isinstance(page.get(name), str) for name in names):
        return None
    try:
        standing = Standing(page["verdict"])
    except ValueError:
        return None
    told, reason, fault, issuer, issued = (page[name][:_SAID_CHARACTERS_MAX] for name in names[1:])
    of = {name: page[name][:_SAID_CHARACTERS_MAX] for name in _OF if isinstance(page.get(name), str)}
    said = Verdict(standing, told, reason, fault, issuer, issued, **of)
    match page.get("recalls"):
        case [*recalls] if recalls:
            is_sure = not all(isinstance(one, dict) and one.get("perhaps") is True for one in recalls)
            note = f"{'RECALLED' if is_sure else 'Perhaps recalled'}: its page says why"
            return replace(said, recalled=True if is_sure else None, notes=(note,))
        case []:
            return replace(said, recalled=False)
    return said


def _and_known(said: Verdict, checked: Verdict) -> Verdict:
    """What a service says, and what is known here of recalls: it may be late with one, or hide it.

    Of which lot a label is, where nobody here knows, is its word; that it is not recalled has to be said as well.
    """
    notes = (*checked.notes, *said.notes)
    if said.recalled or checked.recalled or said.lot in checked.recalled_lots:
        return replace(said, headline=RECALLED, recalled=True, notes=notes)
    if checked.recalled_lots and not (said.lot and said.recalled is False):
        return replace(said, headline=LOOK, recalled=None, notes=notes)
    return said
