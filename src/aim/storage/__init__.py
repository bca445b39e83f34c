"""Bytes on disk: what a run is in files. Knows no query language and no class of the SDK."""
