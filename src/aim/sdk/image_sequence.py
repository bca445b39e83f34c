"""`Images` at its path of Aim 3; it is defined in `aim.sdk.object_sequences`."""

from __future__ import annotations

from aim.sdk.object_sequences import Images as Images
