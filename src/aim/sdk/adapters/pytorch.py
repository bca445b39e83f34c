"""
A training loop of one's own in PyTorch: parameters and gradients as distributions and norms.

    track_params_dists(model, run, step=step)             now
    track_gradients_dists(model, run, step=step)          after backward()
    handle = watch(model, run, log_freq=100)              by itself, at each 100th backward pass

The names are in session/model_watch.py: layers as Aim 3 names them, each parameter of the model once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.model_watch import DATA, GRADIENTS, ModelRecorder, ModelWatch, named_parameters
from aim.sdk.adapters.session.ranks import rank_of
from aim.sdk.objects.distribution import BIN_COUNT_DEFAULT
from aim.sdk.run import Run

torch = framework("torch", "torch", "aim.pytorch")
_calls: weakref.WeakKeyDictionary[Any, dict[str, int]] = weakref.WeakKeyDictionary()


def track_params_dists(
    model: Any,
    run: Run,
    *,
    step: int | None = None,
    epoch: float | None = None,
    context: Mapping[str, Any] | None = None,
    bins: int = BIN_COUNT_DEFAULT,
    every: int = 1,
    names: Callable[[str], bool] | None = None,
    norms: bool = False,
) -> None:
    """
    Record the distribution of each parameter of a model.

    Args:
        step, epoch, context: as for `Run.track`; without a step each call is the next one.
        bins: of each histogram.
        every: record at each *every*-th call for this model, from the first one.
        names: records only the layers whose path it accepts.
        norms: record `param_norm/<path>` as metrics, too.

    On other ranks than 0 of a distributed training nothing is recorded. Of a tensor that is sharded it is this
    process's shard.

    Cost: one pass over each parameter, where it lies. 1 M parameters on a CPU: 10 ms.
    """
    _record(DATA, model, run, every, step, epoch, bins=bins, context=context, names=names, norms=norms)


def track_gradients_dists(
    model: Any,
    run: Run,
    *,
    step: int | None = None,
    epoch: float | None = None,
    context: Mapping[str, Any] | None = None,
    bins: int = BIN_COUNT_DEFAULT,
    every: int = 1,
    names: Callable[[str], bool] | None = None,
    norms: bool = False,
) -> None:
    """Record the distribution of each gradient of a model, and `grad_norm/<path>`; see `track_params_dists`."""
    _record(GRADIENTS, model, run, every, step, epoch, bins=bins, context=context, names=names, norms=norms)


def _record(kind: str, model: Any, run: Run, every: int, step: int | None, epoch: float | None, **options: Any) -> None:
    calls = _calls.setdefault(model, {})
    call = calls[kind] = calls.get(kind, -1) + 1
    if call % max(1, every) == 0 and rank_of() == 0:
        ModelRecorder(model, lambda: run, **options).record(kind, step, epoch)


def watch(
    model: Any,
    run: Run,
    log: str = "gradients",
    log_freq: int = 100,
    *,
    context: Mapping[str, Any] | None = None,
    bins: int = BIN_COUNT_DEFAULT,
    names: Callable[[str], bool] | None = None,
    norms: bool = False,
) -> ModelWatch:
    """
    Record gradients or parameters at each *log_freq*-th backward pass, until `.remove()` of what is returned.

    Args:
        log: `gradients`, `parameters` or `all`.
        context, bins, names, norms: see `track_params_dists`.

    Raises:
        UsageError: *log* is none of these.
    """
    recorder = ModelRecorder(model, lambda: run, bins=bins, context=context, names=names, norms=norms)
    handle = ModelWatch(recorder, log, log_freq)
    if rank_of() != 0:
        handle.remove()
    return handle


def get_model_layers(model: Any, dt: str, parent_name: str | None = None) -> dict[str, dict[str, Any]]:
    """
    Return the parameters, or the gradients, of each layer by its path, as arrays; a function of Aim 3.

    Args:
        dt: `data` or `gradients`.
        parent_name: stands before each path.
    """
    layers: dict[str, dict[str, Any]] = {}
    for path, _, parameter in named_parameters(model):
        name = f"{parent_name}__{path}" if parent_name else path
        tensor = parameter if dt == DATA else parameter.grad
        if tensor is not None:
            layers.setdefault(name, {})[_name_in(model, parameter)] = get_pt_tensor(tensor)
    return layers


def _name_in(model: Any, parameter: Any) -> str:
    names = (name for name, other in model.named_parameters() if other is parameter)
    return str(next(names)).rpartition(".")[2]


def get_pt_tensor(t: Any) -> Any:
    """Return a tensor as an array of numpy; numbers of 16 bits become float32."""
    plain = t.detach().cpu()
    return (plain.float() if plain.dtype in (torch.bfloat16, torch.float16) else plain).numpy()
