"""Application identifiers with their values, as all syntaxes have them."""

from typing import TypeAlias

# (AI, value).
Pair: TypeAlias = tuple[str, str]

# (AI, value, the offset of the value in the text that it was read from).
Field: TypeAlias = tuple[str, str, int]


class Named:
    """What a message names, by the AIs that labels have most. `value` is the message's own."""

    __slots__ = ()

    def value(self, ai: str) -> str | None:
        """The value of `ai`, or None."""
        raise NotImplementedError

    @property
    def gtin(self) -> str | None:
        """14 digits."""
        return self.value("01")

    @property
    def lot(self) -> str | None:
        """The batch or lot, (10)."""
        return self.value("10")

    @property
    def serial(self) -> str | None:
        """The serial, (21)."""
        return self.value("21")

    @property
    def sscc(self) -> str | None:
        """18 digits."""
        return self.value("00")
