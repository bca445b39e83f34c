"""
Aim 3, versions 3.0 to 3.29: repositories of RocksDB and SQLite, read by `rocksdict` (aim[import]).

Rule: nothing in the old folder is opened for writing, and no file is put there.
"""
