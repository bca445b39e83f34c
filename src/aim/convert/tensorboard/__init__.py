"""
TensorBoard: event files, read without TensorFlow and without TensorBoard.

Rule: `frames` and `reading` know nothing of runs; `importer` knows nothing of bytes.
"""
