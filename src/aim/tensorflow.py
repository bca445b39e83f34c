"""
The adapter of tensorflow under its short name: `from aim.tensorflow import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.tensorflow import AimCallback as AimCallback
from aim.sdk.adapters.tensorflow import AimTracker as AimTracker
