"""
The run that follows a folder of event files, without TensorFlow and without TensorBoard.

    program   ->   event files   ->   LogFolder (each second)   ->   the run's writer, with the times of the records

The folder of a file becomes the context `entry`: its name, or its path from the log folder when another folder has that
name. How far each file was read is kept with the run at its end, so that a resumed run does not record it again.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aim.convert import media
from aim.convert.events import Event, LeftOut, ObjectStep, ParamValue, PointBatch, Refused, SourceDamage
from aim.convert.tensorboard.following import LogFolder
from aim.core.errors import AimError
from aim.core.values import MadeObject
from aim.sdk.adapters.session.metric_names import MetricNames
from aim.sdk.adapters.session.options import NameOptions
from aim.sdk.run import Run
from aim.storage.recording.sequence_writer import track_at

OFFSETS_PROPERTY = "meta.tensorboard_offsets"
LOOK_S = 0.3  # of a second of the background thread
QUIET_LOOKS = 2

log = logging.getLogger("aim")

Track = Callable[[str, Mapping[str, Any], object, int, float], None]


class TensorBoardRun(Run):
    """
    A run that records the scalars, images, sounds, texts and histograms of event files as they are written.

    Args:
        sync_tensorboard_log_dir: the folder of the event files; it need not exist yet.
        run_hash, repo, experiment, force_resume, system_tracking_interval, log_system_params, capture_terminal_logs:
            as of `aim.Run`; by default nothing but the event files is recorded.
        split_tags: make `loss` with `{"subset": "train"}` of the tag `train/loss`; without it tags stay whole.

    `close()` records what was written until then.

    >>> import tempfile
    >>> run = TensorBoardRun(sync_tensorboard_log_dir=tempfile.mkdtemp(), repo=tempfile.mkdtemp())
    >>> run.close()
    """

    def __init__(
        self,
        run_hash: str | None = None,
        *,
        sync_tensorboard_log_dir: str | os.PathLike[str],
        repo: Any = None,
        experiment: str | None = None,
        force_resume: bool = False,
        system_tracking_interval: float | None = None,
        log_system_params: bool = False,
        capture_terminal_logs: bool | str = False,
        split_tags: bool = False,
    ) -> None:
        super().__init__(
            run_hash,
            repo=repo,
            experiment=experiment,
            force_resume=force_resume,
            system_tracking_interval=system_tracking_interval,
            log_system_params=log_system_params,
            capture_terminal_logs=capture_terminal_logs,
        )
        folder = Path(os.path.expanduser(sync_tensorboard_log_dir)).absolute()
        self["tb_log_directory"] = str(folder)
        writer = self._recording.ready_writer()
        offsets = self._read_properties().get(OFFSETS_PROPERTY)
        read_offsets = offsets if isinstance(offsets, dict) else {}

        names = MetricNames(NameOptions(context_prefixes="slash" if split_tags else None))

        def track(tag: str, context: Mapping[str, Any], value: object, step: int, at_s: float) -> None:
            name, more = names.split(tag)
            track_at(writer.sequence(name, {**context, **more}), value, step, at_s)

        sync = TensorBoardSync(
            LogFolder(folder, read_offsets),
            track,
            set_param=lambda path, value: writer.lines.set_param(path, value, strict=False),
            save_offsets=lambda read: writer.lines.set_property(**{OFFSETS_PROPERTY: read}),
        )
        writer.services.add(sync)


class TensorBoardSync:
    """
    A service of a writer (storage/recording/services.py) that records what comes into a log folder.

    Args:
        track: records a value at a step and a time.
    """

    def __init__(
        self,
        folder: LogFolder,
        track: Track,
        *,
        set_param: Callable[[tuple[Any, ...], Any], None],
        save_offsets: Callable[[dict[str, int]], None],
    ) -> None:
        self._folder = folder
        self._track = track
        self._set_param = set_param
        self._save_offsets = save_offsets
        self._entries: dict[Path, str] = {}
        self._said: set[str] = set()
        self._looking: Any = None  # a look that was not finished within its time
        self._is_forked = False

    def record_pending(self, *, wait: bool) -> None:
        """Record what came since the last look: for some time, or with *wait* all of it."""
        self._record(math.inf if wait else time.monotonic() + LOOK_S)

    def stop(self, deadline_s: float) -> None:
        """Record what is left: until nothing comes any more, or *deadline_s* is over."""
        until_s = time.monotonic() + deadline_s
        quiet = 0
        while quiet < QUIET_LOOKS and not self._is_forked and time.monotonic() < until_s:
            quiet = 0 if self._record(until_s) else quiet + 1
        if not self._is_forked:
            self._save_offsets(dict(self._folder.offsets))

    def forked(self) -> None:
        """In the child of a fork: the parent goes on, the child records nothing."""
        self._is_forked = True

    def _record(self, until_s: float) -> int:
        """Record until *until_s*, and return how many events there were."""
        count = 0
        if self._is_forked:
            return count
        if self._looking is None:
            self._looking = self._folder.look()
        for folder, event in self._looking:
            self._take(folder, event)
            count += 1
            if time.monotonic() > until_s:
                return count
        self._looking = None
        return count

    def _take(self, folder: Path, event: Event) -> None:
        context = {"entry": self._entry(folder)}
        if isinstance(event, PointBatch):
            times_s = event.times_s.tolist() if not isinstance(event.times_s, float) else []
            for step, value, at_s in zip(event.steps.tolist(), event.values.tolist(), times_s):
                self._track_one(event.name, context, value, step, at_s)
        elif isinstance(event, ObjectStep):
            self._take_objects(event, context)
        elif isinstance(event, ParamValue):
            self._set_param(event.path, event.value)
        elif isinstance(event, (LeftOut, Refused)):
            self._say(event.reason)
        elif isinstance(event, SourceDamage):
            self._say(f"{event.path} at byte {event.offset}: {event.reason}")

    def _take_objects(self, event: ObjectStep, context: Mapping[str, Any]) -> None:
        try:
            made = [MadeObject(media.stored(item)) for item in event.items]
        except AimError as error:
            self._say(f"{event.name}: {error}")
            return
        if made:
            value: object = made if event.is_list else made[0]
            self._track_one(event.name, context, value, event.step, event.time_s)

    def _track_one(self, name: str, context: Mapping[str, Any], value: object, step: int, at_s: float) -> None:
        try:
            self._track(name, context, value, step, at_s)
        except (AimError, OverflowError) as error:
            self._say(str(error))

    def _entry(self, folder: Path) -> str:
        entry = self._entries.get(folder)
        if entry is None:
            entry = folder.name
            if entry in self._entries.values():
                entry = folder.relative_to(self._folder.root).as_posix()
            self._entries[folder] = entry
        return entry

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            log.warning("Aim: not recorded of the event files: %s. This is said once.", text)
