"""
Looking after a repository: check, repair, archive, and copies of runs.

Imports `reading`, `sealing`, `recording`, `forms`, `disk` and `core`. Nothing here deletes or
rewrites what was recorded.
"""
