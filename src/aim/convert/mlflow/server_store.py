"""
A tracking server of MLflow, or a database by its URL: read through MLflow's own client.

    search_experiments, search_runs     pages of runs, with params, tags and the last value of each metric
    get_metric_history                  every logged value of one metric; a server gives it in pages
    list_artifacts, download_artifacts  the files, one after the other into a scratch folder

The client decides which addresses there are: `http://` and `https://` with the package mlflow-skinny, databases such as
`postgresql://` with the package mlflow and the driver. One metric of a run is in memory at a time.
"""

from __future__ import annotations

import hashlib
import socket
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from aim.convert import steps
from aim.convert.errors import NeedsExtra
from aim.convert.events import Event
from aim.convert.mlflow.records import MetricRows, MlflowRun, infinite_limits, metric_events
from aim.core.errors import AimError
from aim.core.masking import masked

Answer = TypeVar("Answer")

RUNS_A_PAGE = 1000
EVERY_STAGE = 3  # active and deleted
BATCH_POINTS = 1 << 16
CONNECT_S = 15.0  # the client itself tries again for minutes
PORTS = {"http": 80, "https": 443}
DATASET_FIELDS = ("name", "digest", "source_type", "source", "schema", "profile")


class ServerRun(NamedTuple):
    """A run as the server lists it, with the name of its experiment."""

    run: Any
    experiment: str
    is_deleted: bool


class TrackingServer:
    """
    What answers at an address of MLflow.

    Raises:
        NeedsExtra: the client is not installed.
        AimError: nothing answers there.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._label = masked(address)
        parts = urllib.parse.urlsplit(address)
        if parts.scheme in PORTS:
            self._connect(str(parts.hostname), parts.port or PORTS[parts.scheme])
        try:
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
        except ModuleNotFoundError as error:
            if error.name != "mlflow":
                raise
            raise NeedsExtra("Reading an MLflow server", "mlflow-skinny", "mlflow") from None
        self._failure: type[Exception] = MlflowException
        self._models_by_run: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._client = self._answer(MlflowClient, tracking_uri=address)

    def _connect(self, host: str, port: int) -> None:
        try:
            socket.create_connection((host, port), CONNECT_S).close()
        except OSError as error:
            raise AimError(
                f"Nothing answers at '{self._label}': {error.strerror or error}. Is the MLflow server running, and is "
                "the address the one that its clients use?"
            ) from None

    def _answer(self, ask: Callable[..., Answer], *values: object, **options: object) -> Answer:
        try:
            return ask(*values, **options)
        except self._failure as error:
            raise AimError(f"MLflow at '{self._label}' refuses: {error}") from error
        except (ImportError, OSError) as error:  # a driver that is not installed, a connection that broke
            raise AimError(f"MLflow at '{self._label}' can't be read: {error}") from error

    def runs(self) -> Iterator[ServerRun]:
        """List the runs of all experiments, deleted ones too; a page is asked for at a time."""
        for experiment in list(self._pages(self._client.search_experiments, EVERY_STAGE)):
            is_deleted = experiment.lifecycle_stage == "deleted"
            asked = {"run_view_type": EVERY_STAGE, "max_results": RUNS_A_PAGE, "order_by": ["start_time ASC"]}
            for run in self._pages(self._client.search_runs, [experiment.experiment_id], **asked):
                yield ServerRun(run, str(experiment.name), is_deleted or run.info.lifecycle_stage == "deleted")

    def _pages(self, ask: Callable[..., Any], *values: object, **options: object) -> Iterator[Any]:
        token: str | None = None
        while True:
            page = self._answer(ask, *values, **options, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def read_run(self, listed: ServerRun) -> MlflowRun:
        """Return a run without its metrics."""
        info, data = listed.run.info, listed.run.data
        return MlflowRun(
            str(info.run_id),
            str(info.run_name or ""),
            listed.experiment,
            str(info.status),
            info.start_time,
            info.end_time,
            listed.is_deleted,
            str(info.artifact_uri or ""),
            dict(data.params),
            dict(data.tags),
            _datasets(listed.run),
            self._models(listed.run),
        )

    def _models(self, run: Any) -> list[dict[str, Any]]:
        experiment_id = str(run.info.experiment_id)
        if experiment_id not in self._models_by_run:
            self._models_by_run[experiment_id] = self._models_of(experiment_id)
        return self._models_by_run[experiment_id].get(str(run.info.run_id), [])

    def _models_of(self, experiment_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the models of an experiment by their runs; a client or a server before MLflow 3 has none."""
        by_run: dict[str, list[dict[str, Any]]] = {}
        search = getattr(self._client, "search_logged_models", None)
        try:
            models = [] if search is None else list(self._pages(search, [experiment_id]))
        except AimError:
            return by_run
        for model in models:
            values = {metric.key: metric.value for metric in model.metrics or ()}
            fields = {"id": str(model.model_id), "name": str(model.name)}
            of_run = by_run.setdefault(str(model.source_run_id), [])
            of_run.append({**fields, "params": dict(model.params or {}), "metrics": values})
        return by_run

    def metrics(self, listed: ServerRun, *, keeps_steps: bool) -> Iterator[Event]:
        """Go through the points of all metrics of a run, one metric after the other."""
        for name in sorted(listed.run.data.metrics):
            history = self._answer(self._client.get_metric_history, listed.run.info.run_id, name)
            own_steps = np.array([metric.step for metric in history], np.int64)
            is_numbered = not keeps_steps and steps.are_all_zero(own_steps)
            size = len(history) if is_numbered else BATCH_POINTS
            for start in range(0, len(history), size or 1):
                part = history[start : start + size]
                times = np.array([metric.timestamp for metric in part], np.int64)
                values = infinite_limits(np.array([metric.value for metric in part], np.float64))
                rows = MetricRows(str(name), times, values, own_steps[start : start + size])
                yield from metric_events([rows], is_numbered=is_numbered)

    def artifact_names(self, run_id: str, folder: str | None = None) -> Iterator[str]:
        """Go through the paths of the files of a run."""
        for entry in self._answer(self._client.list_artifacts, run_id, folder):
            if entry.is_dir:
                yield from self.artifact_names(run_id, entry.path)
            else:
                yield str(entry.path)

    def download(self, run_id: str, name: str, folder: Path) -> Path:
        """Fetch a file of a run into *folder*, and return where it is."""
        return Path(self._answer(self._client.download_artifacts, run_id, name, str(folder)))


def stamp_of(listed: ServerRun) -> str:
    """Return what tells whether a run changed: its state, params, tags, and the last point of each metric."""
    info, data = listed.run.info, listed.run.data
    last = getattr(data, "_metric_objs", None) or ()
    points = sorted((metric.key, metric.step, metric.timestamp, repr(metric.value)) for metric in last)
    texts = (sorted(data.params.items()), sorted(data.tags.items()), sorted(data.metrics.items()), points)
    state = (info.status, info.end_time, info.lifecycle_stage, listed.is_deleted, listed.experiment)
    return hashlib.blake2b(repr((state, texts)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _datasets(run: Any) -> list[dict[str, Any]]:
    inputs: Sequence[Any] = getattr(getattr(run, "inputs", None), "dataset_inputs", None) or ()
    return [
        {name: getattr(each.dataset, name) for name in DATASET_FIELDS if getattr(each.dataset, name, None) is not None}
        for each in inputs
    ]
