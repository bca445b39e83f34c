"""
The adapter of lightgbm under its short name: `from aim.lightgbm import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.lightgbm import AimCallback as AimCallback
