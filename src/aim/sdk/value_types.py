"""
The names of types of values, and whether values of two types may share a sequence; for callers of Aim 3.

Recording itself uses `aim.core.values`. The types of a library are recognised by their names, so that no library is
imported for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aim.core.values import Storable, is_number, number

NUMPY_ARRAYS = ("ndarray.numpy",)
NUMPY_NUMBERS = ("generic.numpy",)
TORCH_TENSORS = ("Tensor.torch",)
TF_TENSORS = ("Tensor.tensorflow", "EagerTensor.tensorflow", "ResourceVariable.tensorflow")
JAX_ARRAYS = ("DeviceArray.jaxlib", "ArrayImpl.jaxlib", "Array.jax")
UNKNOWN = "unknown"
NUMBERS = frozenset({"int", "float"})


def inst_has_typename(inst: object, types: Iterable[str]) -> bool:
    """
    Return whether the full name of one of the classes of *inst* holds all words of *types*.

    >>> inst_has_typename(True, ["builtins", "int"]), inst_has_typename(True, ["torch", "Tensor"])
    (True, False)
    """
    words = list(types)
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(inst).__mro__]
    return any(all(word in name for word in words) for name in names)


def _is_one_of(inst: object, types: Iterable[str]) -> bool:
    # each of *types* is `<name>.<package>`
    names = set(types)
    return any(f"{kind.__name__}.{kind.__module__.partition('.')[0]}" in names for kind in type(inst).__mro__)


def is_numpy_array(inst: object) -> bool:
    """Return whether *inst* is an array of numpy."""
    return _is_one_of(inst, NUMPY_ARRAYS)


def is_numpy_number(inst: object) -> bool:
    """Return whether *inst* is a number of numpy: a scalar, or an array of one number."""
    return _is_one_of(inst, (*NUMPY_NUMBERS, *NUMPY_ARRAYS)) and is_number(inst)


def is_pytorch_tensor(inst: object) -> bool:
    """Return whether *inst* is a tensor of torch."""
    return _is_one_of(inst, TORCH_TENSORS)


def is_tf_tensor(inst: object) -> bool:
    """Return whether *inst* is a tensor of tensorflow."""
    return _is_one_of(inst, TF_TENSORS)


def is_jax_device_array(inst: object) -> bool:
    """Return whether *inst* is an array of jax."""
    return _is_one_of(inst, JAX_ARRAYS)


def is_py_number(value: object) -> bool:
    """Return whether *value* is an int, a float or a bool."""
    return isinstance(value, (int, float))


def get_object_typename(obj: object) -> str:
    """
    Return the type under which `track()` records *obj*: `int`, `float`, `aim.image`, `list(aim.image)` ...

    >>> get_object_typename(True), get_object_typename([1.5]), get_object_typename([]), get_object_typename(None)
    ('int', 'list(float)', 'list', 'unknown')
    """
    if isinstance(obj, (list, tuple)):
        return f"list({get_object_typename(obj[0])})" if obj else "list"
    if isinstance(obj, Storable):
        return str(getattr(type(obj), "AIM_NAME", None) or obj.stored().kind)
    if isinstance(obj, str):
        return "str"
    return type(number(obj)).__name__ if is_number(obj) else UNKNOWN


def check_types_compatibility(
    dtype: str, base_dtype: str, update_base_dtype_fn: Callable[[str, str], object] | None = None
) -> bool:
    """
    Return whether a sequence of type *base_dtype* takes a value of type *dtype*.

    Args:
        update_base_dtype_fn: called with (*base_dtype*, the sequence's new type) when the value changes it.

    >>> check_types_compatibility("float", "int", print), check_types_compatibility("int", "aim.image")
    int number
    (True, False)
    """
    if dtype == base_dtype or (dtype in NUMBERS and base_dtype == "number"):
        return True
    if dtype in NUMBERS and base_dtype in NUMBERS:
        changed = "number"
    elif dtype == "list" and base_dtype.startswith("list("):
        return True
    elif base_dtype == "list" and dtype.startswith("list("):
        changed = dtype
    else:
        return False
    if update_base_dtype_fn is not None:
        update_base_dtype_fn(base_dtype, changed)
    return True
