"""
A run being written, for the tests of what writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.recording import background
from aim.storage.recording.sequence_writer import SequenceWriter
from aim.storage.recording.writer import Writer


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """
    The folder of a run.
    """
    folder = tmp_path / "runs" / "run"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(name="writer")
def _writer(folder: Path) -> Iterator[Writer]:
    """
    A run being written, that only the test looks after.
    """
    writer = Writer(folder, "run")
    background.unregister(writer)
    yield writer
    writer.close()


@pytest.fixture(name="loss")
def _loss(writer: Writer) -> SequenceWriter:
    """
    A sequence of that run.
    """
    return writer.sequence("loss")
