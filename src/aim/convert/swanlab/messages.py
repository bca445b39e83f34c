"""
The records of SwanLab's files, as tables of field numbers (public facts of its protocol, seen in 0.10.3).

    record := number, time, and one of: start | finish | column | scalar | media | line of the terminal | saved file
"""

from __future__ import annotations

from aim.convert.protobuf import DOUBLE, INT, TEXT, MessageField, Table
from aim.convert.timestamps import TIMESTAMP

MAGIC = b":SWL\xd6\xe1\x02"
SYSTEM_COLUMN = 2
IMAGE, AUDIO, TEXTS, VIDEO, CHART, OBJECT_3D, MOLECULE, HTML = range(2, 10)
"""Types of media."""
RUNNING, FINISHED, CRASHED, ABORTED = range(4)
"""States in which a run ends."""

START: Table = {
    1: MessageField("project", TEXT),
    2: MessageField("workspace", TEXT),
    4: MessageField("name", TEXT),
    5: MessageField("description", TEXT),
    6: MessageField("tags", TEXT, is_repeated=True),
    7: MessageField("group", TEXT),
    8: MessageField("job_type", TEXT),
    10: MessageField("id", TEXT),
    12: MessageField("started_at", TIMESTAMP),
}
FINISH: Table = {
    1: MessageField("state", INT),
    2: MessageField("error", TEXT),
    3: MessageField("finished_at", TIMESTAMP),
}
COLUMN: Table = {1: MessageField("class", INT), 3: MessageField("key", TEXT)}
NUMBER: Table = {1: MessageField("number", DOUBLE)}
SCALAR: Table = {
    1: MessageField("key", TEXT),
    2: MessageField("step", INT),
    4: MessageField("timestamp", TIMESTAMP),
    5: MessageField("value", NUMBER),
}
ITEM: Table = {1: MessageField("filename", TEXT), 2: MessageField("sha256", TEXT), 4: MessageField("caption", TEXT)}
ITEMS: Table = {1: MessageField("items", ITEM, is_repeated=True)}
MEDIA: Table = {
    1: MessageField("key", TEXT),
    2: MessageField("step", INT),
    3: MessageField("type", INT),
    4: MessageField("timestamp", TIMESTAMP),
    5: MessageField("value", ITEMS),
}
LINE: Table = {1: MessageField("line", TEXT), 3: MessageField("timestamp", TIMESTAMP)}
SAVED: Table = {1: MessageField("name", TEXT), 5: MessageField("type", INT)}
RECORD: Table = {
    10: MessageField("start", START),
    11: MessageField("finish", FINISH),
    12: MessageField("column", COLUMN),
    13: MessageField("scalar", SCALAR),
    14: MessageField("media", MEDIA),
    16: MessageField("line", LINE),
    20: MessageField("saved", SAVED),
}
