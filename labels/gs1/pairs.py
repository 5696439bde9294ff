"""Application identifiers with their values, as all syntaxes have them."""

from typing import TypeAlias

# (AI, value).
Pair: TypeAlias = tuple[str, str]

# (AI, value, the offset of the value in the text that it was read from).
Field: TypeAlias = tuple[str, str, int]
