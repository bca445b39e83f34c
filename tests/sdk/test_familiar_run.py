"""
Calls that people know from other trackers: `run.log`, `run.config`, `run.summary`, `run.finish`, and `Run(name=...)`.
"""

from __future__ import annotations

import argparse
import logging
from typing import Any

import pytest

from aim import Repo, Run, Text
from aim.core.errors import NotFound, ReadOnly, UnstorableParam, UntrackableValue, UsageError

PLAIN: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}


def test_log_tracks_a_dict_of_values(run: Run) -> None:
    """
    `run.log` records each value under its name, at the step, epoch and context of the call.
    """
    run.log({"loss": 0.5, "train": {"acc": 1, "deep": {"er": 2}}}, step=3, epoch=1, context={"fold": 1})

    tracked = {metric.name: (metric.context.to_dict(), *metric.values.last()) for metric in run.metrics()}
    assert {"loss": ({"fold": 1}, 3, 0.5), "train/acc": ({"fold": 1}, 3, 1), "train/deep/er": ({"fold": 1}, 3, 2)} == (
        tracked
    )


def test_a_dict_of_which_one_value_is_refused_records_none(run: Run) -> None:
    """
    An error names the value by its joined name, and the others are not recorded.
    """
    with pytest.raises(UntrackableValue, match="'train/word': Input type str"):
        run.log({"loss": 0.5, "train": {"word": "high"}})

    assert [] == list(run.metrics())


def test_names_of_nested_dicts_that_meet_are_an_error(run: Run) -> None:
    """
    Two ways to one name are not one sequence, and a dict that holds itself has no end.
    """
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle

    with pytest.raises(UntrackableValue, match="Two keys of the dict are 'a/b'"):
        run.track({"a": {"b": 1}, "a/b": 2})
    with pytest.raises(UntrackableValue, match="contains itself"):
        run.track(cycle)


def test_a_value_without_a_name_says_how_to_name_it(run: Run) -> None:
    """
    The sentence of Aim 3 comes first, for scripts that compare it, and then what to write.
    """
    with pytest.raises(UntrackableValue) as raised:
        run.track(0.5)

    assert "'name' should not be None." == raised.value.args[0]
    assert "run.track(0.5, name='loss')" in str(raised.value)


def test_config_is_the_params_of_the_run(run: Run) -> None:
    """
    What is set by attribute, by key or by `update` is a param at the root, and reads back in all three ways.
    """
    run.config.lr = 0.1
    run.config["optimizer"] = {"name": "adam"}
    run.config.update(argparse.Namespace(epochs=3), seed=7)
    run["hparams"] = {"depth": 2}

    assert (0.1, "adam", 3, 7) == (run["lr"], run["optimizer", "name"], run.config.epochs, run.config["seed"])
    assert ["epochs", "hparams", "lr", "optimizer", "seed"] == sorted(run.config)
    assert {"depth": 2} == run.config.hparams == run.config.get("hparams")
    assert 9 == run.config.setdefault("width", 9)
    del run.config.seed
    assert "seed" not in run.config
    assert 5 == len(run.config)
    assert "'lr': 0.1" in repr(run.config)
    with pytest.raises(KeyError):
        del run.config["seed"]


def test_a_setting_that_is_missing_says_what_is_there(run: Run) -> None:
    """
    A typing error is an AttributeError that names what is near, or what there is.
    """
    run.config.learning_rate = 0.1

    with pytest.raises(AttributeError, match="Did you mean 'learning_rate'"):
        _ = run.config.learning_rat
    with pytest.raises(AttributeError, match="There are: learning_rate"):
        _ = run.config.zzz
    assert not hasattr(run.summary, "best")


def test_config_leaves_the_environment_and_the_summary_out(run: Run) -> None:
    """
    What Aim records of the machine, and what the run came to, are no settings.
    """
    run["__system_params"] = {"packages": {}}
    run.summary.best = 0.5
    run.config.lr = 0.1

    assert ({"lr": 0.1}, 0.5) == (dict(run.config), run["summary", "best"])


def test_summary_has_the_last_values_of_metrics(run: Run) -> None:
    """
    A metric is read by its name where one context is meant; what was set by the script comes first.
    """
    for step in range(3):
        run.log({"loss": 1 / (1 + step), "acc": step})
        run.track(step, name="both", context={"subset": "train"})
        run.track(step, name="both", context={"subset": "val"})
        run.track(step * 10, name="only", context={"subset": "val"})
    run.track(Text("a"), name="text")
    run.summary.update({"acc": 0.9})

    assert {"acc": 0.9, "loss": 1 / 3, "only": 20} == dict(run.summary)
    with pytest.raises(KeyError):
        _ = run.summary["both"]
    with pytest.raises(KeyError):
        _ = run.summary["missing"]


