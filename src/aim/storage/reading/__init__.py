"""
Points and objects of a run as arrays, from journals and from sealed files.

Imports `sealing`, `forms`, `disk` and `core`. It never writes.
"""
