"""
What ends an import. What only hides a part of a source is no error: it is counted in the report (`events.SourceDamage`,
`events.Refused`), and raised as `DamagedSource` in strict mode.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from aim.core.errors import AimError, DiskRefused, NotFound, UnsupportedFormat, UsageError

EXPERIMENTS_MAX = 10  # that an error lists


class SourceNotFound(NotFound):
    """There is no such file or folder."""


class SourceNotRecognised(UsageError):
    """There is nothing in a source that an importer reads."""

    def __init__(self, path: Path, looked_for: list[str]) -> None:
        kinds = "".join(f"\n    {line}" for line in looked_for)
        super().__init__(
            f"There is nothing to import in '{path}'. Looked there and in the folders below for:{kinds}\n"
            "Name the folder or file itself, or its format with --from."
        )


class ExperimentNotFound(NotFound):
    """A source has no run of the experiment that was asked for; *names* are those of the others."""

    def __init__(self, source: str, experiment: str, names: Collection[str]) -> None:
        listed = ", ".join(map(repr, sorted(names)[:EXPERIMENTS_MAX]))
        more = f", and {len(names) - EXPERIMENTS_MAX:,} more" if len(names) > EXPERIMENTS_MAX else ""
        super().__init__(
            f"No run in '{source}' is of the experiment {experiment!r}. There are runs of: {listed or 'none'}{more}. "
            "Give the whole name, or the id."
        )


class SourceIsNewer(UnsupportedFormat):
    """A source has a format of a later version than is read."""

    def __init__(self, path: Path, name: str, source_version: str, latest: str) -> None:
        super().__init__(
            f"'{path}' is in format {source_version} of {name}; this version of Aim reads up to {latest}. Install a "
            "newer Aim."
        )


class SourceBeingWritten(AimError):
    """A source changed each time that it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"'{path}' is being written at this moment. Import it again when the program has ended.")


class CannotGrow(AimError):
    """A run changed in another way than by growing: it has to be imported as a whole."""

    def __init__(self, path: object) -> None:
        super().__init__(f"'{path}' changed before its end.")


class NeedsExtra(AimError, ImportError):
    """An importer needs a package that is not installed."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed. Run: pip install 'aim[{extra}]'")


class DamagedSource(AimError):
    """A part of a source can't be read, in strict mode."""

    def __init__(self, path: str, offset: int | None, reason: str) -> None:
        at = "" if offset is None else f" at byte {offset:,}"
        super().__init__(
            f"'{path}' is damaged{at}: {reason}. Nothing of its run was imported; without --strict all but the "
            "damaged part is."
        )
        self.path = path
        self.offset = offset
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.offset, self.reason)


class TargetInsideSource(UsageError):
    """The repository lies in the folder that is to be imported."""

    def __init__(self, source: Path, repository: str) -> None:
        super().__init__(
            f"The repository '{repository}' lies in the source '{source}', which an import never changes. Name the "
            "folder of the runs themselves, or another repository with --repo."
        )


class DiskFull(DiskRefused):
    """There is no room for the imported run."""

    def __init__(self, repository: str, number: int | None) -> None:
        super().__init__(
            f"The disk of '{repository}' has no room for the next run; the runs before it are imported. Make room, and "
            "call the same command again: it goes on.",
            number,
        )
        self._made_of = (repository, number)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of
