"""
A repository: made, found, listed; its runs deleted, copied, moved.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from aim import Image, Repo, Run
from aim.core.errors import ReadOnly, RepoNotFound, UnsupportedFormat, UsageError
from aim.engine import care
from aim.engine.repository import Repository
from aim.sdk.errors import MissingRunError
from aim.sdk.repo import RepoStatus, clean_repo_path
from aim.sdk.types import QueryReportMode


def finished_run(repo: Repo, experiment: str = "default") -> Run:
    """Record a small run."""
    run = Run(repo=repo, experiment=experiment, system_tracking_interval=None)
    run["hparams"] = {"lr": 0.1}
    run.track(0.5, name="loss", context={"subset": "train"})
    run.name = "small"
    run.add_tag("t")
    run.close()
    return run


def test_a_folder_without_a_repository_is_an_error(tmp_path: Path) -> None:
    """
    `Repo(path)` and `Repo.from_path` raise a RuntimeError that says what is missing.
    """
    for open_it in (Repo, Repo.from_path):
        with pytest.raises(RuntimeError, match="Cannot find repository"):
            open_it(str(tmp_path))
    assert not Repo.exists(str(tmp_path))
    assert RepoStatus.MISSING is Repo.check_repo_status(str(tmp_path))


def test_the_same_folder_is_the_same_repository(tmp_path: Path) -> None:
    """
    `from_path` gives one object for a folder and for the `.aim` in it.
    """
    repo = Repo.from_path(str(tmp_path), init=True)

    assert Repo.from_path(str(tmp_path / ".aim")) is repo
    assert Repo(str(tmp_path)) == repo
    assert {repo: 1}[Repo(str(tmp_path))] == 1
    assert (str(tmp_path), str(tmp_path / ".aim")) == (repo.root_path, repo.path)
    assert RepoStatus.UPDATED is Repo.check_repo_status(str(tmp_path))
    assert repo != "something"


def test_the_default_repository_is_the_nearest_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    From a folder below, the default repository is found; without one it is the current folder.
    """
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert str(inner) == Repo.default_repo_path()

    Repo(str(tmp_path), init=True)
    assert str(tmp_path) == Repo.default_repo_path()
    assert Repo(str(tmp_path)) == Repo.default_repo()
    with Run() as run:
        assert str(tmp_path) == run.repo.root_path


