"""
Runs as files of other programs: tables, event files of TensorBoard, a file store of MLflow, an archive, one page.

    export        which runs, which format, where to: the one door
    exported_run  a run as every format reads it: its record, its curves, its objects
    export_report what was written, and what the format can't hold
"""
