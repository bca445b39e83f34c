"""
Where the files that belong to runs are kept: stores, which store an address means, and the names that Aim 3 has for it.
"""

from __future__ import annotations

from aim.storage.artifacts import registry as registry
from aim.storage.artifacts.artifact_storage import AbstractArtifactStorage as ArtifactStorage

__all__ = ["ArtifactStorage", "registry"]
