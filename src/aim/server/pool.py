"""
Heavy work beside the event loop: a few threads, and a bound on what may wait for them.

numpy and file reading let other threads run, so a handful is enough; more would only make each request slower. When too
many wait, a request is refused at once (503), which a browser shows, rather than answered after a minute.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from aim.server.answers import Refusal

THREADS_MAX = 8
WAITING_MAX = 64
TIME_MAX_S = 60.0

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class Pool:
    """Runs functions in threads; `close` waits for those that run."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(min(THREADS_MAX, cores + 2), thread_name_prefix="aim-server")
        # so that what is quick waits behind no thousand curves
        self._long = ThreadPoolExecutor(min(THREADS_MAX, cores), thread_name_prefix="aim-server-long")
        self._taken = 0

    async def run(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """
        Run *function* in a thread and give its result.

        Raises:
            Refusal: (503) too many wait, or it takes longer than a minute. It then ends unheard.
        """
        return await self._run(self._threads, partial(function, *arguments, **named))

    async def run_long(
        self, function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """As `run`, for what may take seconds: it keeps nothing else waiting but its like."""
        return await self._run(self._long, partial(function, *arguments, **named))

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        if self._taken >= WAITING_MAX:
            raise Refusal(503, "busy", "The server has too much to do. Try again in a moment.")
        loop = asyncio.get_running_loop()
        self._taken += 1
        future = threads.submit(work)
        future.add_done_callback(lambda _: self._release(loop))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), TIME_MAX_S)
        except (asyncio.TimeoutError, TimeoutError):
            raise Refusal(
                503, "busy", f"This took more than {TIME_MAX_S:.0f} s and was given up. Ask for less."
            ) from None

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._one_less)

    def _one_less(self) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Wait for what runs; what waits is given up."""
        for threads in (self._threads, self._long):
            threads.shutdown(wait=True, cancel_futures=True)
