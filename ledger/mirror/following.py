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

    Raises the worst thing that is wrong, and warns of the others. In rounds without end only a fork is raised: of
    anything else `warn` hears when it begins, for it may pass.
    """
    warned = ""
    while True:
        outcomes, problems = _round(mirror, source)
        problem = problems[0] if problems else None
        tell([outcome for outcome in outcomes if outcome.is_news or every_s is None])
        if problem is not None and (every_s is None or isinstance(problem, SourceForked)):
            for other in problems[1:]:
                warn(other)
            raise problem
        if problem is not None and str(problem) != warned:
            warn(problem)
        if every_s is None:
            return
        warned = str(problem or "")
        time.sleep(every_s)


def _round(mirror: Mirror, source: Source) -> tuple[Sequence[Outcome], list[SourceError]]:
    """What came of a round, and what is wrong, forks first."""
    try:
        outcomes = mirror.round(source)
    except SourceError as error:
        return (), [error]
    problems = (outcome.problem for outcome in outcomes if outcome.problem)
    return outcomes, sorted(problems, key=lambda error: not isinstance(error, SourceForked))
