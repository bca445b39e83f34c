"""
The importer of a tracking server of MLflow: the same runs, under the same hashes, as from its files or its database.

A run of a server has no files whose times tell whether it changed: its state, its params and tags, and the last point
of each metric do. Files are fetched where `--artifacts copy` asks for them, and images of `log_image(key=, step=)`
always, one after the other, into a scratch folder that goes with the importer.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

from aim.convert.events import ArtifactFile, Event, LeftOut
from aim.convert.files import COPY, LINK, WITHOUT_COPY
from aim.convert.formats import ImportOptions, Source, SourceRun
from aim.convert.mlflow.artifacts import artifact_events, is_image, is_preview
from aim.convert.mlflow.importer import MlflowImporter
from aim.convert.mlflow.records import described, ended
from aim.convert.mlflow.server_store import ServerRun, TrackingServer, stamp_of
from aim.core.masking import masked


class MlflowServerImporter(MlflowImporter):
    """
    The importer of what answers at *address*.

    Raises:
        NeedsExtra: the client of MLflow is not installed.
        AimError: nothing answers there.
    """

    is_parallel = False

    def __init__(self, address: str) -> None:
        self._server = TrackingServer(address)
        self._scratch = Path(tempfile.mkdtemp(prefix="aim-import-"))
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self.source = Source(self, self._scratch, address=masked(address))

    def runs(self, source: Source, options: ImportOptions) -> Iterator[SourceRun]:
        """List the runs of the server."""
        for listed in self._server.runs():
            info = listed.run.info
            title = f"{listed.experiment}/{info.run_id}"
            stamp = stamp_of(listed)
            yield SourceRun(
                str(info.run_id), title, (), listed.experiment, str(info.experiment_id), locator=listed, stamp=stamp
            )

    def read(self, source: Source, run: SourceRun, options: ImportOptions) -> Iterator[Event]:
        """Read a run."""
        listed: ServerRun = run.locator
        tracked = self._server.read_run(listed)
        yield from described(tracked, options)
        yield from self._server.metrics(listed, keeps_steps=bool(options.choices.get("keep_steps")))
        yield from self._artifacts(run.run_id, tracked.artifact_uri, options)
        yield ended(tracked)

    def _artifacts(self, run_id: str, uri: str, options: ImportOptions) -> Iterator[Event]:
        for name in self._server.artifact_names(run_id):
            if is_preview(name):
                continue
            if is_image(name) or options.artifacts == COPY:
                folder = Path(tempfile.mkdtemp(dir=self._scratch))
                yield from artifact_events(self._server.download(run_id, name, folder), name)
                shutil.rmtree(folder)
            elif options.artifacts == LINK:
                yield ArtifactFile(name, uri=f"{uri.rstrip('/')}/{name}")
            else:
                yield LeftOut(WITHOUT_COPY)