def test_finish_ends_the_run(repo: Repo) -> None:
    """
    `finish` is `close`.
    """
    run = Run(repo=repo, **PLAIN)
    run.finish()

    assert ("finished", False) == (run.status, run.active)


def test_a_run_is_described_when_it_is_made(repo: Repo) -> None:
    """
    Name, tags, config, description and notes can be given to `Run`, and are those of its properties.
    """
    with Run(repo=repo, name="a", tags=["x", "y", "x"], config={"lr": 1}, description="d", notes="n", **PLAIN) as run:
        seen = (run.name, run.tags, run.config.lr, run.description, run.notes)
    with Run(repo=repo, tags="alone", **PLAIN) as other:
        assert ["alone"] == other.tags

    assert ("a", ["x", "y"], 1, "d", "n") == seen


def test_a_resumed_run_keeps_what_is_not_given_again(repo: Repo, caplog: pytest.LogCaptureFixture) -> None:
    """
    Ranks and resumed trainings give the same tags again, without a warning; what is left out stays.
    """
    with Run(repo=repo, name="a", tags=["x"], description="d", **PLAIN) as run:
        run_hash = run.hash
    with Run(run_hash, repo=repo, tags=["x", "y"], **PLAIN) as run:
        assert ("a", ["x", "y"], "d") == (run.name, run.tags, run.description)

    assert [] == caplog.records


def test_what_run_is_given_is_checked(repo: Repo) -> None:
    """
    A config that is none, a value that can't be stored, and tags that are no texts are errors which say so.
    """
    with pytest.raises(UsageError, match="A config is a dict, a namespace or a dataclass, not a str"):
        Run(repo=repo, config="lr=1", **PLAIN)
    with pytest.raises(UnstorableParam, match="model"):
        Run(repo=repo, config={"model": object()}, **PLAIN)
    with pytest.raises(UsageError, match="tags is 5"):
        Run(repo=repo, tags=5, **PLAIN)  # type: ignore[arg-type]


def test_a_run_that_is_read_takes_properties_and_no_config(repo: Repo) -> None:
    """
    Properties can be edited through a run that is open for reading; its params can't.
    """
    with Run(repo=repo, **PLAIN) as run:
        run_hash = run.hash

    assert "later" == Run(run_hash, repo=repo, read_only=True, name="later").name
    with pytest.raises(ReadOnly, match="Resume it with"):
        Run(run_hash, repo=repo, read_only=True, config={"lr": 1})


@pytest.mark.parametrize("read_only", [False, True])
def test_an_unknown_hash_names_both_things_that_may_be_meant(repo: Repo, read_only: bool) -> None:
    """
    Who gives a name where a hash belongs reads how a run is named, and how one of this hash is made.
    """
    with pytest.raises(NotFound, match=r"Cannot find run 'mnist' .*Run\('mnist', create=True\).*Run\(name='mnist'\)"):
        Run("mnist", repo=repo, read_only=read_only)


@pytest.mark.parametrize("name", ["log", "config", "summary", "finish", "best_so_far"])
def test_any_attribute_may_be_set_as_in_aim_3(run: Run, name: str) -> None:
    """
    A script that keeps something of its own under one of these names goes on as with Aim 3.
    """
    mine = object()
    setattr(run, name, mine)

    assert mine is getattr(run, name)
    assert {} == run[...]


def test_setting_config_says_that_nothing_is_recorded(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """
    `run.config = ...` is kept on the object, and one warning says how it would be recorded.
    """
    with caplog.at_level(logging.WARNING, "aim"):
        run.config = {"lr": 1}
        run.config = {"lr": 2}

    assert {"lr": 2} == run.config
    assert 1 == len(caplog.records)
    assert "run.config.update(values)" in caplog.text


def test_params_of_these_names_are_params(run: Run) -> None:
    """
    A param called `log`, `config` or `finish` is stored, read and queried as any other.
    """
    for name in ("log", "config", "finish", "name"):
        run[name] = {"x": 1}
    run.flush()

    assert [1, 1, 1, 1] == [run[name, "x"] for name in ("log", "config", "finish", "name")]
    assert [run.hash] == [match.hash for match in run.repo.runs("run.log.x == 1 and run.config.x == 1")]


def test_a_class_of_a_user_keeps_its_own_members(repo: Repo) -> None:
    """
    Nothing here calls `log`, `config`, `summary` or `finish` of a run, so a subclass may have its own.
    """

    class OwnRun(Run):
        def log(self, text: str) -> str:  # type: ignore[override]
            return text.upper()

        def finish(self) -> None:
            raise AssertionError("nobody asked for it")

    run = OwnRun(repo=repo, config={"lr": 1}, **PLAIN)
    with run:
        assert "HELLO" == run.log("hello")
        run.track({"loss": 0.5})

    assert "finished" == run.status
