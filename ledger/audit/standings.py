"""Who may say what in a chain, at a state of the registry: judged once, and remembered from range to range."""

from typing import NamedTuple

from ledger.audit.glance import SPEAKERS_KEPT, Speaker
from ledger.audit.histories import Voices
from ledger.errors import RegistryError
from ledger.log import Log
from ledger.standing import require_voice, unregistered


class May(NamedTuple):
    """By which key something has to be signed, if there is one; and why it may not be said even so."""

    public_key: bytes | None
    fault: str | None


NOBODY = May(None, None)


class Standings:
    """What speakers may say in a chain, at the state of the registry that `go_to` goes to."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices
        self._place = ("", "", 0)
        self._known: dict[bytes, May] = {}

    def go_to(self, log: Log, registry: int) -> None:
        """Go to a chain, and a size of the registry."""
        place = (log.chain, log.origin, registry)
        if place != self._place:
            self._place = place
            self._known.clear()

    def may_say(self, speaker: Speaker) -> May:
        """What a speaker may say."""
        known = self._known.get(speaker.begun)
        return known if known is not None else self._remember(speaker)

    def at(self, registry: int, speaker: Speaker) -> May:
        """What a speaker may say at whatever state."""
        chain, origin, _ = self._place
        key = self._voices.key(speaker.kid, registry)
        if key is None:
            return May(None, str(unregistered(speaker.kid)))
        try:
            require_voice(key, speaker, chain=chain, origin=origin)
        except RegistryError as error:
            return May(key.public_key, str(error))
        return May(key.public_key, None)

    def _remember(self, speaker: Speaker) -> May:
        if len(self._known) >= SPEAKERS_KEPT:
            self._known.clear()
        known = self._known[speaker.begun] = self.at(self._place[-1], speaker)
        return known
