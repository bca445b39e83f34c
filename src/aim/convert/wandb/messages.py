"""
The records of W&B's files, as tables of field numbers (public facts of its wandb_internal.proto, seen in 0.13 to 0.31).
"""

from __future__ import annotations

from aim.convert.protobuf import INT, TEXT, MessageField, Table
from aim.convert.timestamps import TIMESTAMP

MAGIC = b":W&B\xe1\xbe\x00"

ITEM: Table = {
    1: MessageField("key", TEXT),
    2: MessageField("nested_key", TEXT, is_repeated=True),
    16: MessageField("value_json", TEXT),
}
STEP: Table = {1: MessageField("num", INT)}
HISTORY: Table = {1: MessageField("items", ITEM, is_repeated=True), 2: MessageField("step", STEP)}
CHANGES: Table = {
    1: MessageField("update", ITEM, is_repeated=True),
    2: MessageField("remove", ITEM, is_repeated=True),
}
FILE: Table = {1: MessageField("path", TEXT)}
FILES: Table = {1: MessageField("files", FILE, is_repeated=True)}
STATS: Table = {2: MessageField("timestamp", TIMESTAMP), 3: MessageField("items", ITEM, is_repeated=True)}
ALERT: Table = {1: MessageField("title", TEXT), 2: MessageField("text", TEXT), 3: MessageField("level", TEXT)}
METRIC: Table = {1: MessageField("name", TEXT), 2: MessageField("glob", TEXT), 4: MessageField("step_metric", TEXT)}
OUTPUT: Table = {2: MessageField("timestamp", TIMESTAMP), 3: MessageField("line", TEXT)}
TELEMETRY: Table = {5: MessageField("cli_version", TEXT)}
RUN: Table = {
    1: MessageField("id", TEXT),
    2: MessageField("entity", TEXT),
    3: MessageField("project", TEXT),
    4: MessageField("config", CHANGES),
    6: MessageField("group", TEXT),
    7: MessageField("job_type", TEXT),
    8: MessageField("display_name", TEXT),
    9: MessageField("notes", TEXT),
    10: MessageField("tags", TEXT, is_repeated=True),
    13: MessageField("host", TEXT),
    17: MessageField("start_time", TIMESTAMP),
    19: MessageField("telemetry", TELEMETRY),
}
EXIT: Table = {1: MessageField("exit_code", INT), 2: MessageField("runtime", INT)}
VERSION: Table = {1: MessageField("producer", TEXT)}
HEADER: Table = {1: MessageField("version", VERSION)}
RECORD: Table = {
    2: MessageField("history", HISTORY),
    3: MessageField("summary", CHANGES),
    5: MessageField("config", CHANGES),
    6: MessageField("files", FILES),
    7: MessageField("stats", STATS),
    10: MessageField("alert", ALERT),
    11: MessageField("telemetry", {}),
    12: MessageField("metric", METRIC),
    13: MessageField("output", OUTPUT),
    17: MessageField("run", RUN),
    18: MessageField("exit", EXIT),
    21: MessageField("header", HEADER),
    22: MessageField("footer", {}),
    26: MessageField("environment", {}),
}
