"""
The adapter of xgboost under its short name: `from aim.xgboost import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.xgboost import AimCallback as AimCallback
