"""
The adapter of keras_tuner under its short name: `from aim.keras_tuner import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.keras_tuner import AimCallback as AimCallback
