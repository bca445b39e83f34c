"""
`log_model`: checkpoints as artifacts of the run.

    False                  nothing is stored
    True, "end"            the best and the last checkpoint, when the training ends
    "all", "checkpoint"    each one as it is written
    "reference"            each one's path and SHA-256, without a copy

A checkpoint is a file or a folder. Its artifact is `checkpoints/<name>`, and the param `checkpoints.<name>` says of
which step it is, and its score. Equal content is stored once.

The training waits for hard links only: frameworks remove old checkpoints, and links keep their content until a thread
has stored it. Where a disk has no links the training waits for the copy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aim.core.errors import UsageError
from aim.sdk.adapters.session.ranks import SilentRun
from aim.sdk.adapters.session.run_session import RunSession
from aim.sdk.adapters.session.scalars import fetched
from aim.storage.disk.digests import digest_of

MODES = {
    False: None, None: None, True: "end", "end": "end", "all": "all", "checkpoint": "all", "reference": "reference",
}  # fmt: skip
FOLDER = "checkpoints"


class Checkpoints:
    """
    The checkpoints of one training.

    Args:
        log_model: see above.

    Raises:
        UsageError: *log_model* is none of these.
    """

    def __init__(self, session: RunSession, log_model: bool | str | None) -> None:
        if not isinstance(log_model, (bool, str, type(None))) or log_model not in MODES:
            raise UsageError(f"log_model is {log_model!r}; it has to be False, True, 'all' or 'reference'.")
        self.session = session
        self.mode = MODES[log_model]

    @property
    def takes_each(self) -> bool:
        """Whether a checkpoint is recorded as it is written."""
        return self.mode in ("all", "reference")

    @property
    def takes_last(self) -> bool:
        """Whether the best and the last one are recorded at the end."""
        return self.mode == "end"

    def save(self, path: str | os.PathLike[str], name: str | None = None, **details: Any) -> None:
        """
        Record a checkpoint.

        Args:
            name: of the artifact, below `checkpoints/`; by default that of the file or folder.
            details: such as step, epoch, score, monitor; None is left out.
        """
        source = Path(path)
        run = self.session.run()
        if isinstance(run, SilentRun) or self.mode is None:
            return
        what = f"checkpoint {source}"
        self.session.failures.guarded(lambda: self._save(run, source, name or source.name, what, details), what)

    def _save(self, run: Any, source: Path, name: str, what: str, details: Mapping[str, Any]) -> None:
        stated = {key: value for key, value in fetched(details).items() if value is not None}
        run.set(("checkpoints", name), {**stated, "path": str(source)}, strict=False)
        if self.mode == "reference":
            self.session.in_background(lambda: run.set(("checkpoints", name, "sha256"), digests(source)), what)
            return
        links = linked(source)
        if links is None:
            store(run, source, name)
        else:
            self.session.in_background(lambda: store_links(run, links, name), what)


def store(run: Any, path: Path, name: str) -> None:
    """Store a file or a folder as `checkpoints/<name>`, and return when it is stored."""
    log = run.log_artifacts if path.is_dir() else run.log_artifact
    log(path, name=f"{FOLDER}/{name}", block=True)


def store_links(run: Any, links: Path, name: str) -> None:
    """Store what `linked` returned, and remove the links."""
    try:
        store(run, links, name)
    finally:
        shutil.rmtree(links.parent, ignore_errors=True)


def linked(source: Path) -> Path | None:
    """Return hard links of a file or a folder, in a new folder beside it; None where the disk has no links."""
    folder = Path(tempfile.mkdtemp(prefix=".aim-checkpoint-", dir=source.absolute().parent))
    target = folder / source.name
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=os.link)
        else:
            os.link(source, target)
    except (OSError, shutil.Error):
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return target


def digests(path: Path) -> Any:
    """Return the SHA-256 of a file, or of each file of a folder by its path below it."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return {file.relative_to(path).as_posix(): digest_of(file).sha256 for file in files}
    return digest_of(path).sha256


def record_model(checkpoints: Checkpoints, write: Callable[[str], object], name: str, **details: Any) -> None:
    """
    Store a model that is in no file yet, if `log_model` asks for it; return when it is stored.

    Args:
        write: writes the model to a path.
        name: of the artifact, below `checkpoints/`.
        details: kept as the param `checkpoints.<name>`.
    """
    session = checkpoints.session
    if checkpoints.mode is None or session.open_run() is None:
        return

    def work() -> None:
        with tempfile.TemporaryDirectory(prefix="aim-model-") as folder:
            path = Path(folder, name)
            write(str(path))
            store(session.run(), path, name)

    session.set_params((FOLDER, name), details)
    session.failures.guarded(work, f"model {name}")
