"""A value's format, written as in GS1's Barcode Syntax Dictionary: `N13,csum [X..17]`.

Components stand side by side. Each has a type (`N` digits, `X` character set 82, `Y` character set 39, `Z` base 64), a
length (`N6` exactly six, `X..20` one to twenty) and names of linters; in brackets it may be absent. Only the last of
those that may not be absent may vary, so that each has its place.
"""

import re
from dataclasses import dataclass
from functools import cache

from labels.gs1.errors import Fault, Rule, excerpt
from labels.gs1.lint import LINTS, Lint

_CLASSES = {"N": "0-9", "X": "!\"%&'()*+,\\-./0-9:;<=>?A-Z_a-z", "Y": "#\\-/0-9A-Z", "Z": "\\-0-9A-Z_a-z="}
_GOOD = {kind: re.compile(f"[{characters}]*") for kind, characters in _CLASSES.items()}
_COMPONENT = re.compile(r"\[?([NXYZ])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)")
_TRIVIAL = {"gcppos1", "gcppos2"}  # of digits, which are never fewer than a prefix's


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a value: `kind` is its character set, `lints` are functions of its text."""

    kind: str
    shortest: int
    longest: int
    optional: bool
    lints: tuple[Lint, ...]

    @property
    def pattern(self) -> str:
        """A regular expression of its characters and length."""
        repeats = f"{{{self.shortest},{self.longest}}}"
        return f"(?:[{_CLASSES[self.kind]}]{repeats})" + ("?" if self.optional else "")

    def fault(self, part: str) -> Fault | None:
        """What is wrong with the part of a value that this component would be."""
        if len(part) < self.shortest:
            return Fault(Rule.LENGTH, f"{excerpt(part)} has {len(part)} characters instead of {self.shortest}")
        good = _GOOD[self.kind].match(part)
        if good and good.end() < len(part):
            at = good.end()
            return Fault(Rule.CHARACTER, f"{excerpt(part[at])} cannot stand in {excerpt(part)}", at)
        return next((fault for lint in self.lints if (fault := lint(part))), None)


@dataclass(frozen=True, slots=True)
class Format:
    """A compiled format. `lints` have the offsets of the part of the value that they look at."""

    components: tuple[Component, ...]
    pattern: re.Pattern[str]
    shortest: int
    longest: int
    lints: tuple[tuple[int, int, Lint], ...]

    def fault(self, value: str) -> Fault | None:
        """What is wrong with `value`, the first thing from its left, or None; but first of all its length."""
        if self.pattern.fullmatch(value) is None:
            return self._diagnose(value)
        for start, end, lint in self.lints:
            part = value[start:end]
            if part and (fault := lint(part)):
                return fault._replace(at=start + fault.at)
        return None

    def _diagnose(self, value: str) -> Fault:
        if not value:
            return Fault(Rule.EMPTY, "the value is empty")
        if self.shortest <= len(value) <= self.longest:
            at = 0
            for component in self.components:
                part = value[at : at + component.longest]
                if (part or not component.optional) and (fault := component.fault(part)):
                    return fault._replace(at=at + fault.at)
                at += len(part)
        wanted = str(self.longest) if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
        return Fault(Rule.LENGTH, f"{excerpt(value)} has {len(value)} characters instead of {wanted}")


@cache
def compile_format(spec: str) -> Format:
    """Compile a format; KeyError or ValueError if the dictionary that holds it is wrong."""
    components = tuple(map(_component, spec.split()))
    lints: list[tuple[int, int, Lint]] = []
    at = 0
    for component in components:
        lints += [(at, at + component.longest, lint) for lint in component.lints]
        at += component.longest
    return Format(
        components,
        re.compile("".join(component.pattern for component in components)),
        sum(component.shortest for component in components if not component.optional),
        at,
        tuple(lints),
    )


def _component(text: str) -> Component:
    match = _COMPONENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no component of a format")
    kind, varies, length, names = match.groups()
    lints = [LINTS[name] for name in names.split(",")[1:] if kind != "N" or name not in _TRIVIAL]
    if kind == "Z":
        lints.insert(0, LINTS["cset64"])
    return Component(kind, 1 if varies else int(length), int(length), text.startswith("["), tuple(lints))
