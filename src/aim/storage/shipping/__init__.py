"""
Files of runs on their way to a server: what of them is new, its bytes on the wire, and the files made of these bytes.
Specified in docs/formats/ship.md.
"""
