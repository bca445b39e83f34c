"""
The life of a run: made, resumed, read, closed; and its properties.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from aim import Repo, Run
from aim.core.errors import ReadOnly, RunClosed, UsageError
from aim.sdk.errors import MissingRunError
from aim.storage.context import Context


def script(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run *text* as a Python program of its own in *folder*."""
    source = Path(__file__).parents[2] / "src"
    return subprocess.run(
        [sys.executable, "-c", text],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(source), "AIM_SEAL_ON_CLOSE": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_new_run_has_a_hash_of_24_digits_and_the_default_name_and_experiment(run: Run) -> None:
    """
    A new run has a hash of 24 hex digits, the name `Run: <hash>` and the experiment `default`.
    """
    assert 24 == len(run.hash)
    assert f"Run: {run.hash}" == run.name
    assert "default" == run.experiment


def test_the_first_run_makes_the_repository(tmp_path: Path) -> None:
    """
    A run in a folder without a repository makes one.
    """
    run = Run(repo=tmp_path / "new")
    run.close()

    assert Repo.exists(str(tmp_path / "new"))
    assert [run.hash] == Repo(str(tmp_path / "new")).list_all_runs()


def test_an_unknown_hash_is_an_error(repo: Repo) -> None:
    """
    Resuming and reading a run that is not there raise MissingRunError.
    """
    with pytest.raises(MissingRunError, match="abc"):
        Run("abc", repo=repo)
    with pytest.raises(MissingRunError, match="abc"):
        Run("abc", repo=repo, read_only=True)
    assert repo.get_run("abc") is None
    assert repo.get_run(None) is None


def test_reading_needs_a_hash(repo: Repo) -> None:
    """
    A run can't be opened for reading without a hash.
    """
    with pytest.raises(UsageError, match="hash"):
        Run(repo=repo, read_only=True)


def test_ranks_may_agree_on_a_hash_of_their_own(repo: Repo) -> None:
    """
    With `create=True` several writers make and share one run under a chosen name.
    """
    first = Run("job-17", repo=repo, create=True, system_tracking_interval=None)
    second = Run("job-17", repo=repo, create=True, system_tracking_interval=None)
    first.track(1.0, name="loss", context={"rank": 0})
    second.track(2.0, name="loss", context={"rank": 1})

    assert ["job-17"] == repo.list_all_runs()
    assert [1.0, 2.0] == sorted(metric.values.last_value() for metric in first.metrics())
    first.close()
    second.close()


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "x" * 65, "naïve"])
def test_a_name_that_no_folder_can_have_is_refused(repo: Repo, name: str) -> None:
    """
    A chosen hash that can't name a run is an error that says what can.
    """
    with pytest.raises(UsageError, match="can't name a run"):
        Run(name, repo=repo, create=True)


def test_resuming_goes_on_after_the_last_step(repo: Repo) -> None:
    """
    A resumed run takes up its automatic steps, its type and its params, and runs again.
    """
    first = Run(repo=repo)
    first["hparams"] = {"lr": 0.1}
    for value in (3.0, 2.0):
        first.track(value, name="loss")
    created_at = first.creation_time
    first.close()

    resumed = Run(first.hash, repo=repo)
    resumed.track(1.0, name="loss")

    assert ([0, 1, 2], [3.0, 2.0, 1.0]) == resumed.get_metric("loss").values.sparse_list()
    assert {"lr": 0.1} == resumed["hparams"]
    assert (True, None, created_at) == (resumed.active, resumed.end_time, resumed.creation_time)
    resumed.close()


def test_a_run_may_be_resumed_while_another_process_records_into_it(repo: Repo) -> None:
    """
    Resuming an open run is no error: both record.
    """
    first = Run(repo=repo, system_tracking_interval=None)
    first.track(1.0, name="loss")
    second = Run(first.hash, repo=repo, force_resume=True, system_tracking_interval=None)
    second.track(0.5, name="loss")
    first.track(0.9, name="other")

    assert [1.0, 0.5] == first.get_metric("loss").values.tolist()
    assert ["loss", "other"] == sorted(metric.name for metric in second.metrics())
    first.close()
    second.close()


