"""Aim 3's callback for distributed trainings: `from aim.distributed_hugging_face import AimCallback`."""

from __future__ import annotations

from aim.sdk.adapters.distributed_hugging_face import AimCallback as AimCallback
