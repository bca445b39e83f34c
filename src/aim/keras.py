"""
The adapter of keras under its short name: `from aim.keras import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.keras import AimCallback as AimCallback
from aim.sdk.adapters.keras import AimTracker as AimTracker
