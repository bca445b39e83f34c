"""
The errors of `aim.core.errors` under the names of Aim 3.
"""

from __future__ import annotations

from aim.core.errors import AimError as AimError
from aim.core.errors import DamagedFile as DamagedFile
from aim.core.errors import InvalidQuery as InvalidQuery
from aim.core.errors import ReadOnly as ReadOnly
from aim.core.errors import RepoIntegrityError as RepoIntegrityError
from aim.core.errors import RepoNotFound as RepoNotFound
from aim.core.errors import RunClosed as RunClosed
from aim.core.errors import RunExists as RunExists
from aim.core.errors import RunNotFound as MissingRunError
from aim.core.errors import UnstorableParam as UnstorableParam
from aim.core.errors import UntrackableValue as UntrackableValue

__all__ = [
    "AimError",
    "DamagedFile",
    "InvalidQuery",
    "MissingRunError",
    "ReadOnly",
    "RepoIntegrityError",
    "RepoNotFound",
    "RunClosed",
    "RunExists",
    "RunLockingError",
    "UnstorableParam",
    "UntrackableValue",
]


class RunLockingError(AimError, RuntimeError):
    """Never raised: there are no locks. Kept for callers that catch it."""
