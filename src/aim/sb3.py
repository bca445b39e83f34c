"""
The adapter of sb3 under its short name: `from aim.sb3 import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.sb3 import AimCallback as AimCallback
from aim.sdk.adapters.sb3 import AimOutputFormat as AimOutputFormat
