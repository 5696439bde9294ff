"""The scan log: that a label was seen, by its page's being asked for. Nothing is kept of who asked, or from where."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from labels import gs1
from labels.batch import Label
from labels.catalogue.catalogue import Catalogue, Entered
from labels.catalogue.recall import Recall
from labels.judgement import UNPUBLISHED, LabelVerdict, Standing
from labels.use import Use

AGAIN_AFTER = timedelta(hours=1)  # who asks a page again and again writes no more than this
STRAYS_MAX = 10_000  # of one product that has labels, and of one key for all that have none: it signs any number

# Seen once more says nothing new, unless something else was recorded of the label in between.
_SEEN = """insert into label_use (batch_root, index, use, at, note)
select %(root)s, %(index)s, %(seen)s, %(at)s, ''
 where not exists (select from label_use s where batch_root = %(root)s and index = %(index)s and use = 6
                      and at > %(since)s
                      and not exists (select from label_use o where o.batch_root = s.batch_root and o.index = s.index
                                         and o.use <> 6 and o.use_id > s.use_id))"""
_STRAY = """insert into label_stray (gtin, path, signature, day, seen_at, kid)
select %(gtin)s, %(path)s, %(digits)s, %(day)s, %(at)s, %(kid)s
 where (select count(*) from (select from label_stray where gtin = %(gtin)s limit %(most)s) s) < %(most)s
   and (exists (select from label_batch where gtin = %(gtin)s)
        or (select count(*) from (select from label_stray s
                                   where kid = %(kid)s and not exists (select from label_batch b where b.gtin = s.gtin)
                                   limit %(most)s) s) < %(most)s)
on conflict do nothing"""

# One that was seen before its batch was published is a stray no more, and has taken another's room. So have what its
# key signed for other products, while this one had no labels.
_STRAYS = """
select count(*) filter (where not exists (select from label l where l.path = s.path and l.signature = s.signature)),
       count(*) >= %(most)s or exists (select from label_stray k
                                        where k.kid in (select kid from label_stray where gtin = %(gtin)s)
                                          and k.seen_at < %(first)s
                                        group by k.kid having count(*) >= %(most)s)
  from label_stray s where gtin = %(gtin)s"""

_STRAYS_OF_OTHERS = """
with other as (select gtin, kid from label_stray s where not exists (select from label_batch b where b.gtin = s.gtin))
select count(*), count(distinct gtin), coalesce(min(gtin), ''),
       exists (select from other where kid is not null group by kid having count(*) >= %(most)s)
  from other"""


@dataclass(frozen=True, slots=True)
class Strays:
    """So many labels, or more, of so many products that no labels were issued of; `first` is one of them."""

    labels: int
    products: int
    first: str
    or_more: bool


def note(
    connection: psycopg.Connection,
    link: gs1.DigitalLink,
    verdict: LabelVerdict,
    at: datetime,
    *,
    catalogue: Catalogue,
) -> None:
    """Note that a label was seen whose signature is good: one of a batch, or one that is in none.

    One of a batch is noted once in AGAIN_AFTER, and anew after something else became of it, or it was recalled by the
    `catalogue`. What anybody could make up is not noted. The session may be one that only reads otherwise.
    """
    if verdict.standing is Standing.GENUINE and verdict.batch is not None and verdict.index is not None:
        batch = verdict.batch.batch
        since = _since(at, catalogue.recalls_of(batch.gtin, batch.lot, link.serial))
        parameters = {"root": batch.root, "index": verdict.index, "seen": Use.SEEN, "at": at, "since": since}
        _write(connection, _SEEN, parameters)
    elif verdict.fault == UNPUBLISHED and verdict.key is not None:
        label = Label.of(link)
        named = {"gtin": link.gtin, "path": label.path, "digits": label.digits, "day": verdict.day}
        _write(connection, _STRAY, {**named, "kid": verdict.key.thumbprint, "at": at, "most": STRAYS_MAX})


def strays(connection: psycopg.Connection, gtin: str, *, first: datetime) -> tuple[int, bool]:
    """How many labels of a product were seen that are signed, and in no published batch; and whether they may be more.

    `first` is when the first labels of the product were issued.
    """
    row = connection.execute(_STRAYS.encode(), {"gtin": gtin, "most": STRAYS_MAX, "first": first}).fetchone()
    assert row is not None
    return row[0], row[1]


def strays_of_others(connection: psycopg.Connection) -> Strays:
    """The labels that were seen and are signed, of all products of which none was ever issued."""
    row = connection.execute(_STRAYS_OF_OTHERS.encode(), {"most": STRAYS_MAX}).fetchone()
    assert row is not None
    return Strays(*row)


def _since(at: datetime, recalls: Iterable[Entered[Recall]]) -> datetime:
    """From when on a sighting makes one at `at` say nothing new; a recall by a clock that is ahead is none yet."""
    said = (entered.moment for entered in recalls if entered.issued_at < at.timestamp())
    return max([at - AGAIN_AFTER, *said])


def _write(connection: psycopg.Connection, query: str, parameters: dict[str, object]) -> None:
    with connection.transaction():
        connection.execute("set transaction read write")
        connection.execute(query.encode(), parameters)
