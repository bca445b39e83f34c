"""
Writers of torch and tensorboardX that record into a run as well.

    program  ->  SummaryWriter.add_*  ->  FileWriter.add_event  ->  the event file, as before
                                                                ->  the run

A value goes to the run at the call, not by way of the file, which writers flush each two minutes. The folder of the
writer is the context `entry`, as with runs that follow event files. TensorFlow writes from C++, past all of this: its
files are followed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aim.convert.media import Media, stored
from aim.convert.tensorboard import summaries
from aim.convert.tensorboard.frames import FrameBatch
from aim.convert.tensorboard.importer import OBJECTS
from aim.convert.tensorboard.reading import EventReader, ScalarRun, TagMemory, TagValue
from aim.core.errors import UsageError
from aim.core.values import Stored
from aim.sdk.adapters.session.frameworks import framework, is_installed
from aim.sdk.adapters.session.options import parted
from aim.sdk.adapters.session.run_session import RunSession

WRITERS = {"torch.utils.tensorboard.writer": "torch", "tensorboardX.writer": "tensorboardX"}
HPARAMS = "hparams"
HPARAMS_FOLDER = re.compile(r"\d+\.\d+")  # torch writes the metrics of `add_hparams` below the log folder


class TensorBoardPatch:
    """
    What `patch` changed, and the run that records.

    Args:
        session: the run.
    """

    def __init__(self, session: RunSession) -> None:
        self._session = session
        self._memories: dict[str, TagMemory] = {}
        self._originals: dict[Any, tuple[Any, Any]] = {}
        self._is_removed = False

    @property
    def experiment(self) -> Any:
        """The `Run`, made at the first value."""
        return self._session.run()

    def apply(self, file_writer: Any) -> None:
        """Let a class of writers record."""
        original = file_writer.add_event

        @functools.wraps(original)
        def add_event(writer: Any, event: Any, step: Any = None, walltime: Any = None) -> Any:
            result = original(writer, event, step, walltime)
            if not self._is_removed:
                self._session.failures.guarded(lambda: self._record(str(writer.get_logdir()), event), "event")
            return result

        self._originals[file_writer] = original, add_event
        file_writer.add_event = add_event

    def remove(self) -> None:
        """
        Let the writers be as they were; the run goes on until `close()`.

        Below a later patch this one stays where it is, and only passes on.
        """
        self._is_removed = True
        for file_writer, (original, patched) in self._originals.items():
            if file_writer.add_event is patched:
                file_writer.add_event = original
        self._originals.clear()

    def close(self) -> None:
        """Let the writers be as they were, and end the run, unless it is the caller's."""
        self.remove()
        self._session.close()

    def _record(self, folder: str, event: Any) -> None:
        memory = self._memories.setdefault(folder, TagMemory())
        path = Path(folder)
        entry = (path.parent if HPARAMS_FOLDER.fullmatch(path.name) else path).name
        batch = FrameBatch([0], [event.SerializeToString()], [])
        for item in EventReader(memory).items(batch):
            if isinstance(item, ScalarRun):
                for step, value in zip(item.steps, item.values):
                    self._session.track({item.tag: value}, step, context={"entry": entry})
            elif isinstance(item, TagValue):
                self._take(item, memory, entry)

    def _take(self, item: TagValue, memory: TagMemory, entry: str) -> None:
        if item.plugin == HPARAMS:
            params = summaries.hparams(memory.contents.get(item.tag, b""))
            if params:
                self._session.set_params(HPARAMS, params)
        elif item.plugin == "scalars":
            self._session.track({item.tag: summaries.scalar(item.value)}, item.step, context={"entry": entry})
        else:
            read: Callable[[Any], list[Media]] = OBJECTS.get(item.plugin, summaries.old_object)
            objects = [EventObject(stored(media)) for media in read(item.value)]
            if objects:
                value = objects if len(objects) > 1 else objects[0]
                self._session.track({item.tag: value}, item.step, context={"entry": entry})


class EventObject:
    """An object of an event whose stored form is at hand."""

    def __init__(self, form: Stored) -> None:
        self._form = form

    def stored(self) -> Stored:
        """Return the stored form."""
        return self._form


def patch(
    repo: Any = None,
    experiment: str | None = None,
    system_tracking_interval: float | None = 10,
    log_system_params: bool = True,
    capture_terminal_logs: bool | str = True,
    *,
    split_tags: bool = False,
    **options: Any,
) -> TensorBoardPatch:
    """
    Record what writers of TensorBoard write, from now on: those of torch and of tensorboardX.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: as for `Run`.
        split_tags: make `loss` with `{"subset": "train"}` of the tag `train/loss`; without it tags stay whole.
        options: see `AdapterOptions`, such as run= for an open run of yours.

    Returns:
        The patch: `.remove()` undoes it, `.close()` ends its run, too.

    Raises:
        UsageError: neither torch nor tensorboardX is installed.
    """
    if split_tags:
        options["context_prefixes"] = "slash"
    parts = parted(
        "aim.tensorboard.patch", repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs,
        options,
    )  # fmt: skip
    patched = TensorBoardPatch(RunSession("aim.tensorboard.patch", *parts))
    modules = [module for module, package in WRITERS.items() if is_installed(package) and is_installed("tensorboard")]
    modules += [module for module in WRITERS if module.startswith("tensorboardX") and is_installed(module)]
    for module in dict.fromkeys(modules):
        patched.apply(framework(module, WRITERS[module], "aim.tensorboard").FileWriter)
    if not modules:
        raise UsageError("There is no writer to patch: install tensorboard (with torch), or tensorboardX.")
    return patched
