"""Running what blocks beside the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


async def in_thread(run: Callable[[], _Result], unwanted: Callable[[_Result], None] = lambda _: None) -> _Result:
    """Run in a thread, and never leave it running behind: a cancelled caller waits for it, however often cancelled.

    What it then returns nobody gets: `unwanted` is told, to close it, say.
    """
    work = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        try:
            await until_done(work)
        finally:
            if not work.exception():
                unwanted(work.result())
        raise


async def until_done(work: asyncio.Future[Any]) -> None:
    """Wait for the end of `work`, whichever it is; a caller that is cancelled meanwhile is so afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
