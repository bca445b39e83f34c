"""
Tables: CSV, TSV, JSON Lines, Parquet, and the folders of Lightning's CSVLogger.

    reading    a file -> batches of columns
    columns    which column is the step, the time, the run ...
    importer   these -> neutral events
"""