def test_what_is_tracked_is_seen_at_once_by_another_process(run: Run, tmp_path: Path) -> None:
    """
    What `track` returned for is there for a reader in another process, while the run is open.
    """
    run["hparams"] = {"lr": 0.5}
    for value in (3, 2, 1):
        run.track(value, name="loss", context={"subset": "val"})
    shown = script(
        tmp_path,
        "from aim import Repo\n"
        "run = next(Repo('.').iter_runs())\n"
        "print(run['hparams'], run.get_metric('loss', {'subset': 'val'}).values.tolist(), run.status)",
    )

    assert ("{'lr': 0.5} [3, 2, 1] running\n", "") == (shown.stdout, shown.stderr)


def test_after_close_everything_is_read(run: Run) -> None:
    """
    Closing again and reading a closed run are fine; a handle of before is a clear error.
    """
    run["a"] = 1
    loss = run.sequence("loss")
    loss.track(1.0)
    run.close()
    run.close()

    with pytest.raises(RunClosed, match="closed"):
        loss.track(2.0)
    assert (1, [1.0]) == (run["a"], run.get_metric("loss").values.tolist())
    assert (False, "finished") == (run.active, run.status)
    assert run.end_time is not None
    assert run.end_time >= run.creation_time


def test_a_with_block_closes_and_records_the_exception(repo: Repo) -> None:
    """
    Leaving a `with` block ends the run; by an exception it failed, with the exception's name.
    """
    with Run(repo=repo) as good:
        good.track(1, name="x")
    with pytest.raises(ZeroDivisionError), Run(repo=repo) as bad:
        raise ZeroDivisionError

    assert ("finished", None) == (good.status, good.error)
    assert ("failed", "ZeroDivisionError") == (bad.status, bad.error)


def test_a_run_that_nobody_holds_is_closed(repo: Repo) -> None:
    """
    Garbage collection ends a run.
    """
    run = Run(repo=repo)
    run_hash = run.hash
    del run
    gc.collect()

    found = repo.get_run(run_hash)
    assert found is not None
    assert "finished" == found.status


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("", "finished", None),
        ("import sys; sys.exit(0)", "finished", None),
        ("1 / 0", "failed", "ZeroDivisionError"),
        ("raise KeyboardInterrupt", "failed", "KeyboardInterrupt"),
        ("import os; os._exit(0)", "lost", None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "lost", None),
    ],
)
def test_the_end_of_the_process_ends_the_run(
    repo: Repo, tmp_path: Path, ending: str, status: str, error: str | None
) -> None:
    """
    However a process ends, its run says so, and nothing tracked is lost.
    """
    script(tmp_path, f"from aim import Run\nrun = Run(repo='.')\nrun.track(1.5, name='loss')\n{ending}")

    (run,) = repo.iter_runs()
    assert (status, error, [1.5]) == (run.status, run.error, run.get_metric("loss").values.tolist())
    assert not run.active
    assert run.end_time is not None


def test_a_child_of_a_fork_records_into_the_same_run(repo: Repo, tmp_path: Path) -> None:
    """
    Parent and multiprocessing children record side by side; nothing is lost, and the run finishes.
    """
    shown = script(
        tmp_path,
        """
import multiprocessing
from aim import Run

def work(rank):
    for step in range(100):
        run.track(float(step), name="loss", step=step, context={"rank": rank})

run = Run(repo=".", system_tracking_interval=None)
run.track(0.0, name="loss", context={"rank": "parent"})
context = multiprocessing.get_context("fork")
children = [context.Process(target=work, args=(rank,)) for rank in range(3)]
[child.start() for child in children]
run.track(1.0, name="loss", context={"rank": "parent"})
[child.join() for child in children]
""",
    )

    assert "" == shown.stderr
    (run,) = repo.iter_runs()
    counts = {metric.context["rank"]: len(metric) for metric in run.metrics()}
    assert {"parent": 2, 0: 100, 1: 100, 2: 100} == counts
    assert "finished" == run.status


