"""What of a batch is recalled, and how much of that was seen since: a recall is no finding, but who counts wants it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from labels import gs1
from labels.batch import Batch
from labels.catalogue.catalogue import Catalogue, Entered
from labels.catalogue.recall import Recall
from labels.use import Use
from labels.words import plural

# Seen is what `groups` calls so, but since the recall; an event names a serialised item without a lot.
_RECALLED = """
with recalled as (
  select l.index, l.path, least(%(since)s::timestamptz, i.since) as since
    from label l left join unnest(%(paths)s::text[], %(moments)s::timestamptz[]) i(path, since) using (path)
   where l.batch_root = %(root)s and (%(since)s::timestamptz is not null or i.path is not null))
select count(*), count(*) filter (where
         exists (select from label_use u where u.batch_root = %(root)s and u.index = r.index and u.use = %(seen)s
                                           and u.at > r.since)
         or exists (select from event_item i join event e using (entry_id, section)
                     where i.uri = %(gs1)s || regexp_replace(r.path, '/10/[^/]+', '') and i.role in (0, 1)
                       and e.ts > r.since))
  from recalled r"""
Items = Mapping[str, Sequence[Entered[Recall]]]


@dataclass(frozen=True, slots=True)
class RecalledLabels:
    """The recall of all of a batch, if one stands; how many of its labels are recalled, and were seen since."""

    whole: Entered[Recall] | None = None
    labels: int = 0
    seen: int = 0

    @property
    def document(self) -> dict[str, Any]:
        """It, for machines."""
        said = self.whole.said if self.whole else None
        named = {"level": said.place.level, "reason": said.reason, "since": said.since} if said else None
        recall = {**named, "registry_entry": self.whole.index} if named and self.whole else None
        return {"recall": recall, "recalled": self.labels, "seen_since_recall": self.seen}

    @property
    def told(self) -> str:
        """It, for a person; "" where nothing is recalled."""
        seen = f"; {plural(self.seen, 'label was', 'labels were')} seen after that was said" if self.seen else ""
        if self.whole is not None:
            said = self.whole.said
            what = f"this {said.place.level}: {said.reason} (registry entry {self.whole.index:,})"
            return f"RECALLED since {said.since}, {what}{seen}"
        return f"RECALLED: {plural(self.labels, 'item')} of it{seen}" if self.labels else ""


def items(catalogue: Catalogue) -> Items:
    """The recalls of single items, by product."""
    found = defaultdict(list)
    for place, entered in catalogue.recalls.items():
        if place.serial:
            found[place.gtin].append(entered)
    return found


def of_batch(connection: psycopg.Connection, batch: Batch, catalogue: Catalogue, single: Items) -> RecalledLabels:
    """What of a batch is recalled; `single` are the items that are, by product."""
    whole, moments = catalogue.recalled(batch.gtin, batch.lot), dict[str, datetime]()
    for entered in single.get(batch.gtin, ()):
        serial = entered.said.place.serial
        for named in ({}, {"lot": batch.lot}):  # a link may hold the lot
            moments[gs1.item(batch.gtin, serial=serial, **named).canonical_path] = entered.moment
    if whole is None and not moments:
        return RecalledLabels()
    parameters = {
        "root": batch.root,
        "since": whole.moment if whole else None,
        "paths": list(moments),
        "moments": list(moments.values()),
        "seen": Use.SEEN,
        "gs1": f"https://{gs1.GS1_HOST}",
    }
    row = connection.execute(_RECALLED.encode(), parameters).fetchone()
    assert row is not None
    return RecalledLabels(whole, batch.size if whole else row[0], row[1])
