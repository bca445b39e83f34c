"""
Names of metrics: which prefix becomes which context.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.sdk.adapters.session.metric_names import SUBSETS, MetricNames
from aim.sdk.adapters.session.options import NameOptions

CASES: list[tuple[dict[str, Any], str, str, dict[str, Any]]] = [
    ({}, "train_loss_step", "loss_step", {"subset": "train"}),
    ({}, "val/acc", "val/acc", {}),
    ({}, "train_", "train_", {}),
    ({}, "lr", "lr", {}),
    ({"metric_names": "keep"}, "train_loss", "train_loss", {}),
    ({"context": {"fold": 3}}, "val_loss", "loss", {"fold": 3, "subset": "val"}),
    ({"context_prefixes": "slash"}, "val/acc", "acc", {"subset": "val"}),
    ({"context_prefixes": "slash"}, "valid_acc", "acc", {"subset": "val"}),
    ({"context_prefixes": "slash"}, "train_loss", "train_loss", {}),
    ({"context_prefixes": {}}, "train_loss", "train_loss", {}),
    ({"context_prefixes": {"subset": {"a": None, "b": "b_"}}}, "a_x", "a_x", {}),
    ({"context_prefixes": {"subset": {"a": "", "b": "b_"}}}, "b_x", "x", {"subset": "b"}),
    (
        {"context_prefixes": {"subset": {"val": "val_"}, "net": {"g": "gen_"}}},
        "val_gen_loss",
        "loss",
        {"subset": "val", "net": "g"},
    ),
    ({"context_postfixes": {"per": {"step": "_step"}}}, "train_loss_step", "loss", {"subset": "train", "per": "step"}),
]


@pytest.mark.parametrize(("options", "name", "expected", "context"), CASES)
def test_a_prefix_becomes_a_context(options: dict[str, Any], name: str, expected: str, context: dict[str, Any]) -> None:
    """
    The rule of the module, case by case; asking again gives the same.
    """
    names = MetricNames(NameOptions(**options), SUBSETS)

    assert (expected, context) == names.split(name) == names.split(name)
