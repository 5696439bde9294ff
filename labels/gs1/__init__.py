"""GS1 identifiers in links: the GS1 Digital Link URI syntax 1.6, uncompressed.

A link names one thing by *keys*, pairs of an application identifier (AI) and a value: first a *primary key*, such
as (01) GTIN or (00) SSCC, then its *qualifiers*, such as (10) lot and (21) serial. They stand in the path. AIs in
the query are *attributes*, and whatever else is there is an *extra*: kept as it came, and never trusted.

    https://example.com/some/prefix/01/09506000134352/10/ABC123?17=270630&linkType=all
                        path prefix |- key ---------|-qualifier| attribute | extra

`parse` reads a link, or raises Gs1Error with the AI, the rule and the place.
"""

from labels.gs1.digital_link import GS1_HOST, DigitalLink, epc, item, make, parse, sscc
from labels.gs1.errors import Gs1Error, Rule
from labels.gs1.lint import check_digit

__all__ = [
    "GS1_HOST",
    "DigitalLink",
    "Gs1Error",
    "Rule",
    "check_digit",
    "epc",
    "item",
    "make",
    "parse",
    "sscc",
]
