"""
A table as batches: rows of any size, each once, and damage beside them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.convert.tables import reading
from aim.convert.tables.reading import batches


@pytest.mark.parametrize("smallest", [16, 100, 512 << 10])
def test_a_row_of_any_size_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smallest: int) -> None:
    """
    A text that is larger than a block changes nothing in the rows around it, and damage is told once.
    """
    monkeypatch.setattr(reading, "BLOCKS_BYTES", (smallest, *reading.BLOCKS_BYTES[1:]))
    path = tmp_path / "samples.csv"
    cells = ["a", "b", "long " * 200_000, "c", "d"]
    lines = [f"{step},{cell}" for step, cell in enumerate(cells)]
    path.write_text("\n".join(["step,text", lines[0], "9,x,y", *lines[1:4], "8,x,y,z", lines[4]]) + "\n")

    taken = list(batches(path))

    assert list("01234") == [step for batch in taken for step in batch.columns["step"].to_pylist()]
    assert cells == [text for batch in taken for text in batch.columns["text"].to_pylist()]
    assert ["line 3: 3 cells in place of 2", "line 7: 4 cells in place of 2"] == [
        damage.reason for batch in taken for damage in batch.damage
    ]
