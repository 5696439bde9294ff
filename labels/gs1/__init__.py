"""GS1's syntaxes: application identifiers (AIs) with values, read, checked and written in all of them.

A message is pairs of an AI and a value: (01) GTIN, (10) lot, (21) serial, and 538 more. `read` takes any syntax:

    https://example.com/some/prefix/01/09506000134352/10/ABC123?17=270630&linkType=all     a Digital Link
                        path prefix |- key ---------|-qualifier| attribute | extra
    ]d2010950600013435217270630 10ABC123      what a reader transmits: symbology identifier, element string
    (01)09506000134352(17)270630(10)ABC123    an element string as people write it
    9506000134352                             a GTIN alone

and gives `Elements`, which write themselves in each; `elements` makes one of pairs; `read_together` reads all codes of
one thing, of which one may lack what another says. Every AI of GS1's Barcode Syntax
Dictionary is known, and all that it says of one is checked: see `syntax_dictionary/`.

`parse` reads a Digital Link for its own sake: its keys name one thing, in the path, the *primary key* first, then its
*qualifiers*. AIs in the query are *attributes*, and whatever else is there is an *extra*: kept as it came, and never
trusted. Whatever is refused is so by a Gs1Error with the AI, the rule and the place.

What is taken is what GS1's Barcode Syntax Engine takes, but for links: compressed ones are read, too; a host must be
one, `%` begin two hexadecimal digits, and a value in the path be neither `.` nor `..`. Codes of others are no messages.
"""

from labels.gs1.digital_link import GS1_HOST, DigitalLink, epc, item, make, parse, sscc
from labels.gs1.digital_link import of as link_of
from labels.gs1.elements import Elements, elements
from labels.gs1.errors import Gs1Error, Rule
from labels.gs1.lint import check_digit
from labels.gs1.read import Syntax, read, read_apart, read_together, syntax_of

__all__ = [
    "GS1_HOST",
    "DigitalLink",
    "Elements",
    "Gs1Error",
    "Rule",
    "Syntax",
    "check_digit",
    "elements",
    "epc",
    "item",
    "link_of",
    "make",
    "parse",
    "read",
    "read_apart",
    "read_together",
    "sscc",
    "syntax_of",
]
