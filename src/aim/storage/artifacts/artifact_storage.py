"""
Aim 3's interface of a backend for artifacts, for programs that have one. A new one implements `stores.ArtifactStore`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class Aim3Backend(Protocol):
    """The methods of a backend that was written for Aim 3."""

    def upload_artifact(self, file_path: str, artifact_path: str, block: bool = False) -> object:
        """Store the file *file_path* as *artifact_path*; with *block*, wait until it is there."""

    def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
        """Copy what is stored into the folder *dest_dir*; return the path of the copy."""

    def delete_artifact(self, artifact_path: str) -> object:
        """Remove what is stored."""


class AbstractArtifactStorage:
    """
    The base class of Aim 3's backends.

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
        """Copy what is stored into the folder *dest_dir*; return the path of the copy."""

    @abstractmethod
    def delete_artifact(self, artifact_path: str) -> object:
        """Remove what is stored."""
