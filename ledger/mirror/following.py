"""Round after round of a mirror: what is told, and what ends it."""

import time
from collections.abc import Callable, Sequence

from ledger.errors import SourceError, SourceForked
from ledger.mirror.growth import Source
from ledger.mirror.mirror import Mirror, Outcome


def run(
    mirror: Mirror,
    source: Source,
    *,
    every_s: float | None,
    tell: Callable[[Sequence[Outcome]], None],
    warn: Callable[[SourceError], None],
) -> None:
    """One round, or one every so many seconds without end. `tell` hears what came of it.

    Raises the first thing that is wrong. In rounds without end only a fork is raised: of anything else `warn` hears
    when it begins, for it may pass.
    """
    warned = ""
    while True:
        outcomes, problem = _round(mirror, source)
        tell([outcome for outcome in outcomes if outcome.is_news or every_s is None])
        if problem is not None and (every_s is None or isinstance(problem, SourceForked)):
            raise problem
        if problem is not None and str(problem) != warned:
            warn(problem)
        if every_s is None:
            return
        warned = str(problem or "")
        time.sleep(every_s)


def _round(mirror: Mirror, source: Source) -> tuple[Sequence[Outcome], SourceError | None]:
    try:
        outcomes = mirror.round(source)
    except SourceError as error:
        return (), error
    problems = sorted((o.problem for o in outcomes if o.problem), key=lambda error: not isinstance(error, SourceForked))
    return outcomes, problems[0] if problems else None
