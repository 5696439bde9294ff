"""How long to wait for a printer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an answer, for anything to happen, and between two questions. In seconds."""

    answer_s: float = 5.0
    stall_s: float = 30.0
    poll_s: float = 0.2


USUAL = Patience()
