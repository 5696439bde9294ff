"""A round of a monitor: what sources show of each log, held against what was seen before, and against each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ledger.errors import OutsideError, SourceError, SourceUnreachable, UserError
from ledger.monitor.alarm import Alarm, Kind
from ledger.monitor.devices import Devices
from ledger.monitor.state import State
from ledger.published.follow import Course, begins_with, course
from ledger.published.log import Head, PublishedLog, Signed
from ledger.published.reader import NotForYouError, NotPublishedError, Reader
from ledger.published.trusted import followed_at, without_registry
from ledger.registry import ANCHOR, REGISTRY
from ledger.trust.trust_file import Trust


@dataclass(frozen=True, slots=True)
class Limits:
    """After how many seconds a device is silent, and a log stalled; None is never."""

    silent_s: float | None = None
    stalled_s: float | None = None


class View(NamedTuple):
    """What one source shows of one log."""

    source: str
    log: PublishedLog
    signed: Signed

    @property
    def chain(self) -> str:
        """The log's chain."""
        return self.log.log.chain

    @property
    def size(self) -> int:
        """How many entries it shows."""
        return self.signed.checkpoint.size


class Watch:
    """Watches the logs that `trust` pins. What it has seen is in `state`, which it changes."""

    def __init__(self, trust: Trust, state: State, limits: Limits) -> None:
        self._trust, self._state, self._limits = trust, state, limits
        self._devices = Devices()
        self.sizes: dict[str, int] = {}

    def round(self, sources: Mapping[str, Reader], now_ms: int) -> list[Alarm]:
        """All that is the matter now, whether it was told before or not."""
        views: list[View] = []
        alarms = list(self._learn(sources))
        wrong = {alarm.facts["source"] for alarm in alarms}
        for source, reader in sources.items():
            if source in wrong:
                continue
            for log in self._trust.logs.values():
                try:
                    view, found = self._look(source, PublishedLog(reader, log))
                except SourceUnreachable as error:
                    alarms.append(_unreachable(source, log.chain, error))
                    break  # the others would keep us waiting as long
                except (OutsideError, UserError) as error:
                    alarms.append(_unreachable(source, log.chain, error))
                    continue
                alarms += found
                views += [view] if view else []
        alarms += [alarm for view in views for alarm in self._compare_head(view)]
        for chain in self._trust.logs:
            alarms += self._compare([view for view in views if view.chain == chain])
        newest = {view.chain: view for view in sorted(views, key=lambda view: view.size)}
        self.sizes = {chain: view.size for chain, view in newest.items()}
        return _once([*alarms, *self._inside(newest, now_ms)])

    def _learn(self, sources: Mapping[str, Reader]) -> Iterator[Alarm]:
        """Take the log keys that root keys have named since: signed, so it does not matter who brings them.

        What is not to be looked at further has an alarm: a source that is away, no ledger, or another one.
        """
        for source, reader in sources.items():
            try:
                self._trust = self._state.trust = followed_at(source, reader, self._trust)
            except SourceError as error:
                yield Alarm(Kind.UNREACHABLE, source, f"{error}; {error.hint}", {"source": source})

    # Checkpoints

    def _look(self, source: str, log: PublishedLog) -> tuple[View | None, list[Alarm]]:
        """What a source shows of a log, unless there is nothing or it is not to be followed; and alarms."""
        seen, origin = self._state.seen.setdefault(source, {}), log.log.origin
        old = Signed(seen[origin], log.log.open(seen[origin])) if origin in seen else None
        try:
            new = log.checkpoint()
        except NotPublishedError:
            if old is None and log.log.chain == REGISTRY:
                raise without_registry(source) from None
            return None, [_rewound(source, log.log.chain, old.checkpoint.size, 0)] if old else []
        view = View(source, log, new)
        if old is not None:
            found = course(old.checkpoint, new.checkpoint, held_tiles=None, offered_tiles=log.tiles)
            if found is Course.FORKED:
                return None, [_forked(log.log.chain, (source, old), (source, new))]
            if found is Course.REWOUND:
                return None, [_rewound(source, log.log.chain, old.checkpoint.size, view.size)]
        seen[origin] = new.text
        return view, []

    def _compare_head(self, view: View) -> Iterator[Alarm]:
        """The head, by which mirrors go, is of the history that the checkpoint is of."""
        try:
            head = view.log.head().block.checkpoint
        except (OutsideError, UserError):
            return  # which is told when it is read for what it says
        yield from self._compare([view, view._replace(signed=Signed(head, view.log.log.open(head)))])

    def _compare(self, views: list[View]) -> Iterator[Alarm]:
        """One log as all sources show it is one history: each tree begins with the next smaller one."""
        for smaller, larger in pairwise(sorted(views, key=lambda view: view.size)):
            ours, theirs = smaller.signed.checkpoint, larger.signed.checkpoint
            try:
                same = (
                    ours.root == theirs.root
                    if ours.size == theirs.size
                    else begins_with(theirs, ours, larger.log.tiles)
                )
            except (OutsideError, UserError) as error:
                yield _unreachable(larger.source, larger.chain, error)
                continue
            if not same:
                yield _forked(smaller.chain, (smaller.source, smaller.signed), (larger.source, larger.signed))

    # What the logs say

    def _inside(self, newest: Mapping[str, View], now_ms: int) -> Iterator[Alarm]:
        heads: dict[str, tuple[View, Head]] = {}
        for chain, view in newest.items():
            try:
                heads[chain] = view, view.log.head()
                yield from self._stalled(chain, heads[chain][1], now_ms)
            except (OutsideError, UserError) as error:
                yield _unreachable(view.source, chain, error)
        if REGISTRY in heads:
            yield from self._registry(*heads[REGISTRY], now_ms)
        if REGISTRY in heads and self._limits.silent_s is not None:
            for chain in heads.keys() - {REGISTRY, ANCHOR}:
                yield from self._hear(*heads[chain], now_ms)
            yield from self._devices.silent(now_ms, self._limits.silent_s, before=self._state.told)

    def _stalled(self, chain: str, head: Head, now_ms: int) -> Iterator[Alarm]:
        limit, age_s = self._limits.stalled_s, (now_ms - head.header.time_ms) / 1000
        if limit is not None and age_s > limit and chain != REGISTRY:
            text = f"{chain!r} has sealed nothing since block {head.header.height}, {_age(age_s)} ago"
            facts = {"chain": chain, "height": head.header.height, "time_ms": head.header.time_ms}
            yield Alarm(Kind.STALLED, f"{chain} {head.header.height}", text, facts)

    def _registry(self, view: View, head: Head, now_ms: int) -> Iterator[Alarm]:
        try:
            found = self._devices.take_registry(view.log, head, self._trust.genesis)
        except (OutsideError, UserError) as error:
            yield _unreachable(view.source, REGISTRY, error)
            return
        yield from (alarm for index, alarm in found if index >= self._state.registry)
        self._state.registry = max(self._state.registry, head.size)

    def _hear(self, view: View, head: Head, now_ms: int) -> Iterator[Alarm]:
        assert self._limits.silent_s is not None
        try:
            self._devices.hear(view.log, head, since_ms=now_ms - int(self._limits.silent_s * 1000))
        except NotForYouError:
            self._devices.is_deaf(view.chain)
        except (OutsideError, UserError) as error:
            yield _unreachable(view.source, view.chain, error)


