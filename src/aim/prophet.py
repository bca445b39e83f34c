"""
The adapter of prophet under its short name: `from aim.prophet import AimLogger`.
"""

from __future__ import annotations

from aim.sdk.adapters.prophet import AimLogger as AimLogger
