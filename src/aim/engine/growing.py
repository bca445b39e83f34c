"""
An imported run that grows with its source: what comes is recorded as a training records it.

    RunImport    a run from arrays, whole: written at once, and put in its place by one rename
    RunGrowth    the same run afterwards: a writer with a journal, which readers see while it records

An import again would cost the reading of the whole run each time; this costs what is new. The times are those of the
source. What only a whole import can say, such as a rewind in the past, raises `NotGrowing`.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt

from aim.core import params, shield
from aim.core.errors import AimError
from aim.core.values import MadeObject, Stored
from aim.engine.backend_repository import BackendRepository
from aim.engine.sealing import seal_run
from aim.storage.recording.checked_values import FLOAT, CheckedValue
from aim.storage.recording.sequence_writer import track_at

UNKNOWN_S = 1e-9  # the time of a point whose source has none: it is stored as 0, as an import does
FloatArray = npt.NDArray[np.float64]


class NotGrowing(AimError):
    """A run got something that has to be imported with the whole run."""


class RunGrowth:
    """
    Records into an imported run what its source still gets.

    Attributes:
        created_at_s: nothing comes of it; the run has begun.

    Raises:
        RunNotFound: the run is gone, or was not imported.
        OSError: the disk refuses.
    """

    def __init__(self, repository: BackendRepository, run_hash: str) -> None:
        self.run_hash = run_hash
        self.created_at_s: float | None = None
        self._followers = repository.backend.import_followers(run_hash)
        self._followers.begin()
        self._writer = repository.backend.resume_writer(run_hash)

    def points(
        self,
        name: str,
        context: Mapping[str, Any],
        steps: npt.NDArray[np.int64],
        values: npt.NDArray[Any],
        times_s: FloatArray | float = math.nan,
        epochs: FloatArray | float = math.nan,
    ) -> None:
        """
        Add points; see `RunImport.points`.

        Cost: 4 us a point.
        """
        sequence = self._writer.sequence(name, dict(context))
        all_times_s = _moments(np.broadcast_to(np.asarray(times_s, np.float64), steps.shape))
        all_epochs = np.broadcast_to(np.asarray(epochs, np.float64), steps.shape).tolist()
        rows = zip(steps.tolist(), values.tolist(), all_times_s, all_epochs)
        for step, value, at_s, epoch in itertools.islice(rows, 1):
            track_at(sequence, value, step, at_s, epoch)
        if values.dtype == np.float64:  # the first was checked, and these are of its kind
            for step, value, at_s, epoch in rows:
                sequence.put(CheckedValue(FLOAT, value, step, epoch), at_s)
        for step, value, at_s, epoch in rows:
            track_at(sequence, value, step, at_s, epoch)

    def objects(
        self,
        name: str,
        context: Mapping[str, Any],
        steps: Sequence[int],
        items: Sequence[Stored],
        *,
        times_s: FloatArray | float = math.nan,
        epoch: float = math.nan,
        is_list: bool = False,
    ) -> None:
        """Add the objects of one step, or one without data for each of several; see `RunImport.objects`."""
        sequence = self._writer.sequence(name, dict(context))
        all_times_s = _moments(np.broadcast_to(np.asarray(times_s, np.float64), (len(steps),)))
        if is_list or len(steps) == 1:
            groups = [(steps[0], all_times_s[0], list(items))]
        else:
            groups = [(step, at_s, [item]) for step, at_s, item in zip(steps, all_times_s, items)]
        for step, at_s, together in groups:
            made = [MadeObject(item) for item in together]
            track_at(sequence, made if is_list else made[0], step, at_s, epoch)

    def set_param(self, path: params.Path, value: object) -> None:
        """Set a param in place of what it holds; what can't be stored is stored as text."""
        self._writer.lines.set_param(path, value, strict=False)

    def properties(self, **properties: object) -> None:
        """Set name, description, experiment, archived ..."""
        self._writer.lines.set_property(**properties)

    def tags(self, names: Sequence[str]) -> None:
        """Add tags."""
        if names:
            self._writer.lines.change_tags(list(names))

    def refer(self, name: str, uri: str, *, size_bytes: int = 0, sha256: str = "") -> None:
        """A file of the run: it comes with the whole run."""
        self._refuse(name)

    def artifact(self, name: str, content: BinaryIO, *, at_s: float) -> None:
        """A file of the run: it comes with the whole run."""
        self._refuse(name)

    def rewind(self, step: int, at_s: float) -> None:
        """The program was started again at an earlier step: that is in the past of what was recorded."""
        self._refuse(f"step {step}")

    def _refuse(self, what: str) -> NoReturn:
        raise NotGrowing(f"{what} can't be added to run {self.run_hash!r} while it grows.")

    def close(self) -> None:
        """End the writer, and seal what it recorded."""
        self._writer.close()
        with contextlib.suppress(OSError, AimError):  # then the note names a process that has ended
            self._followers.end()
        shield.shielded(lambda: seal_run(self._writer.files.folder), lambda error: None)  # else a reader does it


def _moments(times_s: FloatArray) -> list[float]:
    moments: list[float] = np.where(np.isfinite(times_s) & (times_s != 0), times_s, UNKNOWN_S).tolist()
    return moments
