"""
Paths that callers of Aim 3 import from: resources, the notebook. Each hands names on from the module that defines them.
"""
