"""`make bench-gs1`: what reading a GS1 message costs, with all checks, beside biip in the same run. JSON at the end.

Messages a second of CPU time on one core: a typical label's link, element string and brackets; and messages of every
application identifier in turn, in each syntax. biip checks less: no linters, nor which AIs need or exclude others.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_messages import GS1Message

from labels import gs1
from labels.gs1.dictionary import ENTRIES
from tests.labels.gs1.samples import GTIN, elements_of

SECONDS = 1.0

LABEL = f"https://id.example.com/01/{GTIN}/21/7K3M9QX2AB?s={'7' * 169}"
ITEM = gs1.elements([("01", GTIN), ("17", "270630"), ("10", "ABC123"), ("21", "7K3M9QX2AB")])
EVERY = [elements_of(ai) for ai in ENTRIES]

Reader = Callable[[str], Any]


def per_second(read: Reader, texts: Sequence[str]) -> float:
    """How many of these are read in a second of CPU time, over and over."""
    count = 0
    began = time.process_time()
    while (spent := time.process_time() - began) < SECONDS:
        for text in texts:
            read(text)
        count += len(texts)
    return count / spent


def links(messages: Sequence[gs1.Elements]) -> list[str]:
    """Those that can be links."""
    found = []
    for message in messages:
        try:
            found.append(gs1.link_of(message).build("id.example.com"))
        except gs1.Gs1Error:
            continue
    return found


def main() -> None:
    """Measure each kind, ours and biip's, with progress on standard error."""
    kinds: dict[str, tuple[Sequence[str], Reader]] = {
        "label link": ([LABEL], GS1DigitalLinkURI.parse),
        "element string": ([ITEM.element_string], GS1Message.parse),
        "brackets": ([ITEM.bracketed], GS1Message.parse_hri),
        "link, every AI": (links(EVERY), GS1DigitalLinkURI.parse),
        "element string, every AI": ([message.element_string for message in EVERY], GS1Message.parse),
        "brackets, every AI": ([message.bracketed for message in EVERY], GS1Message.parse_hri),
    }
    result = {}
    for kind, (texts, biip_reads) in kinds.items():
        ours, theirs = per_second(gs1.read, texts), per_second(biip_reads, texts)
        result[kind] = {"per_second": round(ours), "biip": round(theirs), "ratio": round(ours / theirs, 1)}
        print(f"{kind}: {ours:,.0f}/s, biip {theirs:,.0f}/s", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
