"""
Groups of runs whose params are equal but for some: which params are ignored, and which runs are together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.engine.param_groups import CHOSEN, MACHINE, SEED, UNIQUE, ParamGroups, param_groups
from tests.engine.runs import RecordedRun, RecordedRuns

Params = Sequence[Mapping[str, Any]]


def grouped(folder: Path, params: Params, ignored: Sequence[tuple[str, ...]] | None = None) -> ParamGroups:
    """Record a run for each of *params*, and group them."""
    runs = RecordedRuns(folder, [RecordedRun(each) for each in params])
    return param_groups(runs.table, runs.rows, runs.rows, ignored)


def each(name: str, values: Sequence[Any], **others: Any) -> Params:
    """Return params in which only *name* differs."""
    return [{name: value, **others} for value in values]


@pytest.mark.parametrize(
    ("params", "indices", "ignored", "varying"),
    [
        (each("lr", [0.1, 0.2, 0.1]), [0, 1, 0], {}, ["lr"]),
        (each("lr", [0.1, 0.1], seed=1), [0, 0], {}, []),
        (each("seed", [1, 2, 3], lr=0.1), [0, 0, 0], {"seed": SEED}, []),
        (each("data_seed", [1, 2, 1]), [0, 0, 0], {"data_seed": SEED}, []),
        (each("SEED", [1, 2]), [0, 0], {"SEED": SEED}, []),
        (each("seeded", [True, False]), [0, 1], {}, ["seeded"]),
        (each("hostname", ["a", "b", "a"]), [0, 0, 0], {"hostname": MACHINE}, []),
        (each("log_dir", ["a", "b", "a"]), [0, 0, 0], {"log_dir": MACHINE}, []),
        (each("jobid", [1, 2, 1]), [0, 0, 0], {"jobid": MACHINE}, []),
        (each("directory", ["a", "b", "a"]), [0, 1, 0], {}, ["directory"]),
        (each("run_name", ["a", "b", "c"]), [0, 0, 0], {"run_name": UNIQUE}, []),
        (each("run_name", ["a", "b", "a"]), [0, 1, 0], {}, ["run_name"]),
        (each("number", [1, 2, 3]), [0, 0, 0], {"number": UNIQUE}, []),
        (each("lr", [0.1, 0.2, 0.3]), [0, 1, 2], {}, ["lr"]),
        (each("flag", [True, False]), [0, 1], {}, ["flag"]),
        (each("number", [1, 2, 3], seed=5), [0, 1, 2], {}, ["number"]),
        ([{"note": "a"}, {"note": "b"}, {}], [0, 0, 0], {"note": UNIQUE}, []),
        ([{"note": "a"}, {"note": "b"}, {}, {}], [0, 1, 2, 2], {}, ["note"]),
        (each("lr", [1, 1.0, True]), [0, 0, 1], {}, ["lr"]),
        (each("lr", [2**60, float(2**60), 2]), [0, 0, 1], {}, ["lr"]),
        (each("size", [{"a": [1]}, {"a": [1.5]}, {"a": [1]}]), [0, 1, 0], {}, ["size.a"]),
        (each("lr", [math.nan, math.nan, 1.0]), [0, 0, 1], {}, ["lr"]),
        ([{"lr": 0.1}, {}, {"lr": 0.1}, {}], [0, 1, 0, 1], {}, ["lr"]),
        ([], [], {}, []),
    ],
)
def test_runs_of_one_setting_are_together(
    tmp_path: Path, params: Params, indices: list[int], ignored: dict[str, str], varying: list[str]
) -> None:
    """
    Groups are numbered in the order of their first run; seeds, the machine and what each run has for itself do not
    count, but for fractions, and not when the seed is the same in all runs.
    """
    groups = grouped(tmp_path, params)

    assert indices == groups.group_indices
    assert ignored == {".".join(map(str, param.path)): param.why for param in groups.ignored}
    assert varying == [".".join(map(str, path)) for path in groups.varying]


def test_a_list_of_ignored_params_takes_the_place_of_the_rule(tmp_path: Path) -> None:
    """
    With a list, only its params are ignored, a seed is not, and the list is the answer even where nothing differs.
    """
    params = [{"lr": 0.1, "seed": 1}, {"lr": 0.2, "seed": 1}, {"lr": 0.1, "seed": 2}]
    groups = grouped(tmp_path, params, [("lr",), ("nothing",)])

    assert [0, 0, 1] == groups.group_indices
    assert [(("lr",), CHOSEN), (("nothing",), CHOSEN)] == [(param.path, param.why) for param in groups.ignored]
    assert [("seed",)] == groups.varying


def test_the_rule_decides_by_all_runs_and_groups_some(tmp_path: Path) -> None:
    """
    What differs only in runs that are not grouped is ignored all the same, and the order of the rows is kept.
    """
    runs = RecordedRuns(tmp_path, [RecordedRun(params) for params in each("lr", [0.2, 0.1, 0.2, 0.1], seed=1)])
    chosen = runs.rows[[3, 0, 2]]
    groups = param_groups(runs.table, chosen, runs.rows[[2, 0, 3, 1]], None)

    assert [0, 1, 1] == groups.group_indices
    assert [] == param_groups(runs.table, np.zeros(0, np.int64), runs.rows, None).group_indices


def test_where_a_run_was_imported_from_does_not_count(tmp_path: Path) -> None:
    """
    Runs of one setting from two trackers are one group, and nothing of it is called ignored.
    """
    origins = [{"from": "wandb", "at": 1.5}, {"from": "mlflow", "at": 2.5}, {"from": "mlflow", "at": 2.5}]
    groups = grouped(tmp_path, [{"lr": lr, "imported": origin} for lr, origin in zip([0.1, 0.1, 0.2], origins)])

    assert ([], [("lr",)], [0, 0, 1]) == (groups.ignored, groups.varying, groups.group_indices)
