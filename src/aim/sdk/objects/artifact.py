"""A stored file of a run, under Aim 3's name for the module."""

from __future__ import annotations

from aim.sdk.artifacts import Artifact

__all__ = ["Artifact"]
