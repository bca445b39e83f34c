"""
Looking after a repository: checking, repairing, archiving and forking runs.

Imports `reading`, `sealing`, `recording`, `forms`, `disk` and `core`. Nothing here removes
or rewrites what was recorded.
"""
