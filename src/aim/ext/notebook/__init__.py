"""
The notebook extension: `%load_ext aim`, then `%aim up`.
"""

from __future__ import annotations

from aim.ext.notebook.notebook import load_ipython_extension as load_ipython_extension
