"""
Objects of other libraries are told apart by names, and read without importing the libraries.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import PIL.Image
import pytest

from aim.core.errors import WrongType
from aim.sdk.objects.recognise import (
    is_array,
    is_jax_array,
    is_matplotlib_figure,
    is_numpy_array,
    is_pil_image,
    is_plotly_figure,
    is_tensorflow_tensor,
    is_torch_tensor,
    numpy_of,
)
from tests.sdk.objects import foreign

GRAY = np.array([[0.0, 0.5], [1.0, 0.25]], np.float32)
ASKS = (is_torch_tensor, is_tensorflow_tensor, is_jax_array, is_numpy_array, is_pil_image, is_matplotlib_figure)


@pytest.mark.parametrize(
    ("value", "ask"),
    [
        (foreign.Tensor(GRAY), is_torch_tensor),
        (foreign.Parameter(GRAY), is_torch_tensor),
        (foreign.EagerTensor(GRAY), is_tensorflow_tensor),
        (foreign.ArrayImpl(GRAY), is_jax_array),
        (GRAY, is_numpy_array),
        (PIL.Image.new("L", (1, 1)), is_pil_image),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_each_library_is_recognised_by_exactly_one_question(value: object, ask: Any) -> None:
    """
    A tensor, array or image belongs to its own library and to no other.
    """
    assert [ask] == [question for question in ASKS if question(value)]


def test_figures_are_recognised_by_their_library() -> None:
    """
    A figure of matplotlib is not one of plotly, nor the other way round.
    """
    import matplotlib.figure
    import plotly.graph_objects

    drawn, plotted = matplotlib.figure.Figure(), plotly.graph_objects.Figure()

    assert (True, False) == (is_matplotlib_figure(drawn), is_plotly_figure(drawn))
    assert (False, True) == (is_matplotlib_figure(plotted), is_plotly_figure(plotted))


@pytest.mark.parametrize("value", ["text", 5, 0.5, None, [1, 2], {"a": 1}, object()])
def test_plain_values_are_no_arrays(value: object) -> None:
    """
    Numbers, texts, lists and dicts are not taken for arrays.
    """
    assert not is_array(value)


@pytest.mark.parametrize(
    "value",
    [
        GRAY,
        foreign.Tensor(GRAY),
        foreign.Parameter(GRAY),
        foreign.EagerTensor(GRAY),
        foreign.ArrayImpl(GRAY),
        foreign.ndarray(GRAY),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}",
)
def test_the_values_of_any_library_come_out_as_numpy(value: object) -> None:
    """
    A tensor with a gradient on a device, and an array of each library, gives its values.
    """
    assert is_array(value)
    assert GRAY.tolist() == numpy_of(value).tolist()


def test_a_type_that_numpy_lacks_becomes_float32() -> None:
    """
    A bfloat16 tensor is read as float32.
    """
    array = numpy_of(foreign.Tensor(GRAY, kind="bfloat16"))

    assert ("float32", GRAY.tolist()) == (array.dtype.name, array.tolist())


def test_a_tensor_without_values_is_a_clear_error() -> None:
    """
    A symbolic tensor can't be read, and the message says which and what to do.
    """
    with pytest.raises(WrongType, match=r"tensorflow.*SymbolicTensor has no values to read.*Pass a numpy array"):
        numpy_of(foreign.SymbolicTensor(GRAY))


def test_importing_the_objects_loads_no_heavy_package() -> None:
    """
    Importing every module of objects, and asking whose a value is, loads the standard library only.
    """
    job = """
import sys, pkgutil, importlib
import aim.sdk.objects
for module in pkgutil.iter_modules(aim.sdk.objects.__path__):
    importlib.import_module(f"aim.sdk.objects.{module.name}")
from aim.sdk.objects.recognise import is_array
is_array(5)
tops = {name.partition(".")[0] for name in sys.modules}
sys.stdout.write(" ".join(sorted(tops & {"numpy", "PIL", "plotly", "matplotlib", "pandas", "pyarrow", "torch"})))
"""
    done = subprocess.run([sys.executable, "-c", job], capture_output=True, text=True, check=False)

    assert ("", 0) == (done.stdout, done.returncode), done.stderr
