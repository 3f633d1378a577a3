"""Functions that write into an array that is there: the entries that are written, and those that stay.

The result is the array after it was written into.  Positions in a flattened array are ``<out>.place0``,
``<out>.place1``, … in each of its axes; ``<out>.source0``, … says which of the given values an entry gets, and
``<out>.kept`` is 1 for an entry that stays, else 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tracer.calculus import simplify
from tracer.ops.axes import Operand
from tracer.ops.choosing import anywhere, plain, positions
from tracer.ops.stated import Indices, looked
from tracer.ops.table import Row, by_name, looked_up, operation
from tracer.ops.truth_values import truth
from tracer.ops.writing import Form, NoFormula, form, rational


@operation("into", "fill")
def into(X: Operand, value: Any) -> Row:
    """out[i] = v[i]: every entry is written"""
    i = X.indices()
    return i, _value(value, i)


def _value(value: Any, i: Indices) -> Form:
    if isinstance(value, (tuple, list)):
        raise NoFormula("copyto", "a list of values, which is no array")
    return value[i] if isinstance(value, Operand) else form(rational(value))


@operation("copyto")
def copyto(X: Operand, value: Any, where: Any = True, casting: Any = None) -> Row:
    """out[i] = m[i] v[i] + (1 − m[i]) X[i], where m is 1 where it is written, else 0"""
    i = X.indices()
    if where is True:
        return i, _value(value, i)
    written = truth(_value(where, i))
    return i, Form(simplify((X[i] + written * (_value(value, i) - X[i])).expr))


@operation("putmask", "place")
def putmask(X: Operand, mask: Any, values: Any, *, out: Operand) -> Row:
    """out[i] = k[i] X[i] + (1 − k[i]) v[s[i]], where k is 0 where the mask is true, else 1"""
    return _written(X, values, out)


@operation("put")
def put(X: Operand, ind: Any, v: Any, mode: Any = "raise", *, out: Operand) -> Row:
    """out[i] = k[i] X[i] + (1 − k[i]) v[s[i]], where k is 0 where an index points, else 1"""
    return _written(X, v, out)


@operation("put_along_axis")
def put_along_axis(X: Operand, indices: Any, values: Any, axis: Any, *, out: Operand) -> Row:
    """out[i] = k[i] X[i] + (1 − k[i]) v[s[i]], where k is 0 where an index points, else 1"""
    return _written(X, values, out)


@operation("put_flat")
def put_flat(X: Operand, index: Any, value: Any, *, out: Operand) -> Row:
    """out[i] = k[i] X[i] + (1 − k[i]) v[s[i]], where k is 0 where a position is written, else 1"""
    return _written(X, value, out)


def _written(X: Operand, values: Any, out: Operand) -> Row:
    i = X.indices()
    if isinstance(values, (tuple, list)):
        raise NoFormula("put", "a list of values, which is no array")
    kept = looked(out, "kept", *i)
    new = anywhere(values, i, f"{out.name}.source") if isinstance(values, Operand) else form(rational(values))
    return i, kept * X[i] + (1 - kept) * new


def _sources(op: str, names: str, write: Callable[..., Any]) -> None:
    """Enter how the places of an operation are found: positions are written instead of values."""

    def find(output: str, operands: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        given = by_name(names, operands, arguments)
        X, values = given.pop("X"), given["values"]
        shape = values.shape if isinstance(values, Operand) else ()
        numbers = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
        given = {k: numbers if k == "values" else plain(v) for k, v in given.items()}
        mixed = np.zeros(X.shape, dtype=int)
        write(mixed, *given.values())
        return {
            f"{output}.kept": (mixed == 0).astype(float),
            **positions(np.maximum(mixed - 1, 0), shape, f"{output}.source"),
        }

    looked_up(op)(find)


def _write_flat(x: np.ndarray[Any, Any], index: Any, values: Any) -> None:
    x.reshape(-1)[index] = values


_sources("putmask", "X mask values", np.putmask)
_sources("place", "X mask values", np.place)
_sources("put", "X ind values mode", np.put)
_sources("put_along_axis", "X indices values axis", np.put_along_axis)
_sources("put_flat", "X index values", _write_flat)


@operation("take_flat")
def take_flat(X: Operand, index: Any, *, out: Operand) -> Row:
    """out[i] = X[p[i]], the entries at positions in the flattened array"""
    i = out.indices()
    return i, anywhere(X, i, f"{out.name}.place")


@looked_up("take_flat")
def places_in_the_array(output: str, operands: Sequence[Any], _: Mapping[str, Any]) -> dict[str, Any]:
    """The positions in each axis."""
    X, index = operands
    count = np.arange(int(np.prod(X.shape)))
    return positions(count[np.asarray(plain(index))], X.shape, f"{output}.place")
