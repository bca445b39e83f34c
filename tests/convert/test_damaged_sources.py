"""
Mutated copies of every source: no crash, no hang, no run that is not whole.

`FUZZ_COPIES=10000 pytest tests/convert/test_damaged_sources.py` makes that many copies of each (`make fuzz`: 1,000).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from aim.convert.report import IMPORTED
from aim.core.errors import AimError
from aim.core.shield import shielded
from aim.engine.repository import Repository
from tests.convert.sources import DATA, copied, import_source

COPIES = int(os.environ.get("FUZZ_COPIES", "6"))
PROCESSOR_LIMIT_S = 10.0  # for a copy: a whole one needs less than 1 s
NAMES = sorted(path.stem if path.suffix == ".zip" else path.name for path in DATA.iterdir() if path.suffix != ".md")


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return *content* with a few bits flipped, a page of zeros, bytes put in between, or its end cut off."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        if not changed:
            break
        offset = chance.randrange(len(changed))
        kind = chance.choice(("flip", "flip", "zeros", "insert", "cut"))
        if kind == "flip":
            changed[offset] ^= 1 << chance.randrange(8)
        elif kind == "zeros":
            changed[offset : offset + 512] = bytes(min(512, len(changed) - offset))
        elif kind == "insert":
            changed[offset:offset] = chance.randbytes(chance.randint(1, 300))
        else:
            del changed[offset:]
    return bytes(changed)


@pytest.mark.parametrize("name", NAMES)
def test_mutated_sources_never_end_an_import(tmp_path: Path, name: str) -> None:
    """
    Whatever was done to a file of a source, it is imported as far as it can be read, or refused in words, and every run
    that is there is whole; what else happens is a bug.
    """
    source = copied(name, tmp_path)
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.name != "expected.json"]
    for seed in range(COPIES):
        chance = random.Random(f"{name} {seed}")
        damaged = chance.choice(files)
        content = damaged.read_bytes()
        damaged.write_bytes(mutated(content, chance))
        begun_s = time.process_time()
        errors: list[Exception] = []
        shielded(lambda: check_import(source, tmp_path / "target"), errors.append)
        taken_s = time.process_time() - begun_s
        damaged.write_bytes(content)
        shutil.rmtree(tmp_path / "target", ignore_errors=True)

        assert ([], True) == (errors, taken_s < PROCESSOR_LIMIT_S), (seed, damaged, taken_s)


def check_import(source: Path, root: Path) -> None:
    """Import *source*, and check that its report is JSON and its runs can be read. An error in words is right too."""
    try:
        report = import_source(source, root, artifacts="copy")
    except AimError as error:
        if not str(error):
            raise
        return
    json.dumps(report.to_json())
    repository = Repository(root)
    for run in report.runs:
        assert (run.state == IMPORTED) == (run.is_verified is True), run
        if run.state == IMPORTED:
            repository.readers.state(run.run_hash)
