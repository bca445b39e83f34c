"""
Params: what may be stored, its JSON form, and paths into the tree.

A param is None, a bool, an int, a float, a str, bytes, an object with a stored form, or a list or dict of params. Keys
are strings or ints of 64 bits. Tuples become lists, numpy scalars become Python's, and configs become the plain values
that they mean (configs.py).

Reading returns new plain values. The keys of a dict are in one order: strings by their UTF-8 bytes, then ints (0, 1,
2 ..., then the negative ones).

The JSON form is specified in docs/formats/events.md: `encode` and `decode` here are its only implementation.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aim.core import configs, words
from aim.core.errors import UnstorableParam
from aim.core.values import INT_MAX, INT_MIN, Loader, Storable, Stored, is_number

DEPTH_MAX = 100  # levels of containers; no config has more, but a cycle has
INT_BITS_MAX = 4_096  # Python refuses to read and write the digits of much longer ones
ARRAY_ITEMS_MAX = 1_000  # unless strict, an array of no more is stored as a list, a larger one as its shape
PATH_CHARACTERS_MAX = 80  # of a path in a message about depth
LIST_PADDED_MAX = 1_000_000  # so that one wrong index can't fill the memory of every reader
Key = str | int
Path = tuple[Key, ...]
Restore = Callable[[str, Mapping[str, Any], Loader], object]


def encode(value: object, where: str = "params", *, strict: bool = True) -> Any:
    """
    Return the JSON form of *value*.

    Configs (dataclasses, namespaces, OmegaConf, paths, enums, sets, times ...) become the plain values that they mean:
    `configs.plain`.

    Args:
        where: the path of the value, for messages.
        strict: raise an error for a value that can't be stored. Otherwise no error is ever raised: such a value is
            stored as text, a key as its text, a small array as a list, and a dict that contains itself is cut there.

    Raises:
        UnstorableParam: the value can't be stored; the message has the path and says what to do.
        OverflowError: a key is outside 64 bits, or an int has more than 4,096 bits.

    >>> encode({"lr": 0.1, 3: (1, float("inf"))})
    {'$dict': [['lr', 0.1], [3, [1, {'$float': 'inf'}]]]}
    >>> encode({"limit": 10**30}, strict=False)
    {'limit': {'$int': '1000000000000000000000000000000'}}
    """
    return _encode(value, where, strict, ())


def _encode(value: object, where: str, strict: bool, parents: tuple[int, ...]) -> Any:
    """Return the JSON form of *value*, which lies in the containers whose ids are *parents*."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (str, int, float, bytes, bytearray)):
        return _encode_scalar(value, where, strict)
    if id(value) in parents or len(parents) > DEPTH_MAX:
        return _cut(value, where, strict)
    within = (*parents, id(value))
    if isinstance(value, dict):
        return _encode_dict(value, where, strict, within)
    if isinstance(value, (list, tuple)):
        return [_encode(item, f"{where}[{index}]", strict, within) for index, item in enumerate(value)]
    if isinstance(value, Storable):
        return {"$object": object_record(value.stored())}
    simpler = configs.plain(value)
    if simpler is not configs.OTHER:
        return _encode(simpler, where, strict, within)
    if isinstance(value, Mapping):
        return _encode_dict(value, where, strict, within)
    return _encode_array(value, where, strict)


def _encode_scalar(value: str | float | bytes | bytearray, where: str, strict: bool) -> Any:
    if isinstance(value, str):
        return str.__str__(value)  # the plain text of a subclass, such as an enum
    if isinstance(value, int):
        return _encode_int(int(value), where, strict)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    return {"$bytes": base64.b64encode(value).decode("ascii")}


def _encode_int(value: int, where: str, strict: bool) -> Any:
    if INT_MIN <= value <= INT_MAX:
        return value
    if value.bit_length() <= INT_BITS_MAX:
        return {"$int": str(value)}
    if not strict:
        return words.integer(value)
    raise OverflowError(f"{where} is {words.integer(value)}; {INT_BITS_MAX:,} bits are stored. Store hex(value).")


def _cut(value: object, where: str, strict: bool) -> str:
    if strict:
        short = where if len(where) <= PATH_CHARACTERS_MAX else f"{where[:PATH_CHARACTERS_MAX]}…"
        raise UnstorableParam(f"{short} is nested more than {DEPTH_MAX} deep, or holds itself.")
    return f"<{type(value).__qualname__} that holds itself, or is nested more than {DEPTH_MAX} deep>"


def _encode_dict(value: Mapping[Any, Any], where: str, strict: bool, parents: tuple[int, ...]) -> Any:
    pairs: list[tuple[Key, Any]] = []
    for key, item in value.items():
        name = check_key(key, where) if strict else _key_of(key)
        pairs.append((name, _encode(item, f"{where}.{name}", strict, parents)))
    if any(isinstance(key, int) for key, _ in pairs) or (len(pairs) == 1 and str(pairs[0][0]).startswith("$")):
        return {"$dict": [[key, item] for key, item in pairs]}
    return dict(pairs)


def _key_of(key: object) -> Key:
    """Return *key* as a str or int, whatever it is."""
    if isinstance(key, str) or (isinstance(key, int) and INT_MIN <= key <= INT_MAX):
        return check_key(key, "")
    return words.integer(key) if isinstance(key, int) else configs.text_of(key)


