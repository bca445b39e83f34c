"""
Safe mode with a callback, under the name of Aim 3.
"""

from __future__ import annotations

from aim.sdk.safe_mode import set_exception_callback as set_exception_callback
