"""
Check-ins under the name of Aim 3: `from aim.sdk.reporter import CheckIn`.
"""

from __future__ import annotations

from aim.storage.forms.check_ins import CheckIn as CheckIn
