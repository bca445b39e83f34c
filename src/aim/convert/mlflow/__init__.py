"""
MLflow: file stores (`mlruns`) and databases of SQLite.

    file_store, sql_store   where it is   ->  `MlflowRun` and rows of metrics
    importer                these         ->  neutral events
"""
