"""
What Aim 3.29.1 recorded of the same trainings: the same names, contexts and steps, but for what is listed here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.golden import TRAININGS, recorded

FACTS = Path(__file__).parents[1] / "data" / "adapters" / "aim-3.29.1.json"
Place = tuple[str, str]


def place(name: str, **context: Any) -> Place:
    """Return the name and the context of a sequence, to be compared."""
    return name, json.dumps(context, sort_keys=True)


TRAIN, VAL = {"subset": "train"}, {"subset": "val"}
MOVED: dict[str, dict[Place, Place]] = {
    # the name of the data set was lost, so that several data sets overwrote each other
    "xgboost": {place("logloss", stdv=False): place("logloss", subset="valid")},
    "xgboost_cv": {place("logloss", stdv=flag): place("logloss", stdv=flag, subset="test") for flag in (False, True)},
    "lightgbm": {
        place("binary_logloss", data_name="valid"): place("binary_logloss", data_name="valid", subset="valid")
    },
    # "training" is the tag of Ignite's own examples, and was no subset
    "ignite": {place("training_loss"): place("loss", **TRAIN)},
    # names="aim3" keeps these names
    "fastai": {
        place("train_loss", **TRAIN): place("loss", **TRAIN),
        place("valid_loss"): place("loss", **VAL),
    },
}
STEPS_CHANGED = {
    "xgboost": "every value was at step 0",
    "xgboost_cv": "every value was at step 0",
    "fastai": "steps began at 1, and the losses of epochs had steps of their own",
}
LEFT_OUT: dict[str, set[Place]] = {
    # hyperparameters that validation does not use, and the loss of the training once more
    "fastai": {place(name, **VAL) for name in ("train_loss", "eps_0", "lr_0", "mom_0", "sqr_mom_0", "wd_0")},
    # the epoch is the epoch of each point
    "transformers": {place("epoch")},
}


@pytest.mark.parametrize("name", TRAININGS)
def test_metrics_are_where_aim_3_recorded_them(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What scripts and saved queries ask for is there, at the same steps.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    TRAININGS[name]()
    runs = [{place(metric, **context): steps for metric, context, steps in run} for run in recorded(tmp_path)]
    golden = json.loads(FACTS.read_text(encoding="utf-8"))[name]
    missing = []
    for number, series in enumerate(golden):
        for metric, context, steps in series:
            old = place(metric, **context)
            if old in LEFT_OUT.get(name, ()):
                continue
            steps_here = runs[number].get(MOVED.get(name, {}).get(old, old))
            if steps_here is None or (name not in STEPS_CHANGED and steps_here != steps):
                missing.append((old, steps, steps_here))

    assert [] == missing
