"""
`aim.sdk.num_utils`, as callers of Aim 3 import it; see `aim.core.values` and `aim.sdk.value_types`.
"""

from __future__ import annotations

from aim.core.values import is_number as is_number
from aim.core.values import number as convert_to_py_number
from aim.sdk.value_types import inst_has_typename as inst_has_typename
from aim.sdk.value_types import is_jax_device_array as is_jax_device_array
from aim.sdk.value_types import is_numpy_array as is_numpy_array
from aim.sdk.value_types import is_numpy_number as is_numpy_number
from aim.sdk.value_types import is_py_number as is_py_number
from aim.sdk.value_types import is_pytorch_tensor as is_pytorch_tensor
from aim.sdk.value_types import is_tf_tensor as is_tf_tensor

__all__ = [
    "convert_to_py_number",
    "inst_has_typename",
    "is_jax_device_array",
    "is_number",
    "is_numpy_array",
    "is_numpy_number",
    "is_py_number",
    "is_pytorch_tensor",
    "is_tf_tensor",
]
