"""`Images`, at its place of Aim 3.29; it is defined in `aim.sdk.image_sequence`."""

from __future__ import annotations

from aim.sdk.image_sequence import Images as Images
