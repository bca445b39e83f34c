"""
The adapter of paddle under its short name: `from aim.paddle import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.paddle import AimCallback as AimCallback
