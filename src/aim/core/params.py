"""
Params: what may be stored, its JSON form, and paths into the tree.

A param is None, a bool, an int of 64 bits, a float, a str, bytes, an object with a stored form, or a list or dict of
params. Keys are strings or ints. Tuples become lists; numpy scalars become Python's; an OmegaConf config is resolved.
Reading gives fresh plain values; the keys of a dict come back in one order: strings by their UTF-8 bytes, then ints
(0, 1, 2 ..., then the negatives).

The JSON form is specified in docs/formats/events.md: `encode` and `decode` here are its only implementation.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aim.core import words
from aim.core.errors import UnstorableParam
from aim.core.values import INT_MAX, INT_MIN, Loader, Storable, Stored, is_number, number

LIST_PADDED_MAX = 1_000_000  # one wrong index may not fill the memory of every reader
Key = str | int
Path = tuple[Key, ...]
Restore = Callable[[str, Mapping[str, Any], Loader], object]


def encode(value: object, where: str = "params", *, strict: bool = True) -> Any:
    """
    Return the JSON form of *value*.

    Args:
        where: the path of the value, for messages.
        strict: raise for what can't be stored; else store its `repr()`.

    Raises:
        UnstorableParam: with the path and what to do.
        OverflowError: an int outside 64 bits.

    >>> encode({"lr": 0.1, 3: (1, float("inf"))})
    {'$dict': [['lr', 0.1], [3, [1, {'$float': 'inf'}]]]}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # of a subclass, such as an enum, the text alone
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            shown = words.integer(value)
            raise OverflowError(f"{where} is {shown}, which does not fit 64 bits. Store it as a float or a str.")
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return _encode_dict(value, where, strict)
    if isinstance(value, (list, tuple)):
        return [encode(item, f"{where}[{place}]", strict=strict) for place, item in enumerate(value)]
    return _encode_other(value, where, strict)


def _encode_dict(value: Mapping[object, object], where: str, strict: bool) -> Any:
    if type(value).__module__.partition(".")[0] == "omegaconf":
        return encode(_resolved(value), where, strict=strict)
    pairs: list[tuple[Key, Any]] = []
    for key, item in value.items():
        name = check_key(key, where)
        pairs.append((name, encode(item, f"{where}.{name}", strict=strict)))
    if any(isinstance(key, int) for key, _ in pairs) or (len(pairs) == 1 and str(pairs[0][0]).startswith("$")):
        return {"$dict": [[key, item] for key, item in pairs]}
    return dict(pairs)


def _encode_other(value: object, where: str, strict: bool) -> Any:
    if isinstance(value, Storable):
        return {"$object": object_record(value.stored())}
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    if root == "omegaconf":
        return encode(_resolved(value), where, strict=strict)
    if root == "numpy" and kind.__name__ in ("bool", "bool_"):
        return bool(value)
    if root == "numpy" and getattr(value, "shape", None) == () and is_number(value):
        return encode(number(value), where, strict=strict)
    if not strict:
        return repr(value)
    shape = getattr(value, "shape", None)
    described = f"{kind.__name__} of shape {tuple(shape)}" if shape is not None else kind.__name__
    raise UnstorableParam(
        f"{where}: expected a number, string, list or dict, got {described}. Store {_storable_form(value)}."
    )


def _storable_form(value: object) -> str:
    """What to write instead of *value*: what keeps its parts, where it has some."""
    if hasattr(value, "tolist"):
        return "value.tolist()"
    if isinstance(value, (set, frozenset)):
        return "sorted(value)"
    if not isinstance(value, type):
        if hasattr(value, "__dataclass_fields__"):
            return "dataclasses.asdict(value)"
        if type(value).__name__ in ("Namespace", "SimpleNamespace"):  # of argparse and types, and those made like them
            return "vars(value)"
    return "str(value), or use run.set(key, value, strict=False)"


def _resolved(config: object) -> object:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(config, resolve=True)


OWN_KIND = "$kind"  # of an object in a list of others; no object has a field of this name


def object_record(*items: Stored, offsets: Sequence[int | None] = ()) -> dict[str, Any]:
    """Return the record of objects, as in docs/formats/blobs.md; without *offsets* their bytes lie in it."""
    records = []
    for place, item in enumerate(items):
        data: Any = None
        if item.data is not None:
            data = offsets[place] if offsets else {"$bytes": base64.b64encode(item.data).decode("ascii")}
        record = {"data": data, "size": len(item.data or b""), "extension": item.extension, **item.fields}
        records.append(record if item.kind == items[0].kind else {**record, OWN_KIND: item.kind})
    return {"kind": items[0].kind, "items": records}


def decode(form: Any, restore: Restore | None = None) -> Any:
    """
    Return the value of a JSON form, dicts in the order of keys.

    Args:
        restore: makes an object from its kind, fields and a loader of its bytes; without it an object is its fields.

    >>> decode({"$dict": [[3, 1], ["lr", {"$float": "nan"}], ["b", 2]]})
    {'b': 2, 'lr': nan, 3: 1}
    """
    if isinstance(form, list):
        return [decode(item, restore) for item in form]
    if not isinstance(form, dict):
        return form
    if len(form) == 1:
        ((tag, inner),) = form.items()
        if tag == "$float":
            return float(inner)
        if tag == "$bytes":
            return base64.b64decode(inner)
        if tag == "$dict":
            return ordered({key: decode(item, restore) for key, item in inner})
        if tag == "$object":
            return _decode_object(inner, restore)
    return ordered(
        {
            key: decode(item, restore) if item.__class__ is dict or item.__class__ is list else item
            for key, item in form.items()
        }
    )


