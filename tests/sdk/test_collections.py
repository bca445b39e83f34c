"""
Collections: what a query gives, in which order, as which types and tables.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as graph_objects
import pytest

from aim import Image, Images, Metric, Repo, Run
from aim.core.errors import InvalidQuery
from aim.query import names
from aim.sdk.objects import Audio, Distribution, Figure, Object3D, Table, Text, Video
from aim.sdk.objects.custom import CustomObject
from aim.sdk.objects.registry import UnknownObject
from aim.sdk.sequence import Sequence
from aim.sdk.sequence_collection import (
    QueryRunSequenceCollection,
    QuerySequenceCollection,
    SequenceCollection,
    SingleRunSequenceCollection,
)
from aim.sdk.sequences.log_sequences import LogRecords
from aim.sdk.types import QueryReportMode

QUERIES = {
    "metric": "query_metrics",
    "figures": "query_figure_objects",
    **{
        kind: f"query_{kind}"
        for kind in ("images", "texts", "audios", "distributions", "videos", "tables", "objects3d")
    },
}


def made_of(kind: str) -> CustomObject:
    """Make an object of a kind of sequences."""
    pixels = np.zeros((2, 2), np.uint8)
    made: dict[str, Callable[[], CustomObject]] = {
        "images": lambda: Image(pixels),
        "texts": lambda: Text("a"),
        "audios": lambda: Audio(np.zeros(8), rate=8000),
        "distributions": lambda: Distribution([1, 2, 2]),
        "figures": lambda: Figure(graph_objects.Figure()),
        "videos": lambda: Video(np.stack([pixels, pixels + 255]), format="gif"),
        "objects3d": lambda: Object3D(np.zeros((1, 3))),
        "tables": lambda: Table([{"a": 1}]),
    }
    return made[kind]()


@pytest.fixture(name="runs")
def _runs(repo: Repo) -> list[Run]:
    """
    Three finished runs, oldest first; the last one is archived and has an image.
    """
    runs = []
    for rate in (0.1, 0.01, 0.001):
        with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = {"lr": rate, "opt": "adam"}
            for step in (0, 5, 10):
                run.track(rate * step, name="loss", step=step, context={"subset": "val"})
            run.track(1, name="epoch")
        runs.append(run)
    with Run(runs[2].hash, repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as last:
        last.track(Image(np.zeros((1, 1), np.uint8)), name="picture")
        last.archived = True
    return runs


def test_metrics_that_match_newest_run_first(repo: Repo, runs: list[Run]) -> None:
    """
    Iterating gives `Metric` objects, of the newest run first.
    """
    found = list(
        repo.query_metrics("run.hparams.lr > 0.001 and metric.name == 'loss' and metric.context.subset == 'val'")
    )

    assert [runs[1].hash, runs[0].hash] == [metric.run.hash for metric in found]
    assert all(isinstance(metric, Metric) for metric in found)
    assert [0, 5, 10] == found[0].values.indices_list()
    assert (0.01, True) == (found[0].run["hparams", "lr"], found[0].run.read_only)


def test_runs_that_match_with_their_sequences(repo: Repo, runs: list[Run]) -> None:
    """
    `query_runs` gives a collection for each run; iterated, all their sequences.
    """
    collection = repo.query_runs("run.hparams.opt == 'adam'")
    each = list(collection.iter_runs())

    assert isinstance(collection, QueryRunSequenceCollection)
    assert all(isinstance(one, SingleRunSequenceCollection) for one in each)
    assert [runs[1].hash, runs[0].hash] == [one.run.hash for one in each]
    assert {"loss", "epoch"} == {sequence.name for sequence in each[0]}
    assert 4 == len(list(collection))


def test_archived_runs_are_left_out_unless_they_are_spoken_of(repo: Repo, runs: list[Run]) -> None:
    """
    A query leaves archived runs out, but for one about `run.archived`.
    """
    assert 2 == len(list(repo.query_runs().iter_runs()))
    assert [runs[2].hash] == [one.run.hash for one in repo.query_runs("run.archived == True").iter_runs()]
    assert [runs[2].hash] == [one.run.hash for one in repo.query_runs("run.is_archived").iter_runs()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("metric.name == 'loss' and metric.last < 0.5", [1]),
        ("metric.name == 'loss' and metric.context.subset == 'val' and run.hparams.lr > 0.05", [0]),
        ("metric.name == 'epoch'", [1, 0]),
        ("metric.name == 'loss' and metric.last > 100", []),
        ("images.name == 'picture'", []),
        ("images.name == 'picture' and run.archived", [2]),
    ],
)
def test_a_query_for_runs_may_be_about_their_sequences(
    repo: Repo, runs: list[Run], query: str, expected: list[int]
) -> None:
    """
    It finds each run that has such a sequence, once; archived runs are left out as ever.
    """
    assert [runs[row].hash for row in expected] == [one.run.hash for one in repo.query_runs(query).iter_runs()]


def test_a_text_for_metrics_is_one_for_runs_and_the_other_way_round(repo: Repo, runs: list[Run]) -> None:
    """
    Both find the same runs: those that match, or that have a metric that does.
    """
    for query in ("run.hparams.lr > 0.05", "metric.name == 'loss' and metric.last < 0.5", ""):
        of_metrics = dict.fromkeys(metric.run.hash for metric in repo.query_metrics(query))

        assert list(of_metrics) == [one.run.hash for one in repo.query_runs(query).iter_runs()]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("metirc.last < 1", "`metirc` is not known. Did you mean `metric`?"),
        ("image.name == 'x'", "`image` is not known. Did you mean `images`?"),
        ("metric.lsat < 1", "`metric` has no `lsat`. Did you mean `last`?"),
    ],
)
def test_a_query_for_runs_with_a_wrong_sequence_says_what_may_be_meant(repo: Repo, query: str, message: str) -> None:
    """
    The nearest name is looked for among the sequences too.
    """
    with pytest.raises(InvalidQuery) as caught:
        repo.query_runs(query)
    assert message == str(caught.value).splitlines()[0]


def test_the_hints_of_a_query_for_runs_name_a_metric_that_no_run_has(
    repo: Repo, runs: list[Run], caplog: pytest.LogCaptureFixture
) -> None:
    """
    A query about metrics that finds no run gives the hints of one about metrics.
    """
    with caplog.at_level(logging.WARNING):
        assert [] == list(repo.query_runs("metric.name == 'los'").iter_runs())
    assert "No run has a metric called 'los'. Did you mean 'loss'?" in caplog.text


def test_the_type_of_a_sequence_in_a_query_is_that_of_its_properties(repo: Repo) -> None:
    """
    `dtype`, `version` and `record_max_length` find a sequence by what it itself says, while it records and afterwards.
    """
    image = Image(np.zeros((1, 1), np.uint8))
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        for name, values in (
            ("i", (1, 2)),
            ("f", (0.5, 1.5)),
            ("n", (0, 0.5)),
            ("one", (image,)),
            ("many", ([image] * 3,)),
        ):
            for value in values:
                run.track(value, name=name)
        run.flush()
        for _ in range(2):
            sequences = [*repo.query_metrics(), *repo.query_images()]
            dtypes = {sequence.name: sequence.dtype for sequence in sequences}
            assert {"i": "int", "f": "float", "n": "number", "one": "aim.image", "many": "list(aim.image)"} == dtypes
            for sequence in sequences:
                kind, ask = sequence.sequence_name(), repo.query_metrics
                if kind == "images":
                    ask = repo.query_images  # type: ignore[assignment]
                    text = f"images.record_max_length == {sequence.record_length()}"
                    assert [sequence.name] == [match.name for match in ask(text)]
                query = f"{kind}.dtype == {sequence.dtype!r} and {kind}.version == {sequence.version}"
                assert [sequence.name] == [match.name for match in ask(query)]
            assert 1 == len(list(repo.query_runs("run.metrics['n'].dtype == 'number'").iter_runs()))
            run.close()


def test_pages_by_offset_and_limit(repo: Repo, runs: list[Run]) -> None:
    """
    `offset` is the last run seen, `limit` the largest number.
    """
    first = [one.run.hash for one in repo.query_runs(limit=1).iter_runs()]
    second = [one.run.hash for one in repo.query_runs(offset=first[0], paginated=True).iter_runs()]

    assert ([runs[1].hash], [runs[0].hash]) == (first, second)


def test_images_are_found(repo: Repo, runs: list[Run]) -> None:
    """
    `query_images` knows the variable `images`.
    """
    (images,) = repo.query_images("images.name == 'picture' and run.archived in (True, False)")

    assert isinstance(images, Images)
    assert [] == list(repo.query_images())
    assert [] == list(repo.query_texts()) == list(repo.query_audios()) == list(repo.query_figure_objects())
    assert [] == list(repo.query_distributions())


@pytest.mark.parametrize("is_list", [False, True], ids=["one", "several"])
@pytest.mark.parametrize("kind", names.SUBJECTS[2:])
def test_objects_of_every_kind_are_found_by_their_name(repo: Repo, kind: str, is_list: bool) -> None:
    """
    Each kind has a query of its own, which finds single objects and lists of them, and no other kind; and no query
    about another kind finds them.
    """
    one = made_of(kind)
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track([one, one] if is_list else one, name="seen", context={"subset": "val"})
        run.track(0.5, name="seen")
    asked = {
        subject: list(getattr(repo, QUERIES[subject])(f"{subject}.name == 'seen'")) for subject in names.SUBJECTS[1:]
    }

    assert {subject: int(subject in ("metric", kind)) for subject in asked} == {
        subject: len(found) for subject, found in asked.items()
    }
    assert kind == asked[kind][0].sequence_name()
    assert 1 == len(list(getattr(repo, QUERIES[kind])(f"{kind}.record_max_length == {2 if is_list else None}")))


def test_collections_of_each_run(repo: Repo, runs: list[Run]) -> None:
    """
    `iter_runs` of sequences gives the runs that have a match, each with its matches.
    """
    each = list(repo.query_metrics("metric.name == 'epoch'").iter_runs())

    assert [[1], [1]] == [[metric.values.last_value() for metric in one] for one in each]
    assert isinstance(each[0], SequenceCollection)


def test_progress_as_tuples(repo: Repo, runs: list[Run]) -> None:
    """
    With PROGRESS_TUPLE each run comes with (i, total), and without a collection where it does not match.
    """
    found = list(repo.query_runs("run.hparams.lr == 0.1", report_mode=QueryReportMode.PROGRESS_TUPLE).iter_runs())

    assert [(1, 3), (2, 3), (3, 3)] == [progress for _, progress in found]
    assert [None, None, runs[0].hash] == [one and one.run.hash for one, _ in found]


def test_a_single_run_has_no_other_runs(runs: list[Run], caplog: pytest.LogCaptureFixture) -> None:
    """
    `iter_runs` of one run's collection warns and raises StopIteration.
    """
    with pytest.raises(StopIteration):
        runs[0].metrics().iter_runs()
    assert "single run" in caplog.text


def test_a_single_run_may_be_queried(runs: list[Run]) -> None:
    """
    A collection of one run takes a query.
    """
    collection = SingleRunSequenceCollection(runs[0], seq_cls=Metric, query="metric.name == 'loss'")

    assert ["loss"] == [metric.name for metric in collection]


EVERY_KIND = ("loss", "epoch", *(kind for kind in QUERIES if kind != "metric"), "mesh", "__log_records")


@pytest.fixture(name="varied")
def _varied(repo: Repo) -> Run:
    """A run with a sequence of every kind, and another one with a metric only."""
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as other:
        other["lr"] = 0.5
        other.track(1.0, name="loss")
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run["lr"] = 0.1
        run.track({"loss": 0.5, "epoch": 1})
        for kind in QUERIES:
            if kind != "metric":
                run.track(made_of(kind), name=kind)
        run.track(UnknownObject("acme.mesh", {"vertices": 8}, lambda: b""), name="mesh")
        run.log_info("a message")
    return run


@pytest.mark.parametrize("query", ["", "run.lr == 0.1", "run.lr < 0.3 and not run.archived"])
def test_without_a_class_every_kind_of_sequence_matches(repo: Repo, varied: Run, query: str) -> None:
    """
    `Sequence`, the default of Aim 3, stands for all classes; a query that names only `run` matches all sequences.
    """
    single: SequenceCollection[Sequence] = SingleRunSequenceCollection(varied, query=query)
    many: SequenceCollection[Sequence] = QuerySequenceCollection(
        repo, query=query, report_mode=QueryReportMode.DISABLED
    )
    of_run = [sequence for sequence in many if sequence.run.hash == varied.hash]

    assert sorted(EVERY_KIND) == sorted(sequence.name for sequence in single) == sorted(one.name for one in of_run)
    by_name = {sequence.name: type(sequence) for sequence in of_run}
    assert by_name == {sequence.name: type(sequence) for sequence in single}
    assert (Metric, Images, Sequence, LogRecords) == tuple(
        by_name[name] for name in ("loss", "images", "mesh", "__log_records")
    )
    assert (1 if not query else 0) == len(list(many)) - len(of_run)


def test_without_a_class_a_query_may_be_about_any_kind(repo: Repo, varied: Run) -> None:
    """
    A query that names `metric`, `images` ... leaves the sequences of that kind, as objects of its class.
    """
    for kind in QUERIES:
        query = f"run.lr == 0.1 and {kind}.name != 'epoch'"
        collections: list[SequenceCollection[Sequence]] = [
            SingleRunSequenceCollection(varied, query=query),
            QuerySequenceCollection(repo, query=query, report_mode=QueryReportMode.DISABLED),
        ]
        for collection in collections:
            assert ["loss" if kind == "metric" else kind] == [one.name for one in collection]
            assert [kind] == [one.sequence_name() for one in collection]
    with pytest.raises(InvalidQuery):
        QuerySequenceCollection(repo, query="metric.name == 'a' or images.name == 'b'")


def test_log_records_of_many_runs_are_a_collection_too(repo: Repo, varied: Run) -> None:
    """
    A class that no query is about takes queries that name only `run`.
    """
    records = QuerySequenceCollection(repo, LogRecords, "run.lr == 0.1", QueryReportMode.DISABLED)

    assert [["a message"]] == [[record.message for record in sequence] for sequence in records]


def test_the_parameters_of_aim_3_are_taken_by_position(repo: Repo, varied: Run) -> None:
    """
    Positions are those of Aim 3; what this version adds is taken by keyword only.
    """
    one = SingleRunSequenceCollection(varied, Metric, "metric.name == 'loss'", {}, -60)
    many = QuerySequenceCollection(repo, Metric, "metric.name == 'loss'", QueryReportMode.DISABLED, -60)
    runs = QueryRunSequenceCollection(repo, Metric, "run.lr == 0.1", False, None, QueryReportMode.DISABLED, -60)

    assert ([0.5], [0.5, 1.0]) == ([s.values[0] for s in one], [s.values[0] for s in many])
    assert [varied.hash] == [collection.run.hash for collection in runs.iter_runs()]
    with pytest.raises(TypeError):
        repo.query_runs("", False, None, QueryReportMode.DISABLED, 1)  # type: ignore[call-arg]


@pytest.mark.parametrize("query", ["run.hparams.lr >", "metirc.name == 'a'", "run.name.nope()", "import os"])
def test_a_wrong_query_is_an_error_at_once(repo: Repo, query: str) -> None:
    """
    A query that can't be understood raises InvalidQuery, a SyntaxError, when the collection is made.
    """
    for ask in (repo.query_runs, repo.query_metrics, repo.query_images):
        with pytest.raises(InvalidQuery):
            ask(query)
        with pytest.raises(SyntaxError):
            ask(query)


def test_a_param_that_no_run_has_is_said(repo: Repo, runs: list[Run], caplog: pytest.LogCaptureFixture) -> None:
    """
    A query that finds nothing, and speaks of a param that no run has, says which may be meant.
    """
    with caplog.at_level(logging.WARNING):
        assert [] == list(repo.query_runs("run.hparams.lrr > 0").iter_runs())
    assert "hparams.lrr" in caplog.text
    assert "Did you mean 'hparams.lr'?" in caplog.text


def test_tables_of_points(repo: Repo, runs: list[Run]) -> None:
    """
    `dataframe` has all points, with run, name and context; None when nothing matches.
    """
    collection = repo.query_metrics("metric.name == 'loss'")
    frame = collection.dataframe()
    last = collection.dataframe(only_last=True, include_run=False)

    assert frame is not None
    assert last is not None
    assert isinstance(collection, QuerySequenceCollection)
    assert 6 == len(frame)
    assert {"run.hash", "run.hparams.lr", "metric.name", "metric.context.subset"} <= set(frame.columns)
    assert [10, 10] == last["step"].tolist()
    assert "run.hash" not in last.columns
    assert repo.query_metrics("metric.name == 'x'").dataframe() is None
    assert runs[0].metrics().dataframe() is not None


def test_tables_of_runs(repo: Repo, runs: list[Run]) -> None:
    """
    The runs' table has a row a run, all with index 0.
    """
    frame = repo.query_runs().dataframe()

    assert frame is not None
    assert ([0, 0], [0.01, 0.1]) == (list(frame.index), frame["hparams.lr"].tolist())
    assert repo.query_runs("run.name == 'x'").dataframe() is None


def test_bulk_tables_without_pandas(repo: Repo, runs: list[Run]) -> None:
    """
    `arrow` and `polars` give all points of all matching metrics as one table.
    """
    collection = repo.query_metrics("metric.name == 'loss'")
    table, frame = collection.arrow(), collection.polars()

    assert ["run", "name", "context", "step", "time", "value", "epoch", "exact"] == table.column_names
    assert (6, 6) == (table.num_rows, frame.height)
    assert sorted([0.0, 0.05, 0.1, 0.0, 0.5, 1.0]) == sorted(table["value"].to_pylist())


def test_live_runs_are_found_at_once(repo: Repo, run: Run) -> None:
    """
    A query sees what was recorded a moment ago.
    """
    run["hparams"] = {"lr": 7}
    run.track(1.0, name="loss")
    assert [1.0] == [metric.values.last_value() for metric in repo.query_metrics("run.hparams.lr == 7")]
    run.track(2.0, name="loss")
    run["hparams", "lr"] = 8
    assert [] == list(repo.query_metrics("run.hparams.lr == 7"))
    assert [2.0] == [metric.values.last_value() for metric in repo.query_metrics("metric.last == 2.0")]
