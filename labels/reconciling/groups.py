"""A batch's labels in groups, as the database counts them: it never gives out the labels one by one."""

import psycopg

from labels import gs1
from labels.reconciling.tally import Group
from labels.use import Use

# What came of a label is its last row but those that say it was seen. An event names a serialised item without a lot.
# What a person says of a label that was sent and not confirmed stands, whatever is said of its print afterwards: but of
# one that is known not to have come out, it came out.
_GROUPS = """
with counted as materialized (
  select index,
         count(*) filter (where use = %(printed)s) as prints,
         count(*) filter (where use in (%(spoiled)s, %(returned)s)) as taken_back,
         max(at) filter (where use = %(seen)s) as scanned,
         max(use_id) filter (where use <> %(seen)s) as last,
         max(use_id) filter (where use = any(%(marks)s)) as marked,
         max(use_id) filter (where use = %(sent)s) as sent,
         max(use_id) filter (where use = %(refused)s) as refused
    from label_use where batch_root = %(root)s group by index),
used as (
  select index, taken_back, scanned, case when marked > sent then marked else last end as last,
         greatest(prints, (marked > sent and (refused < sent) is not false)::int) as prints
    from counted),
stated as (
  select l.index, fate.use as fate, fate.at as since, used.scanned, redemption.at is not null as redeemed,
         coalesce(used.prints, 0) as prints, coalesce(used.taken_back, 0) as taken_back,
         (select max(e.ts) from event_item i join event e using (entry_id, section)
           where i.uri = %(gs1)s || regexp_replace(l.path, '/10/[^/]+', '') and i.role in (0, 1)) as told
    from label l
    left join used on used.index = l.index
    left join label_use fate on fate.batch_root = l.batch_root and fate.index = l.index and fate.use_id = used.last
    left join redemption on redemption.batch_root = l.batch_root and redemption.index = l.index
   where l.batch_root = %(root)s)
select fate, prints > 0, prints - taken_back > 1, scanned is not null or told is not null,
       coalesce(greatest(scanned, told) > since, scanned is not null or told is not null), count(*), min(index),
       redeemed
  from stated group by 1, 2, 3, 4, 5, redeemed order by min(index)"""


def of_batch(connection: psycopg.Connection, root: bytes) -> list[Group]:
    """The groups of a batch's labels, in the order of their first."""
    parameters = {
        "root": root,
        "gs1": f"https://{gs1.GS1_HOST}",
        "sent": Use.SENT,
        "printed": Use.PRINTED,
        "refused": Use.REFUSED,
        "spoiled": Use.SPOILED,
        "returned": Use.RETURNED,
        "marks": [Use.APPLIED, Use.SPOILED, Use.RETURNED],
        "seen": Use.SEEN,
    }
    rows = connection.execute(_GROUPS.encode(), parameters)
    return [Group(None if fate is None else Use(fate), *rest) for fate, *rest in rows]