def _forked(chain: str, held: tuple[str, Signed], offered: tuple[str, Signed]) -> Alarm:
    (one, ours), (other, theirs) = held, offered
    where = f"{one} has shown both" if one == other else f"{one} and {other} show one each"
    text = (
        f"the log of {chain!r} has forked: it signed a tree of {ours.checkpoint.size} entries and one of "
        f"{theirs.checkpoint.size} that cannot be one history; {where}"
    )
    evidence = [{"source": source, "checkpoint": signed.text} for source, signed in (held, offered)]
    return Alarm(Kind.FORKED, f"{chain} {ours.text} {theirs.text}", text, {"chain": chain, "evidence": evidence})


def _rewound(source: str, chain: str, seen: int, shown: int) -> Alarm:
    text = f"{source} shows {shown} entries of {chain!r}, and has shown {seen}"
    return Alarm(
        Kind.REWOUND, f"{source} {chain}", text, {"source": source, "chain": chain, "seen": seen, "shown": shown}
    )


def _unreachable(source: str, chain: str, error: Exception) -> Alarm:
    text = f"{chain!r} cannot be read from {source}: {error}"
    return Alarm(Kind.UNREACHABLE, f"{source} {chain}", text, {"source": source, "chain": chain})


def _once(alarms: list[Alarm]) -> list[Alarm]:
    return list({alarm.key: alarm for alarm in alarms}.values())


def _age(seconds: float) -> str:
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
