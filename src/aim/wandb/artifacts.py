"""
`wandb.Artifact`: files with a name and a type, in versions.

    artifact = wandb.Artifact("model", type="model", metadata={"accuracy": 0.9})
    artifact.add_file("model.pt")
    wandb.log_artifact(artifact)                   run.artifacts["model/v0/model.pt"]
    wandb.use_artifact("model:latest").download()

A version is a folder of the run's artifacts, `<name>/v<number>/`, counted from 0 in each run; the param
`artifacts.<name>.v<number>` has its type, description, metadata, aliases and references. Equal files of versions of a
run are stored once.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

from aim.core.errors import UsageError
from aim.sdk.objects.custom import CustomObject
from aim.sdk.run import Run
from aim.wandb.tables import WandbTable

ARTIFACTS_PARAM = "artifacts"
LATEST = "latest"


class NoVersion(UsageError, ValueError):
    """An artifact that no run of the repository has."""


class WandbArtifact:
    """
    A named set of files; it is stored by `log_artifact`.

    Args:
        name: of the artifact.
        type: what it is, such as `model` or `dataset`.
        description: any text.
        metadata: values that a query may ask for.
        incremental, use_as: ignored.

    Attributes:
        aliases: names of the version, such as `best`; `latest` is the newest version, whatever it is called.
    """

    def __init__(
        self,
        name: str,
        type: str = "unspecified",
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        incremental: bool = False,
        use_as: str | None = None,
    ) -> None:
        self.base_name = name
        self.type = type
        self.description = description
        self.metadata = dict(metadata or {})
        self.aliases: list[str] = []
        self.version: str | None = None
        self.files_by_name: dict[str, Path] = {}
        self.references: dict[str, str] = {}
        self._run: Run | None = None
        self._made: tempfile.TemporaryDirectory[str] | None = None

    @property
    def name(self) -> str:
        """The name, with the version once there is one: `model:v0`."""
        return self.base_name if self.version is None else f"{self.base_name}:{self.version}"

    def add_file(self, local_path: str | os.PathLike[str], name: str | None = None, **ignored: Any) -> None:
        """
        Add a file, by default under its own name.

        Raises:
            FileNotFoundError: there is none.
        """
        path = Path(local_path)
        if not path.is_file():
            raise FileNotFoundError(f"{path} is no file; nothing is added to the artifact {self.base_name!r}.")
        self.files_by_name[name or path.name] = path

    def add_dir(self, local_path: str | os.PathLike[str], name: str | None = None, **ignored: Any) -> None:
        """Add all files of a folder and of those below it; *name* is a folder to put them in."""
        root = Path(local_path)
        for path in sorted(root.rglob("*")):
            if path.is_file():
                self.files_by_name[str(PurePosixPath(name or "", path.relative_to(root).as_posix()))] = path

    def add_reference(self, uri: str, name: str | None = None, **ignored: Any) -> None:
        """Add the address of data that stays where it is."""
        address = str(uri)
        self.references[name or PurePosixPath(address).name or address] = address

    def add(self, obj: Any, name: str, **ignored: Any) -> None:
        """Add a table, image or other object as a file."""
        if isinstance(obj, WandbTable):
            obj = obj.stored_table()
        if not isinstance(obj, CustomObject):
            raise UsageError(f"artifact.add takes a table, an image or another object, not a {type(obj).__name__}.")
        stored = obj.stored()
        with self.new_file(f"{name}.{stored.extension}", "wb") as file:
            file.write(stored.data or repr(dict(stored.fields)).encode())

    @contextlib.contextmanager
    def new_file(self, name: str, mode: str = "w", encoding: str | None = None) -> Iterator[IO[Any]]:
        """Open a new file of the artifact for writing."""
        if self._made is None:
            self._made = tempfile.TemporaryDirectory(prefix="aim-artifact-")
        path = Path(self._made.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, mode, encoding=encoding or (None if "b" in mode else "utf-8")) as file:
            yield file
        self.files_by_name[name] = path

    def wait(self, timeout: int | None = None) -> WandbArtifact:
        """Return the artifact; it is stored when `log_artifact` returns."""
        return self

    def files(self) -> list[str]:
        """Return the names of the files."""
        if self._run is None:
            return sorted(self.files_by_name)
        folder = f"{self.base_name}/{self.version}/"
        return sorted(name.removeprefix(folder) for name in self._run.artifacts if name.startswith(folder))

    def download(self, root: str | os.PathLike[str] | None = None, **ignored: Any) -> str:
        """
        Copy the files into the folder *root*, by default `artifacts/<name>:<version>`; return its path.

        Raises:
            NoVersion: the artifact is not stored yet.
        """
        if self._run is None:
            raise NoVersion(f"The artifact {self.base_name!r} is not stored yet: log_artifact stores it.")
        folder = Path("artifacts", self.name) if root is None else Path(root)
        folder.mkdir(parents=True, exist_ok=True)
        stored = self._run.artifacts
        for name in self.files():
            path = PurePosixPath(name)
            stored[f"{self.base_name}/{self.version}/{name}"].download(folder / path.parent)
        return str(folder)

    def file(self, root: str | None = None) -> str:
        """Copy the only file, and return the path of the copy."""
        (name,) = self.files()
        return str(Path(self.download(root), name))

    def store(self, run: Run, aliases: Sequence[str]) -> None:
        """Store the files as the next version in *run*."""
        versions = run.get((ARTIFACTS_PARAM, self.base_name), {})
        self.version = f"v{len(versions)}"
        self.aliases = [*self.aliases, *(alias for alias in aliases if alias not in self.aliases)]
        for name, path in self.files_by_name.items():
            run.log_artifact(path, f"{self.base_name}/{self.version}/{name}", block=True)
        record = {
            "type": self.type,
            "description": self.description,
            "metadata": self.metadata,
            "aliases": self.aliases,
            "references": self.references,
        }
        run.set((ARTIFACTS_PARAM, self.base_name, self.version), record, strict=False)
        self._run = run
        if self._made is not None:
            self._made.cleanup()
            self._made = None

    @classmethod
    def stored_in(cls, run: Run, name: str, alias: str) -> WandbArtifact | None:
        """Return the version of *name* in *run* that *alias* or a number such as `v0` means; None: it has none."""
        versions = run.get((ARTIFACTS_PARAM, name), None)
        if not isinstance(versions, dict):
            return None
        numbered = sorted(versions, key=lambda version: int(version[1:]), reverse=True)
        for version in numbered:
            if alias in (version, LATEST) or alias in versions[version]["aliases"]:
                return cls._of_record(run, name, version, versions[version])
        return None

    @classmethod
    def _of_record(cls, run: Run, name: str, version: str, record: Mapping[str, Any]) -> WandbArtifact:
        artifact = cls(name, record["type"], record["description"], record["metadata"])
        artifact.version, artifact.aliases = version, list(record["aliases"])
        artifact.references = dict(record["references"])
        artifact._run = run
        return artifact


def stored_artifact(run: Run, path: str) -> WandbArtifact:
    """
    Return the artifact that *path* means, of *run* itself or else of the newest run of its repository that has it.

    Args:
        path: `name`, `name:alias` or `entity/project/name:alias`; without an alias the newest version.

    Raises:
        NoVersion: no run has it.
    """
    name, _, alias = path.rpartition("/")[2].partition(":")
    artifact = WandbArtifact.stored_in(run, name, alias or LATEST)
    for other in run.repo.iter_runs() if artifact is None else ():
        artifact = WandbArtifact.stored_in(other, name, alias or LATEST)
        if artifact is not None:
            break
    if artifact is None:
        raise NoVersion(f"No run of {run.repo} has an artifact {name!r} with the version {alias or LATEST!r}.")
    return artifact
