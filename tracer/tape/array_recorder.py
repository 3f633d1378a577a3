"""`record`: a function's NumPy operations as a `Tape`, by NumPy's own protocols.

In: a function and arrays.  Out: a tape with one window, and the function's result.  The arrays are
wrapped, so operators, ufuncs and NumPy's functions report themselves; what leaves the wrapper
(``float(x)``, ``math.exp``) is refused rather than lost, because a wrapper cannot follow it.
For whole programs, with mutation and plain numbers, there is `tracer.recording`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tracer.tape.functions import Slice, resolve
from tracer.tape.node import Kind, Node, Ref, Window
from tracer.tape.tape import Tape

_NAMES = {"amax": "max", "amin": "min", "true_divide": "divide", "concat": "concatenate", "mod": "remainder"}
_REDUCTIONS = frozenset(["sum", "prod", "mean", "max", "min", "var", "std", "any", "all"])
_METHODS = frozenset(
    [
        "sum",
        "prod",
        "mean",
        "max",
        "min",
        "var",
        "std",
        "any",
        "all",
        "argmax",
        "argmin",
        "cumsum",
        "cumprod",
        "dot",
        "transpose",
        "squeeze",
        "swapaxes",
        "repeat",
        "clip",
        "diagonal",
        "trace",
        "take",
    ]
)


class CannotRecord(TypeError):
    """An operation that a wrapped array cannot follow."""


class Recorded(NDArrayOperatorsMixin):
    """An array that writes down what is done with it."""

    __array_priority__ = 1000.0

    def __init__(self, tape: Tape, node: Node) -> None:
        self.tape, self.node = tape, node

    @property
    def value(self) -> Any:
        return self.node.value

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    @property
    def T(self) -> Recorded:
        return _apply(self.tape, "transpose", (self,), {"axes": None})

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Recorded:
        return _apply(self.tape, "getitem", (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self.node = _apply(self.tape, "setitem", (self, index, value), {}, Kind.MUTATION).node

    def reshape(self, *shape: Any) -> Recorded:
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        return _apply(self.tape, "reshape", (self,), {"shape": self.value.reshape(wanted).shape})

    def copy(self) -> Recorded:
        return _apply(self.tape, "copy", (self,), {})

    def astype(self, dtype: Any) -> Recorded:
        return _apply(self.tape, "astype", (self,), {"dtype": np.dtype(dtype).name})

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda *args, **kwargs: _function(self.tape, getattr(np, name), (self, *args), kwargs)
        raise AttributeError(f"{name} of a recorded array cannot be followed")

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any
    ) -> Any:
        name = _NAMES.get(ufunc.__name__, ufunc.__name__)
        if method == "__call__":
            made = _apply(self.tape, name, inputs, kwargs)
        elif method == "reduce" and name in ("add", "multiply", "maximum", "minimum"):
            reduced = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}[name]
            made = _apply(
                self.tape,
                reduced,
                inputs,
                {"axis": kwargs.get("axis", 0), "keepdims": kwargs.get("keepdims", False)},
            )
        else:
            raise CannotRecord(f"{name}.{method} cannot be recorded by tracer.tape.record")
        if out is None:
            return made
        target = out[0]
        if not isinstance(target, Recorded):
            raise CannotRecord("out= is an array that is not recorded")
        target.node = _apply(self.tape, "into", (target, made), {}, Kind.MUTATION).node
        return target

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return _function(self.tape, function, args, kwargs)

    def _refuse(self, *_: Any) -> Any:
        raise CannotRecord(
            "a recorded array was turned into a plain number or array; keep to NumPy's functions, or use tracer.recording"
        )

    __float__ = __int__ = __array__ = _refuse

    def __bool__(self) -> bool:
        return bool(self.value)


def record(function: Callable[..., Any], *arrays: Any) -> tuple[Tape, Any]:
    """Call ``function`` with recorded arrays.

    Arguments:
        arrays: arrays or numbers; each becomes a leaf.

    Returns:
        The tape and the function's result as plain NumPy values.

    Raises:
        CannotRecord: the function does something that a wrapper cannot follow.
    """
    tape = Tape()
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code is not None else ()
    wrapped = []
    for at, array in enumerate(arrays):
        leaf = _node(tape, Kind.LEAF, "", (), {}, np.array(array) if np.ndim(array) else array)
        if at < len(names):
            leaf.names.append(names[at])
        wrapped.append(Recorded(tape, leaf))
    result = function(*wrapped)
    tape.windows.append(Window(0, 0, 0, len(tape.nodes)))
    return tape, _plain(result)


def _node(tape: Tape, kind: Kind, op: str, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> Node:
    dtype = value.dtype.name if isinstance(value, (np.ndarray, np.generic)) else type(value).__name__
    node = Node(len(tape.nodes), kind, op, args, kwargs, value, np.shape(value), dtype, window=0)
    tape.nodes.append(node)
    return node


def _apply(
    tape: Tape, op: str, args: tuple[Any, ...], kwargs: dict[str, Any], kind: Kind = Kind.OPERATION
) -> Recorded:
    value = resolve(op)(*(_plain(a) for a in args), **_plain(kwargs))
    return Recorded(
        tape, _node(tape, kind, op, tuple(_reference(tape, a) for a in args), _reference(tape, kwargs), value)
    )


def _function(tape: Tape, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = _NAMES.get(function.__name__, function.__name__)
    if name in ("shape", "ndim", "size"):
        return getattr(np, name)(_plain(args[0]))
    if name in _REDUCTIONS:
        names = ("axis",)
        given = {**dict(zip(names, args[1:], strict=False)), **kwargs}
        return _apply(tape, name, args[:1], {"axis": None, "keepdims": False, **given})
    if name == "reshape":
        return args[0].reshape(args[1] if len(args) > 1 else kwargs["shape"])
    if name == "transpose":
        return _apply(tape, name, args[:1], {"axes": args[1] if len(args) > 1 else kwargs.get("axes")})
    path = "norm" if function is np.linalg.norm else name
    try:
        resolve(path)
    except KeyError:
        raise CannotRecord(f"numpy.{name} cannot be recorded by tracer.tape.record") from None
    return _apply(tape, path, args, kwargs)


def _plain(item: Any) -> Any:
    if isinstance(item, Recorded):
        return item.value
    if isinstance(item, (tuple, list)):
        return type(item)(_plain(part) for part in item)
    if isinstance(item, dict):
        return {key: _plain(part) for key, part in item.items()}
    return item


def _reference(tape: Tape, item: Any) -> Any:
    if isinstance(item, Recorded):
        return Ref(item.node.id)
    if isinstance(item, np.ndarray):
        return Ref(_node(tape, Kind.LEAF, "", (), {}, item.copy()).id)
    if isinstance(item, (tuple, list)):
        return tuple(_reference(tape, part) for part in item)
    if isinstance(item, dict):
        return {key: _reference(tape, part) for key, part in item.items()}
    if isinstance(item, slice):
        return Slice(*(_reference(tape, part) for part in (item.start, item.stop, item.step)))
    return item