def test_the_trainer_imports_the_standard_library_only(tmp_path: Path) -> None:
    """
    After a run was made and tracked, no module is loaded that is not of the standard library or of Aim.
    """
    shown = script(
        tmp_path,
        """
import sys
before = set(sys.modules)
from aim import Run
run = Run(repo=".", system_tracking_interval=None, capture_terminal_logs=False)
run["hparams"] = {"lr": 0.1}
run.track(1.0, name="loss", step=1, epoch=1, context={"subset": "train"})
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(roots - set(sys.stdlib_module_names) - {"aim"}), "http" in sys.modules, "asyncio" in sys.modules)
""",
    )

    assert ("[] False False\n", "") == (shown.stdout, shown.stderr)


def test_properties_are_set_and_read(run: Run, repo: Repo) -> None:
    """
    Name, description, experiment, archived and tags are what was set last, for everybody.
    """
    run.name, run.description, run.experiment, run.archived = "a", "b", "c", True
    run.add_tag("x")
    run.add_tag(5)
    run.add_tag("x")
    other = repo.get_run(run.hash)

    assert other is not None
    assert ("a", "b", "c", True, ["x", "5"]) == (
        other.name,
        other.description,
        other.experiment,
        other.archived,
        other.tags,
    )


def test_a_reader_may_rename_tag_and_archive_a_run_that_records(run: Run, repo: Repo) -> None:
    """
    Properties change from another process too, and the run sees it; params do not.
    """
    other = repo.get_run(run.hash)
    assert other is not None
    other.name = "renamed"
    other.add_tag("paper")
    other.archived = True

    assert ("renamed", ["paper"], True) == (run.name, run.tags, run.archived)
    with pytest.raises(ReadOnly):
        other["a"] = 1
    with pytest.raises(ReadOnly):
        other.track(1, name="x")


def test_tags_go_by_name_and_by_id(run: Run) -> None:
    """
    `remove_tag` takes the name or the id of a tag, and says whether it was there.
    """
    from aim.core.tags import id_of_tag

    run.add_tag("a")
    run.add_tag("b")

    assert (True, True, False) == (run.remove_tag("a"), run.remove_tag(id_of_tag("b")), run.remove_tag("a"))
    assert [] == run.tags


@pytest.mark.parametrize("tag", [None, ""])
def test_an_empty_tag_is_refused(run: Run, tag: str | None) -> None:
    """
    A tag without a name is an error.
    """
    with pytest.raises(UsageError, match="tag"):
        run.add_tag(tag)


def test_times_are_in_utc(run: Run) -> None:
    """
    `created_at` is the creation time as a naive datetime in UTC; the duration grows to now.
    """
    expected = datetime.fromtimestamp(run.creation_time, timezone.utc).replace(tzinfo=None)

    assert expected == run.created_at
    assert run.finalized_at is None
    assert 0 <= run.duration <= time.time() - run.creation_time + 1
    with pytest.raises(AttributeError):
        run.created_at = expected  # type: ignore[misc]


def test_a_run_takes_any_attribute_and_compares_by_hash(run: Run, repo: Repo) -> None:
    """
    Runs of one hash in one repository are equal; anything may be set on a run.
    """
    run.note = "mine"  # type: ignore[attr-defined]

    assert repo.get_run(run.hash) == run
    assert run != "something"
    assert {run: 1}[run] == 1
    with pytest.raises(AttributeError):
        run.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_info_of_sequences(run: Run) -> None:
    """
    `iter_metrics_info`, `iter_sequence_info_by_type` and `collect_sequence_info` tell what was tracked.
    """
    run.track(1, name="a", context={"subset": "train"})
    run.track(2.5, name="b")

    assert {("a", Context({"subset": "train"})), ("b", Context())} == {info[:2] for info in run.iter_metrics_info()}
    assert {"a", "b"} == {name for name, _, _ in run.iter_sequence_info_by_type("*")}
    assert ["b"] == [name for name, _, _ in run.iter_sequence_info_by_type(["float"])]
    assert [] == list(run.iter_sequence_info_by_type("aim.image"))
    run.track([0.5], name="floats")
    run.track([], name="empty")
    assert ["floats"] == [name for name, _, _ in run.iter_sequence_info_by_type("list(float)")]
    assert ["empty"] == [name for name, _, _ in run.iter_sequence_info_by_type("list")]
    assert [] == list(run.iter_sequence_info_by_type("acme.mesh"))
    with pytest.raises(ValueError, match="zzz"):
        list(run.iter_sequence_info_by_type("zzz"))

    found = run.collect_sequence_info("metric")
    assert {"a", "b"} == {info["name"] for info in found["metric"]}
    assert [({}, "b", 2.5)] == [triplet for triplet in found.triplets() if triplet[1] == "b"]
    assert all("values" not in info for info in run.collect_sequence_info("metric", skip_last_value=True)["metric"])
    with pytest.raises(ValueError, match="'zzz' is not a valid Sequence"):
        run.collect_sequence_info("zzz")


