"""
Stand-ins for the tensors of libraries that the tests don't install: only what recognition and reading ask of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class _Foreign:
    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self.shape = array.shape
        self.ndim = array.ndim
        self.dtype: Any = array.dtype

    def item(self) -> Any:
        return self._array.item()


class Tensor(_Foreign):
    """A tensor of torch: on a device, with a gradient, perhaps of a type that numpy lacks."""

    def __init__(
        self, array: NDArray[Any], kind: str = "float32", detached: bool = False, on_host: bool = False
    ) -> None:
        super().__init__(array)
        self.dtype = f"torch.{kind}"
        self.layout = "torch.strided"
        self._detached, self._on_host, self._kind = detached, on_host, kind

    def detach(self) -> Tensor:
        return Tensor(self._array, self._kind, True, self._on_host)

    def float(self) -> Tensor:
        return Tensor(self._array.astype(np.float32), "float32", self._detached, self._on_host)

    def cpu(self) -> Tensor:
        return Tensor(self._array, self._kind, self._detached, True)

    def numpy(self) -> NDArray[Any]:
        if not self._detached:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if not self._on_host:
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        if self._kind == "bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._array


class Parameter(Tensor):
    """A subclass, as torch.nn.Parameter is."""


class EagerTensor(_Foreign):
    """A tensor of tensorflow."""

    def numpy(self) -> NDArray[Any]:
        return self._array


class ArrayImpl(_Foreign):
    """An array of jax."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self._array


class ndarray(_Foreign):
    """An array of cupy, which refuses to become numpy's without being asked."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def get(self) -> NDArray[Any]:
        return self._array


class SymbolicTensor(_Foreign):
    """A tensor of a graph that is still being built: it has no values."""

    def numpy(self) -> NDArray[Any]:
        raise NotImplementedError("numpy() is only available when eager execution is enabled.")


Tensor.__module__ = "torch"
Parameter.__module__ = "torch.nn.parameter"
EagerTensor.__module__ = "tensorflow.python.framework.ops"
ArrayImpl.__module__ = "jaxlib._jax"
ndarray.__module__ = "cupy"
SymbolicTensor.__module__ = "tensorflow.python.framework.ops"
