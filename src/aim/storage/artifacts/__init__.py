"""
Stores for the artifacts of runs, the registry of stores by address, and Aim 3's names for them.
"""

from __future__ import annotations

from aim.storage.artifacts import registry as registry
from aim.storage.artifacts.artifact_storage import AbstractArtifactStorage as ArtifactStorage

__all__ = ["ArtifactStorage", "registry"]
