"""
Whose object is this? Answered by the names of its type and of the type's parents, so nothing is imported to ask.

A library that was never imported can't have made the object, so its name is enough; and a training that has
torch but no plotly pays for neither here.

    library        root of the module    names
    torch          torch                 Tensor (Parameter and other subclasses by their parents)
    tensorflow     tensorflow            Tensor, EagerTensor, Variable, ...
    jax            jax, jaxlib           Array, ArrayImpl, DeviceArray
    cupy           cupy                  ndarray
    Pillow         PIL                   Image
    matplotlib     matplotlib            Figure
    plotly         plotly                BaseFigure
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aim.core.errors import WrongType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TENSORFLOW_TYPES = frozenset({"Tensor", "EagerTensor", "Variable", "ResourceVariable", "BaseResourceVariable"})
JAX_TYPES = frozenset({"Array", "ArrayImpl", "DeviceArray"})


def is_torch_tensor(value: object) -> bool:
    """Return whether *value* is a tensor of torch."""
    return _is(value, ("torch",), ("Tensor",))


def is_tensorflow_tensor(value: object) -> bool:
    """Return whether *value* is a tensor or variable of tensorflow."""
    return _is(value, ("tensorflow",), TENSORFLOW_TYPES)


def is_jax_array(value: object) -> bool:
    """Return whether *value* is an array of jax."""
    return _is(value, ("jax", "jaxlib"), JAX_TYPES)


def is_numpy_array(value: object) -> bool:
    """Return whether *value* is an array of numpy."""
    return _is(value, ("numpy",), ("ndarray",))


def is_pil_image(value: object) -> bool:
    """Return whether *value* is an image of Pillow."""
    return _is(value, ("PIL",), ("Image",))


def is_matplotlib_figure(value: object) -> bool:
    """Return whether *value* is a figure of matplotlib."""
    return _is(value, ("matplotlib",), ("Figure", "FigureBase"))


def is_plotly_figure(value: object) -> bool:
    """Return whether *value* is a figure or a figure widget of plotly."""
    return _is(value, ("plotly",), ("BaseFigure", "Figure", "FigureWidget"))


def is_array(value: object) -> bool:
    """
    Return whether *value* is an array or tensor of any library: it has a shape and a way to numpy.

    >>> is_array([1, 2])
    False
    """
    if is_torch_tensor(value) or is_tensorflow_tensor(value) or is_jax_array(value) or is_numpy_array(value):
        return True
    ways = ("__array__", "numpy", "get")
    return hasattr(value, "shape") and hasattr(value, "dtype") and any(hasattr(value, way) for way in ways)


def numpy_of(value: Any) -> NDArray[np.generic]:
    """
    Return an array or tensor of any library as a numpy array, which may share its memory.

    A tensor is detached and brought from its device; types that numpy lacks (bfloat16, float8) become float32,
    sparse and quantised tensors plain ones.

    Raises:
        WrongType: it has no elements to give, such as a traced or meta tensor.

    Cost: nothing for numpy and for torch on the CPU; else one copy.
    """
    import numpy as np

    if is_numpy_array(value):
        return np.asarray(value)
    try:
        if is_torch_tensor(value):
            return _numpy_of_torch(value)
        if _is(value, ("cupy",), ("ndarray",)):
            return np.asarray(value.get())
        if hasattr(value, "__array__"):
            array = np.asarray(value)
        else:
            array = np.asarray(value.numpy())
    except (TypeError, ValueError, RuntimeError, NotImplementedError, AttributeError) as error:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise WrongType(f"a {kind} has no values to read: {error}. Pass a numpy array.") from error
    # Types from the package ml_dtypes, such as bfloat16, are of kind V to numpy.
    return array.astype(np.float32) if array.dtype.kind == "V" and array.dtype.names is None else array


def _numpy_of_torch(tensor: Any) -> NDArray[np.generic]:
    import numpy as np

    plain = tensor.detach()
    if getattr(plain, "is_quantized", False):
        plain = plain.dequantize()
    if str(getattr(plain, "layout", "torch.strided")) != "torch.strided":
        plain = plain.to_dense()
    kind = str(plain.dtype)
    if "bfloat16" in kind or "float8" in kind:
        plain = plain.float()
    return np.asarray(plain.cpu().numpy())


def _is(value: object, roots: Iterable[str], names: Iterable[str]) -> bool:
    return any(kind.__name__ in names and kind.__module__.partition(".")[0] in roots for kind in type(value).__mro__)
