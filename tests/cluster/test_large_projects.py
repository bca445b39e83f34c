"""
Projects with more runs than fit into memory: a query reads the runs that can match, and has the results of all.
"""

from __future__ import annotations

import random
import time

import pytest

from aim.core import contexts
from aim.core.clock import MICROSECONDS
from aim.core.errors import InvalidQuery, UsageError
from aim.core.params import flatten
from aim.core.summaries import Summary
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.run_readers import RunReaders
from aim.engine.scan import Scan
from aim.query.query import compile_query
from aim.query.sql import sql, superset
from aim.storage.catalogue.catalogue_row import CatalogueRow, CatalogueSequence, KindNumbers
from aim.storage.cluster import cluster_facts, rows
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from tests.cluster.running import RunningCluster
from tests.query.leaf_answers import holds
from tests.query.memory_table import PlainRun, Series
from tests.query.superset_fuzz import random_query, random_run

KINDS = KindNumbers(["float"])
RUNS = 60


def summary_of(series: Series) -> Summary:
    """
    Return the summary values of a sequence of the tests.
    """
    values = {name: series.summary(name) for name in ("first", "last", "min", "max", "mean", "std", "median")}
    steps = {name: series.summary(name) for name in ("first_step", "last_step", "argmin", "argmax")}
    return Summary(**values, **steps, point_count=len(series.steps), has_nan=False, record_max_length=0)  # type: ignore[arg-type]


def row_of(run_hash: str, run: PlainRun) -> CatalogueRow:
    """
    Return a run of the tests as a catalogue keeps it.
    """
    keys = [(series.name, contexts.text(series.context), "metric") for series in run.series]
    return CatalogueRow(
        run_hash,
        {**{name: value for name, value in run.fields.items() if value is not None}, "hash": run_hash},
        dict(flatten(run.params)),
        {key: CatalogueSequence(summary_of(series), 0) for key, series in zip(keys, run.series)},
        {key[1]: series.context for key, series in zip(keys, run.series)},
    )


def fill(project: ClusterProject, made: dict[str, CatalogueRow]) -> None:
    """
    Write runs that have ended as a server does: their heads, and what its catalogue keeps of them.
    """
    seen_us = round(time.time() * MICROSECONDS)
    heads = [rows.head_row(project.name, name, 1, (100, 0), is_complete=True, seen_us=seen_us) for name in made]
    project.database.insert("heads", rows.HEAD_COLUMNS, b"".join(heads))
    for row in made.values():
        cluster_facts.keep_facts(project, row, 101, KINDS)


def scan_of(cluster: RunningCluster, project: str, runs_max: int) -> Scan:
    """
    Return what answers queries of a project of which so many runs fit into memory.
    """
    backend = ClusterBackend(ClusterProject(cluster.database, cluster.objects, project), runs_max=runs_max)
    return Scan(LiveCatalogue(RunReaders(backend, None, lambda run_hash: None)))


@pytest.fixture(scope="module", name="filled")
def _filled(cluster: RunningCluster) -> tuple[ClusterProject, dict[str, CatalogueRow]]:
    """
    A project of random runs.
    """
    chance = random.Random(17)
    project = ClusterProject(cluster.database, cluster.objects, "random")
    made = {f"run{number}": row_of(f"run{number}", random_run(chance)) for number in range(RUNS)}
    fill(project, made)
    return project, made


def test_the_database_answers_conditions_as_python_does(filled: tuple[ClusterProject, dict[str, CatalogueRow]]) -> None:
    """
    For random conditions, runs pass in ClickHouse exactly when their leaves pass in Python.
    """
    project, made = filled
    leaves = {name: list(cluster_facts.row_leaves(row)) for name, row in made.items()}
    chance, asked = random.Random(5), 0
    while asked < 100:
        text = random_query(chance)
        try:
            condition = superset(compile_query(text, "metric" if "metric." in text else "run"))
        except InvalidQuery:
            continue
        if condition is None:
            continue
        asked += 1
        expected = sorted(name for name in made if holds(condition, leaves[name]))

        assert (text, expected) == (text, sorted(cluster_facts.runs_matching(project, sql(condition), RUNS)))


def test_a_large_project_answers_as_one_that_is_in_memory(
    cluster: RunningCluster, filled: tuple[ClusterProject, dict[str, CatalogueRow]]
) -> None:
    """
    For random queries the runs and sequences, and their order, are those of a table of all runs.
    """
    whole, partial = scan_of(cluster, "random", RUNS), scan_of(cluster, "random", 10)
    chance, narrowed = random.Random(6), 0
    for _ in range(150):
        text = random_query(chance)
        about_metrics = "metric." in text
        try:
            compiled = compile_query(text, "metric" if about_metrics else "run")
            expected = whole.sequences(text) if about_metrics else whole.runs(text)
        except InvalidQuery:
            continue
        if superset(compiled) is None:
            with pytest.raises(UsageError, match="compare a param"):
                partial.runs(text)
            continue
        narrowed += 1

        assert (text, expected) == (text, partial.sequences(text) if about_metrics else partial.runs(text))
    assert narrowed > 20


def test_a_query_of_a_large_project_reads_the_runs_that_can_match(
    cluster: RunningCluster, project: ClusterProject
) -> None:
    """
    Of 60 runs the table has the newest 5 of 10 that fit, and after a query also those with the param.
    """
    made = {
        f"run{number}": CatalogueRow(
            f"run{number}",
            {"hash": f"run{number}", "creation_time": 1e9 + number, "tags": ["best"] if number == 1 else []},
            {("lr",): number % 20},
        )
        for number in range(RUNS)
    }
    fill(project, made)
    scan = scan_of(cluster, project.name, 10)
    newest = scan.catalogue.ask_now(lambda table: sorted(table.hashes()))

    assert [f"run{number}" for number in range(55, 60)] == newest
    assert (5, RUNS) == scan.catalogue.indexing
    assert ["run43", "run23", "run3"] == scan.runs("run.lr == 3 and run.name != 'x'")
    assert (8, RUNS) == scan.catalogue.indexing
    assert ["run1"] == scan.runs("'best' in run.tags")
    assert ["run59", "run58"] == scan.runs("run.created_at > datetime(2001, 9, 1) and run.lr > 17", limit=2)
    assert ["run7"] == scan.catalogue.ask_now(
        lambda table: ["run7"] if table.row_of("run7") is not None else [], about=["run7", "none"]
    )


def test_a_large_project_has_the_runs_that_have_grown_and_not_those_that_were_deleted(
    cluster: RunningCluster, project: ClusterProject
) -> None:
    """
    A run whose facts are old is read again, whatever its leaves say; a deleted one is gone.
    """
    made = {f"run{number}": CatalogueRow(f"run{number}", {"creation_time": 1e9}, {("a",): 1}) for number in range(30)}
    fill(project, made)
    project.marks.write("run3")
    scan = scan_of(cluster, project.name, 10)
    grown = rows.head_row(
        project.name, "run4", 1, (200, 0), is_complete=True, seen_us=round(time.time() * MICROSECONDS)
    )
    cluster.database.insert("heads", rows.HEAD_COLUMNS, grown)

    answer = scan.runs("run.a == 1")

    assert 28 == len(answer)  # run4 has grown, but no line of it came
    assert {"run3", "run4"} == set(made) - set(answer)
