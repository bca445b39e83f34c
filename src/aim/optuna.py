"""
The adapter of optuna under its short name: `from aim.optuna import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.optuna import AimCallback as AimCallback