def _encode_array(value: object, where: str, strict: bool) -> Any:
    """Return the JSON form of a scalar or an array of a library, or of any other object."""
    kind = type(value)
    shape = getattr(value, "shape", None)
    if kind.__module__.partition(".")[0] == "numpy" and shape == ():
        if kind.__name__ in ("bool", "bool_"):
            return bool(value)
        if is_number(value):
            return _encode(value.item(), where, strict, ())  # type: ignore[attr-defined]  # of a scalar of numpy
    described = f"{kind.__name__} of shape {tuple(shape)}" if isinstance(shape, tuple) else kind.__name__
    if strict:
        raise UnstorableParam(
            f"{where}: expected a number, string, list or dict, got {described}. Store {_storable_form(value)}."
        )
    if isinstance(shape, tuple) and hasattr(value, "tolist"):
        size = math.prod(shape)
        return _encode(value.tolist(), where, strict, ()) if size <= ARRAY_ITEMS_MAX else described
    return configs.text_of(value)


def _storable_form(value: object) -> str:
    """Return what to store instead of *value*, as Python source."""
    return "value.tolist()" if hasattr(value, "tolist") else "str(value), or use run.set(key, value, strict=False)"


OWN_KIND = "$kind"  # the kind of an item that differs from the first; no object has a field of this name


def object_record(*items: Stored, offsets: Sequence[int | None] = ()) -> dict[str, Any]:
    """Return the record of objects, as in docs/formats/blobs.md; without *offsets* the record contains their bytes."""
    records = []
    for index, item in enumerate(items):
        data: Any = None
        if item.data is not None:
            data = offsets[index] if offsets else {"$bytes": base64.b64encode(item.data).decode("ascii")}
        record = {"data": data, "size": len(item.data or b""), "extension": item.extension, **item.fields}
        records.append(record if item.kind == items[0].kind else {**record, OWN_KIND: item.kind})
    return {"kind": items[0].kind, "items": records}


def decode(form: Any, restore: Restore | None = None) -> Any:
    """
    Return the value of a JSON form; the keys of dicts are in the stored order.

    Args:
        restore: makes an object from its kind, fields and a loader of its bytes; None: an object becomes its fields.

    >>> decode({"$dict": [[3, 1], ["lr", {"$float": "nan"}], ["b", 2]]})
    {'b': 2, 'lr': nan, 3: 1}
    """
    if isinstance(form, list):
        return [decode(item, restore) for item in form]
    if not isinstance(form, dict):
        return form
    if len(form) == 1:
        ((tag, inner),) = form.items()
        if tag in TAGS:
            return _decode_tagged(tag, inner, restore)
    return ordered(
        {
            key: decode(item, restore) if item.__class__ is dict or item.__class__ is list else item
            for key, item in form.items()
        }
    )


def decode_in_order(form: Any) -> Any:
    """
    Return the value of a JSON form, without objects; the keys of dicts are in the order that they were given.

    >>> decode_in_order({"subset": "train", "fold": {"$float": "nan"}})
    {'subset': 'train', 'fold': nan}
    """
    if isinstance(form, list):
        return [decode_in_order(item) for item in form]
    if not isinstance(form, dict):
        return form
    pairs: Any = form.items()
    if len(form) == 1 and TAGS.issuperset(form):
        if "$dict" not in form:
            return decode(form)
        pairs = form["$dict"]
    return {key: decode_in_order(item) if item.__class__ in (dict, list) else item for key, item in pairs}


TAGS = frozenset({"$float", "$int", "$bytes", "$dict", "$object"})


def _decode_tagged(tag: str, inner: Any, restore: Restore | None) -> Any:
    if tag == "$float":
        return float(inner)
    if tag == "$int":
        return int(inner)
    if tag == "$bytes":
        return base64.b64decode(inner)
    if tag == "$dict":
        return ordered({key: decode(item, restore) for key, item in inner})
    return _decode_object(inner, restore)


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
    """Return the value at *path*. Raises KeyError if there is none."""
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
    Put *value* at *path* in place of any other, and return the tree.

    A plain value on the path is replaced by a dict; a list is padded with None, up to a million items.

    Raises:
        UnstorableParam: the list would have more than a million items.

    >>> set_at({"a": 1, "l": [0]}, ("a", "b"), 2), set_at({"l": [0]}, ("l", 2), "x")
    ({'a': {'b': 2}, 'l': [0]}, {'l': [0, None, 'x']})
    """
    if not path:
        return value
    key, path_below = path[0], path[1:]
    if isinstance(tree, list) and isinstance(key, int) and key >= 0:
        if key >= LIST_PADDED_MAX:
            raise UnstorableParam(
                f"Item {key:,} of a list of {len(tree):,} can't be set: lists are padded to {LIST_PADDED_MAX:,} items."
            )
        tree.extend([None] * (key + 1 - len(tree)))
        tree[key] = set_at(tree[key], path_below, value)
        return tree
    if not isinstance(tree, dict):
        tree = {}
    tree[key] = set_at(tree.get(key), path_below, value)
    return tree


def delete_at(tree: Any, path: Path) -> Any:
    """Remove the value at *path*, if there is one, and return the tree."""
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
    Yield the leaves of *tree* with their paths. A list, an empty dict, and a dict below *depth_max* keys are leaves.

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
    """Return *value* as JSON for the cell of a table; objects that JSON can't represent become their `str()`."""
    return json.dumps(value, default=str)
