"""
An ended writer as one Parquet file: written, read, and salvaged when it is damaged.

Imports `forms`, `disk` and `core`. It never changes a writer that may still record, and
removes a journal only after its sealed form was synced.
"""
