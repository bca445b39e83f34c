"""
Operations of neptune-scale's offline database, as tables of field numbers (public facts of its protocol, seen in 0.30).

    create := time of creation, name of the experiment
    update := step (whole, millionths), time, and by path: assigned values, changes of sets, values of series
"""

from __future__ import annotations

from aim.convert.protobuf import BOOL, DOUBLE, INT, PACKED_DOUBLE, PACKED_INT, TEXT, MessageField, Table
from aim.convert.timestamps import TIMESTAMP

CREATE, UPDATE = 1, 0
"""Types of operations."""
ADD, REMOVE = 1, 2
"""Changes of a member of a set."""

FILE: Table = {1: MessageField("path", TEXT), 2: MessageField("size", INT), 3: MessageField("mime_type", TEXT)}
COUNTS: Table = {1: MessageField("values", PACKED_INT)}
DENSITIES: Table = {1: MessageField("values", PACKED_DOUBLE)}
HISTOGRAM: Table = {
    1: MessageField("edges", PACKED_DOUBLE),
    3: MessageField("densities", DENSITIES),
    4: MessageField("counts", COUNTS),
}
TEXTS: Table = {1: MessageField("values", TEXT, is_repeated=True)}
VALUE: Table = {
    1: MessageField("float", DOUBLE),
    3: MessageField("int", INT),
    5: MessageField("bool", BOOL),
    6: MessageField("text", TEXT),
    8: MessageField("time", TIMESTAMP),
    12: MessageField("texts", TEXTS),
    13: MessageField("file", FILE),
    14: MessageField("histogram", HISTOGRAM),
}
MEMBER_CHANGE: Table = {1: MessageField("key", TEXT), 2: MessageField("value", INT)}
MEMBER_CHANGES: Table = {1: MessageField("members", MEMBER_CHANGE, is_map=True)}
SET_CHANGE: Table = {1: MessageField("texts", MEMBER_CHANGES)}
VALUE_OF_PATH: Table = {1: MessageField("key", TEXT), 2: MessageField("value", VALUE)}
CHANGE_OF_PATH: Table = {1: MessageField("key", TEXT), 2: MessageField("value", SET_CHANGE)}
STEP: Table = {1: MessageField("whole", INT), 2: MessageField("millionths", INT)}
CREATION: Table = {3: MessageField("created_at", TIMESTAMP), 5: MessageField("experiment", TEXT)}
UPDATE_OF_RUN: Table = {
    1: MessageField("step", STEP),
    2: MessageField("timestamp", TIMESTAMP),
    4: MessageField("assign", VALUE_OF_PATH, is_map=True),
    5: MessageField("change", CHANGE_OF_PATH, is_map=True),
    8: MessageField("append", VALUE_OF_PATH, is_map=True),
}
