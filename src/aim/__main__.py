"""`python -m aim` is `aim`."""

from __future__ import annotations

from aim.cli.main import main

main()
