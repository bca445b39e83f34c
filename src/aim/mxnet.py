"""
The adapter of Aim 3 for mxnet, which is not available: importing this module says why.
"""

from __future__ import annotations

import aim.sdk.adapters.mxnet  # noqa: F401  # raises
