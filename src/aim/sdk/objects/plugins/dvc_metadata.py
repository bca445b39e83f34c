"""
What DVC keeps: its lock file, params, and the files that it tracks.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar

from aim.core.errors import UsageError
from aim.sdk.objects.plugins.described import Described

LOCK_FILE = "dvc.lock"

log = logging.getLogger("aim")


class NoDvc(UsageError, ImportError):
    """The package dvc is not installed."""


class DvcData(Described):
    """
    What DVC tracks in a repository.

    Args:
        url: the folder or address of the repository.
        path, rev, recursive, dvc_only: as of `dvc.repo.Repo.ls`.

    Raises:
        NoDvc: (an ImportError) the package dvc is not installed.
    """

    AIM_NAME: ClassVar[str] = "dvc.metadata"

    def __init__(
        self,
        url: str = ".",
        path: str | None = None,
        rev: str | None = None,
        recursive: bool = False,
        dvc_only: bool = False,
    ) -> None:
        try:
            from dvc.repo import Repo
        except ImportError:
            raise NoDvc("DvcData needs the package dvc: pip install dvc.") from None
        entries = Repo.ls(url=url, path=path, rev=rev, recursive=recursive, dvc_only=dvc_only)
        description = {"source": "dvc", "version": _lock(url), "params": _params(url)}
        super().__init__({**description, "tracked_files": [entry["path"] for entry in entries]})


def _params(url: str) -> Any:
    from dvc import api
    from dvc.exceptions import DvcException

    try:
        return api.params_show(repo=url)
    except (DvcException, OSError, ValueError) as error:
        log.warning("Aim: DVC gives no params of %s: %s", url, error)
        return None


def _lock(url: str) -> Any:
    try:
        text = Path(url, LOCK_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        log.warning("Aim: %s of %s can't be read: %s", LOCK_FILE, url, error)
        return None
    try:
        import yaml
    except ImportError:  # then as it is
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        log.warning("Aim: %s of %s is no YAML: %s", LOCK_FILE, url, error)
        return text
