"""How long to wait for a printer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an answer, for anything to happen, between two questions, and for a label. In seconds.

    A printer may say something new for ever, and print nothing.
    """

    answer_s: float = 5.0
    stall_s: float = 30.0
    poll_s: float = 0.2
    label_s: float = 300.0


USUAL = Patience()
