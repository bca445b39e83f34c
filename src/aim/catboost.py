"""
The adapter of catboost under its short name: `from aim.catboost import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.catboost import AimCallback as AimCallback
from aim.sdk.adapters.catboost import AimLogger as AimLogger
