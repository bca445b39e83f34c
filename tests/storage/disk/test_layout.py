"""
The names of files, writers and runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import UsageError
from aim.storage.disk import layout


@pytest.mark.parametrize("name", ["a", "3df703c1b2a94c5d8e6f7a80", "job-7", "A_b.c-1", "_", "-", "x" * 64, "0"])
def test_a_name_of_letters_digits_and_some_signs_is_a_runs(name: str) -> None:
    """
    A caller may choose any name of 1 to 64 of these characters.
    """
    assert name == layout.check_run_hash(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "a\\b",
        "a b",
        "größe",
        "x" * 65,
        "a\n",
        "a\0",
        "../x",
        "~",
        None,
        5,
        b"a",
        ["a"],
    ],
)
def test_what_could_leave_the_folder_is_no_runs_name(name: Any) -> None:
    """
    Names that hide, that lead elsewhere, or that some file system refuses are refused, with the rule.
    """
    with pytest.raises(UsageError, match="use 1 to 64 letters, digits"):
        layout.check_run_hash(name)


def test_drawn_names_are_valid_and_differ() -> None:
    """
    Hashes and writer ids have the form that the format says, and do not repeat.
    """
    hashes = {layout.new_run_hash() for _ in range(1000)}
    writers = {layout.new_writer_id() for _ in range(100)}

    assert 1000 == len(hashes)
    assert 100 == len(writers)
    assert all(24 == len(layout.check_run_hash(run_hash)) for run_hash in hashes)
    assert all(int(run_hash, 16) >= 0 for run_hash in hashes)
    assert {8} == {len(writer) for writer in writers}


def test_each_files_name_is_told_apart() -> None:
    """
    The pattern of a writer's files recognises each of them with its parts, and nothing else.
    """
    folder = Path("runs/run")
    names = {
        layout.events_file(folder, "0a1b2c3d").name: ("0a1b2c3d", "events.jsonl", None, None),
        layout.segment_file(folder, "0a1b2c3d", 7).name: ("0a1b2c3d", "points-0007", "0007", None),
        layout.segment_file(folder, "0a1b2c3d", 12345).name: ("0a1b2c3d", "points-12345", "12345", None),
        layout.sealed_file(folder, "0a1b2c3d").name: ("0a1b2c3d", "points.parquet", None, None),
        layout.blob_file(folder, "0a1b2c3d", 2).name: ("0a1b2c3d", "blobs-0002.zip", None, "0002"),
    }
    for name, parts in names.items():
        match = layout.WRITER_FILE.fullmatch(name)
        assert match is not None
        assert parts == match.groups()
    for name in (
        "0a1b2c3d.points-0007~",
        ".0a1b2c3d.points.x",
        "0A1B2C3D.events.jsonl",
        "0a1b2c3d.points-7",
        "x",
        "files",
    ):
        assert layout.WRITER_FILE.fullmatch(name) is None


def test_an_edits_name_carries_its_moment() -> None:
    """
    Edits sort by time, and two of one moment have two names.
    """
    first_path, other = (layout.edit_file(Path("run"), 1795381000000001) for _ in range(2))
    match = layout.EDIT_FILE.fullmatch(first_path.name)

    assert match is not None
    assert "1795381000000001" == match[1]
    assert first_path != other
