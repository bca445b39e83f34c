"""
ClearML: the ZIP of a task that ran offline.
"""
