"""A value's format, written as in GS1's Barcode Syntax Dictionary: `N13,csum [X..17]`.

Components stand side by side. Each has a type (`N` digits, `X` character set 82, `Y` character set 39), a length
(`N6` exactly six, `X..20` one to twenty) and names of lints; in brackets it may be absent. Only the last may vary.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.lint import LINTS

_CLASSES = {"N": "0-9", "X": "!\"%&'()*+,\\-./0-9:;<=>?A-Z_a-z", "Y": "#\\-/0-9A-Z"}
_COMPONENT = re.compile(r"(\[?)([NXY])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)\]?")


@dataclass(frozen=True, slots=True)
class Format:
    """A compiled format. `spans` are the offsets of each component, with its type and lints."""

    pattern: re.Pattern[str]
    shortest: int
    longest: int
    spans: tuple[tuple[int, int, str], ...]
    lints: tuple[tuple[int, int, Rule, Callable[[str], str]], ...]

    def check(self, value: str, *, ai: str, place: int = 0) -> None:
        """Raise Gs1Error, naming `ai` and `place`, unless `value` is of this format."""
        if not self.pattern.fullmatch(value):
            raise self._diagnose(value, ai, place)
        for start, end, rule, lint in self.lints:
            part = value[start:end]
            if part and (complaint := lint(part)):
                raise Gs1Error(rule, complaint, ai=ai, place=place)

    def _diagnose(self, value: str, ai: str, place: int) -> Gs1Error:
        for start, end, kind in self.spans:
            for char in value[start:end]:
                if not re.fullmatch(f"[{_CLASSES[kind]}]", char):
                    return Gs1Error(
                        Rule.CHARACTER, f"{excerpt(char)} cannot stand in {excerpt(value)}", ai=ai, place=place
                    )
        wanted = str(self.longest) if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
        complaint = f"{excerpt(value)} has {len(value)} characters instead of {wanted}"
        return Gs1Error(Rule.LENGTH, complaint, ai=ai, place=place)


@cache
def compile_format(spec: str) -> Format:
    """Compile a format; KeyError or ValueError if the table that names it is wrong."""
    pattern, at, shortest = "", 0, 0
    spans: list[tuple[int, int, str]] = []
    lints: list[tuple[int, int, Rule, Callable[[str], str]]] = []
    for component in spec.split():
        match = _COMPONENT.fullmatch(component)
        if match is None:
            raise ValueError(f"{component!r} is no component of a format")
        optional, kind, varies, length, names = match.groups()
        end = at + int(length)
        repeats = f"{{1,{length}}}" if varies else f"{{{length}}}"
        pattern += f"(?:[{_CLASSES[kind]}]{repeats})" + ("?" if optional else "")
        shortest += 0 if optional else 1 if varies else int(length)
        spans.append((at, end, kind))
        lints += [(at, end, *LINTS[name]) for name in names.split(",")[1:]]
        at = end
    return Format(re.compile(pattern), shortest, at, tuple(spans), tuple(lints))
