"""
Live updates: server-sent events that say which runs changed. Specified in docs/formats/wire.md, section 7.

One `Ticker` a repository looks for changes while pages listen, and wakes them when the repository has changed. All
changes between two looks become one event, and a hundred open pages cost one look.

    while runs record, and for 20 s after any change        four looks a second
    after 20 s without a change                             one look a second
    when looks are slow, as with hundreds of live runs      so few that they take 5 % of one core, but one in 2 s
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aim.core.errors import AimError, RepoNotFound, Unavailable
from aim.engine.tail import running_count
from aim.server.answers import Refusal, json_bytes
from aim.server.assets import pages_stamp
from aim.server.open_repository import OpenRepository
from aim.server.roles import Principal
from aim.server.server_state import ServerState, principal_of, repo_of, server_of
from aim.storage.catalogue.run_table import RunTable

LOOK_INTERVAL_S = 0.25
QUIET_INTERVAL_S = 1.0
QUIET_AFTER_S = 20.0
LOOK_SHARE_MAX = 0.05  # looks take at most 5 % of one core,
LOOK_INTERVAL_MAX_S = 2.0  # but there is one at least this often
ALIVE_INTERVAL_S = 15.0
ACCESS_INTERVAL_S = 1.0
CHANGED_MAX = 500
STREAMS_MAX = 500  # each costs a connection and its buffers
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # else nginx buffers the stream


@dataclass(frozen=True)
class RepositoryState:
    """
    A state of a repository, as pages hear of it.

    Attributes:
        cursor: the name of the state.
        total: how many runs there are.
        live: how many runs record now.
        pages: a number that changes when the pages are built again; 0: it is not looked at.
        indexing: while not all runs are read, how many were read, and how many there are.
        read_only: why the repository can't be changed; see `OpenRepository.read_only_reason`.
        full: why nothing more finds room; see `Room.lack`.
        documents: a number that changes with views, reports, annotations and tags.
    """

    cursor: str
    total: int
    live: int
    pages: int = 0
    indexing: tuple[int, int] | None = None
    read_only: str | None = None
    full: str | None = None
    documents: int = 0

    @property
    def conditions(self) -> tuple[object, ...]:
        """What a tick tells besides runs: when it changes, so do the pages."""
        return (self.indexing, self.read_only, self.full, self.documents)


@dataclass
class Ticker:
    """Looks for changes of one repository, for all pages that listen."""

    server: ServerState
    repo: OpenRepository
    state: RepositoryState | None = None
    listeners: set[asyncio.Event] = field(default_factory=set)
    task: asyncio.Task[None] | None = None
    changed_at_s: float = field(default_factory=time.monotonic)
    look_s: float = 0.0
    is_gone: bool = False

    def join(self) -> asyncio.Event:
        """Add a listener; its event is set after every change."""
        event = asyncio.Event()
        self.listeners.add(event)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._tick())
        return event

    def leave(self, event: asyncio.Event) -> None:
        """Remove a listener; after the last one the looking ends."""
        self.listeners.discard(event)
        if not self.listeners and self.task is not None:
            self.task.cancel()
            self.task = None

    async def look(self) -> RepositoryState:
        """Look for changes now, wake the listeners if there are any, and return the state."""
        state = await self.server.pool.run(self._look)
        self.is_gone = False
        if state != self.state:
            self.state = state
            self.changed_at_s = time.monotonic()
            for event in self.listeners:
                event.set()
        return state

    def _look(self) -> RepositoryState:
        begun_s = time.thread_time()  # of this thread alone: other programs do not count
        state = self._read_state()
        self.look_s = time.thread_time() - begun_s
        return state

    def _read_state(self) -> RepositoryState:
        def read(table: RunTable) -> RepositoryState:
            pages = pages_stamp() if self.server.settings.reload_pages else 0
            return RepositoryState(
                self.repo.watch.cursor_of(table),
                table.run_count,
                running_count(table),
                pages,
                self.repo.catalogue.indexing,
                self.repo.read_only_reason(),
                self.repo.room.lack(),
                self.repo.documents.stamp(),
            )

        return self.repo.ask(read)

    async def _tick(self) -> None:
        while True:
            is_live = self.state is None or self.state.live > 0 or self.state.indexing is not None
            quiet_s = time.monotonic() - self.changed_at_s
            await asyncio.sleep(interval_s(is_live=is_live, quiet_s=quiet_s, look_s=self.look_s))
            try:
                await self.look()
            except (RepoNotFound, Unavailable):  # the streams end; pages show why, and connect again when it is back
                self.is_gone = True
                for event in self.listeners:
                    event.set()
            except (Refusal, AimError, OSError):  # too busy, or a disk that failed for a moment: look again
                continue


def interval_s(*, is_live: bool, quiet_s: float, look_s: float) -> float:
    """
    Return how long to wait before the next look.

    Args:
        is_live: whether runs record, or are being read for the first time.
        quiet_s: the time since the last change.
        look_s: the processor time of the last look.

    >>> interval_s(is_live=True, quiet_s=60, look_s=0.001), interval_s(is_live=False, quiet_s=60, look_s=0.001)
    (0.25, 1.0)
    >>> interval_s(is_live=True, quiet_s=0, look_s=0.05)
    1.0
    """
    usual_s = LOOK_INTERVAL_S if is_live or quiet_s < QUIET_AFTER_S else QUIET_INTERVAL_S
    return max(usual_s, min(LOOK_INTERVAL_MAX_S, look_s / LOOK_SHARE_MAX))


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
    if sum(len(ticker.listeners) for ticker in request.app.state.tickers.values()) >= STREAMS_MAX:
        raise Refusal(503, "busy", f"{STREAMS_MAX} pages are listening already. Close some of them.")
    cursor = request.headers.get("last-event-id") or request.query_params.get("cursor")
    ticker = ticker_of(request, repo)
    first = await ticker.look()
    return StreamingResponse(
        _events(server, ticker, first, cursor, principal_of(request)),
        media_type="text/event-stream",
        headers=dict(STREAM_HEADERS),
    )


def ticker_of(request: Request, repo: OpenRepository) -> Ticker:
    """Return the ticker of a repository."""
    tickers: dict[str, Ticker] = request.app.state.tickers
    ticker = tickers.get(repo.id)
    if ticker is None or ticker.repo is not repo:  # another folder is there now, or it was closed and opened again
        ticker = tickers[repo.id] = Ticker(server_of(request), repo)
    return ticker


async def _events(
    server: ServerState, ticker: Ticker, state: RepositoryState, cursor: str | None, principal: Principal
) -> AsyncIterator[bytes]:
    event = ticker.join()
    stopping = asyncio.create_task(server.stopping.wait())
    pages, indexing = state.pages, None
    conditions = replace(state, indexing=None).conditions
    try:
        yield b": hello\n\n"
        while not server.stopping.is_set() and not ticker.is_gone:
            state = ticker.state or state
            if state.pages != pages:
                pages = state.pages
                yield event_text("reload", {})
            if (state.cursor, state.conditions) != (cursor, conditions):
                is_reading = state.indexing is not None or indexing is not None
                yield event_text("tick", _tick_data(ticker.repo, state, cursor, is_reading), state.cursor)
                cursor, indexing, conditions = state.cursor, state.indexing, state.conditions
            event.clear()
            if not server.guard.access.is_current(principal):
                return
            if not ticker.is_gone and ticker.state in (None, state) and not await _woken(event, stopping):
                yield b": alive\n\n"
    finally:
        stopping.cancel()
        ticker.leave(event)


async def _woken(event: asyncio.Event, stopping: asyncio.Task[bool]) -> bool:
    """Wait for a change or for the end of the server; return False after `ALIVE_INTERVAL_S` without either."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, stopping}, timeout=ALIVE_INTERVAL_S, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done() or stopping.done()
    finally:
        waiting.cancel()


async def end_streams(server: ServerState, tickers: Mapping[str, Ticker]) -> None:
    """Once a second look whether tokens have changed, and let the streams of updates look at theirs then."""
    states = server.guard.access.states()
    while True:
        await asyncio.sleep(ACCESS_INTERVAL_S)
        before, states = states, server.guard.access.states()
        if before != states:
            for ticker in tickers.values():
                for event in ticker.listeners:
                    event.set()


def _tick_data(repo: OpenRepository, state: RepositoryState, cursor: str | None, is_reading: bool) -> dict[str, object]:
    since = repo.watch.since(cursor)
    changed = since.changed
    # while runs are read for the first time, the table grows without a change of runs
    if is_reading or (changed is not None and len(changed) > CHANGED_MAX):
        changed = None
    return {
        "cursor": state.cursor,
        "changed": changed,
        "removed": since.removed,
        "total": state.total,
        "live": state.live,
        "indexing": state.indexing,
        "read_only": state.read_only,
        "full": state.full,
        "documents": f"{state.documents:x}",
    }
