"""The callback of transformers under its short name: `from aim.hugging_face import AimCallback`."""

from __future__ import annotations

from aim.sdk.adapters.hugging_face import AimCallback as AimCallback
from aim.sdk.adapters.hugging_face import install as install
