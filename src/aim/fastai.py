"""
The adapter of fastai under its short name: `from aim.fastai import AimCallback`.
"""

from __future__ import annotations

from aim.sdk.adapters.fastai import AimCallback as AimCallback
