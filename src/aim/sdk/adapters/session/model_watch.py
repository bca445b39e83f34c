"""
Parameters and gradients of a torch module as distributions and norms.

    name                                        context
    encoder.Linear__0.Linear  (Aim 3's path)    {"type": "data" | "gradients", "params": "weights" | "biases"}

A histogram is computed where the tensor lies: of a tensor on an accelerator only its bins are copied. Values that are
not finite are left out and counted. A parameter that several layers share is recorded once, under its first name.

A parameter of another name than `weight` and `bias` (`weight_ih_l0` of an LSTM, `in_proj_weight` of attention) has its
own name in the context: `{"params": "weight_ih_l0"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aim.core.errors import UsageError
from aim.sdk.adapters.session.failures import Failures
from aim.sdk.objects.distribution import BIN_COUNT_DEFAULT, Distribution

DATA = "data"
GRADIENTS = "gradients"
KINDS = {"weight": "weights", "bias": "biases"}
LOGS = {"parameters": (DATA,), "gradients": (GRADIENTS,), "all": (DATA, GRADIENTS)}


def named_parameters(model: Any) -> Iterator[tuple[str, str, Any]]:
    """
    Yield each parameter of a module once: the path of its layer as Aim 3 names it, what it is in the layer, itself.

    A layer's path is `<name>.<class>` of each module on the way to it, joined by `__`; what stands on the module
    itself is under the module's class.
    """
    seen = set()
    for path, layer in _layers(model):
        for name, parameter in layer.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield path or type(model).__name__, KINDS.get(name, name), parameter


def _layers(model: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, model
    for name, child in model.named_children():
        own_name = f"{name}.{type(child).__name__}"
        yield from _layers(child, f"{path}__{own_name}" if path else own_name)


def distribution_of(tensor: Any, bins: int = BIN_COUNT_DEFAULT) -> Distribution | None:
    """
    Return the histogram of a tensor, computed on its device; None for one without elements.

    Of a tensor that is sharded over several devices it is the shard of this process.
    """
    import torch

    values = tensor.detach()
    values = values.to_local() if hasattr(values, "to_local") else values
    values = values.to_dense() if values.layout is not torch.strided else values
    values = values.reshape(-1).to(torch.float32 if values.dtype is not torch.float64 else torch.float64)
    finite = values[torch.isfinite(values)]
    if not finite.numel():
        return None
    low, high = finite.min(), finite.max()
    if finite.device.type == "cpu":
        weights = torch.histc(finite, bins, min=float(low), max=float(high)).tolist()
        edges = [float(low), float(high)]
    else:
        counts = torch.histc(finite, bins)  # its default range is that of the values
        *weights, low_edge, high_edge = torch.cat([counts, torch.stack([low, high])]).tolist()
        edges = [low_edge, high_edge]
    if edges[0] == edges[1]:
        edges = [edges[0] - 0.5, edges[1] + 0.5]
    return Distribution(hist=[int(weight) for weight in weights], bin_range=edges)


class ModelRecorder:
    """
    Records the parameters of one model.

    Args:
        run: returns the run, at each record.
        bins: of a histogram.
        context: is added to each context.
        names: keeps a parameter whose path this function accepts; None keeps all.
        norms: record `param_norm/<path>` and `grad_norm/<path>` as metrics, too.
    """

    def __init__(
        self,
        model: Any,
        run: Callable[[], Any],
        *,
        bins: int = BIN_COUNT_DEFAULT,
        context: Mapping[str, Any] | None = None,
        names: Callable[[str], bool] | None = None,
        norms: bool = False,
    ) -> None:
        self.model = model
        self.run = run
        self.bins = bins
        self.context = dict(context or {})
        self.names = names
        self.norms = norms
        self.failures = Failures("aim.pytorch")

    def record(self, kind: str, step: int | None = None, epoch: float | None = None) -> None:
        """Record all parameters (*kind* `data`) or their gradients; nothing raises."""
        for path, what, parameter in named_parameters(self.model):
            self.record_tensor(kind, path, what, parameter if kind == DATA else parameter.grad, step, epoch)

    def record_tensor(
        self, kind: str, path: str, what: str, tensor: Any, step: int | None = None, epoch: float | None = None
    ) -> None:
        """Record one parameter or gradient; None, a gradient that is not there, is left out."""
        if tensor is not None and (self.names is None or self.names(path)):
            self.failures.guarded(lambda: self._record(kind, path, what, tensor, step, epoch), f"{kind} of {path}")

    def _record(self, kind: str, path: str, what: str, tensor: Any, step: int | None, epoch: float | None) -> None:
        context = {**self.context, "type": kind, "params": what}
        run = self.run()
        distribution = distribution_of(tensor, self.bins)
        if distribution is not None:
            run.track(distribution, name=path, step=step, epoch=epoch, context=context)
        if self.norms:
            norm = tensor.detach().float().norm().item()
            prefix = "param_norm" if kind == DATA else "grad_norm"
            run.track(norm, name=f"{prefix}/{path}", step=step, epoch=epoch, context={**self.context, "params": what})


class ModelWatch:
    """
    Records a model at each *log_freq*-th backward pass, until `remove()`.

    Attributes:
        step: of what is recorded: it counts the backward passes, from 0.

    Args:
        step_of: returns the step, in place of the count.

    Raises:
        UsageError: *log* is none of `gradients`, `parameters`, `all`.

    Cost: a hook for each parameter, 0.5 us where nothing is due.
    """

    def __init__(
        self,
        recorder: ModelRecorder,
        log: str = "gradients",
        log_freq: int = 100,
        *,
        step_of: Callable[[], int] | None = None,
    ) -> None:
        if log not in LOGS:
            raise UsageError(f"log is {log!r}; it has to be 'gradients', 'parameters' or 'all'.")
        self.step = -1
        self._recorder = recorder
        self._kinds = LOGS[log]
        self._log_freq = max(1, int(log_freq))
        self._handles: list[Any] = []
        self._first: Any = None
        self._step_of = step_of
        for path, what, parameter in named_parameters(recorder.model):
            if parameter.requires_grad:
                self._handles.append(parameter.register_post_accumulate_grad_hook(self._hook(path, what)))

    def _hook(self, path: str, what: str) -> Callable[[Any], None]:
        def record(parameter: Any) -> None:
            if self._first is None:
                self._first = parameter
            if parameter is self._first:  # the first gradient of each pass begins a step
                self.step = self.step + 1 if self._step_of is None else self._step_of()
            if self.step % self._log_freq == 0:
                for kind in self._kinds:
                    tensor = parameter if kind == DATA else parameter.grad
                    self._recorder.record_tensor(kind, path, what, tensor, self.step)

        return record

    def remove(self) -> None:
        """Stop recording the model."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def __enter__(self) -> ModelWatch:
        return self

    def __exit__(self, *raised: object) -> None:
        self.remove()
