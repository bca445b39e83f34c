"""
The messages in event files, as tables of field numbers (public facts of tensorflow's event, summary and tensor protos).
"""

from __future__ import annotations

from aim.convert.protobuf import (
    BOOL,
    BYTES,
    DOUBLE,
    FLOAT,
    INT,
    PACKED_DOUBLE,
    PACKED_FLOAT,
    PACKED_INT,
    TEXT,
    MessageField,
    Table,
)

DIMENSION: Table = {1: MessageField("size", INT)}
SHAPE: Table = {2: MessageField("dimensions", DIMENSION, is_repeated=True)}
TENSOR: Table = {
    1: MessageField("dtype", INT),
    2: MessageField("shape", SHAPE),
    4: MessageField("content", BYTES),
    5: MessageField("floats", PACKED_FLOAT),
    6: MessageField("doubles", PACKED_DOUBLE),
    7: MessageField("ints", PACKED_INT),
    8: MessageField("strings", BYTES, is_repeated=True),
    10: MessageField("int64s", PACKED_INT),
    11: MessageField("bools", PACKED_INT),
    13: MessageField("halves", PACKED_INT),
    16: MessageField("uint32s", PACKED_INT),
    17: MessageField("uint64s", PACKED_INT),
}
IMAGE: Table = {1: MessageField("height", INT), 2: MessageField("width", INT), 4: MessageField("data", BYTES)}
HISTOGRAM: Table = {
    1: MessageField("min", DOUBLE),
    2: MessageField("max", DOUBLE),
    3: MessageField("num", DOUBLE),
    6: MessageField("limits", PACKED_DOUBLE),
    7: MessageField("counts", PACKED_DOUBLE),
}
AUDIO: Table = {1: MessageField("rate", FLOAT), 4: MessageField("data", BYTES), 5: MessageField("content_type", TEXT)}
PLUGIN: Table = {1: MessageField("name", TEXT), 2: MessageField("content", BYTES)}
METADATA: Table = {1: MessageField("plugin", PLUGIN), 2: MessageField("display_name", TEXT)}
VALUE: Table = {
    1: MessageField("tag", TEXT),
    2: MessageField("simple_value", FLOAT),
    4: MessageField("image", IMAGE),
    5: MessageField("histogram", HISTOGRAM),
    6: MessageField("audio", AUDIO),
    8: MessageField("tensor", TENSOR),
    9: MessageField("metadata", METADATA),
}
SUMMARY: Table = {1: MessageField("values", VALUE, is_repeated=True)}
SESSION: Table = {1: MessageField("status", INT)}
SOURCE_METADATA: Table = {1: MessageField("writer", TEXT)}
EVENT: Table = {
    1: MessageField("wall_time", DOUBLE),
    2: MessageField("step", INT),
    3: MessageField("file_version", TEXT),
    4: MessageField("graph", BYTES),
    5: MessageField("summary", SUMMARY),
    6: MessageField("log_message", BYTES),
    7: MessageField("session", SESSION),
    9: MessageField("meta_graph", BYTES),
    10: MessageField("source", SOURCE_METADATA),
}
SESSION_START = 1

# The plugin `hparams`: content of its metadata. Values are google.protobuf.Value.
PARAM: Table = {
    1: MessageField("null", INT),
    2: MessageField("number", DOUBLE),
    3: MessageField("text", TEXT),
    4: MessageField("flag", BOOL),
    5: MessageField("struct", BYTES),
    6: MessageField("list", BYTES),
}
PARAM_ENTRY: Table = {1: MessageField("key", TEXT), 2: MessageField("value", PARAM)}
SESSION_INFO: Table = {
    1: MessageField("params", PARAM_ENTRY, is_map=True),
    4: MessageField("group", TEXT),
    5: MessageField("start_s", DOUBLE),
}
HPARAMS: Table = {
    2: MessageField("experiment", BYTES),
    3: MessageField("start", SESSION_INFO),
    4: MessageField("end", BYTES),
}
