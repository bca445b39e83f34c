"""
Distributions of parameters and gradients of torch modules.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from aim.core.errors import UsageError
from tests.adapters.conftest import points

torch = pytest.importorskip("torch")


@pytest.fixture(name="adapter")
def _adapter() -> Any:
    """
    The module under test, by its short name.
    """
    return importlib.import_module("aim.pytorch")


@pytest.fixture(name="run")
def _run(repo: Path) -> Iterator[Run]:
    """
    A run without capture.
    """
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        yield run


def network() -> Any:
    """Return a network of two levels with gradients."""
    inner = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), inner)
    model(torch.ones(1, 2)).sum().backward()
    return model


def recorded(run: Run) -> set[tuple[str, str, str]]:
    """Return path, type and params of each distribution."""
    return {
        (info.name, info.context["type"], info.context["params"])
        for info in run._stored_sequences()
        if info.kind.endswith("distribution")
    }


def test_layers_have_the_names_of_aim_3(adapter: Any, run: Run) -> None:
    """
    Paths and contexts are what Aim 3 records for the same model.
    """
    model = network()
    adapter.track_params_dists(model, run)
    adapter.track_gradients_dists(model, run)

    assert {
        (path, kind, params)
        for path in ("0.Linear", "1.Sequential__0.Linear")
        for kind in ("data", "gradients")
        for params in ("weights", "biases")
    } == recorded(run)


def test_each_parameter_is_recorded_once(adapter: Any, run: Run) -> None:
    """
    Parameters of any name, on any level, of 16 bits, shared and without a gradient are recorded; each once.
    """

    class Odd(torch.nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
            self.memory = torch.nn.LSTM(1, 1)
            self.first = torch.nn.Linear(1, 1, bias=False)
            self.second = torch.nn.Linear(1, 1, bias=False)
            self.second.weight = self.first.weight
            self.empty = torch.nn.Parameter(torch.empty(0))

    model = Odd()
    adapter.track_params_dists(model, run, step=3, context={"net": "g"})
    adapter.track_gradients_dists(model, run, step=3)

    assert {
        ("Odd", "data", "scale"),
        ("first.Linear", "data", "weights"),
        *(("memory.LSTM", "data", f"{kind}_{side}_l0") for kind in ("weight", "bias") for side in ("ih", "hh")),
    } == recorded(run)


def test_a_histogram_counts_what_is_there(adapter: Any, run: Run) -> None:
    """
    Bins hold the counts of numpy; values that are not finite are in no bin; equal values are a bin, too.
    """
    model = torch.nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.0, 1.0, 4.0, math.inf]]))
    adapter.track_params_dists(model, run, bins=4)
    with torch.no_grad():
        model.weight.fill_(2.0)
    adapter.track_params_dists(model, run, bins=4)
    first, second = run.get_distribution_sequence("Linear", {"type": "data", "params": "weights"}).values.sparse_list()[
        1
    ]

    assert ([1, 1, 0, 1], [0.0, 4.0]) == (first.weights.tolist(), first.range)
    assert (4, [1.5, 2.5]) == (sum(second.weights.tolist()), second.range)


def test_norms_and_a_choice_of_calls_and_layers(adapter: Any, run: Run) -> None:
    """
    `every` leaves calls out, `names` layers, and `norms` adds metrics.
    """
    model = network()
    for step in range(5):
        adapter.track_gradients_dists(model, run, step=step, every=2, names=lambda path: path == "0.Linear", norms=True)

    assert {"0.Linear"} == {name for name, _, _ in recorded(run)}
    assert [0, 2, 4] == [step for step, _, _ in points(run, "grad_norm/0.Linear", params="weights")]


def test_a_watched_model_records_itself(adapter: Any, run: Run) -> None:
    """
    At each second backward pass both kinds are recorded, until the handle is removed.
    """
    model = torch.nn.Linear(2, 1)
    handle = adapter.watch(model, run, log="all", log_freq=2)
    for _ in range(4):
        model(torch.ones(1, 2)).sum().backward()
    handle.remove()
    model(torch.ones(1, 2)).sum().backward()
    steps = {
        kind: run.get_distribution_sequence("Linear", {"type": kind, "params": "weights"}).indices
        for kind in ("data", "gradients")
    }

    assert {"data": [0, 2], "gradients": [0, 2]} == {kind: list(indices) for kind, indices in steps.items()}
    with pytest.raises(UsageError, match="'gradients', 'parameters' or 'all'"):
        adapter.watch(model, run, log="everything")


def test_other_ranks_record_nothing(adapter: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    On a rank above 0 nothing is recorded.
    """
    monkeypatch.setenv("RANK", "1")
    model = network()
    adapter.track_params_dists(model, run)
    adapter.watch(model, run, log_freq=1)
    model(torch.ones(1, 2)).sum().backward()

    assert set() == recorded(run)


def test_arrays_of_aim_3_are_returned(adapter: Any) -> None:
    """
    `get_model_layers` and `get_pt_tensor` return what Aim 3 returns.
    """
    model = torch.nn.Sequential(torch.nn.Linear(2, 1).to(torch.bfloat16))
    layers = adapter.get_model_layers(model, "data", parent_name="net")

    assert {"net__0.Linear": {"weight": (1, 2), "bias": (1,)}} == {
        path: {name: array.shape for name, array in arrays.items()} for path, arrays in layers.items()
    }
    assert {} == adapter.get_model_layers(model, "gradients")
