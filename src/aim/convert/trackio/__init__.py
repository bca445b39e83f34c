"""
Trackio: a database of SQLite for each project, media beside it.
"""
