"""
The values of one step, as what `Run.track` takes.

Tensors on an accelerator are fetched together, since each fetch waits for all work that the device has pending; values
of other kinds, and tensors with more than one element, are left as they are for `track` to judge.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any


def flat(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """
    Yield the values of nested dicts, their names joined by a slash.

    >>> dict(flat({"loss": 1.0, "val": {"acc": 0.5}}))
    {'loss': 1.0, 'val/acc': 0.5}
    """
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value


def fetched(values: Mapping[Any, Any]) -> dict[str, Any]:
    """
    Return values by name, where each tensor of one element is a number.

    Cost: one copy for each device that the tensors are on, whatever their number.
    """
    named = dict(flat(values))
    torch = sys.modules.get("torch")
    tensor_class = getattr(torch, "Tensor", None)
    if tensor_class is None:
        return named
    remote: dict[Any, list[str]] = {}
    for name, value in named.items():
        if isinstance(value, tensor_class) and value.numel() == 1:
            if value.device.type == "cpu":
                named[name] = value.detach().item()
            elif value.device.type != "meta":
                remote.setdefault((value.device, value.is_floating_point()), []).append(name)
    for (_, is_float), names in remote.items():
        kind = torch.float32 if is_float else torch.int64  # type: ignore[union-attr]
        batch = torch.stack([named[name].detach().reshape(()).to(kind) for name in names])  # type: ignore[union-attr]
        named.update(zip(names, batch.tolist()))
    return named
