"""
Aim 3's interface of a backend for artifacts, for those who have written one. A new one is rather a
`stores.ArtifactStore`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class Backend(Protocol):
    """What a backend written for Aim 3 can do."""

    def upload_artifact(self, file_path: str, artifact_path: str, block: bool = False) -> object:
        """Store the file *file_path* as *artifact_path*; with *block*, wait until it is there."""

    def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
        """Copy what is stored into the folder *dest_dir*; give the path of the copy."""

    def delete_artifact(self, artifact_path: str) -> object:
        """Remove what is stored."""


class AbstractArtifactStorage:
    """
    What Aim 3's backends are made from.

    Args:
        url: the address of one run's artifacts.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @abstractmethod
    def upload_artifact(self, file_path: str, artifact_path: str, block: bool = False) -> object:
        """Store the file *file_path* as *artifact_path*; with *block*, wait until it is there."""

    @abstractmethod
    def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
        """Copy what is stored into the folder *dest_dir*; give the path of the copy."""

    @abstractmethod
    def delete_artifact(self, artifact_path: str) -> object:
        """Remove what is stored."""
