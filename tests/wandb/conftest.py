"""
Scripts for W&B, each in a folder of its own with no variable of W&B set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import aim.wandb as wandb
from aim.sdk.objects import once


@pytest.fixture(autouse=True)
def _script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    The current folder is the repository's; a run that a test leaves open ends with it.
    """
    for name in list(os.environ):
        if name.startswith("WANDB_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    once.forget()
    yield
    wandb.finish()
