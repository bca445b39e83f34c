"""
Safe mode under the name of Aim 3: `from aim.utils import enable_safe_mode`.
"""

from __future__ import annotations

from aim.sdk.safe_mode import disable_safe_mode as disable_safe_mode
from aim.sdk.safe_mode import enable_safe_mode as enable_safe_mode
