"""A tape as one file: structure as JSON, arrays as ``.npz``, no pickle anywhere.

In and out: a `Tape`.  Invariant: reading what was written gives the same tape, bit for bit: types of
scalars, NaN, infinities, slices, ``None`` and ``...`` included.
"""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import IO, Any

import numpy as np

from tracer.tape.functions import Slice
from tracer.tape.node import Binding, Call, Kind, Node, Notice, Ref, Site, Span, Window
from tracer.tape.tape import Tape

_FORMAT = 2
#: Arrays of at most so many bytes are kept one after the other in one array: a file of its own for each takes longer.
_SMALL = 1024
_PACKED = "packed"


class StorageError(ValueError):
    """A file that is not a stored tape, or a value that cannot be stored."""


def write(tape: Tape, file: str | Path | IO[bytes], extra: dict[str, Any] | None = None) -> None:
    """Write a tape, with ``extra`` plain JSON data beside it.

    Raises:
        StorageError: an argument of a node is of a type that has no stored form.
    """
    arrays = _Arrays()
    sites: dict[Site, int] = {}
    calls: dict[Call, int] = {}
    document = {
        "format": _FORMAT,
        "nodes": [_node(node, arrays, sites, calls) for node in tape.nodes],
        "bindings": [[b.name, b.node, b.time, _number(b.site, sites), b.scope] for b in tape.bindings],
        "windows": [[w.loop_line, w.iteration, w.start, w.stop] for w in tape.windows],
        "notices": [[n.line, n.column, n.what] for n in tape.notices],
        "calls": [[call.function, _number(call.site, sites)] for call in calls],
        "sites": [[*_span(site.span), site.text, site.path] for site in sites],
        "extra": extra or {},
    }
    arrays[_PACKED] = np.frombuffer(bytes(arrays.packed), dtype=np.uint8)
    arrays["document"] = np.frombuffer(json.dumps(document).encode("utf-8", "surrogatepass"), dtype=np.uint8)
    if isinstance(file, (str, Path)):
        with Path(file).open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
    else:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read(file: str | Path | IO[bytes]) -> tuple[Tape, dict[str, Any]]:
    """The tape and the extra data of a file that `write` wrote.

    Raises:
        StorageError: it is no such file.
    """
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        document = json.loads(arrays.pop("document").tobytes().decode("utf-8", "surrogatepass"))
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise StorageError(f"This is not a stored tape: {error}.") from None
    if document.get("format") != _FORMAT:
        raise StorageError(f"This tape was stored in format {document.get('format')}, not {_FORMAT}.")
    sites = [Site(Span(*item[:4]), item[4], item[5]) for item in document["sites"]]
    calls = [Call(function, sites[site]) for function, site in document["calls"]]
    tape = Tape(
        [_read_node(at, item, arrays, sites, calls) for at, item in enumerate(document["nodes"])],
        [
            Binding(name, node, time, sites[site], scope)
            for name, node, time, site, scope in document["bindings"]
        ],
        [Window(*item) for item in document["windows"]],
        [Notice(*item) for item in document["notices"]],
    )
    return tape, document["extra"]


