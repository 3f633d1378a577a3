"""`resolve`: the pure function behind each canonical operation.

In: the name of an operation.  Out: a callable of its arguments that never touches an argument; the
function of a mutation returns the new value.  The function of a view returns a view, not a copy: BLAS
rounds differently for another layout of memory, and replays are bit for bit.
"""

from __future__ import annotations

import builtins
import importlib
import math
import operator
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from typing import Any

import numpy as np
from msgspec import Struct


class Slice(Struct, frozen=True):
    """A slice whose parts may be references to nodes."""

    start: Any = None
    stop: Any = None
    step: Any = None


#: Decimals that hold every float exactly.
_EXACTLY = Context(prec=1200)
_NUMBERS = (int, float, complex, np.ndarray, np.generic)

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "matmul": operator.matmul,
}


def cmp(a: Any, b: Any) -> int:
    """``cmp`` of Python 2: -1, 0 or 1."""
    return int(a > b) - int(a < b)


def round_half_away(x: Any, decimals: int = 0) -> float:
    """``round`` of Python 2: a float, and what lies halfway between two goes away from zero."""
    value = float(x)
    if not math.isfinite(value) or decimals > 330:
        return value
    return float(Decimal(value).quantize(Decimal(1).scaleb(-int(decimals)), ROUND_HALF_UP, _EXACTLY))


def _binary(name: str) -> Callable[..., Any]:
    plain, ufunc = _OPERATORS[name], getattr(np, name)

    def function(a: Any, b: Any, **kwargs: Any) -> Any:
        if kwargs or not (isinstance(a, _NUMBERS) and isinstance(b, _NUMBERS)):
            return ufunc(a, b, **kwargs)
        try:
            return plain(a, b)
        except (ZeroDivisionError, OverflowError):
            return ufunc(a, b)

    return function


def _unary(name: str) -> Callable[..., Any]:
    signs: dict[str, Callable[[Any], Any]] = {
        "negative": operator.neg,
        "positive": operator.pos,
        "absolute": abs,
    }
    plain = signs[name]
    ufunc = getattr(np, name)

    def function(x: Any, **kwargs: Any) -> Any:
        return plain(x) if not kwargs and isinstance(x, (int, float)) else ufunc(x, **kwargs)

    return function


def _setitem(x: Any, index: Any, value: Any) -> Any:
    new = np.array(x)
    new[index] = value
    return new


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


def _put_flat(root: Any, index: Any, value: Any) -> Any:
    new = np.array(root)
    flat = new.reshape(-1)
    flat[index] = value
    return flat.reshape(new.shape)


