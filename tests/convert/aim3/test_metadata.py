"""
What Aim 3 keeps of runs in SQLite: rows of runs, and what is said of their experiments.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from aim.convert.aim3.metadata import FILE_NAME, RunRow, read_rows

SCHEMA = """
create table experiment (id integer, name text, description text);
create table tag (id integer, name text, color text);
create table run (id integer, hash text, name text, description text, is_archived integer, created_at text,
                  experiment_id integer);
create table run_tag (run_id integer, tag_id integer);
create table note (id integer, content text, run_id integer, experiment_id integer);
insert into experiment values (1, 'digits', 'a first try'), (2, 'words', null);
insert into tag values (7, 'best', '#ff0000');
insert into run values (1, 'aa', 'Run: aa', null, 0, '1970-01-01 00:00:02', 1),
                       (2, 'bb', 'good one', 'why', 1, 'yesterday', 2);
insert into run_tag values (1, 7), (2, 9);
insert into note values (1, 'of the run', 1, null), (2, 'of the experiment', null, 1), (3, '', null, 2);
"""


def test_rows_have_their_tags_notes_and_what_is_said_of_their_experiment(tmp_path: Path) -> None:
    """
    A name that Aim 3 made is none, a time that can't be read is none, and the source is not written to.
    """
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.executescript(SCHEMA)
    connection.close()
    before = (tmp_path / FILE_NAME).read_bytes()

    about = {"description": "a first try", "notes": ["of the experiment"]}
    first = RunRow("aa", None, None, "digits", False, 2.0, [("best", "#ff0000")], ["of the run"], about)
    second = RunRow("bb", "good one", "why", "words", True, None)
    assert {"aa": first, "bb": second} == read_rows(tmp_path)
    assert (before, [FILE_NAME]) == ((tmp_path / FILE_NAME).read_bytes(), [path.name for path in tmp_path.iterdir()])


def test_a_repository_without_the_file_says_nothing_of_its_runs(tmp_path: Path) -> None:
    """
    Runs are then known by their folders alone.
    """
    assert {} == read_rows(tmp_path)