def test_the_folder_s_name_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `__AIM_REPO_NAME__` names the folder.
    """
    monkeypatch.setenv("__AIM_REPO_NAME__", "tracked")
    Repo(str(tmp_path), init=True)

    assert (tmp_path / "tracked" / "FORMAT").exists()
    assert str(tmp_path) == clean_repo_path(tmp_path / "tracked")


def test_a_repository_is_removed(tmp_path: Path) -> None:
    """
    `rm` deletes it; what is not there is a FileNotFoundError.
    """
    finished_run(Repo.from_path(str(tmp_path), init=True))
    Repo.rm(str(tmp_path))

    assert not Repo.exists(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        Repo.rm(str(tmp_path))
    assert 0 == Repo.from_path(str(tmp_path), init=True).total_runs_count()


def test_repositories_of_other_versions_are_told_apart(tmp_path: Path) -> None:
    """
    A repository of Aim 3 is not read, and a run is recorded beside it; one of a newer format is an error that says so.
    Nothing is written into either.
    """
    old = tmp_path / "old" / ".aim"
    old.mkdir(parents=True)
    (old / "run_metadata.sqlite").write_bytes(b"")
    newer = tmp_path / "newer" / ".aim"
    newer.mkdir(parents=True)
    (newer / "FORMAT").write_text('{"format": 2}\n')

    with pytest.raises(UnsupportedFormat, match="Aim 3"):
        Repo(str(tmp_path / "old"))
    with Run(repo=tmp_path / "old", system_tracking_interval=None, capture_terminal_logs=False) as run:
        assert str(tmp_path / "old" / ".aim4-import") == run.repo.root_path
    with pytest.raises(UnsupportedFormat, match="format 2"):
        Repo(str(tmp_path / "newer"))
    assert ["run_metadata.sqlite"] == [path.name for path in old.iterdir()]


def test_an_address_without_a_server_is_said_so() -> None:
    """
    `aim://` is an error that says that nobody answers, not a folder of that name.
    """
    for open_it in (Repo, Repo.from_path, Repo.exists, lambda address: Run("a", repo=address, read_only=True)):
        with pytest.raises(ConnectionError, match="aim://127.0.0.1:9: no Aim server answers"):
            open_it("aim://127.0.0.1:9")
    with pytest.raises(UsageError, match="int"):
        Run(repo=5)  # type: ignore[arg-type]


def test_runs_are_listed(repo: Repo) -> None:
    """
    All runs, in the order of their hashes; the active ones; and whether one is there.
    """
    open_run = Run(repo=repo)
    runs = [finished_run(repo) for _ in range(3)]
    hashes = sorted(run.hash for run in (*runs, open_run))

    assert (hashes, 4) == (repo.list_all_runs(), repo.total_runs_count())
    assert hashes == [run.hash for run in repo.iter_runs()]
    assert [open_run.hash] == repo.list_active_runs()
    assert [] == repo.list_corrupted_runs()
    assert (True, False) == (repo.run_exists(open_run.hash), repo.run_exists("abc"))
    open_run.close()


def test_a_deleted_run_is_gone(repo: Repo) -> None:
    """
    `delete_run` deletes; an unknown hash is a clear error; `delete_runs` says which are left.
    """
    first, second, third = (finished_run(repo) for _ in range(3))

    assert repo.delete_run(first.hash)
    assert repo.get_run(first.hash) is None
    with pytest.raises(MissingRunError, match="abc"):
        repo.delete_run("abc")
    with pytest.raises(MissingRunError, match="deleted"):
        first.name  # noqa: B018
    assert (False, ["abc"]) == repo.delete_runs([second.hash, "abc", third.hash])
    assert [] == repo.list_all_runs()
    assert (True, []) == repo.delete_runs([])


def test_a_run_deleted_while_it_records_does_not_disturb(repo: Repo, caplog: pytest.LogCaptureFixture) -> None:
    """
    Deleting an open run is possible; its process goes on and ends without an error.
    """
    run = Run(repo=repo)
    run.track(1.0, name="loss")
    repo.delete_run(run.hash)
    for _ in range(1000):
        run.track(1.0, name="loss")
    with caplog.at_level(logging.ERROR):
        run.close()

    assert [] == repo.list_all_runs()


def test_runs_are_copied_whole(repo: Repo, tmp_path: Path) -> None:
    """
    A copy has the params, properties, tags, times, points and objects of the run.
    """
    import numpy as np

    run = Run(repo=repo)
    run.track(Image(np.full((2, 2), 7, np.uint8)), name="image")
    run.track(0.5, name="loss")
    run["a"] = 1
    run.name = "whole"
    run.close()
    target = Repo(str(tmp_path / "target"), init=True)

    assert (True, []) == repo.copy_runs([run.hash], target)
    copy = target.get_run(run.hash)
    assert copy is not None
    assert ("whole", {"a": 1}, run.creation_time, run.end_time) == (
        copy.name,
        copy[...],
        copy.creation_time,
        copy.end_time,
    )
    assert [0.5] == copy.get_metric("loss").values.tolist()
    image = copy.get_image_sequence("image")
    assert image is not None
    assert 7 == image.values[0].to_pil_image().getpixel((0, 0))


def test_what_can_t_be_copied_is_named(repo: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Unknown runs, and runs that the target has, remain; they are named with the reason.
    """
    run = finished_run(repo)
    target = Repo(str(tmp_path / "target"), init=True)
    repo.copy_runs([run.hash], target)

    assert (False, ["abc", run.hash]) == repo.copy_runs(["abc", run.hash], str(tmp_path / "target"))
    assert "already" in caplog.text
    assert "Cannot find run 'abc'" in caplog.text


def test_a_moved_run_is_there_and_not_here(repo: Repo, tmp_path: Path) -> None:
    """
    `move_runs` copies, then deletes.
    """
    run = finished_run(repo)
    target = Repo(str(tmp_path / "target"), init=True)

    assert (True, []) == repo.move_runs([run.hash], target)
    assert ([], [run.hash]) == (repo.list_all_runs(), target.list_all_runs())


