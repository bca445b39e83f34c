"""
Live updates: server-sent events that say which runs changed. Specified in docs/formats/wire.md, section 7.

One *ticker* a repository looks as long as somebody listens, and wakes the listeners when the state has another name.
So what many changes do between two looks is told once, and a hundred open pages cost one look.

    while runs record, and for a while after any change     four looks a second
    when nothing has happened for 20 s                      one a second
    when a look takes long, as with hundreds of live runs   fewer, a twentieth of the time, but one in 2 s
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aim.core.errors import AimError, RepoNotFound
from aim.engine.tail import running_count
from aim.server.answers import Refusal, json_bytes
from aim.server.assets import pages_stamp
from aim.server.open_repository import OpenRepository
from aim.server.server_state import ServerState, repo_of, server_of
from aim.storage.catalogue.run_table import RunTable

LOOK_INTERVAL_S = 0.25
QUIET_INTERVAL_S = 1.0
QUIET_AFTER_S = 20.0
LOOK_SHARE_MAX = 0.05  # of the time,
LATE_MAX_S = 2.0  # as long as nobody waits longer than this for it
ALIVE_INTERVAL_S = 15.0
CHANGED_MAX = 500
STREAMS_MAX = 500  # each takes a connection and its buffers
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # nginx would hold a stream back


@dataclass(frozen=True)
class State:
    """
    A state of a repository: its name, how many runs there are, how many record, and of which build the pages are.

    Attributes:
        indexing: how many runs were read of how many, while not all are.
    """

    cursor: str
    total: int
    live: int
    pages: int = 0
    indexing: tuple[int, int] | None = None


@dataclass
class Ticker:
    """Looks at one repository for all who listen to it."""

    server: ServerState
    repo: OpenRepository
    state: State | None = None
    listeners: set[asyncio.Event] = field(default_factory=set)
    task: asyncio.Task[None] | None = None
    changed_at_s: float = field(default_factory=time.monotonic)
    look_s: float = 0.0
    is_gone: bool = False

    def join(self) -> asyncio.Event:
        """Begin to listen; the event is set whenever something changed."""
        event = asyncio.Event()
        self.listeners.add(event)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._tick())
        return event

    def leave(self, event: asyncio.Event) -> None:
        """Listen no more; nobody looks when nobody listens."""
        self.listeners.discard(event)
        if not self.listeners and self.task is not None:
            self.task.cancel()
            self.task = None

    async def look(self) -> State:
        """See what has changed."""
        state = await self.server.pool.run(self._look)
        self.is_gone = False
        if state != self.state:
            self.state = state
            self.changed_at_s = time.monotonic()
            for event in self.listeners:
                event.set()
        return state

    def _look(self) -> State:
        begun_s = time.thread_time()  # of this thread alone: a machine that is busy makes no look long
        state = self._see()
        self.look_s = time.thread_time() - begun_s
        return state

    def _see(self) -> State:
        def count(table: RunTable) -> State:
            pages = pages_stamp() if self.server.settings.reload_pages else 0
            return State(
                self.repo.watch.cursor_of(table),
                table.run_count,
                running_count(table),
                pages,
                self.repo.catalogue.indexing,
            )

        return self.repo.ask(count)

    async def _tick(self) -> None:
        while True:
            is_live = self.state is None or self.state.live > 0 or self.state.indexing is not None
            quiet_s = time.monotonic() - self.changed_at_s
            await asyncio.sleep(interval_s(is_live=is_live, quiet_s=quiet_s, look_s=self.look_s))
            try:
                await self.look()
            except RepoNotFound:  # nobody is live any more; the pages ask why, and come back when it does
                self.is_gone = True
                for event in self.listeners:
                    event.set()
            except (Refusal, AimError, OSError):  # busy, or a disk that is away for a moment: the next look tells
                continue


def interval_s(*, is_live: bool, quiet_s: float, look_s: float) -> float:
    """
    Return how long to wait before the next look.

    Args:
        is_live: something records or is being read.
        quiet_s: since when nothing has changed.
        look_s: how much of a processor's time the last look took.

    >>> interval_s(is_live=True, quiet_s=60, look_s=0.001), interval_s(is_live=False, quiet_s=60, look_s=0.001)
    (0.25, 1.0)
    >>> interval_s(is_live=True, quiet_s=0, look_s=0.05)
    1.0
    """
    wanted_s = LOOK_INTERVAL_S if is_live or quiet_s < QUIET_AFTER_S else QUIET_INTERVAL_S
    return max(wanted_s, min(LATE_MAX_S, look_s / LOOK_SHARE_MAX))


def event_text(event: str, data: object, event_id: str | None = None) -> bytes:
    """
    Return one server-sent event.

    >>> event_text("tick", {"total": 1}, "42")
    b'event: tick\\nid: 42\\ndata: {"total":1}\\n\\n'
    """
    name = f"event: {event}\n" + (f"id: {event_id}\n" if event_id is not None else "")
    return name.encode() + b"data: " + json_bytes(data) + b"\n\n"


async def events(request: Request) -> Response:
    """Answer `GET …/events`."""
    server, repo = server_of(request), repo_of(request)
    if sum(len(one.listeners) for one in request.app.state.tickers.values()) >= STREAMS_MAX:
        raise Refusal(503, "busy", f"{STREAMS_MAX} pages are listening already. Close some of them.")
    cursor = request.headers.get("last-event-id") or request.query_params.get("cursor")
    ticker = ticker_of(request, repo)
    first = await ticker.look()
    return StreamingResponse(
        _events(server, ticker, first, cursor), media_type="text/event-stream", headers=dict(STREAM_HEADERS)
    )


def ticker_of(request: Request, repo: OpenRepository) -> Ticker:
    """Return the ticker of a repository."""
    tickers: dict[str, Ticker] = request.app.state.tickers
    return tickers.setdefault(repo.id, Ticker(server_of(request), repo))


async def _events(server: ServerState, ticker: Ticker, state: State, cursor: str | None) -> AsyncIterator[bytes]:
    event = ticker.join()
    stopping = asyncio.create_task(server.stopping.wait())
    pages, told = state.pages, None
    try:
        yield b": hello\n\n"
        while not server.stopping.is_set() and not ticker.is_gone:
            state = ticker.state or state
            if state.pages != pages:
                pages = state.pages
                yield event_text("reload", {})
            if state.cursor != cursor or state.indexing != told:
                is_reading = state.indexing is not None or told is not None
                yield event_text("tick", _tick_data(ticker.repo, state, cursor, is_reading), state.cursor)
                cursor, told = state.cursor, state.indexing
            event.clear()
            if not ticker.is_gone and ticker.state in (None, state) and not await _woken(event, stopping):
                yield b": alive\n\n"
    finally:
        stopping.cancel()
        ticker.leave(event)


async def _woken(event: asyncio.Event, stopping: asyncio.Task[bool]) -> bool:
    """Wait until something changed or the server stops; False when nothing did for a while."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, stopping}, timeout=ALIVE_INTERVAL_S, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done() or stopping.done()
    finally:
        waiting.cancel()


def _tick_data(repo: OpenRepository, state: State, cursor: str | None, is_reading: bool) -> dict[str, object]:
    since = repo.watch.since(cursor)
    changed = since.changed
    # runs that were only read now are no new ones
    if is_reading or (changed is not None and len(changed) > CHANGED_MAX):
        changed = None
    return {
        "cursor": state.cursor,
        "changed": changed,
        "removed": since.removed,
        "total": state.total,
        "live": state.live,
        "indexing": state.indexing,
    }
