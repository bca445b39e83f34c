"""
What a query asks of many runs: columns in memory, kept up to date, and stored per machine.

Imports `reading`, `sealing`, `forms`, `disk` and `core`. All of it is a cache: deleting it costs only
the time to make it again.
"""