def test_an_open_run_may_be_copied_and_not_moved(repo: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Copying a run that records takes it as it is at the moment, and says so; moving it is refused.
    """
    run = Run(repo=repo)
    run.track(0.5, name="loss")
    target = Repo(str(tmp_path / "target"), init=True)

    assert (False, [run.hash]) == repo.move_runs([run.hash], target)
    assert "still recording, so it is not moved" in caplog.text
    assert (True, []) == repo.copy_runs([run.hash], target)
    assert f"Run {run.hash} is still recording: the copy has what was recorded so far." in caplog.messages
    copy = target.get_run(run.hash)
    assert copy is not None
    assert [0.5] == copy.get_metric("loss").values.tolist()
    run.close()


def test_reading_only_means_reading_only(repo: Repo) -> None:
    """
    Through a repository opened with `read_only=True` nothing changes.
    """
    run = finished_run(repo)
    reading = Repo(repo.root_path, read_only=True)
    same = reading.get_run(run.hash)
    assert same is not None

    for change in (
        lambda: reading.delete_run(run.hash),
        lambda: reading.move_runs([run.hash], repo),
        lambda: Run(repo=reading),
        lambda: setattr(same, "name", "x"),
        lambda: same.add_tag("x"),
        lambda: repo.copy_runs([run.hash], reading),
    ):
        with pytest.raises(ReadOnly):
            change()
    assert ("small", ["t"]) == (same.name, same.tags)


def test_an_experiment_is_deleted_with_its_runs(repo: Repo) -> None:
    """
    `delete_experiment` deletes the runs of an experiment, and says whether there were any.
    """
    finished_run(repo, "a")
    kept = finished_run(repo, "b")

    assert (True, False) == (repo.delete_experiment("a"), repo.delete_experiment("a"))
    assert [kept.hash] == repo.list_all_runs()


def test_info_of_all_runs(repo: Repo) -> None:
    """
    `collect_sequence_info` and `collect_params_info` tell what there is in all runs.
    """
    finished_run(repo)
    with Run(repo=repo, system_tracking_interval=None) as run:
        run["hparams"] = {"lr": "auto", "model": {"depth": 3}}
        run.track(1, name="loss")
        run.track(1, name="loss", context={"subset": "train"})
    found = repo.collect_sequence_info("metric")["metric"]

    assert {"loss"} == set(found)
    assert [{}, {"subset": "train"}] == sorted(found["loss"], key=len)
    assert {"metric", "images"} == set(repo.collect_sequence_info(("metric", "images")))
    with pytest.raises(ValueError, match="zzz"):
        repo.collect_sequence_info(("zzz",))
    with pytest.raises(ValueError, match="zzz"):
        repo.validate_sequence_types("zzz")
    types = repo.collect_params_info()["hparams"]
    assert {"__example_type__": "<class 'int'>"} == types["model"]["depth"]
    assert {"lr", "model"} == set(types)


def test_the_last_values_of_a_metric_are_those_of_its_points(repo: Repo) -> None:
    """
    Each run that has the metric in this context is there, whether it ended or records, with what was recorded last.
    """
    runs = [Run(repo=repo, system_tracking_interval=None) for _ in range(4)]
    for number, run in enumerate(runs[:3]):
        for step in (0, 5, 3):
            run.track(number + step / 10, name="loss", step=step, context={"subset": "val"})
    runs[3].track(7, name="loss", context={"subset": "train"})
    runs[0].close()
    first = repo.last_values("loss", {"subset": "val"})
    runs[1].track(-1, name="loss", step=6, context={"subset": "val"})

    later = repo.last_values("loss", {"subset": "val"})

    assert {run.hash: number + 0.5 for number, run in enumerate(runs[:3])} == first
    assert {**first, runs[1].hash: -1.0} == later
    assert {} == repo.last_values("loss")
    for run in runs:
        run.close()


def test_the_info_of_params_has_the_order_of_params(repo: Repo) -> None:
    """
    What `collect_params_info` merges from several runs is ordered by keys, as the params of one run are.
    """
    for hparams in ({"b": 1, "layers": [1]}, {"c": {3: 1, "x": 2}, "a": 1}, {"c": {"w": 1}}):
        with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = hparams
    found = repo.collect_params_info()["hparams"]

    assert ["a", "b", "c", "layers"] == list(found)
    assert ["w", "x", 3] == list(found["c"])


def test_the_info_of_params_keeps_both_sides_and_items_of_lists(repo: Repo) -> None:
    """
    A key that holds a number in one run and a dict in another keeps both; a list is the list of its items' types.
    """
    for hparams in (
        {"model": 5, "layers": [1], "empty": {}, "none": [], "mixed": {"a": 1}},
        {"model": {"depth": 3}, "layers": [2, {"size": 0.5}], "empty": {"x": 1}, "mixed": ["b"]},
    ):
        with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
            run["hparams"] = hparams
    whole = {"__example_type__": "<class 'int'>"}
    text = {"__example_type__": "<class 'str'>"}
    found = repo.collect_params_info()["hparams"]

    assert {**whole, "depth": whole} == found["model"]
    assert [whole, {"size": {"__example_type__": "<class 'float'>"}}] == found["layers"]
    assert {"x": whole} == found["empty"]
    assert {"__example_type__": "<class 'list'>"} == found["none"]
    assert {"a": whole, 0: text} == found["mixed"]


def test_a_tag_tells_its_id_which_removes_it(repo: Repo) -> None:
    """
    The id of a tag is public, and `remove_tag` takes it as well as the name.
    """
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.add_tag("paper")
        (tag,) = repo.tags()

        assert "7ba4420e-b4dc-baeb-0d36-91af18ab04b4" == tag.id
        assert run.remove_tag(tag.id)
        assert [] == run.tags


def test_contexts_keep_the_order_of_their_keys(repo: Repo) -> None:
    """
    Wherever a context is read, its keys are in the order that they were given; in another order it is the same one.
    """
    given: dict[str, object] = {"b": 1, "a": {"z": [{"y": 1, "x": 2}], "c": 2}}
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(1.0, name="loss", context=given)
        run.track(2.0, name="loss", context={"a": given["a"], "b": 1})
        live = _contexts_of(repo, run)
    care.seal(Repository(Path(repo.root_path)), [run.hash])

    assert {json.dumps(given)} == live == _contexts_of(repo, run) == _contexts_of(Repo(repo.root_path), run)


def _contexts_of(repo: Repo, run: Run) -> set[str]:
    queried = repo.query_metrics("", QueryReportMode.DISABLED)
    read = Run(run.hash, repo=repo, read_only=True)
    found = [
        *(context.to_dict() for _, context, _ in read.iter_metrics_info()),
        *(metric.context.to_dict() for metric in [*queried, *read.metrics()]),
        *(info["context"] for info in read.collect_sequence_info("metric")["metric"]),
        *repo.collect_sequence_info("metric")["metric"]["loss"],
    ]
    return {json.dumps(context) for context in found}


def test_errors_have_the_names_of_aim_3() -> None:
    """
    Old callers catch MissingRunError, RepoIntegrityError and RunLockingError, all RuntimeErrors.
    """
    from aim.sdk import errors

    assert issubclass(errors.MissingRunError, RuntimeError)
    assert issubclass(errors.RepoIntegrityError, RuntimeError)
    assert issubclass(errors.RunLockingError, RuntimeError)
    assert issubclass(RepoNotFound, RuntimeError)


def test_a_tag_has_a_colour_for_all_runs(repo: Repo, run: Run) -> None:
    """
    What is said of a tag is there beside the number of its runs, whoever asks; the tags of runs stay names.
    """
    run.add_tag("paper")
    made = repo.set_tag("paper", color="green", description="is in it")

    assert ("paper", "#3f9463", "is in it", 1) == (made.name, made.color, made.description, made.run_count)
    assert [made] == Repo(repo.root_path).tags()
    assert ["paper"] == run.tags == run.props.tags
    assert 1 == repo.rename_tag("paper", "accepted")
    assert ["accepted"] == run.tags
    assert 1 == repo.delete_tag("accepted")
    assert ([], []) == (run.tags, repo.tags())


def test_tags_of_a_repository_for_reading_only_are_not_changed(repo: Repo) -> None:
    """
    Tags are listed, and every change is refused.
    """
    repo.set_tag("paper", color="green")
    reading = Repo(repo.root_path, read_only=True)

    assert ["paper"] == [tag.name for tag in reading.tags()]
    for change in (
        lambda: reading.set_tag("paper", color="red"),
        lambda: reading.rename_tag("paper", "x"),
        lambda: reading.delete_tag("paper"),
    ):
        with pytest.raises(ReadOnly):
            change()
