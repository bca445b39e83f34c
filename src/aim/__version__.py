"""
Make `from aim.__version__ import __version__` work beside `aim.__version__` as a str.

Importing a submodule binds it to its name in the package, which would turn `aim.__version__` from a str into
a module, for everybody in the process. So this module puts the str-like `VERSION` in its own place.
"""

from __future__ import annotations

import sys

from aim.__about__ import VERSION as __version__

sys.modules[__name__] = __version__  # type: ignore[assignment]  # anything may stand in sys.modules