class _Arrays(dict[str, np.ndarray]):
    """The arrays of a tape: large ones by name, small ones one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.packed = bytearray()

    def keep(self, value: np.ndarray, name: str) -> list[Any]:
        """Keep an array; what `_kept` finds it by.  One in another order than that of C keeps its order, by name."""
        if value.nbytes > _SMALL or value.dtype.kind not in "biufc" or not value.flags.c_contiguous:
            self[name] = value
            return [name]
        start = len(self.packed)
        self.packed += value.tobytes()
        return [start, value.dtype.str, list(value.shape)]


def _kept(arrays: dict[str, np.ndarray], found_by: list[Any]) -> np.ndarray:
    if len(found_by) == 1:
        return arrays[found_by[0]]
    start, dtype, shape = found_by
    count = math.prod(shape)
    flat = np.frombuffer(arrays[_PACKED], dtype=dtype, count=count, offset=start) if count else np.empty(0, dtype)
    return flat.reshape(shape).copy()


def _span(span: Span) -> list[int]:
    return [span.line, span.column, span.end_line, span.end_column]


def _number(item: Any, table: dict[Any, int]) -> int:
    return table.setdefault(item, len(table))


def _node(
    node: Node, arrays: _Arrays, sites: dict[Site, int], calls: dict[Call, int]
) -> list[Any]:
    name = f"v{node.id}"
    return [
        node.kind.value, node.op, _encode(node.args, arrays, name + "a"), _encode(node.kwargs, arrays, name + "k"),
        _encode(node.value, arrays, name), None if node.shape is None else list(node.shape), node.dtype,
        None if node.site is None else _number(node.site, sites), [_number(call, calls) for call in node.calls],
        node.names, node.window, node.origin,
    ]  # fmt: skip


def _read_node(
    at: int, item: list[Any], arrays: dict[str, np.ndarray], sites: list[Site], calls: list[Call]
) -> Node:
    kind, op, args, kwargs, value, shape, dtype, site, running, names, window, origin = item
    return Node(
        at, Kind(kind), op, _decode(args, arrays), _decode(kwargs, arrays), _decode(value, arrays),
        None if shape is None else tuple(shape), dtype, None if site is None else sites[site],
        tuple(calls[c] for c in running), names, window, origin,
    )  # fmt: skip


def _encode(value: Any, arrays: _Arrays, name: str) -> Any:
    """A value as JSON: plain where JSON has it, else a list that begins with a tag."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.ndarray):
        return ["array", *arrays.keep(value, name)]
    if isinstance(value, np.generic):
        return ["scalar", *arrays.keep(np.asarray(value), name)]
    if isinstance(value, int):
        return value if abs(value) < 2**53 else ["int", str(value)]
    if isinstance(value, float):
        return ["float", value.hex()]
    if isinstance(value, complex):
        return ["complex", value.real.hex(), value.imag.hex()]
    if isinstance(value, Ref):
        return ["ref", value.node]
    if isinstance(value, (tuple, list)):
        items = [_encode(item, arrays, f"{name}_{at}") for at, item in enumerate(value)]
        return ["tuple" if isinstance(value, tuple) else "list", items]
    if isinstance(value, dict):
        pairs = [
            [_encode(k, arrays, f"{name}_{at}k"), _encode(v, arrays, f"{name}_{at}")]
            for at, (k, v) in enumerate(value.items())
        ]
        return ["dict", pairs]
    if isinstance(value, Slice):
        parts = (value.start, value.stop, value.step)
        return ["slice", [_encode(part, arrays, f"{name}_{at}") for at, part in enumerate(parts)]]
    if value is Ellipsis:
        return ["ellipsis"]
    if isinstance(value, bytes):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, np.dtype):
        return ["dtype", value.str]
    if isinstance(value, range):
        return ["range", value.start, value.stop, value.step]
    raise StorageError(f"A value of type {type(value).__name__} cannot be stored.")


def _decode(item: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(item, list):
        return item
    tag, *rest = item
    if tag == "array":
        return _kept(arrays, rest)
    if tag == "scalar":
        return _kept(arrays, rest)[()]
    if tag == "int":
        return int(rest[0])
    if tag == "float":
        return float.fromhex(rest[0])
    if tag == "complex":
        return complex(float.fromhex(rest[0]), float.fromhex(rest[1]))
    if tag == "ref":
        return Ref(rest[0])
    if tag in ("tuple", "list"):
        items = [_decode(part, arrays) for part in rest[0]]
        return tuple(items) if tag == "tuple" else items
    if tag == "dict":
        return {_decode(k, arrays): _decode(v, arrays) for k, v in rest[0]}
    if tag == "slice":
        return Slice(*(_decode(part, arrays) for part in rest[0]))
    if tag == "ellipsis":
        return Ellipsis
    if tag == "bytes":
        return base64.b64decode(rest[0])
    if tag == "dtype":
        return np.dtype(rest[0])
    if tag == "range":
        return range(*rest)
    raise StorageError(f"An unknown form, {tag!r}, stands in this tape.")
