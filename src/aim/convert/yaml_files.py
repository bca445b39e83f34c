"""
Files of YAML as a source: plain values only, no tags of Python.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim.convert.errors import NeedsExtra


def yaml_package(purpose: str) -> Any:
    """
    Return the module `yaml`.

    Args:
        purpose: what it is needed for, as the beginning of an error's sentence.

    Raises:
        NeedsExtra: the package pyyaml is missing.
    """
    try:
        import yaml
    except ImportError:
        raise NeedsExtra(purpose, "pyyaml", "import") from None
    return yaml


def read_yaml(path: Path, purpose: str) -> dict[str, Any] | None:
    """Return the dict in a file; None when it can't be read, or holds something else. Raises NeedsExtra."""
    yaml = yaml_package(purpose)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    return content if isinstance(content, dict) else None