def _add_at(x: Any, index: Any, value: Any) -> Any:
    new = np.array(x)
    np.add.at(new, index, value)
    return new


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def reduce(x: Any, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> Any:
        return function(x, axis=axis, **({"keepdims": True} if keepdims else {}), **kwargs)

    return reduce


def _norm(x: Any, axis: Any = None, keepdims: bool = False, **kwargs: Any) -> Any:
    return np.linalg.norm(x, axis=axis, keepdims=keepdims, **kwargs)


def _array(items: Any, **kwargs: Any) -> Any:
    return np.array(items, **kwargs)


def _scalar(kind: type) -> Callable[..., Any]:
    def convert(x: Any) -> Any:
        return kind(x.item() if isinstance(x, np.ndarray) else x)

    return convert


def _range(*bounds: Any) -> Any:
    return np.arange(*bounds)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that changes its first argument in place, as one that returns the new value."""

    def new(x: Any, *args: Any, **kwargs: Any) -> Any:
        copy = np.array(x)
        function(copy, *args, **kwargs)
        return copy

    return new


def _sort(x: Any, *args: Any, **kwargs: Any) -> Any:
    return np.sort(x, *args, **kwargs)


def _fill(x: Any, value: Any) -> Any:
    return np.full_like(x, value)


def _copyto(x: Any, value: Any, **kwargs: Any) -> Any:
    new = np.array(x)
    np.copyto(new, value, casting=kwargs.pop("casting", "same_kind"), **kwargs)
    return new


def _into(x: Any, value: Any) -> Any:
    """``value`` cast to the type and shape of ``x``: what writing into ``x`` as a whole leaves there."""
    new = np.empty_like(x)
    new[...] = value
    return new


def _lists(items: Any) -> Any:
    return [_lists(item) for item in items] if isinstance(items, tuple) else items


def _with_attribute(x: Any, name: str, value: Any) -> Any:
    """``x`` after ``x.real = value`` and the like."""
    new = np.array(x)
    setattr(new, name, value)
    return new


def _resized(x: Any, shape: Any) -> Any:
    """What ``x.resize(shape)`` leaves: cut off, or filled up with zeros."""
    new = np.zeros(int(np.prod(shape)), x.dtype)
    kept = min(new.size, x.size)
    new[:kept] = x.reshape(-1)[:kept]
    return new.reshape(shape)


def _part_of(part: int, op: str, *args: Any, **kwargs: Any) -> Any:
    """One of the arrays that a function gives, such as the Q of a QR decomposition."""
    return resolve(op)(*args, **kwargs)[part]


_TABLE: dict[str, Callable[..., Any]] = {
    **{name: _binary(name) for name in _OPERATORS},
    **{name: _unary(name) for name in ("negative", "positive", "absolute")},
    **{name: _reduction(name) for name in ("sum", "mean", "prod", "max", "min", "var", "std", "any", "all")},
    **{name: getattr(np, name) for name in ("squeeze", "expand_dims", "swapaxes", "flip", "broadcast_to")},
    **{name: getattr(np, name) for name in ("diagonal", "diag", "real", "imag", "moveaxis", "rollaxis")},
    **{name: getattr(np, name) for name in ("atleast_1d", "atleast_2d", "rot90", "fliplr", "flipud")},
    "norm": _norm,
    "argmax": lambda x, axis=None, **kw: np.argmax(x, axis=axis, **kw),
    "argmin": lambda x, axis=None, **kw: np.argmin(x, axis=axis, **kw),
    "transpose": lambda x, axes=None: np.transpose(x, axes),
    "reshape": lambda x, shape, **kw: np.reshape(x, shape, **kw),
    "concatenate": lambda items, axis=0: np.concatenate(items, axis=axis),
    "stack": lambda items, axis=0: np.stack(items, axis=axis),
    "c_": lambda *items: np.c_[items],
    "r_": lambda *items: np.r_[items],
    "array": _array,
    "held": lambda x: x,
    "copy": lambda x: np.array(x) if isinstance(x, np.ndarray) else x,
    "astype": lambda x, dtype: np.asarray(x).astype(dtype) if np.ndim(x) else np.dtype(dtype).type(x),
    "item": lambda x, *index: x.item(*index) if hasattr(x, "item") else x,
    "float": _scalar(float),
    "int": _scalar(int),
    "bool": _scalar(bool),
    "complex": lambda *parts: complex(*parts),
    "round": lambda x, decimals=0: round(x, decimals) if isinstance(x, float) else np.round(x, decimals),
    "round_to_int": lambda x: round(x),
    "round_half_away": round_half_away,
    "cmp": cmp,
    "sum_of": lambda items, start=0: builtins.sum(items, start),
    "max_of": lambda items: builtins.max(items),
    "min_of": lambda items: builtins.min(items),
    "fsum_of": lambda items: math.fsum(items),
    "prod_of": lambda items: math.prod(items),
    "log_base": lambda x, base: math.log(x, base),
    "divmod": lambda a, b: divmod(a, b),
    "tuple_item": lambda items, k: items[k],
    "getitem": _getitem,
    "setitem": _setitem,
    "take_flat": lambda root, index: np.array(root).reshape(-1)[index],
    "put_flat": _put_flat,
    "add_at": _add_at,
    "pi": lambda: math.pi,
    "e": lambda: math.e,
    "axis_size": lambda x, axis: int(np.shape(x)[axis]),
    "size": lambda x: int(np.size(x)),
    "ndim": lambda x: int(np.ndim(x)),
    "range": _range,
    "fill_diagonal": _whole(np.fill_diagonal),
    "put": _whole(np.put),
    "place": _whole(np.place),
    "putmask": _whole(np.putmask),
    "put_along_axis": _whole(np.put_along_axis),
    "copyto": _copyto,
    "sort_in_place": _sort,
    "fill": _fill,
    "into": _into,
    "split": lambda x, sections, axis, part: np.split(x, sections, axis=axis)[part],
    "array_split": lambda x, sections, axis, part: np.array_split(x, sections, axis=axis)[part],
    "empty": lambda shape, **kw: np.zeros(shape, **kw),
    "empty_like": lambda x, **kw: np.zeros_like(x, **kw),
    "view": lambda x: x.view(),
    "block": lambda items: np.block(_lists(items)),
    "with_attribute": _with_attribute,
    "partitioned": lambda x, *args, **kw: np.partition(x, *args, **kw),
    "resized": lambda x, shape: _resized(x, shape),
    "logical_not": lambda x, **kw: (not x) if isinstance(x, (bool, int, float)) else np.logical_not(x, **kw),
    "part_of": _part_of,
}


#: Modules of SciPy whose functions are operations; they are loaded only for a tape that has some.
_SCIPY = ("special.", "signal.")


@cache
def resolve(op: str) -> Callable[..., Any]:
    """The function of a canonical operation.

    Arguments:
        op: a name such as ``"add"``, ``"matmul"``, ``"linalg.inv"`` or ``"subtract.outer"``.

    Raises:
        KeyError: there is no such operation.
    """
    if op in _TABLE:
        return _TABLE[op]
    if op.startswith(_SCIPY):
        module, _, name = op.rpartition(".")
        of_scipy: Callable[..., Any] = getattr(importlib.import_module(f"scipy.{module}"), name)
        return of_scipy
    if op.endswith(".at"):
        return _whole(getattr(np, op.removesuffix(".at")).at)
    found: Any = np
    for part in op.split("."):
        found = getattr(found, part, None)
        if found is None:
            break
    if callable(found):
        function: Callable[..., Any] = found
        return function
    raise KeyError(f"no function for the operation {op!r}")