def _decode_object(record: Mapping[str, Any], restore: Restore | None) -> Any:
    fields = dict(record["items"][0])
    data = fields.pop("data", None)
    content = base64.b64decode(data["$bytes"]) if data is not None else b""
    if restore is None:
        return {"kind": record["kind"], **fields}
    return restore(record["kind"], fields, lambda: content)


def ordered(tree: dict[Key, Any]) -> dict[Key, Any]:
    """
    Return *tree* with its keys in the stored order.

    >>> ordered({-1: "d", 1: "c", "b": "b", "B": "a"})
    {'B': 'a', 'b': 'b', 1: 'c', -1: 'd'}
    """
    if all(key.__class__ is str for key in tree):  # the order of code points is the order of UTF-8 bytes
        return {key: tree[key] for key in sorted(tree)}
    return dict(sorted(tree.items(), key=lambda pair: _order(pair[0])))


def _order(key: Key) -> tuple[int, bytes, int]:
    if isinstance(key, str):
        return (0, key.encode("utf-8", "surrogatepass"), 0)
    return (1, b"", key) if key >= 0 else (2, b"", key)


def check_key(key: object, where: str) -> Key:
    """Return *key* as a str or int, or raise `UnstorableParam`."""
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, int):
        if not INT_MIN <= key <= INT_MAX:
            raise OverflowError(f"{where} has the key {words.integer(key)}, which does not fit 64 bits. Use a str.")
        return int(key)
    raise UnstorableParam(f"{where} has the key {key!r}, a {type(key).__name__}; keys have to be strings or ints.")


def as_path(key: object) -> Path:
    """
    Return the path that `run[key]` means.

    >>> as_path(...), as_path("lr"), as_path(("hparams", "lr"))
    ((), ('lr',), ('hparams', 'lr'))
    """
    if key is ...:
        return ()
    if isinstance(key, tuple):
        return tuple(check_key(part, "the path") for part in key)
    return (check_key(key, "params"),)


def get_at(tree: Any, path: Path) -> Any:
    """Return what is at *path*; KeyError when nothing is."""
    for key in path:
        try:
            if type(tree) not in (dict, list):
                raise KeyError(key)
            tree = tree[key]
        except (KeyError, IndexError, TypeError):
            raise KeyError(f"No key {path} is present.") from None
    return tree


def set_at(tree: Any, path: Path, value: Any) -> Any:
    """
    Put *value* at *path*, replacing what was there, and give the tree.

    A dict is made where the path goes through a plain value; a list is padded with None, up to a million items.

    Raises:
        UnstorableParam: the path goes further beyond the end of a list.

    >>> set_at({"a": 1, "l": [0]}, ("a", "b"), 2), set_at({"l": [0]}, ("l", 2), "x")
    ({'a': {'b': 2}, 'l': [0]}, {'l': [0, None, 'x']})
    """
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(tree, list) and isinstance(key, int) and key >= 0:
        if key >= LIST_PADDED_MAX:
            raise UnstorableParam(f"Item {key:,} of a list of {len(tree):,}: it is padded to {LIST_PADDED_MAX:,}.")
        tree.extend([None] * (key + 1 - len(tree)))
        tree[key] = set_at(tree[key], rest, value)
        return tree
    if not isinstance(tree, dict):
        tree = {}
    tree[key] = set_at(tree.get(key), rest, value)
    return tree


def delete_at(tree: Any, path: Path) -> Any:
    """Take away what is at *path*, if anything is, and give the tree."""
    if not path:
        return {}
    try:
        parent: Any = get_at(tree, path[:-1])
        del parent[path[-1]]
    except (KeyError, IndexError, TypeError):
        pass
    return tree


def flatten(tree: Mapping[Key, Any], depth_max: int | None = None) -> Iterator[tuple[Path, Any]]:
    """
    Go through the leaves of *tree* with their paths; a dict at *depth_max* keys, an empty dict and a list are leaves.

    >>> list(flatten({"a": {"b": 1}, "l": [1]}))
    [(('a', 'b'), 1), (('l',), [1])]
    """
    for key, value in tree.items():
        if isinstance(value, dict) and value and (depth_max is None or depth_max > 1):
            for path, leaf in flatten(value, None if depth_max is None else depth_max - 1):
                yield (key, *path), leaf
        else:
            yield (key,), value


def dotted(path: Path) -> str:
    """
    Return the name of a flattened param.

    >>> dotted(("hparams", "layers", 3))
    'hparams.layers.[3]'
    """
    return ".".join(f"[{key}]" if isinstance(key, int) else key for key in path)


def json_text(value: object) -> str:
    """Return *value* as JSON for a table's cell; what JSON has no form for as its `str()`."""
    return json.dumps(value, default=str)
