"""
What runs inside a training: one writer and its files, its background thread and its ends.

Imports `forms`, `disk`, `core` and the standard library only. Nothing here reads another writer's
files or waits for another process.
"""
