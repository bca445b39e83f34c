"""
Serving: listen, answer until a signal comes, and leave nothing running.

    SIGINT, SIGTERM  ->  streams of live updates end  ->  requests are answered  ->  the trash is emptied  ->  exit

A second signal ends the process at once.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import uvicorn

from aim.core.errors import UsageError
from aim.core.recent import MEMORY
from aim.server.app import create_app
from aim.server.forwarding import Forwarding, FromInside, Inside
from aim.server.open_repository import Progress
from aim.server.server_state import ServerState
from aim.server.settings import Settings
from aim.server.workers import ReadingProcesses, can_fork

STOP_TIMEOUT_S = 5
KEEP_ALIVE_S = 75  # trainings send up to 15 s apart, and would find their connection closed
BACKLOG = 256
DESCRIPTORS_MAX = 65_536
COLLECT_EACH = 50_000  # new objects; at Python's 700 a third of the time of a large answer goes into looking for cycles
ANY_HOST = frozenset({"0.0.0.0", "::", ""})


class PagesServer(uvicorn.Server):
    """A uvicorn server that ends open streams before it waits for them, and may be one of several on its port."""

    def __init__(self, config: uvicorn.Config, state: ServerState, first_ends: int | None = None) -> None:
        super().__init__(config)
        self._state = state
        self._first_ends = first_ends

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does; a reading process ends with the first one."""
        await super().startup(sockets)
        for opened in sockets or ():
            opened.listen(BACKLOG)  # asyncio has set the length of the queue to the number that it accepts at once
        if self._first_ends is not None:
            asyncio.get_running_loop().add_reader(self._first_ends, self._end)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._first_ends or 0)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, shut down as uvicorn does, and remove the Unix socket."""
        self._state.stopping.set()
        await super().shutdown(sockets)
        uds = self._state.settings.uds
        if uds is not None and self._first_ends is None:
            uds.unlink(missing_ok=True)


def listen(settings: Settings) -> socket.socket:
    """
    Open the port, or the Unix socket.

    Raises:
        UsageError: the port is taken, or the address does not belong to this machine.
    """
    if settings.uds is not None:
        return _listen_unix(settings.uds)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # with this protocol asyncio sets TCP_NODELAY: else an answer waits 40 ms for an acknowledgement of its first half
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise UsageError(
            f"Can't listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Is a server there already? Choose another port with --port, or 0 for a free one."
        ) from None
    return opened


def _listen_unix(path: Path) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError("This system has no Unix sockets: use --host and --port.")
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _answers(path):
            path.unlink()  # left by a server that was killed
        opened.bind(str(path))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        said = error.strerror or error  # a path that is too long has no number
        raise UsageError(f"Can't listen on the socket {path}: {said}. Is a server there already?") from None
    return opened


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
    return True


def address(settings: Settings, opened: socket.socket) -> str:
    """Return the address to open in a browser on this machine; for a Unix socket its path as curl writes it."""
    if settings.uds is not None:
        return f"unix:{settings.uds.absolute()}"
    host = "127.0.0.1" if settings.host in ANY_HOST else settings.host
    port = opened.getsockname()[1]
    host_text = f"[{host}]" if ":" in host else host
    scheme = "http" if settings.certificate is None else "https"
    return f"{scheme}://{host_text}:{port}{settings.base_path}/"


def on_host(address: str, host: str) -> str:
    """
    Return an address of a page with another host name.

    >>> on_host("http://127.0.0.1:43800/aim/", "node7")
    'http://node7:43800/aim/'
    """
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}"))


def make_server(
    settings: Settings,
    progress: Progress | None = None,
    inside: Inside | None = None,
    first_ends: int | None = None,
) -> PagesServer:
    """
    Make the server, which is then `run` with the sockets that `listen` opened.

    Args:
        progress: called while a large repository is read for the first time.
        inside: how the processes of this server know each other; None: it is one process.
        first_ends: of a reading process: a descriptor that can be read when the first process has ended.

    Raises:
        RepoNotFound, UnsupportedFormat: a repository can't be opened.
        UsageError: the certificate or its key can't be used.
    """
    MEMORY.bytes_max = None if settings.memory_bytes is None else settings.memory_bytes // settings.workers
    app, state = create_app(settings, progress)
    if inside is not None:
        app = FromInside(app, inside) if first_ends is None else Forwarding(app, inside, settings.base_path)
    logging.getLogger("aim.server").setLevel(settings.log_level.upper())
    config = uvicorn.Config(
        app,
        http="h11",  # httptools, which uvicorn prefers where it is installed, has no bound on the bytes of a header
        log_level=settings.log_level,
        access_log=False,  # that of boundary.py leaves out what follows the `?`, which may be the token
        server_header=False,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        lifespan="on",
        backlog=BACKLOG if inside is None else 1,  # accept one at a time: the others are for processes with time
        proxy_headers=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        named = f"{settings.certificate} and its key {settings.key or ''}".rstrip()
        raise UsageError(
            f"The certificate {named} can't be used: {error}. Both must be PEM files, and belong together."
        ) from None
    return PagesServer(config, state, first_ends)


def serve(settings: Settings, ready: Callable[[str], None], progress: Progress | None = None) -> None:
    """
    Serve until a signal says to stop.

    Args:
        ready: called with the address as soon as connections are accepted.
        progress: called while a large repository is read for the first time.

    Raises:
        RepoNotFound, UnsupportedFormat: a repository can't be opened.
        UsageError: the port can't be used.
    """
    _raise_descriptor_limit()
    if settings.workers > 1 and can_fork():
        _serve_with_readers(settings, ready, progress)
        return
    server = make_server(settings, progress)
    opened = listen(settings)
    _run(server, [opened], lambda: ready(address(settings, opened)))


def _raise_descriptor_limit() -> None:
    """Let this process have as many descriptors as the system allows: each training keeps a connection, and files."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return
    raised = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, raised), hard))
    except (ValueError, OSError):  # macOS allows less than it says
        pass


def _serve_with_readers(settings: Settings, ready: Callable[[str], None], progress: Progress | None) -> None:
    opened = listen(settings)

    def read(inside: Inside, first_ends: int) -> None:
        _run(make_server(settings, inside=inside, first_ends=first_ends), [opened], lambda: None)

    readers = ReadingProcesses(settings.workers - 1, read)  # before this process has threads
    try:
        server = make_server(settings, progress, readers.inside)
        private = _listen_unix(readers.inside.path)
        _run(server, [opened, private], lambda: ready(address(settings, opened)))
    finally:
        readers.stop()


def _run(server: PagesServer, sockets: list[socket.socket], ready: Callable[[], None]) -> None:
    gc.set_threshold(COLLECT_EACH, *gc.get_threshold()[1:])
    try:
        # the kernel accepts connections from here on; they are answered as soon as uvicorn runs
        ready()
        server.run(sockets=sockets)
    except KeyboardInterrupt:  # uvicorn raises the signal again after its shutdown
        pass
    finally:
        for opened in sockets:
            opened.close()