def test_a_run_is_a_row(run: Run) -> None:
    """
    `dataframe` gives one row: properties, then params flattened to three levels.
    """
    run["hparams"] = {"lr": 0.1, "sizes": [1, 2], "deep": {"er": {"and": {"deeper": 1}}}}
    run["name"] = "a param, not the name"
    frame = run.dataframe()

    assert [
        *("hash", "name", "description", "archived", "creation_time", "end_time", "active", "experiment", "tags"),
        *("hparams.deep.er", "hparams.lr", "hparams.sizes"),
    ] == list(frame.columns)
    assert (run.hash, f"Run: {run.hash}", "[1, 2]") == (frame.hash[0], frame.name[0], frame["hparams.sizes"][0])
    assert ["hash", "hparams.deep.er", "hparams.lr", "hparams.sizes", "name"] == sorted(
        run.dataframe(include_props=False).columns
    )


def test_a_text_that_is_no_whole_unicode_is_kept_and_shown(run: Run) -> None:
    """
    Half a surrogate pair, as in a file name, is stored as it is; tables, which can't hold it, show its code.
    """
    run["file"] = "a\ud800"
    run.name = "n\ud800"
    run.track(1, name="x\ud800", context={"file": "\ud800"})
    frame = run.metrics().dataframe()

    assert ("a\ud800", "n\ud800") == (run["file"], run.name)
    assert ("a\\ud800", "n\\ud800") == (run.dataframe()["file"][0], run.dataframe()["name"][0])
    assert frame is not None
    assert ("x\\ud800", "\\ud800") == (frame["metric.name"][0], frame["metric.context.file"][0])


def test_types_of_params_are_asked_with_strict_false(run: Run) -> None:
    """
    `get(key, strict=False)` gives the tree of types of a dict, and a value that is none as it is.
    """
    run["h"] = {"a": 1, "l": [1, "x"], "e": {}}

    assert {
        "a": {"__example_type__": "<class 'int'>"},
        "e": {},
        "l": {
            "__example_type__": "<class 'list'>",
            0: {"__example_type__": "<class 'int'>"},
            1: {"__example_type__": "<class 'str'>"},
        },
    } == run.get("h", strict=False)
    assert 1 == run.get(("h", "a"), strict=False)


def test_an_empty_experiment_is_none_given(repo: Repo) -> None:
    """
    `Run(experiment="")` is in the default experiment; assigning an empty name is a name.
    """
    run = Run(repo=repo, experiment="", system_tracking_interval=None, capture_terminal_logs=False)
    assert "default" == run.experiment
    run.experiment = ""
    assert "" == run.experiment
    run.close()


def test_what_is_no_folder_is_a_type_error(run: Run) -> None:
    """
    Something else than a folder or a `Repo` is a TypeError that says so; a context that holds itself is refused.
    """
    context: dict[str, object] = {}
    context["self"] = context

    for open_it in (lambda: Repo(5), lambda: Run(repo=5)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="folder"):
            open_it()
    with pytest.raises(UsageError, match="nested too deeply"):
        run.track(1, name="x", context=context)


def test_last_values_of_objects_are_told_too(run: Run) -> None:
    """
    `collect_sequence_info` has the first and the last object of a sequence, and the longest list.
    """
    from aim import Text

    run.track([Text("a")], name="x", step=3)
    run.track([Text("b"), Text("c")], name="x", step=5)
    (info,) = run.collect_sequence_info("texts")["texts"]
    values = info["values"]

    assert ("list(aim.text)", 1, 3, 5, 2) == tuple(
        values[key] for key in ("dtype", "version", "first_step", "last_step", "record_max_length")
    )
    assert (["a"], ["b", "c"]) == tuple([text.data for text in values[key]] for key in ("first", "last"))
