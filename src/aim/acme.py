"""
The adapter of Aim 3 for acme, which is not available: importing this module says why.
"""

from __future__ import annotations

import aim.sdk.adapters.acme  # noqa: F401  # raises
