"""The application identifiers that a link's path may hold, and what may stand beside them.

From GS1's Barcode Syntax Dictionary. The other AIs are known by their length only: an attribute with one of them
is kept if it is made of character set 82.
"""

from labels.gs1.format import Format, compile_format

# Primary keys; for each the qualifiers it takes, in order, any of them absent. More than one row: take one of them.
QUALIFIERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "00": ((),),
    "01": (("22", "10", "21"), ("235",)),
    "253": ((),),
    "255": ((),),
    "401": ((),),
    "402": ((),),
    "414": (("254",), ("7040",)),
    "415": (("8020",),),
    "417": (("7040",),),
    "8003": ((),),
    "8004": (("7040",),),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8013": ((),),
    "8017": (("8019",),),
    "8018": (("8019",),),
}

# A primary key that means nothing without its qualifier.
REQUIRED = {"415": "8020"}

_SPECS = {
    "00": "N18,csum",  # SSCC
    "01": "N14,csum",  # GTIN
    "02": "N14,csum",  # GTIN of contained items
    "10": "X..20",  # batch or lot
    "11": "N6",  # production date
    "13": "N6",  # packaging date
    "15": "N6",  # best before
    "17": "N6",  # expiry
    "21": "X..20",  # serial
    "22": "X..20",  # consumer product variant
    "235": "X..28",  # third-party serialised extension
    "253": "N13,csum [X..17]",  # GDTI
    "254": "X..20",  # GLN extension
    "255": "N13,csum [N..12]",  # GCN
    "37": "N..8",  # count
    "401": "X..30,gcppos1",  # GINC
    "402": "N17,csum",  # GSIN
    "414": "N13,csum",  # GLN of a location
    "415": "N13,csum",  # GLN of the invoicing party
    "417": "N13,csum",  # GLN of a party
    "7040": "N1 X1 X1 X1,importeridx",  # UIC with extension
    "8003": "N1,zero N13,csum [X..16]",  # GRAI
    "8004": "X..30,gcppos1",  # GIAI
    "8006": "N14,csum N4,pieceoftotal",  # ITIP
    "8010": "Y..30,gcppos1",  # CPID
    "8011": "N..12,nozeroprefix",  # CPID serial
    "8013": "X..25,csumalpha,gcppos1",  # GMN
    "8017": "N18,csum",  # GSRN of a provider
    "8018": "N18,csum",  # GSRN of a recipient
    "8019": "N..10",  # SRIN
    "8020": "X..25",  # payment reference
}
_OTHER = compile_format("X..90")
FORMATS: dict[str, Format] = {ai: compile_format(spec) for ai, spec in _SPECS.items()}

_PATH_ONLY = "03 21 22 235 254 7040 7041 8011 8014 8019 8020 8040 8041 8042 8043 8200"
_HEADS = {
    2: "00 01 02 03 10 11 12 13 15 16 17 20 21 22 30 37 90 91 92 93 94 95 96 97 98 99",
    3: "23 24 25 40 41 42",
    4: "31 32 33 34 35 36 39 43 70 71 72 80 81 82",
}

# These belong in a path or on another carrier, never among a link's attributes.
NOT_ATTRIBUTES = frozenset(_PATH_ONLY.split())
_LENGTH_OF = {head: length for length, heads in _HEADS.items() for head in heads.split()}


def is_ai(text: str) -> bool:
    """Whether an AI of this length is assigned: the first two digits say how many there are."""
    return text.isascii() and text.isdigit() and _LENGTH_OF.get(text[:2]) == len(text)


def format_of(ai: str) -> Format:
    """The format of the value of `ai`."""
    return FORMATS.get(ai, _OTHER)
