"""
Mutated copies of every source: no crash, no hang, no run that is not whole.

`FUZZ_COPIES=1000 pytest tests/convert/test_damaged_sources.py` makes that many copies of each (`make fuzz`);
`python -m bench fuzz_imports` 10,000, within a memory of 512 MiB.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.convert.mutations import NAMES, files_of, try_copy
from tests.convert.sources import copied

COPIES = int(os.environ.get("FUZZ_COPIES", "6"))
FAILED_ONCE = {"mlflow3-sqlite": (182,), "trackio": (528,), "neptune-scale": (818,)}  # and are tried again always
PROCESSOR_LIMIT_S = 10.0  # for a copy: a whole one needs less than 1 s


@pytest.mark.parametrize("name", NAMES)
def test_mutated_sources_never_end_an_import(tmp_path: Path, name: str) -> None:
    """
    Whatever was done to a file of a source, it is imported as far as it can be read, or refused in words, and every run
    that is there is whole; what else happens is a bug.
    """
    source = copied(name, tmp_path)
    files = files_of(source)
    for seed in (*range(COPIES), *FAILED_ONCE.get(name, ())):
        begun_s = time.process_time()
        damaged, errors = try_copy(source, files, random.Random(f"{name} {seed}"), tmp_path / "target")
        taken_s = time.process_time() - begun_s

        assert ([], True) == (errors, taken_s < PROCESSOR_LIMIT_S), (seed, damaged, taken_s)
