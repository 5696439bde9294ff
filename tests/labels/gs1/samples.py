"""A good value of every application identifier, and the message that it can be in."""

from labels import gs1
from labels.gs1.dictionary import ENTRIES
from labels.gs1.format import Component

GTIN = "09506000134352"
SSCC = "106141412345678908"
GLN = "9520123456788"

# Values that a linter looks into, by the identifier. All others are made of their format alone.
_VALUES = {
    "00": SSCC,
    "01": GTIN,
    "02": GTIN,
    "03": GTIN,
    "253": "1231231231232TEST",
    "255": "9520123456788123",
    "402": "95201234567891235",
    **{f"41{n}": GLN for n in range(8)},
    "4307": "DE",
    "4309": "14288394241802036000",
    "4317": "CH",
    "7041": "200",
    "7040": "1ABC",
    "7241": "01",
    "7252": "2",
    "7258": "1/2",
    "8001": "00101000050091",
    "8003": "09520123456788A1",
    "8006": f"{GTIN}0102",
    "8007": "DE89370400440532013000",
    "8008": "27063023",
    "8013": "1987654Ad4X4bL5ttr2310c2K",
    "8014": "1987654Ad4X4bL5ttr2310c2K",
    "8017": "952012345678912345",
    "8018": "952012345678912345",
    "8026": f"{GTIN}0202",
    "8030": "QUJDRA",
    "8110": "012345612345615150123",
    "8112": "001234561234560123456",
}

# What a component is, by the linters that it must pass.
_PARTS = {
    ("yymmd0",): "270600",
    ("yymmdd",): "270630",
    ("yyyymmdd",): "20240229",
    ("hhmi",): "2359",
    ("iso3166",): "756",
    ("iso3166999",): "999",
    ("iso4217",): "978",
    ("yesno",): "1",
    ("hyphen",): "-",
    ("pcenc",): "Ulm%20a",
    ("gcppos1",): "9520A",
    ("nozeroprefix",): "7",
}


def value_of(ai: str) -> str:
    """A good value of `ai`."""
    if ai in _VALUES:
        return _VALUES[ai]
    return "".join(_part(component) for component in ENTRIES[ai].format.components if not component.optional)


def _part(component: Component) -> str:
    names = tuple(lint.__name__ for lint in component.lints)
    if names in _PARTS:
        return _PARTS[names]
    size = component.longest if component.shortest == component.longest else min(component.longest, 7)
    return ("1234567890" if component.kind == "N" else "7K3M9QX2AB").ljust(size, "0")[:size]


def message_of(ai: str) -> dict[str, str]:
    """`ai` and whatever it needs, with their values: the first that the dictionary names of each."""
    found: dict[str, str] = {}
    wanted = [ai]
    while wanted:
        ai = wanted.pop()
        found[ai] = value_of(ai)
        for need in ENTRIES[ai].needs:
            if not need.met_by(frozenset(found)):
                wanted += [_first(member) for member in need.text.split(",")[0].split("+") if member not in found]
    return found


def _first(pattern: str) -> str:
    return pattern.replace("n", "0")


def elements_of(ai: str) -> gs1.Elements:
    """The same, as a message that is good."""
    return gs1.elements(message_of(ai).items())
