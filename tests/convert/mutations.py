"""
Sources that were damaged at random, and what an import of one may do: whatever it does, it says so in words.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from aim.convert.report import IMPORTED
from aim.core.errors import AimError
from aim.core.shield import shielded
from aim.engine.repository import Repository
from tests.convert.sources import DATA, import_source

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


def try_copy(source: Path, files: Sequence[Path], chance: random.Random, root: Path) -> tuple[Path, list[Exception]]:
    """
    Damage one of *files* of a source, import the source into *root*, and put both back.

    Returns:
        the file, and what was raised that is no error in words.
    """
    damaged = chance.choice(files)
    content = damaged.read_bytes()
    damaged.write_bytes(mutated(content, chance))
    errors: list[Exception] = []
    shielded(lambda: check_import(source, root), errors.append)
    damaged.write_bytes(content)
    shutil.rmtree(root, ignore_errors=True)
    return damaged, errors


def files_of(source: Path) -> list[Path]:
    """Return the files of a source that may be damaged."""
    return [path for path in sorted(source.rglob("*")) if path.is_file() and path.name != "expected.json"]


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
