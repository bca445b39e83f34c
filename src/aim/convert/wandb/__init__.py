"""
Weights & Biases: the folders of its offline mode, and of runs that were synced, read without the package.

Rule: `blocks` and `reading` know nothing of runs.
"""
