"""Which statements have events about a product: by the rows that the gateway made of them."""

import re
from urllib.parse import urlsplit

import psycopg

from ledger import epcis
from ledger.epc_urn import as_link
from ledger.errors import UserError
from ledger.proof.product import BUNDLES_MAX
from ledger.section import Privacy
from ledger.terminal import printable
from ledger.tree_store import index_of

GS1_HOST = "id.gs1.org"
_SEGMENTS_MAX = 16
_OBJECT, _PARENT = 0, 1  # event_item's roles


def find_product(connection: psycopg.Connection, name: str, privacy_max: Privacy) -> tuple[str, list[tuple[str, int]]]:
    """The identifier by which events name the product, and chain and index of each statement; raises UserError.

    `name` is that identifier, a link or a URN, or a link to it at any host. Only sections that may be shown count.
    """
    for uri in candidates(name):
        places = _places(connection, uri, privacy_max)
        if len(places) > BUNDLES_MAX:
            raise UserError(
                f"{uri} has more than {BUNDLES_MAX} statements: a file holds no more",
                "prove single ones: --statement, or --chain with --index",
            )
        if places:
            return uri, places
    raise UserError(
        f"no event that may be shown names {printable(name)}",
        "name it as its events do, such as https://id.gs1.org/01/09506000134352/21/A1, or by its label's link",
    )


def candidates(name: str) -> list[str]:
    """`name`, and for a link: what GS1's own host would call it, wherever in the path its keys begin.

    Events name an item by GTIN and serial; a label's link may also hold the lot (10) and a variant (22).
    """
    found = [name]
    if name.lower().startswith(("http://", "https://")):
        segments = urlsplit(name).path.split("/")[1:][:_SEGMENTS_MAX]
        for start in range(len(segments)):
            path = "/" + "/".join(segments[start:])
            short = re.sub(r"/22/[^/]+", "", path)
            item = re.sub(r"/10/[^/]+(?=/21/)", "", short)
            found += [f"https://{GS1_HOST}{each}" for each in (path, short, item)]
    return [uri for uri in dict.fromkeys(found) if epcis.is_uri(uri)]


def _places(connection: psycopg.Connection, uri: str, privacy_max: Privacy) -> list[tuple[str, int]]:
    rows = connection.execute(
        """select distinct c.name, i.entry_id
             from event_item i join chain c on c.chain_id = i.entry_id >> 40
             join section s on (s.entry_id, s.line) = (i.entry_id, i.section)
            where i.uri = any(%s) and i.role in (%s, %s) and s.privacy <= %s and s.data is not null
            order by c.name, i.entry_id limit %s""",
        [list({uri, as_link(uri)}), _OBJECT, _PARENT, int(privacy_max), BUNDLES_MAX + 1],
    )
    return [(chain, index_of(entry)) for chain, entry in rows]
