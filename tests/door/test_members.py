"""
Every public member of what is read of a repository, asked of a folder and of a server: equal results, equal errors.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest

from aim import Audio, Distribution, Image, Repo, Run, Text
from aim.sdk.metric import Metric
from aim.sdk.run_view import RunView
from aim.sdk.sequence_collection import (
    QueryRunSequenceCollection,
    QuerySequenceCollection,
    SequenceCollection,
    SingleRunSequenceCollection,
)
from tests.door.conftest import Served

Subject = Any
Ask = Callable[[Any], Any]


@pytest.fixture(scope="module", name="doors")
def _doors(served: Iterator[Served]) -> tuple[Repo, Repo]:
    """
    One repository, opened as a folder and as an address: three runs with all that a run can have.
    """
    repository = next(served)
    address, root, _ = repository
    with Run("parent", repo=str(root), create=True, **QUIET) as parent:
        record(parent, 0)
        parent.rewind(5)
        parent.track(99.0, name="loss", step=6, context={"subset": "val"})
        child = parent.fork(3, **QUIET)
    child.name = "child"
    child.close()
    with Run("second", repo=str(root), create=True, experiment="other", **QUIET) as second:
        record(second, 1)
    second.delete_points("loss", {"subset": "val"}, steps=[2, 4])
    second.delete_points("pictures", steps=1, items=0)
    second.archived = True
    Repo(str(root)).set_tag("paper", color="green", description="is in the paper")
    repository.ship()
    return Repo(str(root)), Repo(address)


QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}


def record(run: Run, number: int) -> None:
    """Record values of all kinds."""
    run.name, run.description = f"run {number}", "ünïcode\nand lines"
    run["hparams"] = {"lr": 0.1 * (number + 1), "nan": math.nan, 3: [1, {"a": None}], "big": 2**70, "bytes": b"\0\xff"}
    run["picture"] = Image(np.zeros((2, 3, 3), np.uint8))
    run.add_tag("paper")
    for step in range(10):
        context = {"subset": "val", "fold": (1, 2)} if step % 2 else {"subset": "val"}
        run.track(step * 0.5 if step != 3 else math.nan, name="loss", step=step, epoch=step // 3, context=context)
        run.track(step * 0.5 - number, name="loss", step=step, context={"subset": "val"})
        run.track(2**60 + step, name="exact")
        run.track(step if step % 2 else step + 0.5, name="mixed")
    for step in range(3):
        run.track([Image(np.full((4, 5, 3), 10 * step + index, np.uint8)) for index in range(2)], name="pictures")
        run.track(Text(f"text {step}"), name="texts")
        run.track(Distribution(np.arange(10.0) + step), name="weights")
    run.track(Audio(np.zeros(100), rate=8000, format="wav"), name="sounds")
    run.log_info("it began", detail=[1, 2])
    run.log_warning("it is slow")
    run.report_progress(expect_next_in=0)


def plain(value: Any) -> Any:
    """Return a result in a form that compares, whichever door it came from."""
    if isinstance(value, Run):
        return ("run", value.hash)
    if hasattr(value, "run") and hasattr(value, "context") and hasattr(value, "points"):
        return ("sequence", value.run.hash, value.name, value.context.to_dict(), list(value.context.to_dict()))
    if isinstance(value, SequenceCollection):
        return ("sequences", type(value).__name__, [plain(member) for member in value.iter()])
    if type(value).__module__.startswith(("pandas", "pyarrow", "polars")):
        return (type(value).__name__, repr(value), repr(getattr(value, "columns", None)))
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), plain(value.tolist()))
    if hasattr(value, "stored"):
        stored = value.stored()
        return (stored.kind, stored.data, sorted((name, repr(field)) for name, field in stored.fields.items()))
    if isinstance(value, Mapping):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member) for member in value]
    if isinstance(value, Iterator):
        return [plain(member) for member in value]
    if isinstance(value, (str, bytes, int, float, bool, type(None))):
        return repr(value)
    if hasattr(value, "tolist"):
        return (type(value).__name__, plain(value.tolist()))
    return (type(value).__name__, repr(value))


def both(doors: tuple[Repo, Repo], ask: Ask) -> tuple[Any, Any]:
    """Ask both, and return their results, or the errors that they raise; addresses are left out of messages."""
    answers = []
    for repo in doors:
        try:
            answer = plain(ask(repo))
        except Exception as error:
            answer = (type(error).__name__, str(error).replace(repo.root_path, "<repo>"))
        answers.append(answer)
    return answers[0], answers[1]


def points_of(metric: Metric) -> list[Any]:
    """Return all that is read of the points of a metric."""
    data = metric.data
    return [metric.values, metric.epochs, metric.timestamps, metric.indices, data.numpy(), data.sample(3).items_list()]


CONTEXT = {"subset": "val"}
OF_REPO: dict[str, Ask] = {
    "get_run": lambda repo: [repo.get_run("second"), repo.get_run("none"), repo.get_run(None)],
    "iter_runs": lambda repo: repo.iter_runs(),
    "run_exists": lambda repo: [repo.run_exists("second"), repo.run_exists("none")],
    "list_all_runs": lambda repo: repo.list_all_runs(),
    "total_runs_count": lambda repo: repo.total_runs_count(),
    "list_active_runs": lambda repo: repo.list_active_runs(),
    "list_corrupted_runs": lambda repo: repo.list_corrupted_runs(),
    "collect_sequence_info": lambda repo: repo.collect_sequence_info(["metric", "images", "texts", "audios"]),
    "collect_params_info": lambda repo: repo.collect_params_info(),
    "tags": lambda repo: [tuple(tag) for tag in repo.tags()],
    "query_runs": lambda repo: repo.query_runs("run.hparams.lr > 0.05"),
    "query_metrics": lambda repo: repo.query_metrics("metric.name == 'loss' and metric.last > 1"),
    "query_images": lambda repo: repo.query_images(),
    "query_texts": lambda repo: repo.query_texts("texts.name == 'texts'"),
    "query_audios": lambda repo: repo.query_audios(),
    "query_distributions": lambda repo: repo.query_distributions(),
    "query_figure_objects": lambda repo: repo.query_figure_objects(),
    "query_videos": lambda repo: repo.query_videos(),
    "query_objects3d": lambda repo: repo.query_objects3d(),
    "query_tables": lambda repo: repo.query_tables(),
    "last_values": lambda repo: repo.last_values("loss", CONTEXT),
    "runs": lambda repo: [repo.runs(), repo.runs(sort="loss[subset=val].min", limit=1)],
    "available_sequence_types": lambda repo: repo.available_sequence_types(),
    "validate_sequence_types": lambda repo: repo.validate_sequence_types("nothing"),
    "exists": lambda repo: repo.exists(repo.root_path),
    "get_version": lambda repo: repo.get_version(repo.root_path),
    "check_repo_status": lambda repo: repo.check_repo_status(repo.root_path),
    "from_path": lambda repo: repo.from_path(repo.root_path).list_all_runs(),
    "best": lambda repo: repo.best("loss[subset=val]", columns=["hparams.lr"]),
    "importance": lambda repo: repo.importance("exact"),
    "compare_groups": lambda repo: repo.compare_groups("loss[subset=val]", ["second"], ["first"]),
    "digest": lambda repo: repo.digest(),
    "close": lambda repo: repo.close(),
    "delete_run": lambda repo: repo.delete_run("none"),
    "delete_runs": lambda repo: repo.delete_runs(["none"]),
    "delete_tag": lambda repo: repo.delete_tag("none"),
    "rename_tag": lambda repo: repo.rename_tag("none", "other"),
    "set_tag": lambda repo: repo.set_tag("", color="green"),
    "delete_experiment": lambda repo: repo.delete_experiment("none"),
    "move_runs": lambda repo: repo.move_runs([], repo),
    "copy_runs": lambda repo: (
        repo.copy_runs(["none"], str(repo.root_path)) if repo.is_remote_repo else (False, ["none"])
    ),
    "run_of_answer": lambda repo: [repo.run_of_answer("second"), repo.run_of_answer("none")],
}
# What is of a folder, of this machine, or of the object itself.
OF_REPO_ONLY = {"default_repo", "default_repo_path", "door", "is_remote_path", "is_remote_repo", "prune", "rm", "show"}

OF_RUN: dict[str, Ask] = {
    "get": lambda run: [
        run.get("hparams"),
        run.get(("hparams", 3)),
        run.get("none", 7),
        run.get("hparams", strict=False),
    ],
    "props": lambda run: vars(run.props) if hasattr(run.props, "__dict__") else tuple(run.props),
    "read_properties": lambda run: run.read_properties(),
    "metrics": lambda run: run.metrics(),
    "get_metric": lambda run: [run.get_metric("loss"), points_of(run.get_metric("loss", CONTEXT))],
    "get_image_sequence": lambda run: run.get_image_sequence("pictures").values.tolist(),
    "get_audio_sequence": lambda run: run.get_audio_sequence("sounds").values.tolist(),
    "get_text_sequence": lambda run: [text.data for text in run.get_text_sequence("texts").values.tolist()],
    "get_distribution_sequence": lambda run: run.get_distribution_sequence("weights").data.items_list(),
    "get_figure_sequence": lambda run: run.get_figure_sequence("none"),
    "get_video_sequence": lambda run: run.get_video_sequence("none"),
    "get_object3d_sequence": lambda run: run.get_object3d_sequence("none"),
    "get_table_sequence": lambda run: run.get_table_sequence("pictures"),
    "get_terminal_logs": lambda run: run.get_terminal_logs(),
    "get_log_records": lambda run: [record.message for record in run.get_log_records().values.tolist()],
    "idx_to_ctx": lambda run: run.idx_to_ctx(7),
    "stored_sequences": lambda run: [
        (info.name, info.context, info.kind, info.parts) for info in run.stored_sequences()
    ],
    "iter_metrics_info": lambda run: [(name, context.to_dict()) for name, context, _ in run.iter_metrics_info()],
    "iter_sequence_info_by_type": lambda run: [name for name, *_ in run.iter_sequence_info_by_type("*")],
    "collect_sequence_info": lambda run: run.collect_sequence_info(["metric", "images"]),
    "read_points": lambda run: [run.read_points("mixed", "{}").values, run.read_points("none", "{}")],
    "read_points_of_many": lambda run: {
        key[0]: points.steps for key, points in run.read_points_of_many([("exact", "{}")]).items()
    },
    "read_objects": lambda run: run.read_objects(run.read_points("pictures", "{}"), 1),
    "read_kind": lambda run: [run.read_kind("mixed", "{}"), run.read_kind("none", "{}")],
    "dataframe": lambda run: run.dataframe(),
    "row": lambda run: run.row(),
    "before": lambda run: [run.before(rewind).get_metric("loss", CONTEXT).values for rewind in run.rewinds],
    "rewinds": lambda run: [tuple(rewind) for rewind in run.rewinds],
    "health": lambda run: run.health().is_whole,
    "duration": lambda run: run.duration if run.end_time else None,
    "artifacts": lambda run: sorted(run.artifacts),
    "delete_points": lambda run: run.delete_points("none", steps=1),
    "undelete_points": lambda run: run.undelete_points("none"),
    "delete_metric": lambda run: run.delete_metric("none"),
    "remove_tag": lambda run: run.remove_tag("none"),
    "collect": lambda run: run.collect("hparams"),
}


@pytest.mark.parametrize("member", OF_REPO)
def test_a_repository_is_the_same_over_an_address(doors: tuple[Repo, Repo], member: str) -> None:
    """
    Each method of `Repo` returns the same, or raises the same.
    """
    folder, server = both(doors, OF_REPO[member])

    assert folder == server


def test_no_member_of_a_repository_is_left_out() -> None:
    """
    A new public member of `Repo` needs its row.
    """
    assert _public(Repo) == OF_REPO.keys() | OF_REPO_ONLY | {"path", "root_path", "read_only"} & _public(Repo)


@pytest.mark.parametrize("run_hash", ["parent", "second"])
@pytest.mark.parametrize("member", sorted(OF_RUN))
def test_a_run_is_the_same_over_an_address(doors: tuple[Repo, Repo], member: str, run_hash: str) -> None:
    """
    Each method of a run that is read returns the same, or raises the same.
    """
    folder, server = both(doors, lambda repo: OF_RUN[member](repo.get_run(run_hash)))

    assert folder == server


@pytest.mark.parametrize("run_hash", ["parent", "second"])
def test_the_properties_of_a_run_are_the_same_over_an_address(doors: tuple[Repo, Repo], run_hash: str) -> None:
    """
    All other public properties of a run.
    """
    properties = [
        name for name in _public(Run) - OF_RUN.keys() if isinstance(inspect.getattr_static(Run, name), property)
    ]
    for name in sorted(set(properties) - {"repo", "meta_run_tree", "duration"}):
        folder, server = both(doors, partial(_property, run_hash, name))
        assert folder == server, name
    assert len(properties) > 10


def test_every_method_that_reads_a_run_is_tried() -> None:
    """
    A new method of `RunView` needs its row.
    """
    methods = {name for name in _public(RunView) if not isinstance(inspect.getattr_static(RunView, name), property)}

    assert set() == methods - OF_RUN.keys()


@pytest.mark.parametrize(
    "ask",
    [
        lambda repo: repo.query_metrics("metric.name == 'loss'").dataframe(),
        lambda repo: repo.query_metrics("metric.name == 'loss'").arrow().to_pydict(),
        lambda repo: repo.query_metrics("run.hparams.lr > 0.15").dataframe(only_last=True),
        lambda repo: repo.query_runs("run.archived in (True, False)").dataframe(),
        lambda repo: [run.run for run in repo.query_runs(limit=1).iter_runs()],
        lambda repo: [run.run for run in repo.query_runs(offset="parent").iter_runs()],
        lambda repo: repo.get_run("parent").metrics().dataframe(),
        lambda repo: [points_of(metric) for metric in repo.query_metrics()],
        lambda repo: [images.values.tolist() for images in repo.query_images()],
        lambda repo: repo.query_metrics("metric.nam == 1"),
        lambda repo: repo.query_runs("run.hparam.lr ="),
        lambda repo: repo.get_run("parent")["none"],
        lambda repo: repo.get_run("second")["picture"],
        lambda repo: Run("none", repo=repo, read_only=True),
        lambda repo: repo.get_run("parent").metrics().iter_runs().__next__(),
        lambda repo: repo.door.find_run("par"),
        lambda repo: repo.door.find_run("none"),
        lambda repo: repo.door.run("none"),
        lambda repo: sorted(state.run_hash for state in repo.door.states()),
        lambda repo: [(document.kind, document.id, document.body) for document in repo.door.documents.list()],
    ],
)
def test_what_is_asked_of_many_runs_is_the_same_over_an_address(doors: tuple[Repo, Repo], ask: Ask) -> None:
    """
    Collections, frames, tables and errors.
    """
    folder, server = both(doors, ask)

    assert folder == server


@pytest.mark.parametrize(
    "ask",
    [
        lambda questions: [series.points.values for series in questions.series(questions.sequences())],
        lambda questions: questions.explain("run.hparams.lr > 7 and run.archived"),
        lambda questions: questions.explain("metric.last > 7", "metric").clauses,
        lambda questions: questions.hints("run.hparam.lr > 7"),
        lambda questions: questions.complete("h"),
        lambda questions: questions.table(["name", "hparams.lr", "exact.max", "created_at", "tags"], sort="name").rows,
        lambda questions: questions.table([], "run.name == 'child'").total,
        lambda questions: questions.table(["nam"]),
        lambda questions: questions.summaries("loss", CONTEXT, "argmin"),
        lambda questions: questions.summaries("none"),
        lambda questions: questions.summary_rows(questions.sequences(), ["last", "has_nan", "count", "mean"]),
        lambda questions: questions.check("images.name == 'pictures'"),
        lambda questions: questions.points_table("metric.name == 'mixed'").to_pydict(),
    ],
)
def test_questions_have_the_same_answers_over_an_address(doors: tuple[Repo, Repo], ask: Ask) -> None:
    """
    Each question that the door answers about all runs.
    """
    folder, server = both(doors, lambda repo: ask(repo.door.questions()))

    assert folder == server


def test_collections_have_no_member_that_is_not_tried() -> None:
    """
    A new public member of a collection is to be added above.
    """
    tried = {"iter", "iter_runs", "dataframe", "arrow", "polars"}
    for kind in (SingleRunSequenceCollection, QuerySequenceCollection, QueryRunSequenceCollection):
        assert tried >= _public(kind)


def _property(run_hash: str, name: str, repo: Repo) -> Any:
    return getattr(repo.get_run(run_hash), name)


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}
