"""
Mutated sources: no crash, no hang, and every record that was not touched is there.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aim.engine.repository import Repository
from tests.convert.sources import DATA, import_source

SOURCES = {
    "tensorboard": next((DATA / "tb-torch" / "lenet" / "v1").glob("*tfevents*")),
    "wandb": next((DATA / "wandb-damaged").rglob("*.wandb")),
}
FOLDERS = {"tensorboard": "v1", "wandb": "run-20260101_000000-x"}


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return *content* with a few bits flipped, a page of zeros, bytes put in between, or its end cut off."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        offset = chance.randrange(len(changed))
        kind = chance.randrange(4)
        if kind == 0:
            changed[offset] ^= 1 << chance.randrange(8)
        elif kind == 1:
            changed[offset : offset + 512] = bytes(min(512, len(changed) - offset))
        elif kind == 2:
            changed[offset:offset] = chance.randbytes(chance.randint(1, 300))
        else:
            del changed[max(8, offset) :]
    return bytes(changed)


@pytest.mark.parametrize("format_name", list(SOURCES))
def test_mutated_files_never_end_an_import(tmp_path: Path, format_name: str) -> None:
    """
    Whatever was done to a file, the import ends with a report, and what it wrote is a whole run.
    """
    content = SOURCES[format_name].read_bytes()
    for seed in range(40):
        folder = tmp_path / f"source{seed}" / FOLDERS[format_name]
        folder.mkdir(parents=True)
        (folder / SOURCES[format_name].name).write_bytes(mutated(content, random.Random(seed)))
        report = import_source(folder.parent, tmp_path / "repo", format_name=format_name)
        for run in report.runs:
            assert run.is_verified, (seed, run)
            Repository(tmp_path / "repo").readers.state(run.run_hash)
