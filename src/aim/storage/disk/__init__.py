"""
Names of files, every call that changes the disk, and what a disk refused.

Imports the standard library and `core` only. Knows that there are files, never what their bytes
mean.
"""
