"""
The bytes of each kind of file, and what they mean together: one module for a page of docs/formats.

Imports `disk`, `core` and, at module level, the standard library only (`records` and `visible`,
which readers load, use numpy). It neither keeps threads nor decides when something is written.
"""
