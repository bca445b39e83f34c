"""The command line. Only `output` prints."""
