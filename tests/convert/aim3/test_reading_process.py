"""
A chunk that makes RocksDB hang, or that ends its process, is damage like any other.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import rocksdict

from aim.convert.aim3.chunks import opened_chunk
from aim.convert.aim3.importer import Aim3Importer
from aim.convert.aim3.reading_process import ChunkProcess, UnreadableChunk
from aim.convert.aim3.values import text_part
from aim.convert.formats import ImportOptions, Source
from aim.convert.importing import import_sources
from aim.convert.report import LOSSES
from aim.engine.repository import Repository
from tests.convert.sources import DATA, expected_runs

LIMIT_S = 120.0
STAND_IN = """
import os, sys, time
here, own = os.path.dirname(__file__), sys.modules.pop(__name__)
sys.path.remove(here)
import rocksdict as whole
from rocksdict import AccessType, Options
sys.modules[__name__] = own

class Rdict:
    def __init__(self, folder, *arguments, **others):
        print("RocksDB prints this")
        self.folder = folder
        while os.path.exists(os.path.join(folder, "HANGS")):
            pass
        if os.path.exists(os.path.join(folder, "SLEEPS")):
            time.sleep(3600)
        self.whole = whole.Rdict(folder, *arguments, **others)

    def items(self, **arguments):
        for number, item in enumerate(self.whole.items(**arguments)):
            if number == 3 and os.path.exists(os.path.join(self.folder, "BREAKS")):
                os.abort()
            yield item

    def get(self, key):
        return self.whole.get(key)

    def close(self):
        self.whole.close()
"""


@pytest.fixture(name="old")
def _old(tmp_path: Path) -> Path:
    """
    A repository of Aim 3.
    """
    shutil.copytree(DATA / "aim-3.29.1", tmp_path / "old")
    return tmp_path / "old" / ".aim"


@pytest.fixture(name="stand_in")
def _stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A RocksDB in other processes that hangs at a chunk with the file HANGS, and ends them at one with BREAKS.
    """
    assert "rocksdict" == rocksdict.__name__  # this process has its own already
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in" / "rocksdict.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path / "stand-in")


def chunks(old: Path) -> dict[str, Path]:
    """Return the chunks of sequences of the runs that have one, by the kind of the run."""
    folders = {run["kind"]: old / "seqs" / "chunks" / key for key, run in expected_runs(old.parent).items()}
    return {kind: folder for kind, folder in folders.items() if folder.is_dir()}


@pytest.mark.usefixtures("stand_in")
def test_chunks_that_hang_or_break_hide_only_themselves(tmp_path: Path, old: Path) -> None:
    """
    One chunk hangs and another one ends the process: both are named, and all else of their runs and of others comes
    over.
    """
    folders = chunks(old)
    (folders["objects"] / "HANGS").touch()
    (folders["baseline"] / "BREAKS").touch()
    process = ChunkProcess(limit_s=LIMIT_S, processor_limit_s=2)
    source = Source(Aim3Importer(process), old.parent, (old,))
    report = import_sources([source], tmp_path / "new", ImportOptions())
    runs = {run.run_hash: run for run in report.runs}
    repository = Repository(tmp_path / "new")
    expected = expected_runs(old.parent)

    assert {str(folders["objects"]): "2 s of processor time", str(folders["baseline"]): "SIGABRT"} == {
        damage.path: next(text for text in ("2 s of processor time", "SIGABRT") if text in damage.reason)
        for damage in report.damage
    }
    assert (LOSSES, len(expected)) == (report.exit_code, len(repository.run_hashes()))
    assert runs[folders["baseline"].name].counts.params > 0
    whole = [key for key, run in expected.items() if run["metrics"] and run["kind"] not in ("objects", "baseline")]
    assert {True} == {bool(repository.run(key).sequences()) for key in whole}


@pytest.mark.usefixtures("stand_in")
def test_a_process_that_does_nothing_has_an_end(old: Path) -> None:
    """
    A process that waits for something uses no processor time, so there is a limit of waiting too.
    """
    folder = chunks(old)["baseline"]
    (folder / "SLEEPS").touch()
    process = ChunkProcess(limit_s=2)

    with pytest.raises(UnreadableChunk, match="does not answer within 2 s"), opened_chunk(folder, process):
        pass


def test_a_chunk_that_is_left_early_leaves_the_next_one_whole(old: Path) -> None:
    """
    When the import stops in the middle of a chunk, the next chunk gives its own entries.
    """
    process = ChunkProcess(limit_s=LIMIT_S)
    first, second = sorted(chunks(old).values())[:2]
    with opened_chunk(first, process) as chunk:
        left = next(iter(chunk.items(b"")))
    with opened_chunk(second, process) as chunk:
        keys = [key for key, _ in chunk.items(b"seqs\xfe")]

    assert text_part(first.name) in left[0]
    assert keys
    assert {True} == {text_part(second.name) in key for key in keys}


def test_modules_in_the_current_folder_are_not_run(tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A folder that somebody imports from may hold a file `struct.py`: it stays a file.
    """
    (tmp_path / "struct.py").write_text("open('was-run', 'w').close()")
    monkeypatch.chdir(tmp_path)
    with opened_chunk(chunks(old)["baseline"], ChunkProcess(limit_s=LIMIT_S)) as chunk:
        assert next(iter(chunk.items(b"")))

    assert not (tmp_path / "was-run").exists()
