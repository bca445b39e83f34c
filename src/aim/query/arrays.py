"""
The arrays that queries are evaluated over: codes and rows, numbers, and truths, one for each row.

The light modules of the room name them in annotations only, so that a query can be compiled without numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
NumberArray = npt.NDArray[Any]
"""float64, int64 or bool."""
