"""
Runs on a server of Weights & Biases, read through W&B's own client.

    runs, run         pages of runs with config, summary and tags; or one run
    scan_history      every row of the history; the client also has a sample of 500 rows, which is never asked for
    files             names and sizes; each is fetched by itself, into a scratch folder

The client decides which server it is, and who asks: WANDB_BASE_URL, WANDB_API_KEY, `wandb login`. It tries again by
itself when the server says that it is asked too often.
"""

from __future__ import annotations

import datetime
import hashlib
import inspect
import socket
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from aim.convert.errors import NeedsExtra
from aim.core.errors import AimError
from aim.core.masking import masked

Answer = TypeVar("Answer")

RUNS_A_PAGE = 50
CONNECT_S = 15.0  # the client itself tries again for minutes
ANSWER_S = 60
PORTS = {"http": 80, "https": 443}


class WandbService:
    """
    The runs of one project.

    Args:
        run_id: of one run of it; None: all.

    Raises:
        NeedsExtra: the client is not installed.
        AimError: nothing answers at the server, or it does not know who asks.
    """

    def __init__(self, entity: str, project: str, run_id: str | None = None) -> None:
        try:
            import wandb
        except ModuleNotFoundError as error:
            if error.name != "wandb":
                raise
            raise NeedsExtra("Reading a server of Weights & Biases", "wandb", "wandb") from None
        self._path = "/".join(filter(None, (entity, project)))
        self._run_id = run_id
        self._failures: tuple[type[Exception], ...] = (wandb.errors.Error, ValueError, OSError)
        self._server = str(wandb.setup().settings.base_url)
        self.label = masked(f"{self._server}/{self._path}")
        self._connect()
        self._api = self._answer(wandb.Api, timeout=ANSWER_S)

    def _connect(self) -> None:
        parts = urllib.parse.urlsplit(self._server)
        try:
            socket.create_connection((str(parts.hostname), parts.port or PORTS[parts.scheme]), CONNECT_S).close()
        except OSError as error:
            raise AimError(
                f"Nothing answers at '{masked(self._server)}': {error.strerror or error}. WANDB_BASE_URL is the "
                "address of the server, https://api.wandb.ai by default. Runs that were logged offline need no server: "
                "aim import ./wandb"
            ) from None

    def _answer(self, ask: Callable[..., Answer], *values: object, **options: object) -> Answer:
        try:
            return ask(*values, **options)
        except self._failures as error:
            raise AimError(f"Weights & Biases refuses '{self.label}': {error}") from error

    def _pages(self, pages: Iterator[Answer]) -> Iterator[Answer]:
        while (member := self._answer(next, pages, None)) is not None:
            yield member

    def runs(self) -> Iterator[Any]:
        """List the runs, with config and summary; a page is asked for at a time."""
        if self._run_id is not None:
            yield self._answer(self._api.run, f"{self._path}/{self._run_id}")
            return
        # a list of runs is lazy: config and summary would be asked for run by run
        options = {"lazy": False} if "lazy" in inspect.signature(self._api.runs).parameters else {}
        listed = self._answer(self._api.runs, self._path, per_page=RUNS_A_PAGE, order="+created_at", **options)
        yield from self._pages(iter(listed))

    def rows(self, run: Any) -> Iterator[dict[str, Any]]:
        """Go through all rows of the history of a run."""
        # a cache of the client may be older than the run
        options = {"use_cache": False} if "use_cache" in inspect.signature(run.scan_history).parameters else {}
        yield from self._pages(iter(self._answer(run.scan_history, **options)))

    def files(self, run: Any) -> Iterator[Any]:
        """Go through the files of a run: each has a `name` and a `size`."""
        yield from self._pages(iter(self._answer(run.files)))

    def download(self, file: Any, folder: Path) -> Path:
        """Fetch a file into *folder*, below which it has its own path, and return where it is."""
        self._answer(file.download, root=str(folder), replace=True).close()
        return folder / str(file.name)


def stamp_of(run: Any) -> str:
    """Return what tells whether a run changed: its state and when it last was alive, its settings and its tags."""
    attributes: dict[str, Any] = run._attrs
    live = [attributes.get(name) for name in ("state", "heartbeatAt", "historyLineCount", "displayName", "notes")]
    settings = [sorted(run.config.items()), sorted(summary_of(run).items()), sorted(run.tags or ())]
    return hashlib.blake2b(repr((live, settings)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def summary_of(run: Any) -> dict[str, Any]:
    """Return the summary of a run as a plain dict."""
    return dict(getattr(run.summary, "_json_dict", None) or {})


def moment_s(text: str | None) -> float | None:
    """
    Return a time of the service as Unix seconds; None: there is none.

    >>> moment_s("2026-01-02T03:04:05Z"), moment_s(None)
    (1767323045.0, None)
    """
    if not text:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()
